/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-suspend.h"
#include "core/ct-yield.h"

static inline __attribute__ ((always_inline)) void
suspend (CtScheduler *self, CtTask *task)
{
  CtTask *next;

  if (G_LIKELY (task->kind == CT_TASK_NATIVE))
    {
      ct_scheduler_suspend (self, task);
      return;
    }
  next = ct_scheduler_hop (self);
  if (next == task)
    return;
  ct_scheduler_park_main (self, next != NULL ? &next->context : self->home); /* 7 */
  ct_scheduler_reap (self);
}

/* Cancellation is sticky, but a task that ignores it must not keep the others
 * from running: it still suspends once. */
static __attribute__ ((noinline)) CtWake
refuse_to_wait (CtScheduler *self, CtTask *task, CtWaiter *waiters)
{
  for (CtWaiter *waiter = waiters; waiter != NULL; waiter = waiter->next)
    ct_link_unlink (&waiter->link);
  task->fired = NULL;
  task->wake = CT_WAKE_CANCELLED;
  task->state = CT_TASK_READY;
  ct_queue_push (&self->ready, &task->link);
  suspend (self, task);
  return CT_WAKE_CANCELLED;
}

CtWake
ct_scheduler_wait (CtScheduler *self, CtWaiter *waiters, gint64 deadline_us)
{
  CtTask *task = self->current;

  if (G_UNLIKELY (ct_task_is_cancelled (task)))
    return refuse_to_wait (self, task, waiters);
  ct_task_arm (self, task, waiters, deadline_us);
  if (task->kind == CT_TASK_MAIN && self->drive != NULL)
    {
      if (G_UNLIKELY (ct_scheduler_is_abandoned (self)))
        ct_scheduler_end_wait_of_main (self);
      /* Those that became ready before main go first, however many turns their
       * slices make of it. */
      while (task->is_armed || (task->wake != CT_WAKE_INTERRUPT && !ct_queue_is_empty (&self->tick)))
        self->drive (self->owner);
      self->is_main_woken = FALSE;
    }
  else
    {
      /* Main polls by itself: its wait begins a turn. */
      if (task->kind == CT_TASK_MAIN)
        ct_scheduler_begin_turn (self, ct_scheduler_now (self), self->slice_us);
      suspend (self, task);
    }
  return task->wake;
}

/* Nobody else is ready: a tick of one, who goes on where he is. */
static inline CtYielding
count_tick_of_one (CtScheduler *self, CtTask *task)
{
  self->n_ticks++;
  self->n_switches++;
  self->n_settled++;
  task->switches++;
  return (CtYielding) { .wake = CT_WAKE_NORMAL };
}

static inline CtYielding
begin_tick_of_yielders (CtScheduler *self, CtTask *task)
{
  CtTask *next;

  task->state = CT_TASK_YIELDING;
  ct_queue_push (&self->yielding, &task->link);
  ct_queue_splice (&self->tick, &self->yielding);
  self->n_ticks++;
  next = CT_CONTAINER_OF (self->tick.head.next, CtTask, link);
  ct_queue_remove_first (&self->tick);
  ct_scheduler_make_current (self, next);
  return (CtYielding) { .to = &next->context, .from = &task->context };
}

CtYielding
ct_scheduler_yield_slowly (CtScheduler *self)
{
  CtTask *task = self->current;
  CtTask *next;

  if (task->kind == CT_TASK_MAIN)
    return (CtYielding) { .wake = ct_scheduler_yield_until (self, CT_TIME_NEVER) };
  if (ct_task_is_cancelled (task))
    return (CtYielding) { .wake = refuse_to_wait (self, task, NULL) };
  if (G_LIKELY (ct_scheduler_has_only_yielders (self)))
    {
      ct_scheduler_settle_lengths (self);
      if (ct_queue_is_empty (&self->yielding))
        return count_tick_of_one (self, task);
      if (self->yielding.length < CT_FEW_TASKS)
        return begin_tick_of_yielders (self, task);
    }
  task->state = CT_TASK_YIELDING;
  ct_queue_push (&self->yielding, &task->link);
  /* The switch will save the registers about here. */
  if (ct_queue_is_long (&self->yielding))
    ct_task_tell_ahead (task, (const char *) __builtin_frame_address (0) - CT_CACHE_LINE);
  next = ct_scheduler_hop (self);
  if (next == task)
    return (CtYielding) { .wake = ct_task_is_cancelled (task) ? CT_WAKE_CANCELLED : CT_WAKE_NORMAL };
  ct_scheduler_leave (self, task);
  return (CtYielding) { .to = next != NULL ? &next->context : &self->scheduler_context, .from = &task->context };
}

CtWake
ct_scheduler_finish_yield_slowly (CtScheduler *self)
{
  ct_scheduler_return_and_reap (self, self->current);
  return ct_task_is_cancelled (self->current) ? CT_WAKE_CANCELLED : CT_WAKE_NORMAL;
}

CtWake
ct_scheduler_yield (CtScheduler *self)
{
  CtYielding yielding = G_LIKELY (ct_scheduler_may_yield_at_once (self)) ? ct_scheduler_yield_at_once (self)
                                                                         : ct_scheduler_yield_slowly (self);

  if (yielding.to == NULL)
    return yielding.wake;
  ct_context_switch (yielding.from, yielding.to, FALSE); /* 7 */
  return ct_scheduler_finish_yield (self);
}

CtWake
ct_scheduler_yield_until (CtScheduler *self, gint64 deadline_us)
{
  /* The turn it began in, unless it has a deadline to wake it. */
  CtWaiter waiter = {
    .task = self->current,
    .sequence = deadline_us == CT_TIME_NEVER ? self->n_turns : G_MAXUINT64,
  };

  ct_link_insert_before (&self->timed_yielders, &waiter.link);
  return ct_scheduler_wait (self, &waiter, deadline_us);
}

void
ct_task_park (CtTask *task, CtWaiter *waiters, gint64 deadline_us)
{
  g_return_if_fail (task->kind == CT_TASK_STACKLESS && !task->is_armed);
  ct_task_arm (task->scheduler, task, waiters, deadline_us);
  if (ct_task_is_cancelled (task))
    ct_task_fire (task, CT_WAKE_CANCELLED, NULL);
}

void
ct_task_requeue (CtTask *task)
{
  g_return_if_fail (task->kind == CT_TASK_STACKLESS && task->state == CT_TASK_RUNNING);
  task->state = CT_TASK_READY;
  ct_queue_push (&task->scheduler->ready, &task->link);
}

gboolean
ct_task_fire (CtTask *task, CtWake wake, CtWaiter *fired)
{
  CtScheduler *self = task->scheduler;

  if (!task->is_armed)
    return FALSE;
  if (G_UNLIKELY (self->probe != NULL))
    {
      if (ct_scheduler_is_abandoned (self))
        {
          ct_scheduler_lay_tasks (self);
          return FALSE;
        }
      ct_probe_note (self->probe, CT_PROBE_WAKE, task, NULL);
    }
  ct_task_disarm (task, wake, fired);
  if (task->kind == CT_TASK_MAIN && self->drive != NULL)
    {
      /* Main is iterating the context at this moment, below us on its stack:
       * it goes on when this tick is over. */
      task->state = CT_TASK_RUNNING;
      self->is_main_woken = TRUE;
      self->is_turn_over = TRUE;
      ct_scheduler_made_ready (self);
      return TRUE;
    }
  task->state = CT_TASK_READY;
  ct_queue_push (&self->ready, &task->link);
  if (G_UNLIKELY (ct_queue_is_long (&self->ready)))
    ct_task_tell_ahead (task, task->context.saved);
  ct_scheduler_made_ready (self);
  return TRUE;
}

void
ct_task_cancel (CtTask *task)
{
  task->is_cancelled = TRUE;
  if (task->shield_depth > 0 || task->scheduler == NULL)
    return;
  if (ct_task_fire (task, CT_WAKE_CANCELLED, NULL))
    return;
  if (task->state == CT_TASK_READY && task->wake == CT_WAKE_TIMEOUT)
    task->wake = CT_WAKE_CANCELLED; /* outranks a timeout of the same turn */
  if (task->kind == CT_TASK_STACKLESS && task->klass->cancelled != NULL)
    task->klass->cancelled (task);
}

void
ct_scheduler_interrupt (CtScheduler *self)
{
  self->is_interrupted = TRUE;
  ct_scheduler_made_ready (self);
}
