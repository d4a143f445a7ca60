/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TASK_INFO (cothread_task_info_get_type ())

typedef struct _CothreadTaskInfo CothreadTaskInfo;

/**
 * CothreadTaskInfo:
 * @id: a number that no other task of the scheduler ever had
 * @name: the task's name, always valid UTF-8
 * @language: what it is written in, `C` unless its binding says otherwise
 * @is_stackless: whether it has no stack of its own
 * @is_cancelled: whether it was cancelled
 * @state: what it is doing
 * @wait_reason: (nullable): the kind of thing it waits for, such as `event`,
 *   `descriptor`, `task`, `lock` or `sleep`; %NULL unless it waits
 * @wait_object: (nullable): the name of the thing, see
 *   cothread_monitor_set_name(), or else its address; for a task its name
 * @wait_task: the task it waits for, or that holds the lock it waits for; 0:
 *   none
 * @wait_fd: the descriptor it waits for (the first, if there are several); -1:
 *   none
 * @wait_condition: what it waits for on @wait_fd
 * @deadline_us: when the wait times out, in the time of
 *   g_get_monotonic_time(); -1: never
 * @since_us: since when it waits: the beginning of the turn in which it began
 *   to, in the time of g_get_monotonic_time(); -1: it does not wait
 * @wakeups: how many of its waits have ended
 * @switches: how many times it was resumed
 * @run_us: how long it has run, in microseconds; -1 unless that is measured,
 *   see cothread_scheduler_set_task_timing()
 * @longest_run_us: its longest run without suspending; -1 unless measured
 * @spawn_site: (nullable): function, file and line of the spawn
 * @stack_bytes: how large its stack is; 0 for none
 * @stack_in_use: how much of it is in use while the task is suspended
 * @stack_high_water: the most that was ever in use; 0 unless that is recorded,
 *   see cothread_scheduler_set_stack_watermarks()
 *
 * All that is known about a task at one moment.
 *
 * Since: 0.1
 */
struct _CothreadTaskInfo
{
  guint64 id;
  char *name;
  const char *language;
  gboolean is_stackless;
  gboolean is_cancelled;
  CothreadTaskState state;
  char *wait_reason;
  char *wait_object;
  guint64 wait_task;
  gint wait_fd;
  GIOCondition wait_condition;
  gint64 deadline_us;
  gint64 since_us;
  guint64 wakeups;
  guint64 switches;
  gint64 run_us;
  gint64 longest_run_us;
  char *spawn_site;
  guint64 stack_bytes;
  guint64 stack_in_use;
  guint64 stack_high_water;
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_task_info_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadTaskInfo *cothread_task_info_copy (const CothreadTaskInfo *info);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_info_free (CothreadTaskInfo *info);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_task_info_dup_wait_text (const CothreadTaskInfo *info);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_task_state_to_string (CothreadTaskState state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadTaskInfo, cothread_task_info_free)

COTHREAD_AVAILABLE_IN_0_1
CothreadTaskInfo *cothread_task_get_info (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_scheduler_list_task_infos (CothreadScheduler *scheduler, guint max);

COTHREAD_AVAILABLE_IN_0_1
void cothread_monitor_set_name (GObject *object, const char *name);

/**
 * CothreadTaskTiming:
 * @COTHREAD_TASK_TIMING_OFF: tasks' times are not measured
 * @COTHREAD_TASK_TIMING_SAMPLED: long runs and those of turns that are not busy
 *   are measured one by one, of the others one in 64, which counts for
 *   64: right in the long run, and cheap
 * @COTHREAD_TASK_TIMING_EXACT: every run is measured, which costs a reading of
 *   the processor's counter for each
 *
 * How the time that tasks run is measured.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_TASK_TIMING_OFF,
  COTHREAD_TASK_TIMING_SAMPLED,
  COTHREAD_TASK_TIMING_EXACT,
} CothreadTaskTiming;

COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_set_task_timing (CothreadScheduler *scheduler, CothreadTaskTiming timing);
COTHREAD_AVAILABLE_IN_0_1
CothreadTaskTiming cothread_scheduler_get_task_timing (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_set_stack_watermarks (CothreadScheduler *scheduler, gboolean record);

G_END_DECLS
