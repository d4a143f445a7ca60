/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-wait-private.h"

/* Callback tasks: native tasks that call the entries which may wait. One of
 * them is active and takes entries from the queue; when it is found suspended
 * inside a callback it loses that part, and another goes on. Entries therefore
 * begin in the order of the queue, and one that waits holds nobody back until
 * max-runners of them wait at once. */

struct _CothreadCallbackRunner
{
  CothreadCallbackQueue *queue; /* referenced */
  gboolean is_in_callback;
  CtWaiter idle; /* linked nowhere: the drainer fires it */
  gboolean is_idle;
};

static const CothreadEntry *
next_for_runner (CothreadCallbackRunner *self)
{
  CothreadCallbackQueue *queue = self->queue;
  const CothreadEntry *entry;

  if (queue->drainer == NULL || queue->is_paused || queue->active_runner != self ||
      ct_scheduler_slice_is_used_up (queue->scheduler->core))
    return NULL;
  entry = cothread_callback_queue_next (queue);
  if (entry == NULL || (cothread_entry_contents (entry)->word & COTHREAD_CALLBACK_MAY_WAIT) == 0)
    return NULL;
  return entry;
}

/* What a callback has left with its task, a cancellation or values, is not for
 * the next one. */
static gboolean
is_spoilt (void)
{
  const CothreadTask *task = cothread_task_self ();

  return task->core.is_cancelled || task->extra != NULL;
}

/* FALSE: this task is to end. */
static gboolean
run_entries (CothreadCallbackRunner *self)
{
  const CtTask *task = self->queue->scheduler->core->current;
  const CothreadEntry *entry;

  while ((entry = next_for_runner (self)) != NULL)
    {
      CothreadCallbackFunc func = cothread_entry_contents (entry)->func;
      gboolean is_timed = cothread_entry_posted_ns (entry) != 0;
      guint64 switches = task->switches;

      self->is_in_callback = TRUE;
      cothread_callback_queue_run_next (self->queue);
      self->is_in_callback = FALSE;
      if (!is_timed && task->switches == switches && ct_scheduler_slice_is_used_up (self->queue->scheduler->core))
        cothread_callback_queue_note_overrun (self->queue, func);
      if (is_spoilt ())
        return FALSE;
    }
  return TRUE;
}

/* Waits for the next entries; FALSE if there will be none. */
static gboolean
wait_idle (CothreadCallbackRunner *self)
{
  CothreadCallbackQueue *queue = self->queue;
  CtScheduler *core = queue->scheduler->core;
  CtWake wake;

  if (queue->drainer == NULL || queue->idle_runners.length >= COTHREAD_IDLE_RUNNERS)
    return FALSE;
  g_queue_push_tail (&queue->idle_runners, self);
  self->is_idle = TRUE;
  self->idle = (CtWaiter) { .task = core->current };
  ct_link_init (&self->idle.link);
  core->current->wait_reason = "callbacks";
  cothread_callback_queue_nudge (queue); /* it may have waited for a task that is free */
  ((CothreadTask *) core->current)->is_service = TRUE;
  wake = ct_scheduler_wait (core, &self->idle, CT_TIME_NEVER);
  ((CothreadTask *) core->current)->is_service = FALSE;
  if (self->is_idle)
    {
      g_queue_remove (&queue->idle_runners, self);
      self->is_idle = FALSE;
    }
  return wake == CT_WAKE_NORMAL;
}

static gpointer
run (gpointer data, G_GNUC_UNUSED GError **error)
{
  CothreadCallbackRunner *self = data;
  CothreadCallbackQueue *queue = self->queue;
  gboolean may_go_on;

  do
    {
      may_go_on = run_entries (self);
      if (queue->active_runner == self)
        {
          queue->active_runner = NULL;
          cothread_callback_queue_put_back (queue);
        }
    }
  while (may_go_on && wait_idle (self));
  return NULL;
}

/* Also for a task that somebody cancelled before it began. */
static void
runner_ended (gpointer data)
{
  CothreadCallbackRunner *self = data;
  CothreadCallbackQueue *queue = self->queue;

  if (queue->active_runner == self)
    queue->active_runner = NULL;
  queue->n_runners--;
  cothread_callback_queue_nudge (queue); /* it may have waited for this */
  g_object_unref (queue);
  g_free (self);
}

static CothreadCallbackRunner *
spawn_runner (CothreadCallbackQueue *queue)
{
  CothreadCallbackRunner *self = g_new0 (CothreadCallbackRunner, 1);
  CothreadSpawnOptions options = {
    .scheduler = queue->scheduler,
    .function = "callback",
    .user_data_destroy = runner_ended,
    .stack_bytes = queue->runner_stack_bytes,
  };
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  self->queue = g_object_ref (queue);
  queue->n_runners++;
  task = cothread_spawn_full (run, self, &options, &error);
  if (task != NULL)
    return self;
  if (!queue->has_warned_of_runners)
    g_warning ("Callback queue %s cannot start a callback task and tries again: %s", queue->name, error->message);
  queue->has_warned_of_runners = TRUE;
  return NULL;
}

static CothreadCallbackRunner *
wake_idle_runner (CothreadCallbackQueue *queue)
{
  CothreadCallbackRunner *runner = g_queue_pop_head (&queue->idle_runners);

  if (runner != NULL)
    {
      runner->is_idle = FALSE;
      ct_task_fire (runner->idle.task, CT_WAKE_NORMAL, &runner->idle);
    }
  return runner;
}

void
cothread_callback_runners_wake_idle (CothreadCallbackQueue *queue)
{
  while (wake_idle_runner (queue) != NULL)
    ;
}

/* Called by the drainer. FALSE: not before one of the suspended callbacks ends. */
gboolean
cothread_callback_runner_start (CothreadCallbackQueue *queue)
{
  CothreadCallbackRunner *runner = queue->active_runner;

  /* If it were not suspended inside a callback, it would have run before us
   * and would be active no more. */
  if (runner != NULL && !runner->is_in_callback)
    return TRUE;
  queue->active_runner = NULL;
  runner = wake_idle_runner (queue);
  if (runner == NULL && queue->n_runners < queue->max_runners)
    runner = spawn_runner (queue);
  queue->active_runner = runner;
  return runner != NULL;
}

/**
 * cothread_callback_queue_set_stack_size: (skip)
 * @self: a callback queue
 * @stack_bytes: how much stack callbacks that may wait have; 0: as much as a
 *   task has by default
 *
 * Sets the stack size of the tasks in which entries with
 * %COTHREAD_CALLBACK_MAY_WAIT run, from the next such task on. For languages
 * whose interpreters need deep stacks. To be called on the scheduler's thread.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_stack_size (CothreadCallbackQueue *self, gsize stack_bytes)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  self->runner_stack_bytes = stack_bytes;
}
