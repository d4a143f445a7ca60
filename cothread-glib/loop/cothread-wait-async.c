/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-async.h"

static gboolean
never_over (G_GNUC_UNUSED CothreadAsyncWait *self, G_GNUC_UNUSED const CtWaiter *fired)
{
  return FALSE;
}

static gboolean
time_has_come (CothreadAsyncWait *self, CtWake wake)
{
  if (wake == CT_WAKE_TIMEOUT)
    g_clear_error (&self->failure);
  return TRUE;
}

static const CothreadAsyncWaitKind sleep_kind = { "sleep", "sleep", never_over, time_has_come, NULL };

/**
 * cothread_sleep_async:
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack when the time has
 *   passed
 * @user_data: passed to @callback
 *
 * Waits for a while, as cothread_sleep() does, but calls back instead of
 * suspending a task. May be called in a task or outside, in any thread that has
 * a scheduler. The callback comes in the caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_sleep_async (gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&sleep_kind, NULL, timeout_us, NULL, NULL, cancellable, callback, user_data);
}

/**
 * cothread_sleep_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_sleep_async() began. Fails with %G_IO_ERROR_CANCELLED, and
 * with %COTHREAD_ERROR_WRONG_CONTEXT in a thread without a scheduler.
 *
 * Returns: %TRUE if the time has passed
 *
 * Since: 0.1
 */
gboolean
cothread_sleep_finish (GAsyncResult *result, GError **error)
{
  return cothread_async_wait_finish (&sleep_kind, NULL, result, NULL, error);
}

static gboolean
take_task (CothreadAsyncWait *self, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadTask *task = self->object;

  if (!cothread_task_is_finished (task) && task->scheduler != NULL)
    {
      ct_link_insert_before (&task->joiners, &self->waiter.link);
      return FALSE;
    }
  if (!cothread_task_is_finished (task))
    g_set_error (&self->failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED,
                 "Task %s was abandoned when its scheduler was shut down", cothread_task_get_name (task));
  else if (task->error != NULL)
    {
      task->failure_was_seen = TRUE;
      self->failure = g_error_copy (task->error);
    }
  return TRUE;
}

static const CothreadAsyncWaitKind join_kind = { "join", "task", take_task, NULL, NULL };

static void
task_unref (gpointer task)
{
  cothread_task_unref (task);
}

/**
 * cothread_join_async:
 * @task: a task of the calling thread
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait, not @task
 * @callback: (scope async): called on the thread's own stack when the task has
 *   returned
 * @user_data: passed to @callback
 *
 * Waits until a task has returned, as cothread_task_join() does, but calls back
 * instead of suspending a task. The callback comes in the caller's
 * thread-default context. It is a function and no method, and has no source
 * object, since tasks are no objects.
 *
 * Since: 0.1
 */
void
cothread_join_async (CothreadTask *task, gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_return_if_fail (task != NULL);
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));
  g_return_if_fail (task->scheduler == NULL || cothread_scheduler_is_own_thread (task->scheduler));

  cothread_async_wait (&join_kind, NULL, timeout_us, cothread_task_ref (task), task_unref, cancellable, callback, user_data);
}

/**
 * cothread_join_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_join_async() began. Fails with the task's own error, with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like cothread_sleep_finish().
 * What the task returned can be had from cothread_task_join(), which does not
 * wait any more.
 *
 * Returns: %TRUE if the task has returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_join_finish (GAsyncResult *result, GError **error)
{
  return cothread_async_wait_finish (&join_kind, NULL, result, NULL, error);
}
