/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-stackless-runner.h"
#include "loop/cothread-task-private.h"

/* Tasks of a language that has no stacks. A task is always at one of these
 * places; the language knows of it as a number. */
typedef enum
{
  COTHREAD_PLACE_OWNED,     /* the language has it: it runs, or is in line there */
  COTHREAD_PLACE_PARKED,    /* the scheduler has it: it waits, or was just woken */
  COTHREAD_PLACE_INCOMING,  /* to be handed over next */
  COTHREAD_PLACE_DELIVERED, /* handed over; the language has not said so */
} CothreadPlace;

/* What the language shares with us is 16 bytes a record. */
typedef struct
{
  gint32 op;
  gint32 id;
  double argument;
} CothreadRequestRecord;

typedef struct
{
  gint32 id;
  gint32 wake; /* CothreadStacklessWake; from bit 8: which of its sources */
  double value;
} CothreadReadyRecord;

#define COTHREAD_RUNNER_MAGIC 0x43547231
#define COTHREAD_RUNNER_REQUESTS 4096
#define COTHREAD_RUNNER_READY 1024

typedef struct
{
  gint32 magic;
  gint32 n_requests; /* capacities */
  gint32 n_ready;
  gint32 state;       /* CothreadStacklessState, as of the last crossing */
  gint32 unused;
  gint32 n_incoming;  /* left after the last exchange */
  gint32 first_request; /* offsets in bytes */
  gint32 first_ready;
  double now_us; /* as of the last crossing */
  double spare[3];
  CothreadReadyRecord ready[COTHREAD_RUNNER_READY];
  CothreadRequestRecord requests[COTHREAD_RUNNER_REQUESTS];
} CothreadRunnerMemory;

typedef struct _CothreadRunnerSource CothreadRunnerSource;
typedef struct _CothreadRunnerTask CothreadRunnerTask;

/* Something of the library that a task of the language waits for. */
typedef struct
{
  /* Joins the line; called again after the task was woken in vain. */
  gboolean (*stand_in_line) (CothreadRunnerSource *source, CtScheduler *core, GError **error);
  void (*leave) (CothreadRunnerSource *source, CtScheduler *core); /* or NULL: its link is all */
  gboolean (*is_ready) (CothreadRunnerSource *source);
  gboolean (*take) (CothreadRunnerSource *source, double *value, GError **error);
  /* It woke the task, but something else was faster: for the next in line. */
  void (*pass_on) (CothreadRunnerSource *source);
  void (*free) (CothreadRunnerSource *source);
} CothreadRunnerSourceClass;

struct _CothreadRunnerSource
{
  CtFdWatch watch; /* its waiter serves every kind */
  const CothreadRunnerSourceClass *klass;
  CothreadRunnerSource *next;
  guint index;
  gpointer object;
};

struct _CothreadRunnerTask
{
  CothreadTask *task;
  CothreadStacklessRunner *runner;
  CothreadRunnerSource *sources; /* the last one first */
  gint64 deadline_us;
  GError *error;
  guint32 id;
  guint8 place;
  guint8 has_record; /* what `record` says was taken already */
  guint8 is_only_notice;
  CothreadReadyRecord record;
};

typedef struct
{
  CothreadStacklessRunner *self;
  CothreadScheduler *scheduler; /* referenced */
  const char *language; /* interned */
  GParamSpec *wakeup;
  GPtrArray *tasks; /* of CothreadRunnerTask, by id; NULL: free */
  guint n_tasks;
  guint first_free; /* no id below it is free */
  GArray *functions;
  CtQueue owned;
  CtQueue incoming;
  CtQueue delivered;
  CothreadTask *driver; /* NULL before the first wake, and once over */
  GBytes *bytes;
  CothreadRunnerMemory *memory;
  guint64 n_exchanges;
  gint64 retry_us;
  CothreadStacklessFlags left;
  gboolean is_dirty; /* the language has something to tell */
  guint depth;       /* calls of the language in progress */
  CtLink link;       /* of the scheduler's runners */
  CothreadShutdownHook hook;
} CothreadStacklessRunnerPrivate;

typedef struct
{
  const char *name; /* interned, with the location */
  const char *location;
} CothreadRunnerFunction;

CothreadStacklessRunnerPrivate *cothread_stackless_runner_get_private (CothreadStacklessRunner *self);

/* The task with that number, or NULL after a critical. */
CothreadRunnerTask *cothread_runner_find (CothreadStacklessRunner *self, guint id);
gboolean cothread_runner_spawn_as (CothreadStacklessRunner *self, guint id, guint function);
void cothread_runner_park (CothreadRunnerTask *self, gint64 deadline_us, const char *reason);
void cothread_runner_resume (CothreadRunnerTask *self);
void cothread_runner_finish (CothreadRunnerTask *self, const GError *failure);
void cothread_runner_cancel (CothreadRunnerTask *self);
/* Takes what woke the first incoming task; FALSE: it goes on waiting. */
gboolean cothread_runner_deliver (CothreadRunnerTask *self);
void cothread_runner_acknowledge (CothreadStacklessRunnerPrivate *priv, guint n);
/* NULL for any other task. */
const char *cothread_runner_get_location (CothreadTask *task);
guint cothread_runner_add_source (CothreadRunnerTask *self, CothreadRunnerSource *source);

/* Has the language called: in this tick, if the scheduler is in the middle of
 * one; else as soon as possible. */
void cothread_runner_call_driver (CothreadStacklessRunner *self, gboolean in_this_tick);
void cothread_runner_task_ended (CothreadStacklessRunner *self);
