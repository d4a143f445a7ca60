/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-scheduler.h"

#define TRIM_DELAY_US G_USEC_PER_SEC

void
ct_scheduler_park_main (CtScheduler *self, CtContext *to)
{
  ct_scheduler_leave (self, &self->main);
  ct_context_switch (&self->main.context, to, FALSE);
  ct_scheduler_return (self, &self->main);
  if (G_UNLIKELY (self->request.func != NULL))
    ct_scheduler_serve (self);
}

void
ct_scheduler_serve (CtScheduler *self)
{
  do
    {
      CtRequest request = self->request;

      self->request = (CtRequest) { 0 };
      request.func (request.data);
      ct_scheduler_leave (self, &self->main);
      ct_context_switch (&self->main.context, request.requester, FALSE);
      ct_scheduler_return (self, &self->main);
    }
  while (self->request.func != NULL);
}

void
ct_scheduler_call_on_thread_stack (CtScheduler *self, void (*func) (gpointer data), gpointer data)
{
  CtTask *task = self->current;

  if (ct_scheduler_is_on_thread_stack (self))
    {
      func (data);
      return;
    }
  self->request = (CtRequest) { func, data, &task->context };
  self->thread_stack_calls++;
  self->current = &self->main;
  ct_scheduler_leave (self, task);
  ct_context_switch (&task->context, &self->main.context, FALSE);
  ct_scheduler_return (self, task);
  self->thread_stack_calls--;
  self->current = task;
}

gint64
ct_scheduler_get_sleep_time (CtScheduler *self)
{
  gint64 deadline_us, now_us;

  if (ct_scheduler_has_work (self))
    return 0;
  if (self->timers.length == 0)
    return -1;
  deadline_us = ct_timer_heap_next_deadline (&self->timers);
  now_us = ct_scheduler_now (self);
  /* Not their difference first: a deadline may be before all time. */
  return deadline_us > now_us ? deadline_us - now_us : 0;
}

void
ct_scheduler_note_nested (CtScheduler *self)
{
  CtTask *current = self->current;

  if (current->kind == CT_TASK_STACKLESS && current->klass->nested != NULL)
    current->klass->nested (current);
}

static void
prepare_to_sleep (CtScheduler *self)
{
  ct_poller_settle (self->poller);
  if (self->trim_timer.index != 0)
    return;
  if ((self->may_need_trim && ct_stack_pool_needs_trim (self->pool)) || (self->give_back != NULL && self->give_back (0) > 0))
    ct_timer_heap_insert (&self->timers, &self->trim_timer, ct_scheduler_now (self) + TRIM_DELAY_US);
  self->may_need_trim = FALSE;
}

/* From the thread's own stack straight to the first task, and straight back from
 * the last: the scheduler task in between, four switches instead of two, is for
 * whatever else there is to do. */
static void
run_turn_from_main (CtScheduler *self)
{
  CtTask *first;

  self->home = &self->main.context;
  self->is_turn_done = FALSE;
  first = ct_scheduler_hop (self);
  if (first != NULL)
    {
      ct_scheduler_park_main (self, &first->context); /* 6 */
      if (self->current != self->frame->caller) /* whom the scheduler task puts there */
        ct_scheduler_note_leaving (self);
    }
  while (!self->is_turn_done)
    ct_scheduler_park_main (self, &self->scheduler_context); /* 6 */
}

gboolean
ct_scheduler_poll (CtScheduler *self, const GPollFD *ready, guint n_ready,
                   gint64 begin_us, gint64 slice_us, gint depth, gint64 *timeout_us)
{
  CtTask *caller = self->current;
  CtFrame frame = {
    .outer = self->frame,
    .caller = caller,
    .stack = caller->kind == CT_TASK_NATIVE ? caller : &self->main,
    .home = self->home,
    .slice = self->slice,
    .depth = depth,
  };

  ct_scheduler_note_nested (self);
  self->frame = &frame;
  self->is_loop_asleep = FALSE;
  if (n_ready > 0)
    self->poller->klass->collect (self->poller, ready, n_ready);
  ct_scheduler_begin_turn (self, begin_us, slice_us);
  if (frame.stack == &self->main)
    run_turn_from_main (self);
  else
    {
      self->home = &self->scheduler_context;
      ct_scheduler_leave (self, frame.stack);
      ct_context_switch (&frame.stack->context, &self->scheduler_context, FALSE); /* 6 */
      ct_scheduler_return (self, frame.stack);
    }
  self->frame = frame.outer;
  self->home = frame.home;
  self->slice = frame.slice;
  self->current = caller;
  self->is_fresh = FALSE;
  self->is_turn_done = FALSE;
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_end_turn (self->probe, caller);

  if (!ct_scheduler_has_work (self))
    prepare_to_sleep (self);
  if (timeout_us != NULL)
    *timeout_us = ct_scheduler_get_sleep_time (self);
  return !frame.is_interrupted;
}

void
ct_scheduler_note_finished (CtScheduler *self)
{
  if (!ct_scheduler_has_work (self))
    prepare_to_sleep (self);
}
