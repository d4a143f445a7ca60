/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"
#include "perf.h"

#include <cothread-glib.h>
#include <math.h>

/* The time slice: what it costs to ask after every callback whether it is used
 * up, and whether it holds for the worst mixture of callbacks. */

#define SLICE_US 2000
#define SLOW_NS 500e3
#define SLOW_RUN 20     /* slow callbacks come in runs of so many */
#define SLOW_EVERY 10000 /* so far apart */
#define COUNTED_ROUNDS 300

static guint work_rounds;

static __attribute__ ((noinline)) void
work (G_GNUC_UNUSED gpointer data)
{
  perf_spin_rounds (work_rounds);
}

typedef struct
{
  void (*volatile func) (gpointer data); /* unknown to the compiler */
  guint n;
} Calls;

static double
unchecked (gpointer data)
{
  const Calls *calls = data;
  double start = perf_now_ns ();

  for (guint i = 0; i < calls->n; i++)
    calls->func (NULL);
  return (perf_now_ns () - start) / calls->n;
}

static double
checked (gpointer data)
{
  const Calls *calls = data;
  CtClock clock = ct_clock_monotonic;
  CtTickCounter counter;
  CtSlice slice;
  double start;

  ct_tick_counter_init (&counter, &clock);
  ct_slice_begin (&slice, &counter, ct_clock_now (&clock), SLICE_US);
  start = perf_now_ns ();
  for (guint i = 0; i < calls->n; i++)
    {
      calls->func (NULL);
      if (G_UNLIKELY (ct_slice_is_used_up (&slice, &counter)))
        ct_slice_begin (&slice, &counter, ct_clock_now (&clock), SLICE_US);
    }
  return (perf_now_ns () - start) / calls->n;
}

/* What the check would be with the clock alone. */
static double
checked_by_clock (gpointer data)
{
  const Calls *calls = data;
  gint64 end_us = g_get_monotonic_time () + SLICE_US;
  double start = perf_now_ns ();

  for (guint i = 0; i < calls->n; i++)
    {
      gint64 now_us;

      calls->func (NULL);
      now_us = g_get_monotonic_time ();
      if (G_UNLIKELY (now_us >= end_us))
        end_us = now_us + SLICE_US;
    }
  return (perf_now_ns () - start) / calls->n;
}

static void
tiny (gpointer data)
{
  ++*(guint *) data;
}

static void
slow (gpointer data)
{
  perf_spin_until (perf_now_ns () + SLOW_NS);
  tiny (data);
}

typedef struct
{
  double wall_us; /* as the library's own statistics have it */
  double cpu_us;  /* what is left when other programs get the processor */
} Turn;

/* All at once in the queue, so that every turn ends by its slice. */
static Turn
longest_turn (guint n)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (scheduler);
  g_autoptr (CothreadStatistics) statistics = NULL;
  volatile guint n_run = 0;
  double longest = 0;

  cothread_callback_queue_set_max_length (queue, 0);
  for (guint i = 0; i < n; i++)
    cothread_callback_queue_post (queue, i % SLOW_EVERY < SLOW_RUN ? slow : tiny, (gpointer) &n_run, NULL, NULL);
  cothread_scheduler_reset_longest_turn (scheduler);
  while (n_run < n)
    {
      double start = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);

      /* One turn at most. */
      g_main_context_iteration (NULL, TRUE);
      longest = fmax (longest, perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - start);
    }
  statistics = cothread_scheduler_get_statistics (scheduler);
  return (Turn) { (double) statistics->longest_turn_us, longest / 1000 };
}

/* The original's rule: the queue as it stands, in one go. */
static double
longest_without_slice (guint n)
{
  volatile guint n_run = 0;
  double start = perf_now_ns ();

  for (guint i = 0; i < n; i++)
    (i % SLOW_EVERY < SLOW_RUN ? slow : tiny) ((gpointer) &n_run);
  return (perf_now_ns () - start) / 1000;
}

/* For slice-instructions: `--count checked|unchecked CALLS` makes so many calls
 * and nothing else; of so many rounds that one takes about 100 ns. */
static gboolean
is_only_to_be_counted (int argc, char **argv)
{
  Calls calls = { work, 0 };

  if (argc != 4 || !g_str_equal (argv[1], "--count"))
    return FALSE;
  work_rounds = COUNTED_ROUNDS;
  calls.n = (guint) atoi (argv[3]);
  (g_str_equal (argv[2], "checked") ? checked : unchecked) (&calls);
  return TRUE;
}

int
main (int argc, char **argv)
{
  Perf *perf;
  Calls calls = { work, 0 };
  const PerfPeer peers[] = {
    { "no check", unchecked, &calls },
    { "g_get_monotonic_time each time", checked_by_clock, &calls },
  };
  guint n;
  Turn worst = { INFINITY, INFINITY };
  double without = INFINITY;

  if (is_only_to_be_counted (argc, argv))
    return 0;
  perf = perf_new ("Time slice of 2 ms", &argc, &argv, NULL);
  calls.n = perf_scale (perf, 50000);
  n = perf_scale (perf, 1000000);
  work_rounds = perf_calibrate_spin (100);
  perf_set_repeat (perf, 60);
  perf_compare (perf, "callback of 100 ns and the check after it", checked, &calls, peers, G_N_ELEMENTS (peers));
  for (guint i = 0; i < MIN (3, perf_repeat (perf)); i++)
    {
      Turn turn = longest_turn (n);

      worst.wall_us = fmin (worst.wall_us, turn.wall_us);
      worst.cpu_us = fmin (worst.cpu_us, turn.cpu_us);
      without = fmin (without, longest_without_slice (n));
    }
  perf_row (perf, "longest turn, tiny and 500 µs callbacks", "µs", worst.wall_us, "whole queue without yielding", without);
  perf_row (perf, "the same, processor time alone", "µs", worst.cpu_us, "whole queue without yielding", without);
  return perf_finish (perf);
}
