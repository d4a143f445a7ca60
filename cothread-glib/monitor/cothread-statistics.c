/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "monitor/cothread-statistics.h"

G_DEFINE_BOXED_TYPE (CothreadStatistics, cothread_statistics, cothread_statistics_copy, cothread_statistics_free)

/**
 * cothread_statistics_copy:
 * @statistics: a snapshot
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadStatistics *
cothread_statistics_copy (const CothreadStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, NULL);
  return g_memdup2 (statistics, sizeof *statistics);
}

/**
 * cothread_statistics_free:
 * @statistics: (nullable) (transfer full): a snapshot
 *
 * Frees a snapshot.
 *
 * Since: 0.1
 */
void
cothread_statistics_free (CothreadStatistics *statistics)
{
  g_free (statistics);
}

/* Tasks that are on no queue because they run: the current one, and those that
 * run a nested main loop or wait for the thread's own stack. */
static guint
count_running (const CtScheduler *core)
{
  guint n = core->current->kind != CT_TASK_MAIN;

  for (const CtFrame *frame = core->frame; frame != NULL; frame = frame->outer)
    n += frame->caller->kind != CT_TASK_MAIN;
  return n + core->thread_stack_calls;
}

/* The turn in progress counts as well. */
static gint64
busy_time (const CothreadScheduler *scheduler)
{
  const CothreadTurns *turns = &scheduler->turns;

  return turns->busy_us + (turns->depth > 0 ? cothread_scheduler_now (scheduler) - turns->running_from : 0);
}

/**
 * cothread_scheduler_get_statistics:
 * @scheduler: a scheduler of the calling thread
 *
 * Takes a snapshot of the scheduler's counters, at a cost that does not depend
 * on how many tasks there are.
 *
 * Returns: (transfer full): the snapshot; all zero after a shutdown
 *
 * Since: 0.1
 */
CothreadStatistics *
cothread_scheduler_get_statistics (CothreadScheduler *scheduler)
{
  CothreadStatistics *statistics;
  CtStackPoolStatistics stacks;
  CtScheduler *core;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);

  statistics = g_new0 (CothreadStatistics, 1);
  core = scheduler->core;
  if (core == NULL)
    return statistics;
  cothread_scheduler_sync_runners (scheduler);
  ct_scheduler_settle_lengths (core);
  ct_stack_pool_get_statistics (core->pool, &stacks);
  *statistics = (CothreadStatistics) {
    .tasks = core->n_live,
    .ready = core->tick.length + core->ready.length + core->yielding.length +
             cothread_scheduler_count_ready_in_runners (scheduler),
    .yielding = core->yielding.length,
    .running = count_running (core),
    .spawned = core->n_spawned,
    .finished = core->n_finished,
    .failed = scheduler->n_failed,
    .cancelled = scheduler->n_cancelled,
    .switches = core->n_switches,
    .ticks = core->n_ticks,
    .turns = scheduler->turns.turns,
    .turns_cut = scheduler->turns.turns_cut,
    .last_turn_us = scheduler->turns.last_us,
    .longest_turn_us = scheduler->turns.longest_us,
    .busy_us = busy_time (scheduler),
    .age_us = cothread_scheduler_now (scheduler) - scheduler->created_us,
    .stalls = __atomic_load_n (&scheduler->n_stalls, __ATOMIC_RELAXED),
    .timers = core->timers.length,
    .descriptors = core->poller->n_watches,
    .stack_regions = stacks.regions,
    .stack_reserved_bytes = stacks.reserved_bytes,
    .stacks_live = stacks.live,
    .stacks_pooled = stacks.warm,
  };
  statistics->waiting = statistics->tasks - statistics->ready - statistics->running;
  return statistics;
}

/**
 * cothread_scheduler_reset_longest_turn:
 * @scheduler: a scheduler of the calling thread
 *
 * Starts measuring the longest turn anew.
 *
 * Since: 0.1
 */
void
cothread_scheduler_reset_longest_turn (CothreadScheduler *scheduler)
{
  g_return_if_fail (COTHREAD_IS_SCHEDULER (scheduler));
  g_return_if_fail (cothread_scheduler_is_own_thread (scheduler));
  scheduler->turns.longest_us = 0;
}

/**
 * cothread_scheduler_get_recent_turns:
 * @scheduler: a scheduler of the calling thread
 *
 * How long each of the last 256 turns held the main loop.
 *
 * Returns: (transfer full) (element-type gint64): microseconds, oldest first
 *
 * Since: 0.1
 */
GArray *
cothread_scheduler_get_recent_turns (CothreadScheduler *scheduler)
{
  const CothreadTurns *turns;
  GArray *recent;
  guint64 first;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);

  turns = &scheduler->turns;
  first = turns->turns > COTHREAD_RECENT_TURNS ? turns->turns - COTHREAD_RECENT_TURNS : 0;
  recent = g_array_sized_new (FALSE, FALSE, sizeof (gint64), (guint) (turns->turns - first));
  for (guint64 turn = first; turn < turns->turns; turn++)
    g_array_append_val (recent, turns->recent_us[turn % COTHREAD_RECENT_TURNS]);
  return recent;
}

/**
 * cothread_scheduler_list_tasks:
 * @scheduler: a scheduler of the calling thread
 *
 * Every live task, in the order in which they were spawned.
 *
 * Returns: (transfer container) (element-type CothreadTask): the tasks
 *
 * Since: 0.1
 */
GPtrArray *
cothread_scheduler_list_tasks (CothreadScheduler *scheduler)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), tasks);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), tasks);

  if (scheduler->core == NULL)
    return tasks;
  cothread_scheduler_sync_runners (scheduler);
  for (CtLink *link = scheduler->core->all.next; link != &scheduler->core->all; link = link->next)
    g_ptr_array_add (tasks, cothread_task_ref (CT_CONTAINER_OF (link, CothreadTask, core.all)));
  return tasks;
}
