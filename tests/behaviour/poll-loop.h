/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "behaviour.h"

#include <poll.h>

/* A main loop of one's own, over poll(2), and a scheduler in it. */

static inline void
spawn_on (CothreadScheduler *scheduler, CothreadTaskFunc func)
{
  CothreadSpawnOptions options = { .scheduler = scheduler };

  cothread_task_unref (cothread_spawn_full (func, NULL, &options, NULL));
}

static inline guint
live_tasks_on (CothreadScheduler *scheduler)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (scheduler);

  return statistics->tasks;
}

typedef struct
{
  CothreadScheduler *scheduler;
  GArray *fds;
  gint64 timeout_us;
} Loop;

static inline void
loop_init (Loop *loop)
{
  loop->scheduler = cothread_scheduler_new (NULL);
  loop->fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
}

static inline void
loop_clear (Loop *loop)
{
  g_clear_object (&loop->scheduler);
  g_clear_pointer (&loop->fds, g_array_unref);
}

static inline gboolean
loop_turn (Loop *loop, GError **error)
{
  return cothread_scheduler_poll (loop->scheduler, (GPollFD *) (void *) loop->fds->data, loop->fds->len,
                                  loop->fds, &loop->timeout_us, error);
}

/* GPollFD is what poll(2) takes. */
static inline int
loop_poll (Loop *loop)
{
  int timeout_ms = loop->timeout_us < 0 ? -1 : (int) ((loop->timeout_us + 999) / 1000);

  return poll ((struct pollfd *) (void *) loop->fds->data, loop->fds->len, timeout_ms);
}
