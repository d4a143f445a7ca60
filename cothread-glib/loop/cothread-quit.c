/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-quit.h"
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-quit-private.h"
#include "loop/cothread-wait-private.h"

static gboolean
begin_catching (CothreadQuitPost *post, gboolean catch_interrupt, GError **error)
{
  if (!catch_interrupt)
    return TRUE;
  post->n_catchers++;
  if (cothread_quit_post_update_sigint (post, error))
    return TRUE;
  post->n_catchers--;
  return FALSE;
}

/* After the scheduler's shutdown there is nothing to end. */
static void
end_catching (CothreadScheduler *scheduler, gboolean catch_interrupt)
{
  if (!catch_interrupt || scheduler->quit_post == NULL)
    return;
  scheduler->quit_post->n_catchers--;
  cothread_quit_post_update_sigint (scheduler->quit_post, NULL);
}

/**
 * cothread_wait_for_quit:
 * @catch_interrupt: whether Ctrl-C (`SIGINT`) means cothread_quit() while this
 *   wait lasts
 * @error: return location for a #GError
 *
 * Waits until cothread_quit() was called, by whomever; the last line of many a
 * `main()`. Does not suspend if that has happened.
 *
 * With @catch_interrupt the signal is taken from the system for the time of the
 * wait. Without, Ctrl-C does what it does otherwise: it ends the process, or
 * interrupts this wait where cothread_scheduler_set_catch_interrupt() was
 * called.
 *
 * Fails like cothread_sleep(): with %COTHREAD_ERROR_INTERRUPTED when `main()`
 * waits and the scheduler is interrupted, with %G_IO_ERROR_CANCELLED, and with
 * %COTHREAD_ERROR_WRONG_CONTEXT where nothing can wait. With @catch_interrupt,
 * fails with %G_IO_ERROR_NOT_SUPPORTED if no main context drives the scheduler.
 *
 * Returns: %TRUE if the program is to end
 *
 * Since: 0.1
 */
gboolean
cothread_wait_for_quit (gboolean catch_interrupt, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  CothreadScheduler *scheduler;
  CothreadQuitPost *post;
  CtWaiter waiter;
  gboolean was_woken;

  if (core == NULL)
    return FALSE;
  if (cothread_is_quitting ())
    return cothread_wait_for_ready (error);
  scheduler = core->owner;
  if (scheduler->is_shut_down) /* and this task unwinds */
    return cothread_wait_on (core, NULL, CT_TIME_NEVER, "quit", NULL, error);
  post = cothread_quit_post_ensure (scheduler);
  if (!begin_catching (post, catch_interrupt, error))
    return FALSE;
  /* Whoever quits from here on finds the post in the list. */
  waiter = (CtWaiter) { .task = core->current };
  ct_link_insert_before (&post->waiters, &waiter.link);
  if (cothread_is_quitting ())
    {
      ct_link_unlink (&waiter.link);
      was_woken = cothread_wait_for_ready (error);
    }
  else
    was_woken = cothread_wait_on (core, &waiter, CT_TIME_NEVER, "quit", NULL, error);
  end_catching (scheduler, catch_interrupt);
  return was_woken;
}

static gboolean
look_for_quit (CothreadAsyncWait *self, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadQuitPost *post = self->scheduler->quit_post;

  if (cothread_is_quitting ())
    return TRUE;
  if (post == NULL) /* the scheduler ends, and this wait is cancelled next */
    ct_link_init (&self->waiter.link);
  else
    ct_link_insert_before (&post->waiters, &self->waiter.link);
  return FALSE;
}

static void
stop_catching (CothreadAsyncWait *self)
{
  end_catching (self->scheduler, GPOINTER_TO_INT (self->object));
}

static const CothreadAsyncWaitKind quit_kind = { "quit", "quit", look_for_quit, NULL, stop_catching };

/**
 * cothread_wait_for_quit_async:
 * @catch_interrupt: whether Ctrl-C (`SIGINT`) means cothread_quit() while this
 *   wait lasts; where no main context drives the scheduler it has no effect
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack when the program
 *   is to end
 * @user_data: passed to @callback
 *
 * Waits for cothread_quit(), as cothread_wait_for_quit() does, but calls back
 * instead of suspending a task. The callback comes in the caller's
 * thread-default context.
 *
 * Since: 0.1
 */
void
cothread_wait_for_quit_async (gboolean catch_interrupt, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  CothreadScheduler *scheduler;
  gboolean catches = FALSE;

  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  scheduler = cothread_scheduler_ensure (NULL);
  if (scheduler != NULL && !scheduler->is_shut_down)
    catches = begin_catching (cothread_quit_post_ensure (scheduler), catch_interrupt, NULL) && catch_interrupt;
  cothread_async_wait (&quit_kind, NULL, COTHREAD_FOREVER, GINT_TO_POINTER (catches), NULL, cancellable, callback, user_data);
}

/**
 * cothread_wait_for_quit_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_for_quit_async() began. Fails with
 * %G_IO_ERROR_CANCELLED, and with %COTHREAD_ERROR_WRONG_CONTEXT in a thread
 * without a scheduler.
 *
 * Returns: %TRUE if the program is to end
 *
 * Since: 0.1
 */
gboolean
cothread_wait_for_quit_finish (GAsyncResult *result, GError **error)
{
  return cothread_async_wait_finish (&quit_kind, NULL, result, NULL, error);
}

/**
 * cothread_scheduler_set_catch_interrupt:
 * @self: a scheduler that a main context drives
 * @catch_interrupt: whether to
 * @error: return location for a #GError
 *
 * Whether Ctrl-C (`SIGINT`) interrupts the main task, as
 * cothread_scheduler_interrupt() does, instead of ending the process: whatever
 * `main()` waits for, now or next, fails with %COTHREAD_ERROR_INTERRUPTED, and
 * all other tasks go on. While somebody waits in cothread_wait_for_quit() and
 * catches the signal, it means cothread_quit().
 *
 * The library takes no signal unless it is asked to; this is off by default.
 * Fails with %G_IO_ERROR_NOT_SUPPORTED if no main context drives the scheduler.
 * To be called on the scheduler's thread; never suspends.
 *
 * Returns: %TRUE if it is as asked for
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_set_catch_interrupt (CothreadScheduler *self, gboolean catch_interrupt, GError **error)
{
  CothreadQuitPost *post;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self), FALSE);
  g_return_val_if_fail (!self->is_shut_down, FALSE);

  post = cothread_quit_post_ensure (self);
  post->is_interrupt = catch_interrupt != FALSE;
  if (cothread_quit_post_update_sigint (post, error))
    return TRUE;
  post->is_interrupt = FALSE;
  return FALSE;
}

/**
 * cothread_scheduler_get_catch_interrupt:
 * @self: a scheduler
 *
 * Returns: whether Ctrl-C interrupts the main task
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_get_catch_interrupt (CothreadScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), FALSE);
  return self->quit_post != NULL && self->quit_post->is_interrupt;
}
