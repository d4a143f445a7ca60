/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-peers.h"
#include "perf.h"

/* Callbacks from threads: posted there and run here, from the first post to the
 * last run, with everything allocated and freed on the way. */

#define MAX_POSTERS 4

typedef struct
{
  const Way *way;
  guint n_posters; /* 0: this thread posts, then runs */
  guint n;         /* in all */
} Load;

typedef struct
{
  const Load *load;
  gpointer way;
  volatile gboolean may_start;
  char apart[128]; /* who posts does not read what the callbacks write */
  guint n_run;
} Run;

static void
count (gpointer data)
{
  ++*(guint *) data;
}

static gpointer
post_share (gpointer data)
{
  Run *run = data;
  guint n = run->load->n / run->load->n_posters;

  while (!g_atomic_int_get (&run->may_start))
    g_thread_yield ();
  for (guint i = 0; i < n; i++)
    run->load->way->post (run->way, count, &run->n_run);
  return NULL;
}

static void
run_all (Run *run, guint n)
{
  GMainContext *context = run->load->way->get_context (run->way);
  volatile guint *n_run = &run->n_run;

  while (*n_run < n)
    g_main_context_iteration (context, TRUE);
}

static double
from_here (Run *run)
{
  const Load *load = run->load;
  double start = perf_now_ns ();

  for (guint i = 0; i < load->n; i++)
    load->way->post (run->way, count, &run->n_run);
  run_all (run, load->n);
  return perf_now_ns () - start;
}

static double
from_threads (Run *run)
{
  const Load *load = run->load;
  GThread *threads[MAX_POSTERS];
  double start;

  for (guint i = 0; i < load->n_posters; i++)
    threads[i] = g_thread_new ("poster", post_share, run);
  g_usleep (1000);
  start = perf_now_ns ();
  g_atomic_int_set (&run->may_start, TRUE);
  run_all (run, load->n / load->n_posters * load->n_posters);
  start = perf_now_ns () - start;
  for (guint i = 0; i < load->n_posters; i++)
    g_thread_join (threads[i]);
  return start;
}

static double
measure (gpointer data)
{
  const Load *load = data;
  Run run = { .load = load, .way = load->way->open () };
  double ns = load->n_posters > 0 ? from_threads (&run) : from_here (&run);

  load->way->close (run.way);
  return ns / load->n;
}

/* Few enough that no source list gets longer than a program survives. */
static void
compare (Perf *perf, const char *what, const Way *ours, guint n_posters)
{
  guint n = perf_scale (perf, 50000);
  Load own = { ours, n_posters, n };
  Load invoke = { &way_invoke, n_posters, n };
  Load idle = { &way_idle, n_posters, n };
  Load one = { &way_async, n_posters, n };
  Load all = { &way_async_all, n_posters, n };
  const PerfPeer peers[] = {
    { way_invoke.name, measure, &invoke },
    { way_idle.name, measure, &idle },
    { way_async.name, measure, &one },
    { way_async_all.name, measure, &all },
  };

  /* On its own thread g_main_context_invoke() is a plain call. */
  if (n_posters > 0)
    perf_compare (perf, what, measure, &own, peers, G_N_ELEMENTS (peers));
  else
    perf_compare (perf, what, measure, &own, peers + 1, G_N_ELEMENTS (peers) - 1);
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Callbacks: posted in a thread, run in the main loop", &argc, &argv, NULL);

  perf_set_repeat (perf, 9);
  compare (perf, "posted here, then run here", &way_cothread, 0);
  compare (perf, "1 thread posts", &way_cothread, 1);
  compare (perf, "2 threads post", &way_cothread, 2);
  compare (perf, "4 threads post", &way_cothread, 4);
  compare (perf, "4 threads post and block, bound 10 000", &way_bounded, 4);
  return perf_finish (perf);
}
