/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-wait-async.h"

/* Ties a GTask to the task that works for it. The GTask is completed by a task
 * without a stack, on the thread's own: g_task_return() may call the callback
 * at once, which may be anybody's, in any language. */
typedef struct
{
  CothreadTask *worker;
  GTask *result;
  CothreadReturnKind kind;
  CothreadTask *waiter;
  CtWaiter place; /* among those who join the worker */
  gulong handler;
} Bridge;

static void
give_result (Bridge *self)
{
  CothreadTask *worker = self->worker;
  GTask *result = self->result;

  if (worker->error != NULL)
    {
      worker->failure_was_seen = TRUE;
      g_task_return_error (result, g_error_copy (worker->error));
    }
  else if (self->kind == COTHREAD_RETURN_BOOLEAN)
    g_task_return_boolean (result, GPOINTER_TO_INT (worker->result) != 0);
  else if (self->kind == COTHREAD_RETURN_INT)
    g_task_return_int (result, (gssize) GPOINTER_TO_SIZE (worker->result));
  else
    g_task_return_pointer (result, g_steal_pointer (&worker->result), worker->result_destroy);
}

static void
bridge_step (CothreadTask *waiter, gpointer data)
{
  Bridge *self = data;

  /* What cancels the waiter (the end of the scheduler) cancels the worker. */
  if (!cothread_task_is_finished (self->worker))
    {
      waiter->core.wait_reason = "task";
      waiter->core.wait_object = self->worker;
      waiter->core.shield_depth = 1;
      self->place = (CtWaiter) { .task = &waiter->core };
      ct_link_insert_before (&self->worker->joiners, &self->place.link);
      ct_task_park (&waiter->core, &self->place, CT_TIME_NEVER);
      return;
    }
  if (self->handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (self->result), self->handler);
  waiter->core.shield_depth = 0;
  ct_task_finish_stackless (&waiter->core);
  give_result (self);
  g_object_unref (self->result);
  cothread_task_unref (self->worker);
  cothread_task_unref (self->waiter);
  g_free (self);
}

/**
 * cothread_spawn_task_for: (skip)
 * @result: the #GTask of your own `_async` function; a reference is taken
 * @kind: what your `_finish` function propagates
 * @func: what the task does
 * @user_data: passed to @func
 * @options: (nullable): as for cothread_spawn_full(); for a pointer,
 *   `result_destroy` frees a result that nobody took
 *
 * Implements an `_async` function as a task: spawns it, and completes @result
 * with what @func returns, or with its error.
 *
 * ```c
 * void
 * word_count_async (GFile *file, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
 * {
 *   g_autoptr (GTask) result = g_task_new (file, cancellable, callback, user_data);
 *
 *   cothread_spawn_task_for (result, COTHREAD_RETURN_INT, count_words, g_object_ref (file),
 *                            &(CothreadSpawnOptions) { .user_data_destroy = g_object_unref });
 * }
 *
 * gssize
 * word_count_finish (GFile *file, GAsyncResult *result, GError **error)
 * {
 *   return g_task_propagate_int (G_TASK (result), error);
 * }
 * ```
 *
 * The callback is called on the thread's own stack, in the context that was
 * thread-default when @result was made. The cancellable of @result cancels the
 * task, whose function decides what comes of it; what the task returned after
 * all is not thrown away, so `check-cancellable` of @result is turned off.
 *
 * A task that cannot be spawned completes @result with that error. To be called
 * on the thread of the scheduler, in a task or outside; never suspends.
 *
 * Since: 0.1
 */
void
cothread_spawn_task_for (GTask *result, CothreadReturnKind kind, CothreadTaskFunc func, gpointer user_data,
                         const CothreadSpawnOptions *options)
{
  GError *error = NULL;
  CothreadTask *worker;
  Bridge *self;

  g_return_if_fail (G_IS_TASK (result));
  g_return_if_fail (func != NULL);

  g_task_set_check_cancellable (result, FALSE);
  worker = cothread_spawn_full (func, user_data, options, &error);
  if (worker == NULL)
    {
      if (error != NULL) /* otherwise a critical said it */
        g_task_return_error (result, error);
      return;
    }
  self = g_new0 (Bridge, 1);
  self->worker = worker;
  self->result = g_object_ref (result);
  self->kind = kind;
  self->waiter = cothread_task_new_stackless (worker->scheduler, "answer", bridge_step, self);
  self->handler = cothread_task_follow_cancellable (worker, g_task_get_cancellable (result));
}
