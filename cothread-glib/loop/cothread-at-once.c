/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-at-once.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-scheduler-private.h"

/* What is not worth a division. */
#define NOTED_US 5

/* Whether this is a dispatch of the context in which the worker could have been
 * dispatched as well, and would have had nothing to do. Where languages have
 * hooks one of them may be in the middle of anything. */
static gboolean
may_run_at_once (CothreadScheduler *self)
{
  CtScheduler *core = self->core;
  GSource *current;

  if (cothread_running_scheduler != NULL || !self->gate.is_open || self->worker == NULL || self->is_shut_down ||
      self->is_of_parent ||
      core->hooks != NULL || core->probe != NULL || core->arrange != NULL || core->clock.is_virtual ||
      ct_scheduler_has_work (core) || !cothread_inbox_is_empty (&self->inbox))
    return FALSE;
  current = g_main_current_source ();
  return current != NULL && g_source_get_context (current) == self->context;
}

/* Many are shorter than the unit in which they are noted. */
static void
note_run (CothreadScheduler *self, const CtStopwatch *stopwatch)
{
  double ticks_per_us = self->core->ticks_counter.ticks_per_us;
  guint64 now_ticks;

  if (G_UNLIKELY (stopwatch->ticks == 0 || ticks_per_us <= 0))
    {
      cothread_source_note_run (self, ct_stopwatch_read_ns (stopwatch, &self->core->ticks_counter) / 1000);
      return;
    }
  now_ticks = ct_ticks_now ();
  if (now_ticks > stopwatch->ticks)
    self->run_ticks += now_ticks - stopwatch->ticks;
  if ((double) self->run_ticks < NOTED_US * ticks_per_us)
    return;
  cothread_source_note_run (self, (gint64) ((double) self->run_ticks / ticks_per_us));
  self->run_ticks = 0;
}

void
cothread_source_wake (CothreadScheduler *self, CtTask *task)
{
  CothreadTurns *turns = &self->turns;
  CtStopwatch stopwatch;
  gint64 begin_us, outer_from;
  gint depth;

  if (task->kind != CT_TASK_MAIN && ((CothreadTask *) task)->scheduler == NULL)
    return; /* it was abandoned, and never runs again */
  if (task->kind != CT_TASK_NATIVE || !may_run_at_once (self))
    {
      ct_task_fire (task, CT_WAKE_NORMAL, NULL);
      return;
    }
  depth = g_main_depth ();
  ct_stopwatch_start (&stopwatch, &self->core->ticks_counter);
  outer_from = turns->running_from;
  begin_us = turns->running_from = cothread_source_get_time (self);
  turns->depth++; /* from here on the context's reference stays */
  cothread_running_scheduler = self;
  if (!ct_scheduler_wake_at_once (self->core, task, depth, begin_us))
    self->interrupt_pending = TRUE;
  cothread_running_scheduler = NULL;
  cothread_source_turn_ended (self, depth);
  turns->depth--;
  turns->running_from = outer_from;
  note_run (self, &stopwatch);
  cothread_scheduler_drop_if_due (self);
}
