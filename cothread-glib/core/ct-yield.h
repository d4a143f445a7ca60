/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* The parts of ct_scheduler_yield(), which the public function has inside itself:
 * a call and its return are a tenth of a yield.
 *
 * Every yield ends in one switch, the quick and the others: two places to go on
 * at would mislead the processor's return predictor. */

/* A switch that is still to be made; or none (`to` is NULL), and what the wait
 * has come to. */
typedef struct
{
  CtContext *to;
  union
  {
    CtContext *from;
    CtWake wake;
  };
} CtYielding;

/* Any yield, up to the switch. */
CtYielding ct_scheduler_yield_slowly (CtScheduler *self);
CtWake ct_scheduler_finish_yield_slowly (CtScheduler *self);

/* Nearly every yield: from a native task to one that yielded as well, in a tick
 * of not very many, with no hooks, and nobody who wants to look. */
static inline gboolean
ct_scheduler_may_yield_at_once (CtScheduler *self)
{
  const CtTask *task = self->current;
  const CtLink *first = self->tick.head.next;

  if (G_UNLIKELY ((self->unusual | task->unusual) != 0))
    return FALSE;
  if (G_UNLIKELY (first == &self->tick.head))
    return FALSE;
  if (G_UNLIKELY (CT_CONTAINER_OF (first, const CtTask, link)->state != CT_TASK_YIELDING))
    return FALSE;
  if (G_UNLIKELY (self->n_switches + 1 >= self->look_at))
    return FALSE;
  return ct_slice_is_surely_not_used_up (&self->slice);
}

/* How long this takes is mostly a matter of how often it writes to memory: what
 * a queue's length and a task's unused link would be, others find out. */
static inline CtYielding
ct_scheduler_yield_at_once (CtScheduler *self)
{
  CtTask *task = self->current;
  CtTask *next = CT_CONTAINER_OF (self->tick.head.next, CtTask, link);
  CtLink *second = next->link.next;

  self->tick.head.next = second;
  second->prev = &self->tick.head;
  ct_link_insert_before (&self->yielding.head, &task->link);
  task->state = CT_TASK_YIELDING;
  next->state = CT_TASK_RUNNING;
  next->switches++;
  self->n_switches++;
  self->current = next;
  return (CtYielding) { &next->context, { &task->context } };
}

/* Whether the next tick would have no one but those who yield, and nothing would
 * look at it: it can begin at once. */
static inline gboolean
ct_scheduler_has_only_yielders (CtScheduler *self)
{
  if (self->unusual != 0 || self->is_turn_over || self->arrange != NULL)
    return FALSE;
  if (!ct_queue_is_empty (&self->tick) || !ct_queue_is_empty (&self->ready) || ct_link_is_linked (&self->timed_yielders))
    return FALSE;
  if (self->n_switches + 1 >= self->look_at || !ct_scheduler_no_timer_is_due_in_slice (self))
    return FALSE;
  return ct_slice_is_surely_not_used_up (&self->slice);
}

/* Back from the switch. */
static inline CtWake
ct_scheduler_finish_yield (CtScheduler *self)
{
  return G_LIKELY ((self->unusual | self->current->unusual) == 0) ? CT_WAKE_NORMAL : ct_scheduler_finish_yield_slowly (self);
}
