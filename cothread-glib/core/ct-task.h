/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-list.h"
#include "core/ct-timer-heap.h"
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

/* A task and its one wakeup. */

typedef struct _CtScheduler CtScheduler;
typedef struct _CtTask CtTask;
typedef struct _CtWaiter CtWaiter;

typedef enum
{
  CT_WAKE_NORMAL,
  CT_WAKE_TIMEOUT,
  CT_WAKE_INTERRUPT,
  CT_WAKE_CANCELLED,
  CT_WAKE_ABANDONED, /* main only: its scheduler is the parent process's */
  CT_WAKE_DEADLOCK, /* main only: nothing else can ever wake it */
} CtWake;

typedef enum
{
  CT_TASK_READY,
  CT_TASK_RUNNING,
  CT_TASK_YIELDING,
  CT_TASK_WAITING,
  CT_TASK_FINISHED,
} CtTaskState;

typedef enum
{
  CT_TASK_NATIVE,    /* runs on a stack of its own, may suspend anywhere */
  CT_TASK_STACKLESS, /* a function called on the thread's own stack */
  CT_TASK_MAIN,      /* the thread's own stack itself */
} CtTaskKind;

/* One registration of a suspended task on one queue of waiters; it lives on
 * the waiting task's stack and is linked into whatever may wake the task. */
struct _CtWaiter
{
  CtLink link;
  CtTask *task;
  CtWaiter *next; /* the same task's other registrations */
  guint64 sequence;
};

typedef struct
{
  /* What a native task does, or one step of a stackless one. */
  void (*run) (CtTask *task);
  /* The scheduler lets go of a finished task. Called on whatever stack runs
   * next: must not suspend. */
  void (*finished) (CtTask *task);
  /* A step of this stackless task polls, from inside a nested main loop: it
   * will not return before that loop ends. May be NULL. */
  void (*nested) (CtTask *task);
  /* This stackless task was cancelled when it was not waiting. May be NULL. */
  void (*cancelled) (CtTask *task);
} CtTaskClass;

/* The first 64 bytes are all that a switch from task to task touches, and a
 * wait needs the next 64 as well; whoever allocates a task aligns it to a cache
 * line. */
struct _CtTask
{
  CtLink link; /* ready, tick or yield queue */
  /* On that queue: the stack of the next but one, only ever prefetched. Behind
   * `link` as in CtQueue, so that there is one to write for any predecessor. */
  gconstpointer stack_ahead;
  CtContext context;
  CtScheduler *scheduler; /* NULL once finished */
  guint64 switches;

  /* The wakeup: ties this suspension to every queue it stands on. It fires
   * once; firing undoes the other registrations in O(1) each. */
  CtTimer timer;
  guint8 wake;       /* CtWake of the last firing */
  guint8 is_armed;   /* may fire */
  guint8 state;      /* CtTaskState */
  guint8 shield_depth; /* while not 0, cancellation waits outside */
  union
  {
    guint16 unusual; /* any of these; 0 for CT_TASK_NATIVE */
    struct
    {
      guint8 kind;         /* CtTaskKind */
      guint8 is_cancelled; /* sticky: reaches every wait from now on */
    };
  };
  guint8 stack_class;  /* of the stack that is reserved until the first switch */
  guint8 has_clean_stack; /* all zero at the first switch */

  CtWaiter *waiters;
  CtWaiter *fired; /* the registration that woke the task, if one did */
  const char *wait_reason; /* static text, e.g. "event" */
  union
  {
    gconstpointer wait_object;
    guint64 float_control; /* the spawner's, until the first switch */
  };
  gint64 since_us; /* the beginning of the turn in which the wait began */
  guint64 wakeups; /* waits that something ended */
  CtStack *stack;
  const CtTaskClass *klass;

  guint64 id;
  CtLink all;
  gpointer hook_state; /* for the CtSwitchHooks */

  /* For whoever watches. */
  guint64 run_ticks; /* time run, if that is measured: ct_probe_now() */
  guint64 longest_ticks;
};

#define CT_CACHE_LINE 64

static inline gboolean
ct_task_is_cancelled (const CtTask *task)
{
  return task->is_cancelled && task->shield_depth == 0;
}
