/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-peers.h"
#include "perf.h"

#include <cothread-glib.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Eight threads post as fast as they can to a queue with a bound, under each
 * policy: what a post costs, whether memory stays flat, and whether the accounts
 * are right to the last entry. */

#define N_POSTERS 8
#define N_POSTS 1000000 /* of each */
#define PEER_DIVISOR 10 /* a queue without a bound takes memory for all it gets */
#define SAME 1000       /* posts in a row that can replace each other */
#define WORK_NS 300     /* of a callback, so that nobody could keep up */

typedef struct
{
  const char *name;
  CothreadOverflowPolicy overflow;
} Policy;

static const Policy policies[] = {
  { "fail", COTHREAD_OVERFLOW_FAIL },
  { "block", COTHREAD_OVERFLOW_BLOCK },
  { "drop oldest", COTHREAD_OVERFLOW_DROP_OLDEST },
  { "drop newest", COTHREAD_OVERFLOW_DROP_NEWEST },
  { "coalesce", COTHREAD_OVERFLOW_COALESCE },
};

typedef struct
{
  CothreadCallbackQueue *queue;
  gpointer way; /* of the peer */
  guint n;      /* for each poster */
  guint same;
  guint number;
  guint64 n_accepted;
  gint *n_over; /* atomic */
  GThread *thread;
} Poster;

static guint work_rounds;
static guint64 n_run;
static guint64 n_out_of_order;
static guint last_run[N_POSTERS];

/* The number of its poster, and which of that one's it is. */
static void
run_entry (gpointer data)
{
  gsize tag = GPOINTER_TO_SIZE (data);
  guint which = (guint) (tag / N_POSTERS);

  perf_spin_rounds (work_rounds);
  n_run++;
  n_out_of_order += which < last_run[tag % N_POSTERS];
  last_run[tag % N_POSTERS] = which;
}

static gpointer
post_all (gpointer data)
{
  Poster *self = data;

  for (guint i = 1; i <= self->n; i++)
    {
      gpointer tag = GSIZE_TO_POINTER ((gsize) (i / self->same) * N_POSTERS + self->number);

      if (self->queue != NULL)
        self->n_accepted += (guint64) cothread_callback_queue_post (self->queue, run_entry, tag, NULL, NULL);
      else
        way_async_all.post (self->way, run_entry, tag);
    }
  g_atomic_int_inc (self->n_over);
  g_main_context_wakeup (self->queue != NULL ? NULL : way_async_all.get_context (self->way));
  return NULL;
}

static double
resident_kib (void)
{
  g_autofree char *text = NULL;
  guint64 size = 0, resident = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &size, &resident);
  return (double) resident * (double) sysconf (_SC_PAGESIZE) / 1024;
}

typedef struct
{
  double post_ns;  /* of the whole, for each post */
  double grown_kib; /* at the worst moment */
  gboolean is_exact;
} Flood;

/* In the main loop of the calling thread, as a program would. */
static Flood
flood (CothreadCallbackQueue *queue, gpointer way, guint n, guint same)
{
  GMainContext *context = queue != NULL ? NULL : way_async_all.get_context (way);
  Poster posters[N_POSTERS];
  gint n_over = 0;
  double before = resident_kib (), start = perf_now_ns ();
  Flood result = { 0 };

  n_run = n_out_of_order = 0;
  for (guint i = 0; i < N_POSTERS; i++)
    {
      last_run[i] = 0;
      posters[i] = (Poster) { queue, way, n, same, i, 0, &n_over, NULL };
      posters[i].thread = g_thread_new ("poster", post_all, &posters[i]);
    }
  while (g_atomic_int_get (&n_over) < N_POSTERS || (queue != NULL && cothread_callback_queue_get_length (queue) > 0) ||
         (queue == NULL && n_run < (guint64) n * N_POSTERS))
    {
      double now_kib;

      g_main_context_iteration (context, TRUE);
      now_kib = resident_kib ();
      result.grown_kib = fmax (result.grown_kib, now_kib - before);
    }
  result.post_ns = (perf_now_ns () - start) / ((double) n * N_POSTERS);
  result.is_exact = n_out_of_order == 0;
  for (guint i = 0; i < N_POSTERS; i++)
    {
      g_thread_join (posters[i].thread);
      posters[0].n_accepted += i > 0 ? posters[i].n_accepted : 0;
    }
  if (queue != NULL)
    {
      g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (queue);

      result.is_exact = result.is_exact && statistics->posted == posters[0].n_accepted && statistics->run == n_run &&
                        statistics->length == 0 &&
                        statistics->posted + statistics->refused == (guint64) n * N_POSTERS &&
                        statistics->posted == statistics->run + statistics->dropped_oldest +
                                                statistics->dropped_newest + statistics->coalesced;
    }
  return result;
}

static Flood
flood_queue (const Policy *policy, guint n)
{
  CothreadCallbackQueue *queue = cothread_callback_queue_new (cothread_scheduler_get_default (), policy->name);
  Flood result;

  cothread_callback_queue_set_overflow (queue, policy->overflow);
  cothread_callback_queue_set_max_length (queue, WAY_BOUND);
  result = flood (queue, NULL, n, policy->overflow == COTHREAD_OVERFLOW_COALESCE ? SAME : 1);
  cothread_callback_queue_close (queue);
  g_object_unref (queue);
  return result;
}

static Flood
flood_peer (guint n)
{
  gpointer way = way_async_all.open ();
  Flood result = flood (NULL, way, n, 1);

  way_async_all.close (way);
  return result;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Overload: 8 threads post, bound 10 000, each policy", &argc, &argv, NULL);
  guint n = perf_scale (perf, N_POSTS);
  g_autofree char *peer_name = g_strdup_printf ("%s, no bound, 8 × %u", way_async_all.name, n / PEER_DIVISOR);
  gboolean is_exact = TRUE;
  Flood peer;

  /* What the first of everything needs: stacks of threads, blocks, the allocator's
   * arenas. */
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    flood_queue (&policies[i], n / 10);
  peer = flood_peer (n / PEER_DIVISOR);
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      g_autofree char *what = g_strdup_printf ("8 × %u, %s", n, policies[i].name);
      Flood own = flood_queue (&policies[i], n);

      perf_row (perf, what, "ns", own.post_ns, peer_name, peer.post_ns);
      is_exact = is_exact && own.is_exact;
    }
  work_rounds = perf_calibrate_spin (WORK_NS);
  peer = flood_peer (n / PEER_DIVISOR);
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      g_autofree char *what = g_strdup_printf ("callbacks of %d ns: memory grows by, %s", WORK_NS, policies[i].name);
      Flood own = flood_queue (&policies[i], n);

      perf_row (perf, what, "KiB", own.grown_kib, peer_name, peer.grown_kib);
      is_exact = is_exact && own.is_exact;
    }
  perf_note (perf, "Under every policy posted = run + dropped + coalesced, and each thread's order is kept: %s.",
             is_exact ? "yes" : "NO");
  return perf_finish (perf);
}
