/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <cothread-glib.h>

/* What a task costs from its beginning to its end, beside the other ways in
 * which a GLib program gives a piece of work a life of its own. */

typedef struct
{
  guint n;     /* in all */
  guint batch; /* spawned before any of them runs */
  CothreadTaskFunc func;
} Spawns;

static gpointer
do_nothing (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static gpointer
suspend_once (G_GNUC_UNUSED gpointer data, GError **error)
{
  cothread_yield (error);
  return NULL;
}

static gpointer
spawn_batches (gpointer data, G_GNUC_UNUSED GError **error)
{
  const Spawns *spawns = data;

  for (guint done = 0; done < spawns->n; done += spawns->batch)
    {
      CothreadTask *last = NULL;

      for (guint i = 0; i < spawns->batch; i++)
        {
          cothread_task_unref (last);
          last = cothread_spawn_full (spawns->func, NULL, &(CothreadSpawnOptions) { .function = "work" }, NULL);
        }
      cothread_task_join (last, COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (last);
    }
  return NULL;
}

static double
spawn (gpointer data)
{
  const Spawns *spawns = data;
  g_autoptr (CothreadTask) task = cothread_spawn (spawn_batches, data);
  double start = perf_now_ns ();

  cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
  return (perf_now_ns () - start) / spawns->n;
}

static gpointer
thread_nothing (G_GNUC_UNUSED gpointer data)
{
  return NULL;
}

static double
threads (gpointer data)
{
  const Spawns *spawns = data;
  guint n = MIN (spawns->n, 300);
  double start = perf_now_ns ();

  for (guint i = 0; i < n; i++)
    g_thread_join (g_thread_new ("work", thread_nothing, NULL));
  return (perf_now_ns () - start) / n;
}

typedef struct
{
  GMainContext *context;
  guint left;
} Sources;

static gboolean
one_source_done (gpointer data)
{
  ((Sources *) data)->left--;
  return G_SOURCE_REMOVE;
}

static void
iterate_until_done (Sources *sources)
{
  while (sources->left > 0)
    g_main_context_iteration (sources->context, TRUE);
}

/* One new idle source for each piece of work, as g_idle_add() makes them. */
static double
idle_sources (gpointer data)
{
  const Spawns *spawns = data;
  Sources sources = { g_main_context_new (), 0 };
  double start = perf_now_ns ();

  for (guint done = 0; done < spawns->n; done += spawns->batch)
    {
      sources.left = spawns->batch;
      for (guint i = 0; i < spawns->batch; i++)
        {
          GSource *source = g_idle_source_new ();

          g_source_set_callback (source, one_source_done, &sources, NULL);
          g_source_attach (source, sources.context);
          g_source_unref (source);
        }
      iterate_until_done (&sources);
    }
  start = perf_now_ns () - start;
  g_main_context_unref (sources.context);
  return start / spawns->n;
}

static void
one_gtask_done (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer data)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
  ((Sources *) data)->left--;
}

static double
gtasks (gpointer data)
{
  const Spawns *spawns = data;
  Sources sources = { g_main_context_new (), 0 };
  double start;

  g_main_context_push_thread_default (sources.context);
  start = perf_now_ns ();
  for (guint done = 0; done < spawns->n; done += spawns->batch)
    {
      sources.left = spawns->batch;
      for (guint i = 0; i < spawns->batch; i++)
        {
          GTask *task = g_task_new (NULL, NULL, one_gtask_done, &sources);

          g_task_return_boolean (task, TRUE);
          g_object_unref (task);
        }
      iterate_until_done (&sources);
    }
  start = perf_now_ns () - start;
  g_main_context_pop_thread_default (sources.context);
  g_main_context_unref (sources.context);
  return start / spawns->n;
}

static double
objects (gpointer data)
{
  const Spawns *spawns = data;
  double start = perf_now_ns ();

  for (guint i = 0; i < spawns->n; i++)
    g_object_unref (g_object_new (G_TYPE_OBJECT, NULL));
  return (perf_now_ns () - start) / spawns->n;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Spawn: a task from beginning to end", &argc, &argv, NULL);
  Spawns joined = { perf_scale (perf, 20000), 1, do_nothing };
  Spawns hundreds = { perf_scale (perf, 20000), 100, do_nothing };
  /* Ten batches: the first finds nothing in the caches after the peers. */
  Spawns suspended = { perf_scale (perf, 100000), perf_scale (perf, 10000), suspend_once };
  const PerfPeer peers_of_hundreds[] = {
#ifdef HAVE_BOOST_CONTEXT
    { "boost make_fcontext, jump, jump back", bare_boost_spawn, &hundreds.n },
#endif
    { "g_object_new, g_object_unref", objects, &hundreds },
    { "g_idle_add, in 100s", idle_sources, &hundreds },
    { "GTask, in 100s", gtasks, &hundreds },
    { "g_thread_new, g_thread_join", threads, &hundreds },
  };
  const PerfPeer peers_of_joined[] = { { "g_thread_new, g_thread_join", threads, &joined } };
  const PerfPeer peers_of_suspended[] = {
    { "g_idle_add, in 10 000s", idle_sources, &suspended },
    { "GTask, in 10 000s", gtasks, &suspended },
  };

  perf_set_repeat (perf, 40);
  perf_compare (perf, "spawn, run, finish, in 100s", spawn, &hundreds,
                peers_of_hundreds, G_N_ELEMENTS (peers_of_hundreds));
  perf_compare (perf, "spawn, run, finish, each one joined", spawn, &joined,
                peers_of_joined, G_N_ELEMENTS (peers_of_joined));
  perf_compare (perf, "spawn, suspend once, finish, in 10 000s", spawn, &suspended,
                peers_of_suspended, G_N_ELEMENTS (peers_of_suspended));
  return perf_finish (perf);
}
