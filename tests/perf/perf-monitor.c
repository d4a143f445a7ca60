/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <cothread-glib.h>

/* What it costs to be watched: the yield of perf-yield, with nobody looking and
 * with each of those who may, and what a look at many tasks takes. */

static void
yield_once (void)
{
  cothread_yield (NULL);
}

BARE_CALLS (call_and_yield, yield_once)

static gpointer
yielder (gpointer data, G_GNUC_UNUSED GError **error)
{
  const BareRing *ring = data;

  for (guint i = 0; i < ring->rounds; i++)
    call_and_yield (ring->depth);
  return NULL;
}

static double
yield_ring (gpointer data)
{
  const BareRing *ring = data;
  g_autofree CothreadTask **tasks = g_new (CothreadTask *, ring->n);
  double start;

  for (guint i = 0; i < ring->n; i++)
    tasks[i] = cothread_spawn (yielder, data);
  start = perf_now_ns ();
  for (guint i = 0; i < ring->n; i++)
    {
      cothread_task_join (tasks[i], COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (tasks[i]);
    }
  return (perf_now_ns () - start) / ring->rounds / ring->n;
}

static double
with_statistics (gpointer data)
{
  g_autoptr (CothreadMonitor) monitor = cothread_monitor_new (NULL);

  return yield_ring (data);
}

static double
with_detector (gpointer data)
{
  g_autoptr (CothreadStallDetector) detector = cothread_stall_detector_new (NULL, 100000);

  return yield_ring (data);
}

static double
with_timing (gpointer data, CothreadTaskTiming timing)
{
  double ns;

  cothread_scheduler_set_task_timing (cothread_scheduler_get_default (), timing);
  ns = yield_ring (data);
  cothread_scheduler_set_task_timing (cothread_scheduler_get_default (), COTHREAD_TASK_TIMING_OFF);
  return ns;
}

static double
with_sampled_timing (gpointer data)
{
  return with_timing (data, COTHREAD_TASK_TIMING_SAMPLED);
}

static double
with_exact_timing (gpointer data)
{
  return with_timing (data, COTHREAD_TASK_TIMING_EXACT);
}

static double
with_trace (gpointer data)
{
  /* Small enough to be in the cache: the cost of an event, not of memory. */
  g_autoptr (CothreadTrace) trace = cothread_trace_new (NULL, 4096, NULL);

  return yield_ring (data);
}

static double
with_large_trace (gpointer data)
{
  g_autoptr (CothreadTrace) trace = cothread_trace_new (NULL, 0, NULL);

  return yield_ring (data);
}

static gpointer
sleeper (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
look_at_many (Perf *perf, guint n)
{
  g_autoptr (CothreadTaskList) list = cothread_task_list_new (NULL);
  g_autofree char *what = g_strdup_printf ("a look of the task list at %u tasks", n);
  double best = G_MAXDOUBLE, worst = 0;

  cothread_task_list_set_interval (list, 0);
  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn (sleeper, NULL));
  cothread_sleep (0, NULL);
  for (guint i = 0; i < 20; i++)
    {
      double start = perf_now_ns ();

      cothread_task_list_refresh (list);
      start = perf_now_ns () - start;
      best = MIN (best, start);
      worst = MAX (worst, start);
    }
  perf_row (perf, what, "ns", best, NULL, 0);
  perf_note (perf, "Of %u tasks %u are in the list; the first look, which makes them, took %.1f ms.", n,
             g_list_model_get_n_items (G_LIST_MODEL (list)), worst / 1e6);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Monitor: what it costs to be watched", &argc, &argv, NULL);
  BareRing hundred = { 100, 4, perf_scale (perf, 1000) };
  const PerfPeer nobody[] = { { "nobody looks", yield_ring, &hundred } };

  perf_set_repeat (perf, 40);
  perf_compare (perf, "yield, statistics four times a second", with_statistics, &hundred, nobody, 1);
  perf_compare (perf, "yield, stall detector", with_detector, &hundred, nobody, 1);
  perf_compare (perf, "yield, time run, sampled", with_sampled_timing, &hundred, nobody, 1);
  perf_compare (perf, "yield, time run, exact", with_exact_timing, &hundred, nobody, 1);
  perf_compare (perf, "yield, trace", with_trace, &hundred, nobody, 1);
  perf_compare (perf, "yield, trace of a million events", with_large_trace, &hundred, nobody, 1);
  look_at_many (perf, perf_scale (perf, 1000000));
  return perf_finish (perf);
}
