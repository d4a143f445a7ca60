/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* A scheduler with a clock that stands still unless it is told to move, a main
 * loop of a few lines, and tasks that say what they do, so that a test compares
 * an order of events with a string. */

typedef struct _CoreFixture CoreFixture;
typedef struct _TestTask TestTask;

struct _TestTask
{
  CtTask task; /* first */
  CoreFixture *fixture;
  const char *name;
  void (*body) (TestTask *self); /* a stackless task's: one step of it */
  gpointer data;
  gint step;
  CtWake wake; /* why its last wait ended */
  CtWaiter waiter; /* a stackless task has no stack to keep it on */
  gboolean is_finished;
};

struct _CoreFixture
{
  CtScheduler *scheduler;
  gint64 now_us;
  gint64 slice_us;   /* of the turns; -1 unless the test says otherwise */
  gint64 timeout_us; /* how long the loop may sleep after the last turn */
  GString *said;
  GPtrArray *tasks;
  CtPollerClass poller_class; /* the backend's, with virtual time */
  const CtPollerClass *backend;
};

/* Adds a test that runs once with each poller. */
void core_test_add (const char *path, void (*func) (CoreFixture *fixture));

TestTask *core_spawn (CoreFixture *fixture, const char *name, void (*body) (TestTask *self), gpointer data);
TestTask *core_spawn_stackless (CoreFixture *fixture, const char *name, void (*step) (TestTask *self), gpointer data);

/* One turn, with what is ready among the descriptors. */
gboolean core_turn (CoreFixture *fixture);
/* Turns, and the clock moved on to each deadline, until nothing can happen any
 * more by itself. */
void core_run (CoreFixture *fixture);
/* Moves the clock on, and gives one turn. */
void core_pass (CoreFixture *fixture, gint64 us);

/* "name", or "name-what"; and what has been said since the last look. */
void core_say (TestTask *self, const char *what);
void core_assert_said (CoreFixture *fixture, const char *expected);

/* Waits on a list, behind those who wait there (NULL: on nothing). */
CtWake core_wait (TestTask *self, CtLink *list, gint64 timeout_us);
CtWake core_sleep (TestTask *self, gint64 timeout_us);
CtWake core_yield (TestTask *self);
/* Waits for a descriptor; returns what happened, 0 where that was a timeout. */
gushort core_wait_fd (TestTask *self, gint fd, gushort events, gint64 timeout_us);
/* The same for a stackless task, from its own step. */
void core_park (TestTask *self, CtLink *list, gint64 timeout_us);
/* Wakes who waits longest. */
gboolean core_fire_first (CtLink *list);

gint64 core_deadline (CoreFixture *fixture, gint64 timeout_us);

/* Where the caller's frame is. */
gboolean core_is_on_thread_stack (void);
gboolean core_is_on_stack_of (const TestTask *task);

/* Bodies of many a task. */
void core_just_say (TestTask *self);
void core_wait_on_data (TestTask *self);      /* data: the list; says "name" */
void core_yield_for_ever (TestTask *self);    /* until cancelled */
