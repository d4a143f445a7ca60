/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flood.h"
#include "perf.h"
#include "real-window.h"

#include <cothread-glib.h>
#include <gtk/gtk.h>
#include <math.h>

/* A real GTK window beside a flood of callbacks; perf-frames has the same
 * without a display, beside peers. Needs a display: run it with
 * tests/ui/with-display. */

#define ENDLESS_SLICE_US G_USEC_PER_SEC
#define SETTLE_S 1.0
#define N_ROUNDS 15 /* of short runs that are compared */

typedef struct
{
  double n_run;
  double cpu_ns;
} Work;

/* One flood, or none, while the loop runs. */
static Work
work (double per_second, double seconds)
{
  Flood flood;
  GMainContext *context = flood_open (&flood, &way_drop);
  Work work = { .cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) };

  flood_begin (&flood, per_second, seconds);
  while (!flood_is_over (&flood))
    g_main_context_iteration (context, TRUE);
  work.cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - work.cpu_ns;
  work.n_run = flood.n_run;
  flood_end (&flood);
  return work;
}

static double
rate (double per_second, double seconds)
{
  Work done = work (per_second, seconds);

  return done.n_run / done.cpu_ns * 1e9;
}

static void
set_slice (gint64 slice_us)
{
  cothread_scheduler_set_time_slice (cothread_scheduler_get_default (), slice_us);
}

/* What painting takes, as it was measured, and for each frame what it takes
 * besides (events, the loop) without a flood. */
typedef struct
{
  double besides_ns;
} FrameCost;

static double
own_ns (RealWindow *window, FrameCost cost)
{
  guint n_frames = real_window_get_n_frames (window);

  return real_window_report (window).cpu_ns + n_frames * cost.besides_ns;
}

static double
rate_beside_animation (RealWindow *window, FrameCost cost, double per_second, double seconds)
{
  Work done;

  real_window_reset (window);
  done = work (per_second, seconds);
  return done.n_run / (done.cpu_ns - own_ns (window, cost)) * 1e9;
}

typedef struct
{
  double flat_out; /* callbacks a processor second */
  /* Each beside its neighbour in time; of many such pairs the one in the middle. */
  double sliced;         /* in slices of 2 ms; of one endless slice */
  double beside_still;   /* with a window in which nothing moves; of flat out */
  double beside_animation;
} Rates;

static Rates
measure_rates (FrameCost cost, double per_second, double seconds, guint rounds)
{
  GArray *ratios[3];
  Rates rates = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (ratios); i++)
    ratios[i] = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < rounds; i++)
    {
      RealWindow *window;
      double unsliced, flat_out, still, animated;

      set_slice (ENDLESS_SLICE_US);
      unsliced = rate (per_second, seconds);
      set_slice (2000);
      flat_out = rate (per_second, seconds);
      rates.flat_out = fmax (rates.flat_out, flat_out);
      flat_out /= unsliced;
      g_array_append_val (ratios[0], flat_out);

      window = real_window_new (FALSE);
      work (0, seconds);
      still = rate (per_second, seconds);
      real_window_free (window);
      still /= rate (per_second, seconds);
      g_array_append_val (ratios[1], still);

      window = real_window_new (TRUE);
      work (0, seconds);
      animated = rate_beside_animation (window, cost, per_second, seconds);
      real_window_free (window);
      animated /= rate (per_second, seconds);
      g_array_append_val (ratios[2], animated);
    }
  rates.sliced = perf_quantile (ratios[0], 0.5);
  rates.beside_still = perf_quantile (ratios[1], 0.5);
  rates.beside_animation = perf_quantile (ratios[2], 0.5);
  for (guint i = 0; i < G_N_ELEMENTS (ratios); i++)
    g_array_unref (ratios[i]);
  return rates;
}

static void
add_rows (Perf *perf, const char *load, FrameReport frames, FrameReport quiet)
{
  const struct
  {
    const char *what, *unit;
    double value, quiet;
  } rows[] = {
    { "frames a second", "", frames.frames_per_second, quiet.frames_per_second },
    { "frame interval, 99 %", "ms", frames.interval_p99_ms, quiet.interval_p99_ms },
    { "frame interval, longest", "ms", frames.interval_max_ms, quiet.interval_max_ms },
    { "click handled after, 99 %", "ms", frames.click_p99_ms, quiet.click_p99_ms },
    { "click handled after, longest", "ms", frames.click_max_ms, quiet.click_max_ms },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (!isnan (rows[i].value))
      {
        g_autofree char *what = g_strdup_printf ("%s: %s", load, rows[i].what);

        perf_row (perf, what, rows[i].unit, rows[i].value, "without a flood", rows[i].quiet);
      }
}

static FrameCost
measure_animation (Perf *perf, double per_second, double seconds)
{
  RealWindow *window = real_window_new (TRUE);
  FrameReport quiet, flooded;
  FrameCost cost;
  Work idle;
  guint n_quiet;

  work (0, fmin (seconds, SETTLE_S));
  real_window_reset (window);
  idle = work (0, seconds / 5);
  n_quiet = real_window_get_n_frames (window);
  quiet = real_window_report (window);
  cost.besides_ns = (idle.cpu_ns - quiet.cpu_ns) / n_quiet;
  work (per_second, fmin (seconds, SETTLE_S));
  real_window_reset (window);
  work (per_second, seconds);
  flooded = real_window_report (window);

  add_rows (perf, "flood", flooded, quiet);
  perf_note (perf, "A frame is painted in %.2f ms, and takes %.2f ms besides.%s", quiet.cpu_ns / n_quiet / 1e6,
             cost.besides_ns / 1e6, real_window_can_be_clicked (window) ? "" : " Nobody could click.");
  real_window_free (window);
  return cost;
}

int
main (int argc, char **argv)
{
  double seconds = 30, times = 3, per_second;
  const GOptionEntry options[] = {
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "Length of the flood beside an animation (30)", "SECONDS" },
    { "flood", 0, 0, G_OPTION_ARG_DOUBLE, &times, "Times the capacity that is posted (3)", "TIMES" },
    G_OPTION_ENTRY_NULL
  };
  Perf *perf = perf_new ("A GTK window beside a flood of callbacks", &argc, &argv, options);
  double round_seconds = 0.4;
  guint rounds = N_ROUNDS;
  FrameCost cost;
  Rates rates;

  if (!gtk_init_check ())
    {
      perf_note (perf, "There is no display.");
      return perf_finish (perf);
    }
  if (perf_is_quick (perf))
    {
      seconds = 0.5;
      round_seconds = 0.1;
      rounds = 1;
    }
  per_second = times * flood_capacity ();
  cost = measure_animation (perf, per_second, seconds);
  rates = measure_rates (cost, per_second, round_seconds, rounds);
  perf_row (perf, "flood: callbacks per processor second, of flat out", "%", 100 * rates.beside_animation, NULL, 0);
  perf_row (perf, "window that stands still: the same", "%", 100 * rates.beside_still, NULL, 0);
  perf_row (perf, "no window: the same, of one endless slice", "%", 100 * rates.sliced, NULL, 0);
  perf_note (perf, "Callbacks of %.1f µs, %.0f thousand a second without a window, %.1f times the capacity posted for %.0f s; "
             "bound %d, the oldest dropped. The animation's own processor time is left out.", FLOOD_UNIT_NS / 1000.0, rates.flat_out / 1000, times, seconds, WAY_BOUND);
  return perf_finish (perf);
}
