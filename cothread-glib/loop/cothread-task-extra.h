/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task-private.h"

/* What only some tasks have, made on demand, so that the others pay for one
 * pointer. */

typedef struct _CothreadTaskEnding CothreadTaskEnding;
typedef struct _CothreadTaskValue CothreadTaskValue;
typedef struct _CothreadTaskCanceller CothreadTaskCanceller;

/* Called once when the task's function has returned and its user data are
 * freed, before anybody who joins it is woken; on the task's own stack, where
 * it has one. Must not suspend. It is off the list then. */
struct _CothreadTaskEnding
{
  CtLink link;
  void (*run) (CothreadTaskEnding *ending, CothreadTask *task);
};

struct _CothreadTaskExtra
{
  CothreadTaskCanceller *canceller; /* a GCancellable */
  CtLink endings;
  CothreadTaskValue *values; /* task-local */
  CothreadTaskEnding values_ending;
};

/* cothread_task_get_cancellable() for a task of this thread. */
static inline GCancellable *
cothread_task_ensure_cancellable (CothreadTask *task)
{
  if (G_LIKELY (task->extra != NULL && task->extra->canceller != NULL))
    return (GCancellable *) task->extra->canceller;
  return cothread_task_get_cancellable (task);
}

CothreadTaskExtra *cothread_task_ensure_extra (CothreadTask *task);
void cothread_task_extra_free (CothreadTaskExtra *extra);

/* The last one that was added runs first: who owns the task comes last, when
 * everything that the task owned is gone. */
void cothread_task_add_ending (CothreadTask *task, CothreadTaskEnding *ending);
void cothread_task_run_endings (CothreadTask *task);

void cothread_task_values_end (CothreadTaskEnding *ending, CothreadTask *task);

/* Cancels, and lets the task's cancellable know, on the thread's own stack:
 * runs handlers of the program. */
void cothread_task_cancel_and_tell (CothreadTask *task);
/* The second half alone. */
void cothread_task_tell_canceller (CothreadTask *task);
void cothread_task_canceller_free (CothreadTaskCanceller *canceller);
