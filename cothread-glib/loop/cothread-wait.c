/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork-private.h"
#include "loop/cothread-wait-private.h"

#include "core/ct-yield.h"

/* Everything GLib keeps for a thread (the depth of dispatches, the current
 * source) belongs to the stack it was set on; a task must leave it as it found
 * it when it was resumed.
 *
 * g_main_depth() costs a quarter of a whole yield, so it is asked only when a
 * task may be running a main loop: the worker's prepare() notes that. A loop
 * over some other context is noticed when the turn ends. */
const char *
cothread_wait_why_not (const CtScheduler *core)
{
  const CtTask *current = core->current;

  if (current->kind == CT_TASK_NATIVE)
    {
      if (core->frame != NULL && g_main_depth () != core->frame->depth)
        return "Cannot wait here: this code was called by a main loop that a task runs. "
               "Spawn a task (cothread_spawn()) and wait in it";
      return NULL; /* is_depth_uncertain stays: other tasks' loops may go on */
    }
  if (core->is_reaping)
    return "Cannot wait here: this code frees what a finished task has left. "
           "Spawn a task (cothread_spawn()) and wait in it";
  if (current->is_armed)
    return "Cannot wait here: main() is waiting already, and this code runs inside that wait. "
           "Spawn a task (cothread_spawn()) and wait in it";
  if (current->kind == CT_TASK_STACKLESS || core->thread_stack_calls > 0)
    return "Cannot wait here: this code runs on the thread's own stack for a task. "
           "Use the _async form, or spawn a task (cothread_spawn()) and wait in it";
  if (core->frame != NULL || g_main_depth () > 0)
    return "Cannot wait here: this code was called by the main loop, outside any task. "
           "Spawn a task (cothread_spawn()) and wait in it, use the _async form, "
           "or have the loop nested with cothread_run_nested()";
  return NULL;
}

CtScheduler *
cothread_wait_begin_slowly (GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;
  const char *why_not;

  if (G_UNLIKELY (self == NULL))
    {
      self = cothread_scheduler_ensure (error);
      if (self == NULL)
        return NULL;
      if (self->interrupt_pending && g_main_depth () == 0)
        {
          self->interrupt_pending = FALSE;
          cothread_wait_result (CT_WAKE_INTERRUPT, error);
          return NULL;
        }
    }
  why_not = cothread_wait_why_not (self->core);
  if (why_not == NULL && self->core->current->kind == CT_TASK_MAIN && !cothread_source_can_iterate (self))
    why_not = "Cannot wait here: this code is a source's prepare() or check(). "
              "Spawn a task (cothread_spawn()) and wait in it";
  if (G_UNLIKELY (why_not != NULL))
    {
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT, why_not);
      return NULL;
    }
  return self->core;
}

gboolean
cothread_wait_result (CtWake wake, GError **error)
{
  switch (wake)
    {
    case CT_WAKE_NORMAL:
      return TRUE;
    case CT_WAKE_TIMEOUT:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The wait timed out");
      return FALSE;
    case CT_WAKE_INTERRUPT:
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED, "The wait was interrupted");
      return FALSE;
    case CT_WAKE_CANCELLED:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The task was cancelled");
      return FALSE;
    case CT_WAKE_ABANDONED:
      cothread_fork_clean_up (); /* before anybody waits anew for what has forgotten him */
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler belongs to the parent process");
      return FALSE;
    case CT_WAKE_DEADLOCK:
      {
        CothreadScheduler *self = cothread_scheduler_ensure (NULL);

        g_return_val_if_fail (self != NULL && self->core != NULL, FALSE);
        cothread_scheduler_set_deadlock_error (self, error);
        return FALSE;
      }
    default:
      g_return_val_if_reached (FALSE);
    }
}

gboolean
cothread_wait_on (CtScheduler *core, CtWaiter *waiters, gint64 deadline_us,
                  const char *reason, gconstpointer object, GError **error)
{
  CtTask *task = core->current;

  task->wait_reason = reason;
  task->wait_object = object;
  return cothread_wait_result (ct_scheduler_wait (core, waiters, deadline_us), error);
}

gboolean
cothread_wait_for_ready (GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;

  if (G_LIKELY (self == NULL || self->core->current->kind != CT_TASK_NATIVE ||
                !ct_task_is_cancelled (self->core->current)))
    return TRUE;
  return cothread_wait_result (CT_WAKE_CANCELLED, error);
}

gboolean
cothread_deadline_from_timeout (CtScheduler *core, gint64 timeout_us, gint64 *deadline_us)
{
  if (timeout_us == COTHREAD_FOREVER)
    {
      *deadline_us = CT_TIME_NEVER;
      return TRUE;
    }
  g_return_val_if_fail (timeout_us >= 0, FALSE);
  *deadline_us = ct_clock_deadline (ct_scheduler_now (core), timeout_us);
  return TRUE;
}

static gboolean
sleep_until (CtScheduler *core, gint64 deadline_us, GError **error)
{
  CtWake wake;

  core->current->wait_reason = "sleep";
  core->current->wait_object = NULL;
  wake = ct_scheduler_wait (core, NULL, deadline_us);
  return wake == CT_WAKE_TIMEOUT || cothread_wait_result (wake, error);
}

/**
 * cothread_sleep:
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Suspends the calling task for a while. A timeout of 0 lets every task that is
 * ready run once.
 *
 * In plain `main()`, outside any task and any dispatch, it runs the main
 * context meanwhile.
 *
 * Fails with %G_IO_ERROR_CANCELLED if the task is cancelled, with
 * %COTHREAD_ERROR_INTERRUPTED if the main task is interrupted, and with
 * %COTHREAD_ERROR_WRONG_CONTEXT where nothing can wait.
 *
 * Returns: %TRUE if the time has passed
 *
 * Since: 0.1
 */
gboolean
cothread_sleep (gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  return sleep_until (core, deadline_us, error);
}

/**
 * cothread_sleep_until:
 * @deadline_us: a time in the sense of cothread_scheduler_get_time(), which is
 *   that of g_get_monotonic_time() outside of tests
 * @error: return location for a #GError
 *
 * Suspends the calling task until a moment; one in the past suspends it once.
 * Fails like cothread_sleep().
 *
 * Returns: %TRUE if the time has come
 *
 * Since: 0.1
 */
gboolean
cothread_sleep_until (gint64 deadline_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);

  return core != NULL && sleep_until (core, deadline_us, error);
}

/**
 * cothread_yield:
 * @error: return location for a #GError
 *
 * Lets all other ready tasks run first. With nobody else ready it returns at
 * once, or at the end of the time slice when the rest of the program has had
 * its turn; a task that does nothing but yield stops neither timers nor frames.
 *
 * Fails like cothread_sleep().
 *
 * Returns: %TRUE unless the task was cancelled
 *
 * Since: 0.1
 */
/* Aligned: where its branches lie in the cache lines makes a difference of up to
 * 1 ns, which would come and go with every change elsewhere. */
__attribute__ ((aligned (64))) gboolean
cothread_yield (GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;
  CtScheduler *core;
  CtYielding yielding;
  CtWake wake;

  if (G_LIKELY (self != NULL && ct_scheduler_may_yield_at_once (self->core)))
    {
      core = self->core;
      yielding = ct_scheduler_yield_at_once (core);
    }
  else
    {
      core = cothread_wait_begin (error);
      if (core == NULL)
        return FALSE;
      yielding = ct_scheduler_yield_slowly (core);
    }
  wake = yielding.wake;
  if (G_LIKELY (yielding.to != NULL))
    {
      ct_context_switch_inline (yielding.from, yielding.to); /* 7 */
      wake = ct_scheduler_finish_yield (core);
    }
  return G_LIKELY (wake == CT_WAKE_NORMAL) || cothread_wait_result (wake, error);
}

/**
 * cothread_yield_for:
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Suspends until no other task is ready, or until the time has passed,
 * whichever comes first. Fails like cothread_sleep().
 *
 * Returns: %TRUE unless the task was cancelled
 *
 * Since: 0.1
 */
gboolean
cothread_yield_for (gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;
  CtWake wake;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  core->current->wait_reason = "yield";
  core->current->wait_object = NULL;
  wake = ct_scheduler_yield_until (core, deadline_us);
  return wake == CT_WAKE_TIMEOUT || cothread_wait_result (wake, error);
}

/**
 * cothread_checkpoint:
 * @error: return location for a #GError
 *
 * For the inner loop of a long computation: yields, but only when the time
 * slice of the turn is used up; costs some nanoseconds otherwise. Reports a
 * cancellation as every wait does.
 *
 * Returns: %TRUE unless the task was cancelled
 *
 * Since: 0.1
 */
gboolean
cothread_checkpoint (GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;

  if (G_LIKELY (self != NULL && self->core->current->kind == CT_TASK_NATIVE &&
                !ct_task_is_cancelled (self->core->current) && !ct_scheduler_slice_is_used_up (self->core)))
    return TRUE;
  return cothread_yield (error);
}

/**
 * cothread_scheduler_get_time:
 * @self: a scheduler
 *
 * What the scheduler's clock says, in microseconds: g_get_monotonic_time(), but
 * virtual time with a #CothreadTestScheduler. Code that computes deadlines
 * should ask here, so that it can be tested.
 *
 * To be called on the scheduler's thread; never suspends.
 *
 * Returns: the time in microseconds; it never goes back
 *
 * Since: 0.1
 */
gint64
cothread_scheduler_get_time (CothreadScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), 0);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self), 0);

  return cothread_scheduler_now (self);
}

/**
 * cothread_timeout_until:
 * @deadline_us: a time in the sense of cothread_scheduler_get_time(), or
 *   %G_MAXINT64
 *
 * Makes the timeout of any wait from a deadline, such as one that several waits
 * share:
 *
 * ```c
 * gint64 deadline_us = cothread_scheduler_get_time (scheduler) + 2 * G_USEC_PER_SEC;
 *
 * cothread_event_wait (first, cothread_timeout_until (deadline_us), &error);
 * cothread_event_wait (second, cothread_timeout_until (deadline_us), &error);
 * ```
 *
 * In a thread without a scheduler deadlines are those of g_get_monotonic_time().
 * Never suspends.
 *
 * Returns: microseconds until then; 0 for a moment in the past, and
 *   %COTHREAD_FOREVER for %G_MAXINT64
 *
 * Since: 0.1
 */
gint64
cothread_timeout_until (gint64 deadline_us)
{
  CothreadScheduler *self = cothread_scheduler_peek_default ();
  gint64 now_us = self != NULL && self->core != NULL ? cothread_scheduler_now (self) : g_get_monotonic_time ();

  if (deadline_us == G_MAXINT64)
    return COTHREAD_FOREVER;
  return deadline_us > now_us ? deadline_us - now_us : 0;
}
