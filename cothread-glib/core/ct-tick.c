/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-scheduler.h"

/* An estimate of the time that is this far before a deadline needs no look at
 * the clock. */
#define CLOCK_MARGIN_US 100
#define TRIM_PAUSE_US 10000
#define TRIM_STACKS 64

static void
trim (CtScheduler *self, gint64 now_us)
{
  /* In small portions: 10 000 stacks at once would take 10 ms. */
  gboolean more = ct_stack_pool_trim (self->pool, TRIM_STACKS);

  self->may_need_trim = TRUE;
  more |= self->give_back != NULL && self->give_back (TRIM_STACKS) > 0;
  if (more)
    ct_timer_heap_insert (&self->timers, &self->trim_timer, now_us + TRIM_PAUSE_US);
}

static void
expire_timers (CtScheduler *self)
{
  gint64 deadline_us = ct_timer_heap_next_deadline (&self->timers);
  gint64 now_us;
  CtTimer *timer;

  if (deadline_us == CT_TIME_NEVER ||
      ct_tick_counter_estimate_now (&self->ticks_counter) + CLOCK_MARGIN_US < deadline_us)
    return;
  now_us = ct_scheduler_now (self);
  while ((timer = ct_timer_heap_pop_expired (&self->timers, now_us)) != NULL)
    {
      if (timer == &self->trim_timer)
        trim (self, now_us);
      else
        ct_task_fire (CT_CONTAINER_OF (timer, CtTask, timer), CT_WAKE_TIMEOUT, NULL);
    }
}

/* Nothing else is ready. */
static void
wake_yielders (CtScheduler *self)
{
  while (ct_link_is_linked (&self->timed_yielders))
    {
      CtWaiter *waiter = CT_CONTAINER_OF (self->timed_yielders.next, CtWaiter, link);

      ct_task_fire (waiter->task, CT_WAKE_NORMAL, waiter);
    }
  ct_queue_splice (&self->ready, &self->yielding);
}

/* A slice that others used up must not keep those who yield without a deadline
 * waiting for ever: they wait for one whole turn at the most. Main yields
 * between two turns, the others inside one. */
static void
wake_patient_yielders (CtScheduler *self)
{
  CtLink *link = self->timed_yielders.next;

  while (link != &self->timed_yielders)
    {
      CtWaiter *waiter = CT_CONTAINER_OF (link, CtWaiter, link);

      link = link->next;
      if (waiter->sequence < self->n_turns - 1)
        ct_task_fire (waiter->task, CT_WAKE_NORMAL, waiter);
    }
  ct_scheduler_settle_lengths (self);
  ct_queue_splice (&self->ready, &self->yielding);
}

/* Inside a nested loop main must wait for that, and nobody else for main. The
 * loop may be one that somebody else's handler runs, without a turn of ours
 * around it; main waits outside of any dispatch. */
static gboolean
is_of_mains_own_loop (const CtFrame *frame)
{
  return frame->outer == NULL && frame->depth <= 1;
}

void
ct_scheduler_begin_turn (CtScheduler *self, gint64 begin_us, gint64 slice_us)
{
  self->is_fresh = TRUE;
  self->is_turn_over = self->is_main_woken && self->frame != NULL && is_of_mains_own_loop (self->frame);
  self->n_turns++;
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_begin_turn (self->probe);
  wake_patient_yielders (self);
  ct_slice_begin (&self->slice, &self->ticks_counter, begin_us, slice_us);
}

/* Takes the ready queue as it stands: what becomes ready meanwhile waits for
 * the next tick. */
static gboolean
begin_tick (CtScheduler *self)
{
  /* Main was woken in an earlier tick, and those that were ready before it have
   * run. */
  if (self->is_turn_over)
    return FALSE;
  expire_timers (self);
  ct_scheduler_settle_lengths (self);
  if (ct_queue_is_empty (&self->ready))
    {
      wake_yielders (self);
      if (ct_queue_is_empty (&self->ready))
        return FALSE;
    }
  ct_queue_splice (&self->tick, &self->ready);
  self->is_tick_long = ct_queue_is_long (&self->tick);
  if (G_UNLIKELY (self->arrange != NULL))
    self->arrange (self);
  self->n_ticks++;
  return TRUE;
}

CtTask *
ct_scheduler_peek_next (CtScheduler *self)
{
  /* A turn runs at least one task, however short its slice. */
  if (!self->is_fresh && ct_scheduler_slice_is_used_up (self))
    return NULL;
  if (ct_queue_is_empty (&self->tick) && !begin_tick (self))
    return NULL;
  return CT_CONTAINER_OF (ct_queue_peek (&self->tick), CtTask, link);
}

/* On the thread's own stack: the stackless tasks at the head of the tick. */
static void
run_stackless_tasks (gpointer data)
{
  CtScheduler *self = data;
  CtTask *task;

  while ((task = ct_scheduler_peek_next (self)) != NULL && task->kind == CT_TASK_STACKLESS)
    {
      if (G_UNLIKELY (self->probe != NULL))
        ct_probe_expect_long (self->probe);
      ct_scheduler_enter (self, task);
      task->klass->run (task);
    }
  self->current = &self->main; /* the last one may be gone */
  ct_scheduler_note_leaving (self);
}

/* Switch 3: main is taken out of whatever it waits for, or off the ready queue,
 * and told why. */
static gboolean
interrupt_main (CtScheduler *self)
{
  CtTask *main = &self->main;

  self->is_interrupted = FALSE;
  if (main->is_armed)
    {
      ct_task_fire (main, CT_WAKE_INTERRUPT, NULL);
      if (self->drive != NULL)
        return FALSE; /* main goes on when the turn, now over, returns to it */
    }
  if (ct_link_is_linked (&main->link))
    {
      CtQueue *queue = &self->ready;

      for (CtLink *link = self->tick.head.next; link != &self->tick.head; link = link->next)
        if (link == &main->link)
          queue = &self->tick;
      ct_queue_remove (queue, &main->link);
      main->wake = CT_WAKE_INTERRUPT;
      ct_scheduler_make_current (self, main);
      ct_context_switch (&self->scheduler_context, &main->context, FALSE); /* 3 */
      return TRUE;
    }
  for (CtFrame *frame = self->frame; frame != NULL; frame = frame->outer)
    if (frame->stack == main)
      frame->is_interrupted = TRUE;
  self->is_turn_over = TRUE;
  return FALSE;
}

/* Switch 5: back to the poll_scheduler call in progress, or, without one, to
 * the poller. */
static void
poll_suspend (CtScheduler *self)
{
  if (self->frame != NULL)
    {
      self->is_turn_done = TRUE;
      self->current = self->frame->caller;
      ct_context_switch (&self->scheduler_context, &self->frame->stack->context, FALSE); /* 5 */
      return;
    }
  ct_poller_settle (self->poller);
  self->poller->klass->wait (self->poller, ct_scheduler_get_sleep_time (self));
  ct_scheduler_begin_turn (self, ct_scheduler_now (self), self->slice_us);
}

void
ct_scheduler_loop (gpointer data)
{
  CtScheduler *self = data;

  ct_context_entered ();
  ct_context_switch (&self->scheduler_context, &self->main.context, FALSE); /* 2 */
  for (;;)
    {
      CtTask *task;

      self->is_turn_done = FALSE; /* what is reaped may make somebody ready */
      ct_scheduler_note_leaving (self);
      ct_scheduler_reap (self);
      if (self->is_interrupted && interrupt_main (self))
        continue;
      task = ct_scheduler_peek_next (self);
      if (task == NULL)
        poll_suspend (self);
      else if (task->kind == CT_TASK_STACKLESS)
        {
          self->request = (CtRequest) { run_stackless_tasks, self, &self->scheduler_context };
          ct_context_switch (&self->scheduler_context, &self->main.context, FALSE);
        }
      else
        {
          ct_scheduler_enter (self, task);
          ct_context_switch (&self->scheduler_context, &task->context, FALSE); /* 4 */
        }
    }
}
