/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-precise.h"
#include "loop/cothread-wait-private.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* GLib rounds the time that it sleeps up to a millisecond. Where a deadline asks
 * for more, a timer descriptor in the poller's set wakes the loop: one for all,
 * set for the earliest. The tasks' timers are the core's, as always; this only
 * sees to it that somebody looks at them in time. */
struct _CothreadPrecise
{
  CothreadScheduler *scheduler;
  CtTimerHeap deadlines;
  CtFdWatch watch;
  gint64 set_us; /* what the descriptor is set for, or CT_TIME_NEVER */
  CothreadShutdownHook hook;
};

static void
set_for_the_earliest (CothreadPrecise *self)
{
  gint64 deadline_us = ct_timer_heap_next_deadline (&self->deadlines);
  struct itimerspec when = { 0 };

  if (deadline_us == self->set_us)
    return;
  self->set_us = deadline_us;
  if (deadline_us != CT_TIME_NEVER)
    {
      /* All zero would mean "never". */
      when.it_value.tv_sec = MAX (deadline_us, 1) / G_USEC_PER_SEC;
      when.it_value.tv_nsec = MAX (deadline_us, 1) % G_USEC_PER_SEC * 1000;
    }
  timerfd_settime (self->watch.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* The turn that follows wakes those whose time has come. */
static void
time_has_come (CtFdWatch *watch)
{
  CothreadPrecise *self = CT_CONTAINER_OF (watch, CothreadPrecise, watch);
  gint64 now_us = ct_scheduler_now (self->scheduler->core);
  guint64 count;

  while (read (watch->fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
  while (ct_timer_heap_pop_expired (&self->deadlines, now_us) != NULL)
    ;
  self->set_us = CT_TIME_NEVER;
  set_for_the_earliest (self);
}

static void
end (CothreadPrecise *self)
{
  self->scheduler->precise = NULL;
  close (self->watch.fd);
  ct_timer_heap_clear (&self->deadlines);
  g_free (self);
}

static void
scheduler_is_forked (CtLink *link)
{
  end (CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadPrecise, hook));
}

/* What tasks still sleep while they unwind is not so urgent. */
static void
scheduler_shuts_down (CtLink *link)
{
  CothreadPrecise *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadPrecise, hook);

  ct_poller_remove (self->scheduler->core->poller, &self->watch);
  end (self);
}

static CothreadPrecise *
ensure (CothreadScheduler *scheduler, GError **error)
{
  CothreadPrecise *self = scheduler->precise;
  gint fd, failure;

  if (self != NULL)
    return self;
  fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "timerfd_create: %s", g_strerror (errno));
      return NULL;
    }
  self = g_new0 (CothreadPrecise, 1);
  self->scheduler = scheduler;
  self->set_us = CT_TIME_NEVER;
  self->watch = (CtFdWatch) { .fd = fd, .events = G_IO_IN, .notify = time_has_come };
  self->hook.run = scheduler_shuts_down;
  self->hook.forked = scheduler_is_forked;
  ct_timer_heap_init (&self->deadlines);
  failure = ct_poller_add (scheduler->core->poller, &self->watch);
  if (failure != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Timer: %s", g_strerror (failure));
      close (fd);
      g_free (self);
      return NULL;
    }
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->hook.link);
  scheduler->precise = self;
  return self;
}

static gboolean
sleep_until (CtScheduler *core, gint64 deadline_us, GError **error)
{
  CothreadScheduler *scheduler = core->owner;
  CtTimer place = { 0 };
  CtWake wake;

  if (deadline_us != CT_TIME_NEVER && !core->clock.is_virtual && !scheduler->is_shut_down)
    {
      CothreadPrecise *self = ensure (scheduler, error);

      if (self == NULL)
        return FALSE;
      ct_timer_heap_insert (&self->deadlines, &place, deadline_us);
      set_for_the_earliest (self);
    }
  core->current->wait_reason = "sleep";
  core->current->wait_object = NULL;
  wake = ct_scheduler_wait (core, NULL, deadline_us);
  if (place.index != 0)
    {
      ct_timer_heap_remove (&scheduler->precise->deadlines, &place);
      set_for_the_earliest (scheduler->precise);
    }
  return wake == CT_WAKE_TIMEOUT || cothread_wait_result (wake, error);
}

/**
 * cothread_sleep_precisely:
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Suspends the calling task for a while, as cothread_sleep() does, and wakes it
 * as soon as the system can: a main loop rounds the time that it sleeps up to
 * the next millisecond, and this does not. It costs a system call or two.
 *
 * What else is ready still comes first: a turn in progress is not cut short.
 *
 * Fails like cothread_sleep(), and with an error of %G_IO_ERROR if the system
 * has no descriptor left.
 *
 * Returns: %TRUE if the time has passed
 *
 * Since: 0.1
 */
gboolean
cothread_sleep_precisely (gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  return sleep_until (core, deadline_us, error);
}

/**
 * cothread_sleep_precisely_until:
 * @deadline_us: a time in the sense of cothread_scheduler_get_time()
 * @error: return location for a #GError
 *
 * Suspends the calling task until a moment, as precisely as
 * cothread_sleep_precisely() does; one in the past suspends it once.
 *
 * Returns: %TRUE if the time has come
 *
 * Since: 0.1
 */
gboolean
cothread_sleep_precisely_until (gint64 deadline_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);

  return core != NULL && sleep_until (core, deadline_us, error);
}
