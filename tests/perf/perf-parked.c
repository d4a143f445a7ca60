/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf.h"

#include <cothread-glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Very many tasks that all wait for one event: memory, and the time to spawn
 * them, to wake them all, and to see them end. */

#define MILLION 1000000
#define THREADS 2000
#define KIB_TOUCHED 6

typedef struct
{
  CothreadEvent *event;
  guint n_parked;
  guint n_woken;
} Park;

typedef struct
{
  gsize resident;
  gsize page_tables;
} Memory;

static Memory
memory_now (void)
{
  g_autofree char *text = NULL;
  const char *line;
  Memory memory = { 0 };

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return memory;
  line = strstr (text, "VmRSS:");
  if (line != NULL)
    memory.resident = strtoul (line + strlen ("VmRSS:"), NULL, 10) * 1024;
  line = strstr (text, "VmPTE:");
  if (line != NULL)
    memory.page_tables = strtoul (line + strlen ("VmPTE:"), NULL, 10) * 1024;
  return memory;
}

/* The host of a virtual machine finds memory for it at the first touch, which
 * takes far longer than anything measured here. */
static void
touch_memory (gsize bytes)
{
  g_autofree char *memory = g_malloc (bytes);

  for (gsize at = 0; at < bytes; at += 4096)
    ((volatile char *) memory)[at] = 1;
}

static double
kib_each (gsize after, gsize before, guint n)
{
  return (double) (after - before) / 1024 / n;
}

static gpointer
park_task (gpointer data, GError **error)
{
  Park *park = data;

  park->n_parked++;
  if (cothread_event_wait (park->event, COTHREAD_FOREVER, error))
    park->n_woken++;
  return NULL;
}

static void
measure_tasks (Perf *perf, guint n, const Memory *thread, double thread_ns)
{
  Park park = { .event = cothread_event_new (FALSE) };
  volatile guint *n_parked = &park.n_parked, *n_woken = &park.n_woken;
  const char *peer = "threads, 2 000 of them";
  double spawned, parked, woken;
  Memory before = memory_now (), after;

  spawned = perf_now_ns ();
  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn_full (park_task, &park, &(CothreadSpawnOptions) { .function = "parked" }, NULL));
  parked = perf_now_ns ();
  while (*n_parked < n)
    g_main_context_iteration (NULL, TRUE);
  woken = perf_now_ns ();
  after = memory_now ();
  perf_row (perf, "resident memory of a parked task", "KiB", kib_each (after.resident, before.resident, n),
            peer, (double) thread->resident / 1024);
  perf_row (perf, "page tables of a parked task", "KiB", kib_each (after.page_tables, before.page_tables, n),
            peer, (double) thread->page_tables / 1024);
  perf_row (perf, "spawn, each", "ns", (parked - spawned) / n, NULL, 0);
  perf_row (perf, "first run until it waits, each", "ns", (woken - parked) / n, NULL, 0);
  perf_row (perf, "spawn and run until it waits, each", "ns", (woken - spawned) / n, peer, thread_ns);
  perf_row (perf, "spawn and park all", "s", (woken - spawned) / 1e9, NULL, 0);

  woken = perf_now_ns ();
  cothread_event_signal (park.event);
  while (*n_woken < n)
    g_main_context_iteration (NULL, TRUE);
  perf_row (perf, "wake all, until each has ended", "s", (perf_now_ns () - woken) / 1e9, NULL, 0);
  perf_note (perf, "%u parked tasks with stacks of 256 KiB of address space each.", n);
  g_object_unref (park.event);
}

typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_parked;
  gboolean may_end;
} ThreadPark;

static gpointer
park_thread (gpointer data)
{
  ThreadPark *park = data;

  g_mutex_lock (&park->lock);
  park->n_parked++;
  g_cond_broadcast (&park->changed);
  while (!park->may_end)
    g_cond_wait (&park->changed, &park->lock);
  g_mutex_unlock (&park->lock);
  return NULL;
}

/* What the kernel keeps for a thread is not even counted in this. */
static double
measure_threads (guint n, Memory *each)
{
  ThreadPark park = { 0 };
  g_autofree GThread **threads = g_new (GThread *, n);
  Memory before = memory_now (), after;
  double start = perf_now_ns ();

  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("parked", park_thread, &park);
  g_mutex_lock (&park.lock);
  while (park.n_parked < n)
    g_cond_wait (&park.changed, &park.lock);
  start = perf_now_ns () - start;
  after = memory_now ();
  each->resident = (after.resident - before.resident) / n;
  each->page_tables = (after.page_tables - before.page_tables) / n;
  park.may_end = TRUE;
  g_cond_broadcast (&park.changed);
  g_mutex_unlock (&park.lock);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  return start / n;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Parked tasks", &argc, &argv, NULL);
  guint n = argc > 1 ? (guint) strtoul (argv[1], NULL, 10) : perf_scale (perf, MILLION);
  Memory thread;
  double thread_ns;

  if (n == 0)
    n = 1;
  touch_memory ((gsize) n * KIB_TOUCHED * 1024);
  cothread_scheduler_get_default ();
  thread_ns = measure_threads (perf_scale (perf, THREADS), &thread);
  measure_tasks (perf, n, &thread, thread_ns);
  return perf_finish (perf);
}
