/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flood.h"

#define BATCH_US 1000
/* What was missed for longer than this (the queue was full, the switch was
 * off) is not made up for. */
#define CATCH_UP_US 20000

struct _DashFlood
{
  DashProbe *probe;
  GThread *thread;
  GMutex mutex;
  GCond changed;
  gboolean enabled;
  gboolean stopping;
  guint per_second;
  guint cost_us;
};

/* Keeps the main thread busy as a real callback of that length would. */
static void
burn (gpointer data)
{
  gint64 until = g_get_monotonic_time () + GPOINTER_TO_UINT (data);

  while (g_get_monotonic_time () < until)
    ;
}

/* Posts n callbacks; FALSE as soon as the queue does not take one. */
static gboolean
pour (DashFlood *self, guint n, guint cost_us)
{
  for (guint i = 0; i < n; i++)
    {
      if (!cothread_callback_queue_post_full (self->probe->queue, COTHREAD_CALLBACK_DESTROY_ANYWHERE,
                                              burn, GUINT_TO_POINTER (cost_us), NULL, NULL))
        return FALSE;
      if (i % 16 == 0)
        dash_probe_note (self->probe);
    }
  dash_probe_note (self->probe);

  return TRUE;
}

/* Waits for the switch, or for the next batch. TRUE: there is one to pour. */
static gboolean
await_turn (DashFlood *self, gint64 *batch_at, guint *per_second, guint *cost_us)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  while (!self->stopping && !self->enabled)
    g_cond_wait (&self->changed, &self->mutex);

  *batch_at = MAX (*batch_at + BATCH_US, g_get_monotonic_time () - CATCH_UP_US);
  while (!self->stopping && g_cond_wait_until (&self->changed, &self->mutex, *batch_at))
    ;
  *per_second = self->per_second;
  *cost_us = self->cost_us;

  return !self->stopping;
}

static gpointer
run (gpointer data)
{
  DashFlood *self = data;
  gint64 batch_at = 0;
  double owed = 0;
  guint per_second, cost_us;

  while (await_turn (self, &batch_at, &per_second, &cost_us))
    {
      owed += (double) per_second * BATCH_US / G_USEC_PER_SEC;
      /* A full queue answers at once: without a rest, asking again and again
       * would burn a core for nothing. */
      if (!pour (self, owed, cost_us))
        batch_at = g_get_monotonic_time ();
      owed -= (guint) owed;
    }

  return NULL;
}

DashFlood *
dash_flood_new (DashProbe *probe)
{
  DashFlood *self = g_new0 (DashFlood, 1);

  self->probe = probe;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("flood", run, self);

  return self;
}

void
dash_flood_set_enabled (DashFlood *self, gboolean enabled)
{
  g_mutex_lock (&self->mutex);
  self->enabled = enabled;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
}

void
dash_flood_set_rate (DashFlood *self, guint per_second)
{
  g_mutex_lock (&self->mutex);
  self->per_second = per_second;
  g_mutex_unlock (&self->mutex);
}

void
dash_flood_set_cost (DashFlood *self, guint cost_us)
{
  g_mutex_lock (&self->mutex);
  self->cost_us = cost_us;
  g_mutex_unlock (&self->mutex);
}

/* Ends the thread. The queue must be closed before: the thread may be blocked
 * by a full one. */
void
dash_flood_free (DashFlood *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);

  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  g_free (self);
}
