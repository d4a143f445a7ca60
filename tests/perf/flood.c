/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flood.h"
#include "perf.h"

#define MAX_OUTSTANDING 1000000 /* of those that nothing else bounds */
#define BURST 64

static guint unit_rounds;

double
flood_capacity (void)
{
  if (unit_rounds == 0)
    unit_rounds = perf_calibrate_spin (FLOOD_UNIT_NS);
  return 1e9 / FLOOD_UNIT_NS;
}

static void
unit (gpointer data)
{
  Flood *flood = data;

  if (g_atomic_int_get (&flood->must_end))
    return;
  perf_spin_rounds (unit_rounds);
  g_atomic_int_inc (&flood->n_run);
}

static void
keep_pace (const Flood *flood, guint posted, double start)
{
  while (flood->way != &way_drop && !g_atomic_int_get (&flood->must_end) &&
         posted - (guint) g_atomic_int_get (&flood->n_run) > MAX_OUTSTANDING)
    g_usleep (1000);
  if (posted / flood->per_second * 1e9 > perf_now_ns () - start)
    g_usleep (100);
}

static gpointer
post_flood (gpointer data)
{
  Flood *flood = data;
  double start = perf_now_ns ();
  guint posted = 0;

  while (!g_atomic_int_get (&flood->must_end))
    {
      for (guint i = 0; i < BURST; i++)
        flood->way->post (flood->queue, unit, flood);
      posted += BURST;
      keep_pace (flood, posted, start);
    }
  return NULL;
}

static gpointer
end_in_time (gpointer data)
{
  Flood *flood = data;

  g_usleep ((gulong) (flood->seconds * G_USEC_PER_SEC));
  way_must_end = TRUE;
  g_atomic_int_set (&flood->must_end, TRUE);
  g_main_context_wakeup (flood->context);
  return NULL;
}

GMainContext *
flood_open (Flood *flood, const Way *way)
{
  flood_capacity ();
  *flood = (Flood) { .way = way, .queue = way->open () };
  flood->context = way->get_context (flood->queue);
  return flood->context;
}

void
flood_begin (Flood *flood, double per_second, double seconds)
{
  flood->per_second = per_second;
  flood->seconds = seconds;
  if (per_second > 0)
    flood->poster = g_thread_new ("flood", post_flood, flood);
  flood->ender = g_thread_new ("end", end_in_time, flood);
}

gboolean
flood_is_over (Flood *flood)
{
  return g_atomic_int_get (&flood->must_end);
}

void
flood_end (Flood *flood)
{
  g_thread_join (flood->ender);
  if (flood->poster != NULL)
    g_thread_join (flood->poster);
  flood->way->close (flood->queue);
  way_must_end = FALSE;
}
