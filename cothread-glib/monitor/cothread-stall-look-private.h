/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-unwind-private.h"

#include <pthread.h>

/* One thread looks at what another is doing at this moment: a signal makes the
 * other write it down. */

typedef struct
{
  CothreadScheduler *scheduler;
  guint64 task_id; /* 0: none */
  guint64 switches;
  char task_name[128];
  gpointer callback;
  gpointer frames[COTHREAD_MAX_FRAMES];
  guint n_frames;
} CothreadLook;

/* In the thread that is going to be looked at: finds a signal that nobody uses,
 * and a stack for its handler, since the task's own may be nearly full. */
gpointer cothread_look_prepare (void);
/* In the same thread. */
void cothread_look_unprepare (gpointer prepared);

/* In any other. FALSE: the thread does not answer. */
gboolean cothread_look_at (pthread_t thread, CothreadLook *look);
