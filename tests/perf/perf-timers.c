/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-timer-heap.h"
#include "perf.h"

#include <cothread-glib.h>

/* Deadlines: setting and cancelling one while very many are pending, and what
 * each costs when it comes. GLib keeps its timeouts in a list, so its figures
 * are taken with fewer of them. */

#define GLIB_PENDING 10000
#define PARTS 50
#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  guint pending;
  guint n; /* operations in each part */
} Load;

/* In no order at all, the same in every run. */
static gint64
random_deadline (GRand *random)
{
  return 1 + (gint64) (g_rand_double (random) * (double) HOUR_US);
}

typedef struct
{
  CtTimerHeap heap;
  CtTimer *timers; /* those that are pending */
  guint n_timers;
  guint next;
  CtTimer one;
  GRand *random;
  gint64 now_us;
} Bench;

static void
bench_begin (Bench *bench, guint pending)
{
  *bench = (Bench) { .timers = g_new0 (CtTimer, pending), .n_timers = pending, .random = g_rand_new_with_seed (1) };
  ct_timer_heap_init (&bench->heap);
}

static void
bench_end (Bench *bench)
{
  ct_timer_heap_clear (&bench->heap);
  g_free (bench->timers);
  g_rand_free (bench->random);
}

static void
insert_and_cancel (gpointer data, guint n)
{
  Bench *bench = data;

  for (guint i = 0; i < n; i++)
    {
      ct_timer_heap_insert (&bench->heap, &bench->one, bench->now_us);
      ct_timer_heap_remove (&bench->heap, &bench->one);
      /* Anywhere among the others, at the cost of a multiplication. */
      bench->now_us = (gint64) ((guint64) (bench->now_us + 1) * 2654435761u % (guint64) HOUR_US);
    }
}

/* The heap itself, under whatever waits in tasks. */
static double
heap_insert_and_cancel (gpointer data)
{
  const Load *load = data;
  Bench bench;
  double ns;

  bench_begin (&bench, load->pending);
  for (guint i = 0; i < load->pending; i++)
    ct_timer_heap_insert (&bench.heap, &bench.timers[i], random_deadline (bench.random));
  ns = perf_best_part (insert_and_cancel, &bench, load->n, PARTS);
  bench_end (&bench);
  return ns;
}

static void
replace_oldest (gpointer data, guint n)
{
  Bench *bench = data;

  for (guint i = 0; i < n; i++)
    {
      CtTimer *oldest = &bench->timers[bench->next];

      ct_timer_heap_remove (&bench->heap, oldest);
      ct_timer_heap_insert (&bench->heap, oldest, bench->now_us++ + HOUR_US);
      bench->next = bench->next + 1 < bench->n_timers ? bench->next + 1 : 0;
    }
}

/* Waits that all have the same timeout and are over long before it. */
static double
heap_replace_oldest (gpointer data)
{
  const Load *load = data;
  Bench bench;
  double ns;

  bench_begin (&bench, load->pending);
  for (guint i = 0; i < load->pending; i++)
    ct_timer_heap_insert (&bench.heap, &bench.timers[i], bench.now_us++ + HOUR_US);
  ns = perf_best_part (replace_oldest, &bench, load->n, PARTS);
  bench_end (&bench);
  return ns;
}

static void
expire (gpointer data, guint n)
{
  for (guint i = 0; i < n; i++)
    ct_timer_heap_pop_expired (&((Bench *) data)->heap, HOUR_US);
}

static double
heap_expire (gpointer data)
{
  const Load *load = data;
  Bench bench;
  double ns;

  bench_begin (&bench, load->pending);
  for (guint i = 0; i < load->pending; i++)
    ct_timer_heap_insert (&bench.heap, &bench.timers[i], random_deadline (bench.random));
  ns = perf_best_part (expire, &bench, MIN (load->n, load->pending / PARTS / 2), PARTS);
  bench_end (&bench);
  return ns;
}

static void
not_called (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer data)
{
}

static void
iterate (guint n)
{
  for (guint i = 0; i < n; i++)
    g_main_context_iteration (NULL, FALSE);
}

static CothreadTimer *
new_timer (gint64 timeout_us)
{
  return cothread_timer_new (timeout_us, COTHREAD_TIMER_DEFAULT, not_called, NULL, NULL);
}

static void
new_and_cancel (gpointer data, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (CothreadTimer) timer = new_timer (HOUR_US + random_deadline (data));

      cothread_timer_cancel (timer);
    }
  /* The clocks of those that were cancelled end in the next turn. */
  iterate (2);
}

static GPtrArray *
new_timers (guint n, GRand *random)
{
  GPtrArray *timers = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (timers, new_timer (HOUR_US + random_deadline (random)));
  iterate (100);
  return timers;
}

static void
cancel_timers (GPtrArray *timers)
{
  for (guint i = 0; i < timers->len; i++)
    cothread_timer_cancel (timers->pdata[i]);
  iterate (1000);
  g_ptr_array_unref (timers);
}

/* The public object, which is a GObject and a task without a stack. */
static double
timer_objects (gpointer data)
{
  const Load *load = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GPtrArray *timers = new_timers (load->pending, random);
  double ns = perf_best_part (new_and_cancel, random, load->n, PARTS);

  cancel_timers (timers);
  return ns;
}

static gboolean
source_not_called (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_REMOVE;
}

static GSource *
new_source (GMainContext *context, gint64 timeout_us)
{
  GSource *source = g_timeout_source_new ((guint) (timeout_us / 1000));

  g_source_set_callback (source, source_not_called, NULL, NULL);
  g_source_attach (source, context);
  g_source_unref (source);
  return source;
}

typedef struct
{
  GMainContext *context;
  GRand *random;
} GlibBench;

static void
glib_insert_and_cancel (gpointer data, guint n)
{
  GlibBench *bench = data;

  for (guint i = 0; i < n; i++)
    g_source_destroy (new_source (bench->context, HOUR_US + random_deadline (bench->random)));
}

static void
glib_iterate (gpointer data, guint n)
{
  for (guint i = 0; i < n; i++)
    g_main_context_iteration (((GlibBench *) data)->context, FALSE);
}

static double
beside_glib_timeouts (void (*operate) (gpointer data, guint n), guint n)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GlibBench bench = { context, random };

  for (guint i = 0; i < GLIB_PENDING; i++)
    new_source (context, HOUR_US + random_deadline (random));
  return perf_best_part (operate, &bench, n, PARTS);
}

static double
glib_timeouts (gpointer data)
{
  return beside_glib_timeouts (glib_insert_and_cancel, ((Load *) data)->n);
}

static double
glib_iterations (G_GNUC_UNUSED gpointer data)
{
  return beside_glib_timeouts (glib_iterate, 4);
}

static void
iterate_default (G_GNUC_UNUSED gpointer data, guint n)
{
  iterate (n);
}

/* What an iteration costs while deadlines are pending. */
static double
iterations (gpointer data)
{
  const Load *load = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GPtrArray *timers = new_timers (load->pending, random);
  double ns = perf_best_part (iterate_default, NULL, 100, PARTS);

  cancel_timers (timers);
  return ns;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Timers", &argc, &argv, NULL);
  Load million = { perf_scale (perf, 1000000), perf_scale (perf, 10000) };
  Load objects = { perf_scale (perf, 100000), perf_scale (perf, 5000) };
  const PerfPeer sources = { "g_timeout_add, g_source_remove, 10 000 pending", glib_timeouts, &objects };
  const PerfPeer iteration = { "10 000 GLib timeouts pending", glib_iterations, NULL };

  perf_set_repeat (perf, 3);
  perf_compare (perf, "set + cancel, any deadline, 1 000 000 pending", heap_insert_and_cancel, &million, &sources, 1);
  perf_compare (perf, "cancel the oldest + set the latest, 1 000 000 pending", heap_replace_oldest, &million, NULL, 0);
  perf_compare (perf, "expire, 1 000 000 pending", heap_expire, &million, NULL, 0);
  perf_compare (perf, "CothreadTimer new + cancel, 100 000 pending", timer_objects, &objects, &sources, 1);
  perf_compare (perf, "iteration of the main loop, 100 000 pending", iterations, &objects, &iteration, 1);
  return perf_finish (perf);
}
