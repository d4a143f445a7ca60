/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf.h"

#include <cothread-glib.h>

/* How late sleepers wake: very many tasks whose deadlines are spread over one
 * second, beside as many GLib timeouts as GLib can bear. */

#define SPREAD_US G_USEC_PER_SEC
#define LEAD_US (G_USEC_PER_SEC / 2) /* for setting everything up */
#define GLIB_SLEEPERS 10000

typedef struct
{
  guint left;
  gint64 first_us;
  GArray *lateness_us;
} Sleepers;

typedef struct
{
  Sleepers *all;
  gint64 deadline_us;
} Sleeper;

typedef struct
{
  double p50, p99, worst;
} Lateness;

static void
note_lateness (const Sleeper *sleeper)
{
  double late_us = (double) (g_get_monotonic_time () - sleeper->deadline_us);

  g_array_append_val (sleeper->all->lateness_us, late_us);
  sleeper->all->left--;
}

static gpointer
sleep_once (gpointer data, GError **error)
{
  const Sleeper *sleeper = data;

  if (cothread_sleep_until (sleeper->deadline_us, error))
    note_lateness (sleeper);
  return NULL;
}

static gpointer
sleep_once_precisely (gpointer data, GError **error)
{
  const Sleeper *sleeper = data;

  if (cothread_sleep_precisely_until (sleeper->deadline_us, error))
    note_lateness (sleeper);
  return NULL;
}

static gboolean
timeout_passed (gpointer data)
{
  note_lateness (data);
  return G_SOURCE_REMOVE;
}

static Sleeper *
new_sleepers (Sleepers *all, guint n)
{
  Sleeper *each = g_new (Sleeper, n);

  all->left = n;
  all->first_us = g_get_monotonic_time () + LEAD_US;
  all->lateness_us = g_array_sized_new (FALSE, FALSE, sizeof (double), n);
  for (guint i = 0; i < n; i++)
    each[i] = (Sleeper) { all, all->first_us + (gint64) i * SPREAD_US / n };
  return each;
}

static void
keep_best (Sleepers *all, Lateness *best)
{
  Lateness now = {
    perf_quantile (all->lateness_us, 0.5),
    perf_quantile (all->lateness_us, 0.99),
    perf_quantile (all->lateness_us, 1),
  };

  if (best->worst == 0 || now.p99 < best->p99)
    *best = now;
  g_array_unref (all->lateness_us);
}

static void
measure_tasks (CothreadTaskFunc func, guint n, Lateness *best)
{
  Sleepers all;
  g_autofree Sleeper *each = new_sleepers (&all, n);

  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn_full (func, &each[i], &(CothreadSpawnOptions) { .function = "sleeper" }, NULL));
  while (all.left > 0)
    g_main_context_iteration (NULL, TRUE);
  keep_best (&all, best);
}

static void
measure_sources (guint n, Lateness *best)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Sleepers all;
  g_autofree Sleeper *each = new_sleepers (&all, n);
  gint64 now_us = g_get_monotonic_time ();

  /* g_timeout_add() knows milliseconds only: it is judged by what it was asked. */
  for (guint i = 0; i < n; i++)
    {
      gint64 timeout_ms = (each[i].deadline_us - now_us) / 1000;
      GSource *source = g_timeout_source_new ((guint) timeout_ms);

      each[i].deadline_us = g_get_monotonic_time () + timeout_ms * 1000;
      g_source_set_callback (source, timeout_passed, &each[i], NULL);
      g_source_attach (source, context);
      g_source_unref (source);
    }
  while (all.left > 0)
    g_main_context_iteration (context, TRUE);
  keep_best (&all, best);
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Sleepers: how late they wake, spread over one second", &argc, &argv, NULL);
  guint n_tasks = perf_scale (perf, 100000);
  guint n_sources = perf_scale (perf, GLIB_SLEEPERS);
  Lateness few = { 0 }, many = { 0 }, precise_few = { 0 }, precise = { 0 }, sources = { 0 };
  const char *peer = "10 000 GLib timeouts";

  for (guint i = 0; i < MIN (2, perf_repeat (perf)); i++)
    {
      measure_tasks (sleep_once, n_sources, &few);
      measure_tasks (sleep_once, n_tasks, &many);
      measure_tasks (sleep_once_precisely, n_sources / 10, &precise_few);
      measure_tasks (sleep_once_precisely, n_sources, &precise);
      measure_sources (n_sources, &sources);
    }
  perf_row (perf, "10 000 sleeping tasks, median", "µs", few.p50, peer, sources.p50);
  perf_row (perf, "10 000 sleeping tasks, 99 %", "µs", few.p99, peer, sources.p99);
  perf_row (perf, "10 000 sleeping tasks, latest", "µs", few.worst, peer, sources.worst);
  perf_row (perf, "100 000 sleeping tasks, median", "µs", many.p50, peer, sources.p50);
  perf_row (perf, "100 000 sleeping tasks, 99 %", "µs", many.p99, peer, sources.p99);
  perf_row (perf, "100 000 sleeping tasks, latest", "µs", many.worst, peer, sources.worst);
  perf_row (perf, "1 000 precise sleepers, median", "µs", precise_few.p50, peer, sources.p50);
  perf_row (perf, "1 000 precise sleepers, 99 %", "µs", precise_few.p99, peer, sources.p99);
  perf_row (perf, "10 000 precise sleepers, median", "µs", precise.p50, peer, sources.p50);
  perf_row (perf, "10 000 precise sleepers, 99 %", "µs", precise.p99, peer, sources.p99);
  return perf_finish (perf);
}
