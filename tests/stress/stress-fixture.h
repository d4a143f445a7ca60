/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* How much work the stress tests make of themselves, and a main context of its
 * own for each. */

typedef struct
{
  GMainContext *context; /* the thread's default */
  CothreadScheduler *scheduler;
  CothreadCallbackQueue *queue; /* the scheduler's */
} StressFixture;

/* n times COTHREAD_STRESS_SCALE; less by default where every step is slow
 * (sanitizers, Valgrind). At least 1. */
guint stress_scale (guint n);
/* The same for a number of tasks: ThreadSanitizer keeps as much for each as for
 * a thread. */
guint stress_scale_tasks (guint n);

void stress_begin (StressFixture *f);
/* Shuts the scheduler down and makes sure that it is gone. */
void stress_end (StressFixture *f);

/* Iterates until the condition holds. Nothing else wakes the loop: a wakeup
 * that is lost makes the test hang, which the watchdog reports. */
#define stress_run_until(f, condition) \
  G_STMT_START \
    { \
      while (!(condition)) \
        g_main_context_iteration ((f)->context, TRUE); \
    } \
  G_STMT_END

/* Waits in a thread until the loop has got as far; fails the test otherwise. */
void stress_wait_for_count (const guint *atomic_count, guint expected);

/* A few instructions to some microseconds, so that two threads meet in ever
 * different places. */
void stress_dither (GRand *random);

/* Reproducible with --seed: a generator for one thread of a test. */
GRand *stress_rand_new (void);
