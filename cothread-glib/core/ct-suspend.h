/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* The parts of ct_scheduler_wait(), for a wait that is so short that a call and
 * its return count: with a switch between them both are mispredicted, and so is
 * one on the other stack. */

static inline __attribute__ ((always_inline)) void
ct_task_arm (CtScheduler *self, CtTask *task, CtWaiter *waiters, gint64 deadline_us)
{
  task->waiters = waiters;
  task->fired = NULL;
  task->is_armed = TRUE;
  task->state = CT_TASK_WAITING;
  task->since_us = self->slice.begin_us;
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_note (self->probe, CT_PROBE_WAIT, task, task->wait_reason);
  if (deadline_us != CT_TIME_NEVER)
    ct_timer_heap_insert (&self->timers, &task->timer, deadline_us);
}

/* Switch 7, of a native task. A suspending task does the work of switch 4 itself
 * and goes straight to the next ready task; the scheduler task runs only when the
 * turn is over or the next one needs the thread's own stack. The original's two
 * odd resumptions (first suspend ever; suspend right after a poll_scheduler call)
 * need no case of their own: the scheduler task keeps no state across its
 * switches, so it does not matter at which of them it was left. */
static inline __attribute__ ((always_inline)) void
ct_scheduler_suspend (CtScheduler *self, CtTask *task)
{
  CtTask *next = ct_scheduler_hop (self);

  if (next == task)
    return;
  ct_scheduler_leave (self, task);
  ct_context_switch_inline (&task->context, next != NULL ? &next->context : self->home); /* 7 */
  ct_scheduler_return_and_reap (self, task);
}

/* ct_scheduler_wait(), for a native task. */
static inline __attribute__ ((always_inline)) CtWake
ct_scheduler_wait_natively (CtScheduler *self, CtTask *task, CtWaiter *waiters, gint64 deadline_us)
{
  if (G_UNLIKELY (ct_task_is_cancelled (task)))
    return ct_scheduler_wait (self, waiters, deadline_us);
  ct_task_arm (self, task, waiters, deadline_us);
  ct_scheduler_suspend (self, task);
  return task->wake;
}
