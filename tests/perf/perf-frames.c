/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-peers.h"
#include "frame-model.h"
#include "perf.h"

#include <math.h>

/* A window beside a flood of callbacks: does it go on painting and answering,
 * and what do the callbacks lose by it? */

#define UNIT_NS 1100
#define MAX_OUTSTANDING 1000000 /* of those that nothing else bounds */
#define BURST 64
#define SLOW_PAINT_NS 25e6

typedef struct
{
  const Way *way;
  gpointer queue;
  double per_second;
  guint n_run;
  gboolean must_end; /* atomic */
} Flood;

typedef struct
{
  FrameReport frames;
  double units_per_cpu_second; /* the frames' own time left out */
  double share;                /* of the thread's time, the frames' left out */
  double idles_per_second;
} Outcome;

static guint unit_rounds;

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

typedef struct
{
  Flood *flood;
  GMainContext *context;
  double seconds;
} End;

static gpointer
end_in_time (gpointer data)
{
  End *end = data;

  g_usleep ((gulong) (end->seconds * G_USEC_PER_SEC));
  way_must_end = TRUE;
  g_atomic_int_set (&end->flood->must_end, TRUE);
  g_main_context_wakeup (end->context);
  return NULL;
}

static gboolean
count_idle (gpointer data)
{
  ++*(guint *) data;
  return G_SOURCE_CONTINUE;
}

/* An idle handler of the application that is always ready. */
static GSource *
add_idle (GMainContext *context, guint *count)
{
  GSource *idle = g_idle_source_new ();

  g_source_set_callback (idle, count_idle, count, NULL);
  g_source_attach (idle, context);
  return idle;
}

/* paint_ns < 0: no window. per_second 0: no flood. */
static Outcome
run (const Way *way, double per_second, double paint_ns, gboolean has_idle, double seconds)
{
  Flood flood = { .way = way, .queue = way->open (), .per_second = per_second };
  GMainContext *context = way->get_context (flood.queue);
  FrameModel *model = paint_ns >= 0 ? frame_model_new (context, paint_ns) : NULL;
  GThread *poster = per_second > 0 ? g_thread_new ("flood", post_flood, &flood) : NULL;
  End end = { &flood, context, seconds };
  GThread *ender = g_thread_new ("end", end_in_time, &end);
  double cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  Outcome outcome = { 0 };
  guint n_idle = 0;
  GSource *idle = has_idle ? add_idle (context, &n_idle) : NULL;

  while (!g_atomic_int_get (&flood.must_end))
    g_main_context_iteration (context, TRUE);
  cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
  if (model != NULL)
    outcome.frames = frame_model_report (model);
  outcome.share = 1 - outcome.frames.cpu_ns / cpu_ns;
  outcome.idles_per_second = n_idle / seconds;
  if (idle != NULL)
    g_source_destroy (idle);
  g_clear_pointer (&idle, g_source_unref);
  outcome.units_per_cpu_second = flood.n_run / (cpu_ns - outcome.frames.cpu_ns) * 1e9;
  g_thread_join (ender);
  if (poster != NULL)
    g_thread_join (poster);
  g_clear_pointer (&model, frame_model_free);
  way->close (flood.queue);
  way_must_end = FALSE;
  return outcome;
}

static void
add_rows (Perf *perf, const char *load, const Outcome *ours, const char *peer, const Outcome *theirs, double flat_out)
{
  const struct
  {
    const char *what, *unit;
    double value, peer_value;
  } rows[] = {
    { "frames a second", "", ours->frames.frames_per_second, theirs->frames.frames_per_second },
    { "frame interval, 99 %", "ms", ours->frames.interval_p99_ms, theirs->frames.interval_p99_ms },
    { "frame interval, longest", "ms", ours->frames.interval_max_ms, theirs->frames.interval_max_ms },
    { "click handled after, 99 %", "ms", ours->frames.click_p99_ms, theirs->frames.click_p99_ms },
    { "click handled after, longest", "ms", ours->frames.click_max_ms, theirs->frames.click_max_ms },
    { "callbacks per processor second, of flat out", "%",
      100 * ours->units_per_cpu_second / flat_out, 100 * theirs->units_per_cpu_second / flat_out },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *what = g_strdup_printf ("%s: %s", load, rows[i].what);

      perf_row (perf, what, rows[i].unit, rows[i].value, peer, rows[i].peer_value);
    }
}

int
main (int argc, char **argv)
{
  double seconds = 2, paint_ms = 2, times = 3;
  const GOptionEntry options[] = {
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "Length of each flood (2)", "SECONDS" },
    { "paint", 0, 0, G_OPTION_ARG_DOUBLE, &paint_ms, "What painting a frame takes (2)", "MILLISECONDS" },
    { "flood", 0, 0, G_OPTION_ARG_DOUBLE, &times, "Times the capacity that is posted (3)", "TIMES" },
    G_OPTION_ENTRY_NULL
  };
  Perf *perf = perf_new ("Frames and clicks beside a flood of callbacks", &argc, &argv, options);
  Outcome flat_out, quiet, ours, invoke, all, slow, idle;
  double per_second, paint_ns;

  if (perf_is_quick (perf))
    seconds = 0.1;
  unit_rounds = perf_calibrate_spin (UNIT_NS);
  per_second = times * 1e9 / UNIT_NS;
  paint_ns = paint_ms * 1e6;
  flat_out = run (&way_drop, per_second, -1, FALSE, seconds);
  quiet = run (&way_drop, 0, paint_ns, FALSE, seconds);
  ours = run (&way_drop, per_second, paint_ns, FALSE, seconds);
  invoke = run (&way_invoke, per_second, paint_ns, FALSE, seconds);
  slow = run (&way_drop, per_second, SLOW_PAINT_NS, FALSE, seconds);
  idle = run (&way_drop, per_second, -1, TRUE, seconds);
  all = run (&way_async_all, per_second, paint_ns, FALSE, seconds);

  add_rows (perf, "flood", &ours, "g_main_context_invoke", &invoke, flat_out.units_per_cpu_second);
  add_rows (perf, "flood", &ours, "whole queue without yielding", &all, flat_out.units_per_cpu_second);
  perf_row (perf, "no flood: frames a second", "", quiet.frames.frames_per_second, NULL, 0);
  perf_row (perf, "no flood: frame interval, 99 %", "ms", quiet.frames.interval_p99_ms, NULL, 0);
  perf_row (perf, "no flood: click handled after, 99 %", "ms", quiet.frames.click_p99_ms, NULL, 0);
  perf_row (perf, "paint of 25 ms always due: share of the callbacks", "%", 100 * slow.share, NULL, 0);
  perf_row (perf, "paint of 25 ms always due: frames a second", "", slow.frames.frames_per_second, NULL, 0);
  perf_row (perf, "idle handler always ready: its calls a second", "", idle.idles_per_second, NULL, 0);
  perf_note (perf, "60 frames a second at priority 120 that take %.1f ms each; callbacks of %.1f µs, "
             "%.0f thousand a second without a window, %.1f times the capacity posted; bound %d, the oldest dropped.",
             paint_ms, UNIT_NS / 1000.0, flat_out.units_per_cpu_second / 1000, times, WAY_BOUND);
  return perf_finish (perf);
}
