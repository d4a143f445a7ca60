/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-probe-private.h"
#include "monitor/cothread-task-info.h"

CtProbe *
cothread_probe_ensure (CothreadScheduler *scheduler)
{
  CtScheduler *core = scheduler->core;

  if (core->probe == NULL)
    {
      core->probe = g_new (CtProbe, 1);
      ct_probe_init (core->probe, &core->clock, core->ticks_counter.has_ticks, &core->n_switches, &core->look_at);
    }
  return core->probe;
}

void
cothread_probe_drop_if_unused (CothreadScheduler *scheduler)
{
  CtScheduler *core = scheduler->core;

  if (core != NULL && !scheduler->is_of_parent && core->probe != NULL && core->probe->timing == CT_PROBE_TIMING_OFF && core->probe->note == NULL)
    {
      core->look_at = CT_PROBE_NEVER;
      g_clear_pointer (&core->probe, g_free);
    }
}

/**
 * cothread_scheduler_set_task_timing:
 * @scheduler: a scheduler of the calling thread
 * @timing: whether and how
 *
 * Says whether the time that tasks run is measured, see
 * #CothreadTaskInfo.run_us. Off to begin with. What was measured is forgotten
 * when the setting changes.
 *
 * Since: 0.1
 */
void
cothread_scheduler_set_task_timing (CothreadScheduler *scheduler, CothreadTaskTiming timing)
{
  CtScheduler *core;

  g_return_if_fail (COTHREAD_IS_SCHEDULER (scheduler));
  g_return_if_fail (cothread_scheduler_is_own_thread (scheduler));
  g_return_if_fail (timing <= COTHREAD_TASK_TIMING_EXACT);

  core = scheduler->core;
  if (core == NULL || scheduler->is_of_parent || cothread_scheduler_get_task_timing (scheduler) == timing)
    return;
  ct_probe_set_timing (cothread_probe_ensure (scheduler), (CtProbeTiming) timing);
  cothread_probe_drop_if_unused (scheduler);
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    {
      CtTask *task = CT_CONTAINER_OF (link, CtTask, all);

      task->run_ticks = task->longest_ticks = 0;
    }
}

G_STATIC_ASSERT ((int) COTHREAD_TASK_TIMING_SAMPLED == (int) CT_PROBE_TIMING_SAMPLED);
G_STATIC_ASSERT ((int) COTHREAD_TASK_TIMING_EXACT == (int) CT_PROBE_TIMING_EXACT);

/**
 * cothread_scheduler_get_task_timing:
 * @scheduler: a scheduler of the calling thread
 *
 * Returns: whether and how the time that tasks run is measured
 *
 * Since: 0.1
 */
CothreadTaskTiming
cothread_scheduler_get_task_timing (CothreadScheduler *scheduler)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), COTHREAD_TASK_TIMING_OFF);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), COTHREAD_TASK_TIMING_OFF);

  if (scheduler->core == NULL || scheduler->core->probe == NULL)
    return COTHREAD_TASK_TIMING_OFF;
  return (CothreadTaskTiming) scheduler->core->probe->timing;
}

/**
 * cothread_scheduler_set_stack_watermarks:
 * @scheduler: a scheduler of the calling thread
 * @record: whether to record
 *
 * Says whether tasks that begin from now on get a stack that is known to be
 * clean, so that the most they ever used of it can be told, see
 * #CothreadTaskInfo.stack_high_water. Costs a system call for each task, and
 * the stack's warm pages; for debugging.
 *
 * Since: 0.1
 */
void
cothread_scheduler_set_stack_watermarks (CothreadScheduler *scheduler, gboolean record)
{
  g_return_if_fail (COTHREAD_IS_SCHEDULER (scheduler));
  g_return_if_fail (cothread_scheduler_is_own_thread (scheduler));

  if (scheduler->core != NULL)
    scheduler->core->wants_clean_stacks = record;
}
