/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

/**
 * CothreadThreadFunc: (skip)
 * @user_data: what was given to cothread_run_in_thread()
 * @cancellable: cancelled when the caller's wait is cancelled, interrupted, or
 *   has timed out; long work looks at it from time to time
 * @error: where the work reports its failure
 *
 * Blocking work, in a thread of the pool. It must not use the caller's
 * scheduler, except through a callback queue.
 *
 * Returns: (nullable): the result
 *
 * Since: 0.1
 */
typedef gpointer (*CothreadThreadFunc) (gpointer user_data, GCancellable *cancellable, GError **error);

/**
 * CothreadThreadOptions: (skip)
 * @user_data_destroy: (nullable): frees the user data, exactly once: in the
 *   calling thread before cothread_run_in_thread_full() returns, whether the
 *   work ran or not; but in the thread of the pool, after the work has returned,
 *   if it was abandoned
 * @result_destroy: (nullable): frees a result that nobody takes: where the caller
 *   gave no place for it, in the calling thread; of abandoned work, in the thread
 *   of the pool
 * @abandon: whether a cancelled, interrupted or timed-out wait ends at once and
 *   leaves the work to itself. @user_data must not be on the caller's stack then
 *
 * How to run work in a thread. Initialise it with a designated initialiser, so
 * that members that come later are zero.
 *
 * Since: 0.1
 */
typedef struct
{
  GDestroyNotify user_data_destroy;
  GDestroyNotify result_destroy;
  gboolean abandon;
  /*< private >*/
  gpointer padding[5];
} CothreadThreadOptions;

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_run_in_thread (CothreadThreadFunc func,
                                 gpointer user_data,
                                 gint64 timeout_us,
                                 gpointer *result,
                                 GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_run_in_thread_full (CothreadThreadFunc func,
                                      gpointer user_data,
                                      const CothreadThreadOptions *options,
                                      gint64 timeout_us,
                                      gpointer *result,
                                      GError **error);

COTHREAD_AVAILABLE_IN_0_1
void cothread_set_max_threads (guint n_threads);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_get_max_threads (void);

G_END_DECLS
