/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-sweep.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The alarm is a timer descriptor in the poller's set: as a timeout of GLib's
 * poll, where the kernel sets up a timer and takes it down in each iteration, it
 * would cost 100 ns each. It comes a little later than the sweep is due, and a
 * loop that wakes once a second anyway is not woken twice. */
#define DUE_AFTER_US (G_USEC_PER_SEC * 8 / 10)
#define ALARM_AFTER_S 1

struct _CothreadSweep
{
  CothreadScheduler *scheduler;
  CtFdWatch alarm;
  CothreadShutdownHook hook;
};

void
cothread_sweep_now (CothreadScheduler *scheduler)
{
  scheduler->sweep_us = 0;
  ct_poller_sweep (scheduler->core->poller);
}

static void
alarm_has_come (CtFdWatch *watch)
{
  CothreadScheduler *scheduler = CT_CONTAINER_OF (watch, CothreadSweep, alarm)->scheduler;
  guint64 count;

  while (read (watch->fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
  if (scheduler->sweep_us != 0) /* else the dispatch that brings this has just done it */
    cothread_sweep_now (scheduler);
  /* Nothing else woke the loop, so there is nothing else to look for. */
  scheduler->has_swept = TRUE;
}

static void
end (CothreadSweep *self)
{
  self->scheduler->sweep = NULL;
  close (self->alarm.fd);
  g_free (self);
}

static void
scheduler_is_forked (CtLink *link)
{
  end (CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadSweep, hook));
}

static void
scheduler_shuts_down (CtLink *link)
{
  CothreadSweep *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadSweep, hook);

  ct_poller_remove (self->scheduler->core->poller, &self->alarm);
  end (self);
}

/* NULL: there is no descriptor left. Then a loop that is awake sweeps in time, and
 * one that sleeps does not. */
static CothreadSweep *
ensure (CothreadScheduler *scheduler)
{
  CothreadSweep *self = scheduler->sweep;
  gint fd;

  if (self != NULL || scheduler->is_shut_down)
    return self;
  fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0)
    return NULL;
  self = g_new0 (CothreadSweep, 1);
  self->scheduler = scheduler;
  self->alarm = (CtFdWatch) { .fd = fd, .events = G_IO_IN, .notify = alarm_has_come };
  self->hook.run = scheduler_shuts_down;
  self->hook.forked = scheduler_is_forked;
  ct_poller_add (scheduler->core->poller, &self->alarm);
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->hook.link);
  scheduler->sweep = self;
  return self;
}

void
cothread_sweep_plan (CothreadScheduler *scheduler)
{
  const struct itimerspec when = { .it_value.tv_sec = ALARM_AFTER_S };
  CothreadSweep *self;

  if (scheduler->has_swept || scheduler->core->clock.is_virtual || scheduler->core->poller->klass->is_lost == NULL)
    {
      scheduler->has_swept = FALSE;
      return;
    }
  scheduler->sweep_us = ct_scheduler_now (scheduler->core) + DUE_AFTER_US;
  self = ensure (scheduler);
  if (self != NULL)
    timerfd_settime (self->alarm.fd, 0, &when, NULL);
}
