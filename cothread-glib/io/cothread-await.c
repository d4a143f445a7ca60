/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-suspend.h"
#include "io/cothread-await.h"
#include "loop/cothread-task-extra.h"
#include "loop/cothread-wait-private.h"

/* Lives on the task's stack, and so must not be left before the answer came. */
typedef struct
{
  CtTask *task;
  CothreadScheduler *scheduler; /* held by its context, or by who polls it */
  const char *what;
  gint64 deadline_us;
  GCancellable *cancellable;
  GMainContext *pushed; /* or NULL */
  GAsyncResult *result;
  GAsyncResult *posted; /* by another thread */
  CothreadMail mail;
  gsize thread;
  guint8 is_armed;        /* the task waits for this, and not for something in start() */
  guint8 owns_cancellable;
} Await;

G_STATIC_ASSERT (sizeof (Await) <= sizeof (CothreadAwait));

/* The task's own, so that a cancellation needs nobody's help; but a timeout must
 * not cancel the task, nor may a cancellation reach into a shielded section. */
static void
choose_cancellable (Await *self)
{
  CtTask *task = self->task;

  if (task->kind == CT_TASK_NATIVE && self->deadline_us == CT_TIME_NEVER)
    {
      if (task->shield_depth == 0)
        self->cancellable = cothread_task_ensure_cancellable ((CothreadTask *) task);
      return;
    }
  self->cancellable = g_cancellable_new ();
  self->owns_cancellable = TRUE;
}

/* The answer is to come where this scheduler's tasks run. */
static void
enter_context (Await *self)
{
  GMainContext *here = g_main_context_get_thread_default ();
  GMainContext *home = self->scheduler->context;

  if (here == home || home == NULL || (here == NULL && self->scheduler->is_of_default_context))
    return;
  self->pushed = home;
  g_main_context_push_thread_default (home);
}

/**
 * cothread_await_begin: (skip)
 * @await: uninitialised
 * @what: static text for people, such as the name of the function
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * The first part of cothread_await(), for operations of an odd shape, such as
 * g_file_copy_async(), whose callback is not next to its cancellable. If it
 * succeeds, start the operation with cothread_await_get_cancellable() and
 * cothread_await_callback(), and then call cothread_await_end(), whatever
 * happened. In between the context of the scheduler is thread-default.
 *
 * ```c
 * CothreadAwait await;
 *
 * if (!cothread_await_begin (&await, "g_file_copy_async", COTHREAD_FOREVER, error))
 *   return FALSE;
 * g_file_copy_async (from, to, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT, cothread_await_get_cancellable (&await),
 *                    show_progress, NULL, cothread_await_callback, &await);
 * result = cothread_await_end (&await, error);
 * return result != NULL && g_file_copy_finish (from, result, error);
 * ```
 *
 * To be called in a task, or in plain `main()`. Suspends only a task that was
 * cancelled before, which fails with %G_IO_ERROR_CANCELLED. Otherwise fails with
 * %COTHREAD_ERROR_WRONG_CONTEXT where nothing can wait.
 *
 * Returns: whether the operation is to be started
 *
 * Since: 0.1
 */
gboolean
cothread_await_begin (CothreadAwait *await, const char *what, gint64 timeout_us, GError **error)
{
  Await *self = (Await *) await;
  CtScheduler *core;

  g_return_val_if_fail (await != NULL, FALSE);

  core = cothread_wait_begin (error);
  self->scheduler = NULL;
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &self->deadline_us))
    return FALSE;
  if (ct_task_is_cancelled (core->current))
    return cothread_wait_result (ct_scheduler_wait (core, NULL, CT_TIME_NEVER), error);
  self->scheduler = core->owner;
  self->task = core->current;
  self->what = what;
  self->cancellable = NULL;
  self->pushed = NULL;
  self->result = NULL;
  self->thread = cothread_thread_id ();
  self->is_armed = self->owns_cancellable = FALSE;
  choose_cancellable (self);
  enter_context (self);
  return TRUE;
}

/**
 * cothread_await_get_cancellable: (skip)
 * @await: what cothread_await_begin() has begun
 *
 * What cancels the operation: the task's own cancellable, or, where there is a
 * timeout or no task, one for this operation alone. An operation that must not
 * be cut short is given %NULL instead; its answer is waited for all the same.
 *
 * Returns: (transfer none) (nullable): the cancellable; %NULL in a shielded
 *   section
 *
 * Since: 0.1
 */
GCancellable *
cothread_await_get_cancellable (CothreadAwait *await)
{
  return ((Await *) await)->cancellable;
}

/* The task may run at once, and then `self` is gone. */
static void
fire (Await *self)
{
  if (self->is_armed)
    cothread_source_wake (self->scheduler, self->task);
}

static void
deliver (CothreadMail *mail)
{
  Await *self = CT_CONTAINER_OF (mail, Await, mail);

  self->result = g_steal_pointer (&self->posted);
  fire (self);
}

/**
 * cothread_await_callback: (skip)
 * @source: not used
 * @result: what ended
 * @await: what cothread_await_begin() has begun
 *
 * The callback of the operation. It may come before the function that starts it
 * has returned, on any stack, and in any thread, but only once. It takes a
 * reference to the result, wakes the task, and never suspends.
 *
 * Since: 0.1
 */
void
cothread_await_callback (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer await)
{
  Await *self = await;

  g_return_if_fail (result != NULL);
  if (G_LIKELY (self->thread == cothread_thread_id ()))
    {
      g_return_if_fail (self->result == NULL);
      self->result = g_object_ref (result);
      fire (self);
      return;
    }
  self->posted = g_object_ref (result);
  self->mail.deliver = deliver;
  cothread_scheduler_post_mail (self->scheduler, &self->mail);
}

static void
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

/* The wait is over only with the answer: until then the operation may use what
 * is on the stack above us. Gives what else ended it. */
static CtWake
wait_for_answer (Await *self)
{
  CtScheduler *core = self->scheduler->core;
  CtTask *task = self->task;
  CtWake why = CT_WAKE_NORMAL;

  self->is_armed = TRUE;
  self->scheduler->n_answers++;
  while (self->result == NULL)
    {
      CtWake wake;

      task->wait_reason = self->what;
      task->wait_object = NULL;
      if (G_LIKELY (task->kind == CT_TASK_NATIVE))
        wake = ct_scheduler_wait_natively (core, task, NULL, self->deadline_us);
      else
        wake = ct_scheduler_wait (core, NULL, self->deadline_us);
      if (self->result != NULL || wake == CT_WAKE_NORMAL || why != CT_WAKE_NORMAL)
        continue;
      why = wake;
      self->deadline_us = CT_TIME_NEVER;
      task->shield_depth++;
      if (self->cancellable != NULL && !g_cancellable_is_cancelled (self->cancellable))
        ct_scheduler_call_on_thread_stack (core, cancel_cancellable, self->cancellable);
    }
  if (why != CT_WAKE_NORMAL)
    task->shield_depth--;
  self->scheduler->n_answers--;
  return why;
}

/**
 * cothread_await_end: (skip)
 * @await: what cothread_await_begin() has begun, and an operation was started
 * @error: return location for a #GError
 *
 * The last part of cothread_await(): suspends the calling task until
 * cothread_await_callback() was called, unless it was already. To be called by
 * who began it, on the same stack. Fails like cothread_await_for(), but for what
 * cothread_await_begin() fails with.
 *
 * Returns: (transfer full) (nullable): the result, for the `_finish` function
 *
 * Since: 0.1
 */
GAsyncResult *
cothread_await_end (CothreadAwait *await, GError **error)
{
  Await *self = (Await *) await;
  CtWake why = CT_WAKE_NORMAL;
  gboolean did_nothing;

  g_return_val_if_fail (await != NULL, NULL);
  g_return_val_if_fail (self->scheduler != NULL, NULL);

  if (self->pushed != NULL)
    g_main_context_pop_thread_default (self->pushed);
  if (self->result == NULL)
    why = wait_for_answer (self);
  if (self->owns_cancellable)
    g_clear_object (&self->cancellable);
  if (G_LIKELY (why == CT_WAKE_NORMAL || why == CT_WAKE_CANCELLED))
    return g_steal_pointer (&self->result);

  did_nothing = G_IS_TASK (self->result) && g_task_had_error (G_TASK (self->result));
  if (did_nothing)
    {
      g_clear_object (&self->result);
      cothread_wait_result (why, error);
    }
  else if (why == CT_WAKE_INTERRUPT)
    cothread_scheduler_interrupt (self->scheduler); /* for the next wait */
  return g_steal_pointer (&self->result);
}
