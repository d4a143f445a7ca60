/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

/**
 * COTHREAD_FOREVER:
 *
 * A timeout that never passes.
 *
 * Since: 0.1
 */
#define COTHREAD_FOREVER ((gint64) -1)

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_sleep (gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_sleep_until (gint64 deadline_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_yield (GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_yield_for (gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_checkpoint (GError **error);

COTHREAD_AVAILABLE_IN_0_1
gint64 cothread_timeout_until (gint64 deadline_us);
COTHREAD_AVAILABLE_IN_0_1
gint64 cothread_scheduler_get_time (CothreadScheduler *self);

G_END_DECLS
