/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-thread.h"
#include "io/cothread-thread-pool-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"

#include <pthread.h>

/* One piece of work. Its answer comes as mail to the scheduler, which lives as
 * long as a task of it waits; who stops waiting before cuts the way under the
 * lock, or finds that the answer is on it. */
typedef struct
{
  CothreadThreadJob parent;
  guint ref_count; /* atomic: the caller's, the pool's and the mail's */
  CothreadThreadFunc func;
  gpointer user_data;
  CothreadThreadOptions options;
  GCancellable *cancellable;
  gpointer result;
  GError *failure;

  pthread_mutex_t lock;
  CothreadScheduler *scheduler; /* under the lock; NULL: nobody waits any more */
  gboolean is_posted;           /* under the lock */
  CothreadMail mail;

  /* Used only on the scheduler's thread. */
  CtWaiter waiter;
  gboolean is_done;
  CothreadShutdownHook end;
} Job;

static void
job_unref (Job *self)
{
  if (__atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  g_clear_object (&self->cancellable);
  g_clear_error (&self->failure);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

static void
free_user_data (Job *self)
{
  if (self->options.user_data_destroy != NULL)
    self->options.user_data_destroy (self->user_data);
}

static void
free_result (Job *self)
{
  if (self->failure == NULL && self->result != NULL && self->options.result_destroy != NULL)
    self->options.result_destroy (self->result);
}

static void
deliver (CothreadMail *mail)
{
  Job *self = CT_CONTAINER_OF (mail, Job, mail);

  self->is_done = TRUE;
  if (self->waiter.task != NULL)
    ct_task_fire (self->waiter.task, CT_WAKE_NORMAL, &self->waiter);
  job_unref (self);
}

/* In a thread of the pool. */
static void
run (CothreadThreadJob *job)
{
  Job *self = (Job *) job;

  self->result = self->func (self->user_data, self->cancellable, &self->failure);
  pthread_mutex_lock (&self->lock);
  self->is_posted = self->scheduler != NULL;
  if (self->is_posted)
    {
      __atomic_fetch_add (&self->ref_count, 1, __ATOMIC_RELAXED);
      cothread_scheduler_post_mail (self->scheduler, &self->mail);
    }
  pthread_mutex_unlock (&self->lock);
  if (!self->is_posted)
    {
      free_result (self);
      free_user_data (self);
    }
  job_unref (self);
}

/* The scheduler gives up a task that waits for us, with all that is on its
 * stack. */
static void
scheduler_is_gone (CtLink *link)
{
  Job *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), Job, end);

  self->waiter.task = NULL;
  pthread_mutex_lock (&self->lock);
  self->scheduler = NULL;
  pthread_mutex_unlock (&self->lock);
}

static Job *
job_new (CothreadScheduler *scheduler, CothreadThreadFunc func, gpointer user_data, const CothreadThreadOptions *options)
{
  Job *self = g_new0 (Job, 1);

  self->ref_count = 2;
  pthread_mutex_init (&self->lock, NULL);
  self->parent.run = run;
  self->func = func;
  self->user_data = user_data;
  self->options = *options;
  self->cancellable = g_cancellable_new ();
  self->scheduler = scheduler;
  self->mail.deliver = deliver;
  self->end.run = self->end.forked = scheduler_is_gone;
  ct_link_insert_before (&scheduler->end_hooks, &self->end.link);
  return self;
}

/* Whether it will never run. */
static gboolean
take_back (Job *self)
{
  if (!cothread_thread_pool_take_back (&self->parent))
    return FALSE;
  job_unref (self); /* the pool's */
  return TRUE;
}

/* FALSE: too late, the answer is on its way. */
static gboolean
abandon (Job *self)
{
  gboolean is_posted;

  pthread_mutex_lock (&self->lock);
  is_posted = self->is_posted;
  if (!is_posted)
    self->scheduler = NULL;
  pthread_mutex_unlock (&self->lock);
  return !is_posted;
}

static void
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

typedef enum { ANSWERED, NEVER_RAN, ABANDONED } Outcome;

/* *why: what ended the wait, if that was not the answer. */
static Outcome
wait_for_answer (Job *self, CtScheduler *core, gint64 deadline_us, CtWake *why)
{
  CtTask *task = core->current;
  Outcome outcome = ANSWERED;

  *why = CT_WAKE_NORMAL;
  self->waiter.task = task;
  ct_link_init (&self->waiter.link);
  while (!self->is_done && outcome == ANSWERED)
    {
      CtWake wake;

      task->wait_reason = "thread";
      task->wait_object = NULL;
      wake = ct_scheduler_wait (core, &self->waiter, deadline_us);
      if (self->is_done || wake == CT_WAKE_NORMAL || *why != CT_WAKE_NORMAL)
        continue;
      *why = wake;
      deadline_us = CT_TIME_NEVER;
      task->shield_depth++; /* told once; the rest waits for the answer */
      if (take_back (self))
        outcome = NEVER_RAN;
      else
        {
          ct_scheduler_call_on_thread_stack (core, cancel_cancellable, self->cancellable);
          if (self->options.abandon && abandon (self))
            outcome = ABANDONED;
        }
    }
  if (*why != CT_WAKE_NORMAL)
    task->shield_depth--;
  self->waiter.task = NULL;
  if (outcome == ANSWERED)
    abandon (self); /* the thread may be in the middle of waking a scheduler that is about to end */
  return outcome;
}

/* The work's own error says more than that it was cancelled because of us. */
static gboolean
take_answer (Job *self, CothreadScheduler *scheduler, CtWake why, gpointer *result, GError **error)
{
  if (self->failure == NULL)
    {
      if (result != NULL)
        *result = self->result;
      else
        free_result (self);
      if (why == CT_WAKE_INTERRUPT)
        cothread_scheduler_interrupt (scheduler); /* for the next wait */
      return TRUE;
    }
  if (why != CT_WAKE_NORMAL && g_error_matches (self->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return cothread_wait_result (why, error);
  g_propagate_error (error, g_steal_pointer (&self->failure));
  return FALSE;
}

static gboolean
run_job (CothreadScheduler *scheduler, Job *job, gint64 deadline_us, gpointer *result, GError **error)
{
  gboolean success = FALSE;
  CtWake why;

  if (!cothread_thread_pool_push (&job->parent, error))
    {
      job_unref (job); /* the pool's */
      free_user_data (job);
      return FALSE;
    }
  switch (wait_for_answer (job, scheduler->core, deadline_us, &why))
    {
    case ANSWERED:
      success = take_answer (job, scheduler, why, result, error);
      free_user_data (job);
      break;
    case NEVER_RAN:
      free_user_data (job);
      cothread_wait_result (why, error);
      break;
    case ABANDONED:
      cothread_wait_result (why, error);
      break;
    default:
      g_return_val_if_reached (FALSE);
    }
  return success;
}

/**
 * cothread_run_in_thread_full: (skip)
 * @func: the work
 * @user_data: passed to @func
 * @options: (nullable): destroy notifies, and whether the work may be abandoned
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @result: (out) (optional): what @func returned; now the caller's
 * @error: return location for a #GError
 *
 * Runs blocking work in a thread of a pool while only the calling task waits.
 * Plain `main()` drives its main context meanwhile.
 *
 * When the wait is cancelled or interrupted, or its time is up, work that has
 * not begun is taken back. Otherwise the cancellable that @func was given is
 * cancelled, and the call goes on waiting until @func has returned, so that it
 * may use what is on the caller's stack; with
 * #CothreadThreadOptions.abandon it returns at once instead, and @func is left to
 * itself. Work that succeeded all the same is a success; an interrupt is kept
 * for the next wait then.
 *
 * At most cothread_set_max_threads() pieces of work run at once, those of all
 * schedulers together; more wait for a thread, in the order they came. With a
 * #CothreadTestScheduler the clock stands still while work runs.
 *
 * Fails with the error that @func set, with %G_IO_ERROR_TIMED_OUT, like
 * cothread_sleep() (%COTHREAD_ERROR_WRONG_CONTEXT where nothing can wait, and in
 * the threads of the pool themselves), and with an error of %G_THREAD_ERROR if
 * the system gives no thread. The user data are freed in every case.
 *
 * Returns: %TRUE if @func returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_run_in_thread_full (CothreadThreadFunc func, gpointer user_data, const CothreadThreadOptions *options,
                             gint64 timeout_us, gpointer *result, GError **error)
{
  static const CothreadThreadOptions defaults = { 0 };
  CothreadScheduler *scheduler;
  CtScheduler *core;
  gint64 deadline_us;
  gboolean success;
  Job *job;

  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  if (options == NULL)
    options = &defaults;

  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us) ||
      /* Suspends and fails, as every wait of a cancelled task does. */
      (ct_task_is_cancelled (core->current) && !cothread_wait_on (core, NULL, CT_TIME_NEVER, "thread", NULL, error)))
    {
      if (options->user_data_destroy != NULL)
        options->user_data_destroy (user_data);
      return FALSE;
    }
  scheduler = core->owner;
  job = job_new (scheduler, func, user_data, options);
  cothread_scheduler_hold_time (scheduler);
  success = run_job (scheduler, job, deadline_us, result, error);
  cothread_scheduler_release_time (scheduler);
  ct_link_unlink (&job->end.link);
  job_unref (job);
  return success;
}

/**
 * cothread_run_in_thread: (skip)
 * @func: the work
 * @user_data: passed to @func; may be on the caller's stack
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @result: (out) (optional): what @func returned; now the caller's
 * @error: return location for a #GError
 *
 * Runs blocking work in a thread while only the calling task waits, as
 * cothread_run_in_thread_full() does with default options: it returns only when
 * @func has returned, or will never run.
 *
 * Returns: %TRUE if @func returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_run_in_thread (CothreadThreadFunc func, gpointer user_data, gint64 timeout_us, gpointer *result, GError **error)
{
  return cothread_run_in_thread_full (func, user_data, NULL, timeout_us, result, error);
}
