/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_STATISTICS (cothread_statistics_get_type ())

typedef struct _CothreadStatistics CothreadStatistics;

/**
 * CothreadStatistics:
 * @tasks: live tasks
 * @ready: tasks that run in this turn or the next
 * @yielding: those of @ready that let all others run first
 * @waiting: suspended tasks
 * @running: the running task, and those that run a nested main loop
 * @spawned: tasks ever spawned
 * @finished: tasks that have returned
 * @failed: those of @finished that returned an error
 * @cancelled: those of @finished that ended because they were cancelled
 * @switches: times a task was resumed
 * @ticks: times the ready queue was taken
 * @turns: turns the main loop gave the scheduler
 * @turns_cut: turns that ended because the time slice was used up
 * @last_turn_us: how long the last turn held the main loop, in microseconds
 * @longest_turn_us: the longest turn since the last
 *   cothread_scheduler_reset_longest_turn()
 * @busy_us: how long turns have held the main loop, all together; its growth
 *   over a time divided by that of @age_us is the busy share
 * @age_us: how long the scheduler exists
 * @stalls: how often something held the main loop for longer than the
 *   threshold of #CothreadStallDetector
 * @timers: pending deadlines
 * @descriptors: waits on descriptors
 * @stack_regions: mappings that hold stacks
 * @stack_reserved_bytes: virtual memory reserved for stacks; what tasks touch
 *   of it is committed
 * @stacks_live: stacks of tasks that have begun
 * @stacks_pooled: stacks kept warm for the next tasks
 *
 * A snapshot of a scheduler: tasks = ready + waiting + running, always.
 *
 * Since: 0.1
 */
struct _CothreadStatistics
{
  guint tasks;
  guint ready;
  guint yielding;
  guint waiting;
  guint running;
  guint64 spawned;
  guint64 finished;
  guint64 failed;
  guint64 cancelled;
  guint64 switches;
  guint64 ticks;
  guint64 turns;
  guint64 turns_cut;
  gint64 last_turn_us;
  gint64 longest_turn_us;
  gint64 busy_us;
  gint64 age_us;
  guint64 stalls;
  guint timers;
  guint descriptors;
  guint stack_regions;
  guint64 stack_reserved_bytes;
  guint stacks_live;
  guint stacks_pooled;
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_statistics_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadStatistics *cothread_statistics_copy (const CothreadStatistics *statistics);
COTHREAD_AVAILABLE_IN_0_1
void cothread_statistics_free (CothreadStatistics *statistics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadStatistics, cothread_statistics_free)

COTHREAD_AVAILABLE_IN_0_1
CothreadStatistics *cothread_scheduler_get_statistics (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_reset_longest_turn (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
GArray *cothread_scheduler_get_recent_turns (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_scheduler_list_tasks (CothreadScheduler *scheduler);

G_END_DECLS
