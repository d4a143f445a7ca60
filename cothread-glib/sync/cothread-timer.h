/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TIMER (cothread_timer_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadTimer, cothread_timer, COTHREAD, TIMER, GObject)

/**
 * CothreadTimerFlags:
 * @COTHREAD_TIMER_DEFAULT: runs once and is over
 * @COTHREAD_TIMER_RETRIGGER: starts again when its callback has returned
 * @COTHREAD_TIMER_REUSE: stays usable with cothread_timer_reset() after it ran
 *
 * How a timer behaves.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_TIMER_DEFAULT = 0,
  COTHREAD_TIMER_RETRIGGER = 1 << 0,
  COTHREAD_TIMER_REUSE = 1 << 1,
} CothreadTimerFlags;

/**
 * CothreadTimerFunc:
 * @timer: the timer that expired
 * @user_data: what the timer was made with
 *
 * Runs in a task of its own and may wait.
 *
 * Since: 0.1
 */
typedef void (*CothreadTimerFunc) (CothreadTimer *timer, gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
CothreadTimer *cothread_timer_new (gint64 timeout_us,
                                   CothreadTimerFlags flags,
                                   CothreadTimerFunc func,
                                   gpointer user_data,
                                   GDestroyNotify user_data_destroy);
COTHREAD_AVAILABLE_IN_0_1
CothreadTimer *cothread_timer_new_plain (gint64 timeout_us, CothreadTimerFlags flags);
COTHREAD_AVAILABLE_IN_0_1
void cothread_timer_cancel (CothreadTimer *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_timer_reset (CothreadTimer *self, gint64 timeout_us);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_timer_is_pending (CothreadTimer *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_timer_wait (CothreadTimer *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_timer_wait_async (CothreadTimer *self,
                                gint64 timeout_us,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_timer_wait_finish (CothreadTimer *self, GAsyncResult *result, GError **error);

G_END_DECLS
