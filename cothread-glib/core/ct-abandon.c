/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-scheduler.h"

/* A scheduler whose thread is gone, or that a child process has inherited: its
 * tasks never run again, but the stacks that they stand on stay, since others
 * may refer to what is there. */

/* Never looked at; that it is there makes ct_task_fire() ask. */
CtProbe ct_probe_of_abandoned;

static void
forget_waiters (CtTask *task)
{
  for (CtWaiter *waiter = task->waiters; waiter != NULL; waiter = waiter->next)
    ct_link_unlink (&waiter->link);
  task->waiters = NULL;
  task->is_armed = FALSE;
}

/* Nothing here allocates, locks or asks the system: in the child of a fork other
 * threads may have been in the middle of all that. */
void
ct_scheduler_abandon (CtScheduler *self)
{
  if (ct_scheduler_is_abandoned (self))
    return;
  self->probe = &ct_probe_of_abandoned;
  self->look_at = CT_PROBE_NEVER;
  ct_queue_init (&self->tick);
  ct_queue_init (&self->ready);
  ct_queue_init (&self->yielding);
  ct_link_init (&self->timed_yielders);
  self->timers.length = 0;
  self->trim_timer.index = 0;
  self->is_loop_asleep = FALSE;
  self->is_interrupted = FALSE;
  self->is_turn_over = TRUE;
  ct_slice_end_now (&self->slice);
  ct_poller_silence (self->poller);
  ct_scheduler_end_wait_of_main (self);
}

void
ct_scheduler_end_wait_of_main (CtScheduler *self)
{
  CtTask *main = &self->main;

  if (!main->is_armed)
    return;
  forget_waiters (main);
  main->timer.index = 0;
  main->wake = CT_WAKE_ABANDONED;
  main->state = CT_TASK_RUNNING;
  self->is_main_woken = TRUE;
}

/* Apart from the other, because it takes its time where there are many. */
void
ct_scheduler_lay_tasks (CtScheduler *self)
{
  if (self->tasks_are_laid)
    return;
  self->tasks_are_laid = TRUE;
  for (CtLink *link = self->all.next; link != &self->all; link = link->next)
    {
      CtTask *task = CT_CONTAINER_OF (link, CtTask, all);

      forget_waiters (task);
      task->timer.index = 0;
      ct_link_init (&task->link);
    }
}
