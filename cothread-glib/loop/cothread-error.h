/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "loop/cothread-version.h"

G_BEGIN_DECLS

/**
 * COTHREAD_ERROR:
 *
 * The domain of what only this library can say. A wait that timed out sets
 * %G_IO_ERROR_TIMED_OUT and a cancelled one %G_IO_ERROR_CANCELLED, in GIO's
 * domain, as GIO's own functions do.
 *
 * Since: 0.1
 */
#define COTHREAD_ERROR (cothread_error_quark ())

/**
 * CothreadError:
 * @COTHREAD_ERROR_WRONG_CONTEXT: a wait at a place that cannot suspend, such
 *   as a signal handler that the main loop called outside any task
 * @COTHREAD_ERROR_INTERRUPTED: the main task's wait was interrupted
 * @COTHREAD_ERROR_FULL: a bounded queue had no room
 * @COTHREAD_ERROR_CLOSED: the queue was closed, or its scheduler is gone
 * @COTHREAD_ERROR_DEADLOCK: nothing can end the main task's wait any more; only
 *   a #CothreadTestScheduler can tell
 *
 * Errors of the %COTHREAD_ERROR domain.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_ERROR_WRONG_CONTEXT,
  COTHREAD_ERROR_INTERRUPTED,
  COTHREAD_ERROR_FULL,
  COTHREAD_ERROR_CLOSED,
  COTHREAD_ERROR_DEADLOCK,
} CothreadError;

COTHREAD_AVAILABLE_IN_0_1
GQuark cothread_error_quark (void);

G_END_DECLS
