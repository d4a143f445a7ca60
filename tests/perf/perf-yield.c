/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <cothread-glib.h>

/* What it costs to let others run: a yield among tasks that are suspended some
 * calls deep, beside the bare change of stacks and beside what a program
 * without tasks does, a source that is dispatched again and again. */

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

static gpointer
checker (gpointer data, G_GNUC_UNUSED GError **error)
{
  const BareRing *ring = data;

  for (guint i = 0; i < ring->rounds; i++)
    cothread_checkpoint (NULL);
  return NULL;
}

static double
checkpoints (gpointer data)
{
  const BareRing *ring = data;
  g_autoptr (CothreadTask) task = cothread_spawn (checker, data);
  double start = perf_now_ns ();

  cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
  return (perf_now_ns () - start) / ring->rounds;
}

typedef struct
{
  guint left;
} Countdown;

static gboolean
count_down (gpointer data)
{
  Countdown *countdown = data;

  if (countdown->left > 0)
    countdown->left--;
  return G_SOURCE_CONTINUE;
}

/* n idle sources, all ready all the time. */
static double
idle_ring (gpointer data)
{
  const BareRing *ring = data;
  guint total = MIN (ring->rounds, 2000) * ring->n;
  Countdown countdown = { total };
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree GSource **sources = g_new (GSource *, ring->n);
  double start;

  for (guint i = 0; i < ring->n; i++)
    {
      sources[i] = g_idle_source_new ();
      g_source_set_callback (sources[i], count_down, &countdown, NULL);
      g_source_attach (sources[i], context);
    }
  start = perf_now_ns ();
  while (countdown.left > 0)
    g_main_context_iteration (context, TRUE);
  start = perf_now_ns () - start;
  for (guint i = 0; i < ring->n; i++)
    {
      g_source_destroy (sources[i]);
      g_source_unref (sources[i]);
    }
  return start / total;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Yield: one task to the next", &argc, &argv, NULL);
  BareRing hundred = { 100, 4, perf_scale (perf, 1000) };
  BareRing hundred_slowly = { 100, 4, perf_scale (perf, 100) };
  BareRing two = { 2, 4, perf_scale (perf, 20000) };
  BareRing two_threads = { 2, 1, perf_scale (perf, 1000) };
  BareRing one = { 1, 1, perf_scale (perf, 50000) };
  const PerfPeer peers_of_hundred[] = {
#ifdef HAVE_BOOST_CONTEXT
    { "boost jump_fcontext alone", bare_boost_ring, &hundred },
#endif
#ifdef HAVE_STATE_THREADS
    { "State Threads", bare_st_ring, &hundred_slowly },
#endif
#ifdef HAVE_PCL
    { "libpcl co_call alone", bare_pcl_ring, &hundred_slowly },
#endif
#ifdef HAVE_PTH
    { "GNU Pth", bare_pth_ring, &hundred_slowly },
#endif
    { "ucontext swapcontext alone", bare_ucontext_ring, &hundred_slowly },
    { "100 idle sources", idle_ring, &hundred_slowly },
  };
  const PerfPeer peers_of_two[] = {
#ifdef HAVE_BOOST_CONTEXT
    { "boost jump_fcontext alone", bare_boost_ring, &two },
#endif
    { "2 threads, condition variable", bare_threads_ring, &two_threads },
    { "2 idle sources", idle_ring, &two },
  };
  const PerfPeer peers_of_one[] = { { "1 idle source", idle_ring, &one } };

  perf_set_repeat (perf, 80);
  perf_compare (perf, "yield, 100 tasks, 4 calls deep", yield_ring, &hundred,
                peers_of_hundred, G_N_ELEMENTS (peers_of_hundred));
  perf_compare (perf, "yield, 2 tasks, 4 calls deep", yield_ring, &two, peers_of_two, G_N_ELEMENTS (peers_of_two));
  perf_compare (perf, "yield, nobody else ready", yield_ring, &one, peers_of_one, G_N_ELEMENTS (peers_of_one));
  perf_compare (perf, "checkpoint, slice not used up", checkpoints, &one, NULL, 0);
  return perf_finish (perf);
}
