/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flood.h"
#include "frame-model.h"
#include "perf.h"

#include <math.h>

/* A window beside a flood of callbacks: does it go on painting and answering,
 * and what do the callbacks lose by it? */

#define SLOW_PAINT_NS 25e6
#define IDLE_NS 5e6

typedef struct
{
  FrameReport frames;
  double units_per_cpu_second; /* the frames' own time left out */
  double share;                /* of the thread's time, that of frames and idle handlers left out */
  double idles_per_second;
} Outcome;

typedef struct
{
  guint n;
  double cpu_ns;
} Idle;

static gboolean
idle (gpointer data)
{
  Idle *self = data;
  double start = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID), now;

  do
    now = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  while (now < start + IDLE_NS);
  self->cpu_ns += now - start;
  self->n++;
  return G_SOURCE_CONTINUE;
}

/* An idle handler of the application that is always ready. */
static GSource *
add_idle (GMainContext *context, Idle *self)
{
  GSource *source = g_idle_source_new ();

  g_source_set_callback (source, idle, self, NULL);
  g_source_attach (source, context);
  return source;
}

/* paint_ns < 0: no window. per_second 0: no flood. */
static Outcome
run (const Way *way, double per_second, double paint_ns, gboolean has_idle, double seconds)
{
  Flood flood;
  GMainContext *context = flood_open (&flood, way);
  FrameModel *model = paint_ns >= 0 ? frame_model_new (context, paint_ns) : NULL;
  double cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  Outcome outcome = { 0 };
  Idle idles = { 0 };
  GSource *source = has_idle ? add_idle (context, &idles) : NULL;

  flood_begin (&flood, per_second, seconds);
  while (!flood_is_over (&flood))
    g_main_context_iteration (context, TRUE);
  cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
  if (model != NULL)
    outcome.frames = frame_model_report (model);
  outcome.share = 1 - (outcome.frames.cpu_ns + idles.cpu_ns) / cpu_ns;
  outcome.idles_per_second = idles.n / seconds;
  if (source != NULL)
    g_source_destroy (source);
  g_clear_pointer (&source, g_source_unref);
  outcome.units_per_cpu_second = flood.n_run / (cpu_ns - outcome.frames.cpu_ns - idles.cpu_ns) * 1e9;
  g_clear_pointer (&model, frame_model_free);
  flood_end (&flood);
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
  Outcome flat_out, quiet, ours, invoke, all, slow, busy;
  double per_second, paint_ns;

  if (perf_is_quick (perf))
    seconds = 0.1;
  per_second = times * flood_capacity ();
  paint_ns = paint_ms * 1e6;
  flat_out = run (&way_drop, per_second, -1, FALSE, seconds);
  quiet = run (&way_drop, 0, paint_ns, FALSE, seconds);
  ours = run (&way_drop, per_second, paint_ns, FALSE, seconds);
  invoke = run (&way_invoke, per_second, paint_ns, FALSE, seconds);
  slow = run (&way_drop, per_second, SLOW_PAINT_NS, FALSE, seconds);
  busy = run (&way_drop, per_second, -1, TRUE, seconds);
  all = run (&way_async_all, per_second, paint_ns, FALSE, seconds);

  add_rows (perf, "flood", &ours, "g_main_context_invoke", &invoke, flat_out.units_per_cpu_second);
  add_rows (perf, "flood", &ours, "whole queue without yielding", &all, flat_out.units_per_cpu_second);
  perf_row (perf, "no flood: frames a second", "", quiet.frames.frames_per_second, NULL, 0);
  perf_row (perf, "no flood: frame interval, 99 %", "ms", quiet.frames.interval_p99_ms, NULL, 0);
  perf_row (perf, "no flood: click handled after, 99 %", "ms", quiet.frames.click_p99_ms, NULL, 0);
  perf_row (perf, "paint of 25 ms always due: share of the callbacks", "%", 100 * slow.share, NULL, 0);
  perf_row (perf, "paint of 25 ms always due: frames a second", "", slow.frames.frames_per_second, NULL, 0);
  perf_row (perf, "idle handler of 5 ms always ready: share of the callbacks", "%", 100 * busy.share, NULL, 0);
  perf_row (perf, "idle handler of 5 ms always ready: its calls a second", "", busy.idles_per_second, NULL, 0);
  perf_note (perf, "60 frames a second at priority 120 that take %.1f ms each; callbacks of %.1f µs, "
             "%.0f thousand a second without a window, %.1f times the capacity posted; bound %d, the oldest dropped.",
             paint_ms, FLOOD_UNIT_NS / 1000.0, flat_out.units_per_cpu_second / 1000, times, WAY_BOUND);
  return perf_finish (perf);
}
