/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"
#include "loop/cothread-task.h"

typedef struct _CothreadTaskExtra CothreadTaskExtra;

/* The public handle is the task itself, counted, and no GObject. */
struct _CothreadTask
{
  CtTask core; /* first: the core's tasks are all ours */
  guint ref_count; /* atomic */
  guint8 failure_was_seen;
  guint8 is_service; /* the library's own, which waits for work at present */
  CothreadScheduler *scheduler; /* not referenced; NULL once finished */
  CothreadTaskExtra *extra; /* or NULL: what only some tasks have */

  /* A stackless task has a step in place of a function, and no destroy notifies. */
  union
  {
    CothreadTaskFunc func;
    void (*step) (CothreadTask *task, gpointer user_data);
  };
  gpointer user_data;
  union
  {
    GDestroyNotify user_data_destroy;
    void (*nested) (CothreadTask *task, gpointer user_data); /* or NULL: a step runs a main loop */
  };
  gpointer result;
  union
  {
    GDestroyNotify result_destroy;
    void (*cancelled) (CothreadTask *task, gpointer user_data); /* or NULL: when it was not waiting */
  };
  GError *error;

  CtLink joiners; /* CtWaiters */
  char *name;
  const char *function;
  const char *site;
  const char *site_function;
  const char *language; /* NULL: "C" */
};

/* Of a finished task: for whoever has waited for it. `result` may be NULL. */
gboolean cothread_task_get_outcome (CothreadTask *task, gpointer *result, GError **error);

/* Told of a failure that nobody has seen, in whatever thread, before the task is
 * freed; NULL: nobody is interested. Atomic. */
extern void (*cothread_task_forgotten_failure) (const CothreadTask *task) __attribute__ ((visibility ("hidden")));

/* A task without a stack: `step` is called on the thread's own stack each time
 * the task is woken, and before it returns parks the task (ct_task_park()) or
 * finishes it (ct_task_finish_stackless()). Starts ready. */
CothreadTask *cothread_task_new_stackless (CothreadScheduler *scheduler,
                                           const char *name,
                                           void (*step) (CothreadTask *task, gpointer user_data),
                                           gpointer user_data);
