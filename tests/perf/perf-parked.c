/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf.h"

#include <cothread-glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Very many tasks that all wait for one event: memory, and the time to spawn
 * them, to wake them all, and to see them end. */

#define MILLION 1000000
#define THREADS 2000
#define KIB_TOUCHED 6
#define SMALL_STACK_BYTES (28 * 1024)

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

typedef struct
{
  double resident_kib;
  double page_tables_kib;
  double spawned_ns;
  double parked_ns;
  double woken_ns;
} Parked;

/* stack_bytes: 0 for the default of 256 KiB less a page. */
static Parked
park_and_wake (guint n, gsize stack_bytes)
{
  Park park = { .event = cothread_event_new (FALSE) };
  volatile guint *n_parked = &park.n_parked, *n_woken = &park.n_woken;
  CothreadSpawnOptions options = { .function = "parked", .stack_bytes = stack_bytes };
  Memory before = memory_now (), after;
  Parked result;
  double start = perf_now_ns ();

  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn_full (park_task, &park, &options, NULL));
  result.spawned_ns = perf_now_ns () - start;
  while (*n_parked < n)
    g_main_context_iteration (NULL, TRUE);
  result.parked_ns = perf_now_ns () - start - result.spawned_ns;
  after = memory_now ();
  result.resident_kib = kib_each (after.resident, before.resident, n);
  result.page_tables_kib = kib_each (after.page_tables, before.page_tables, n);

  start = perf_now_ns ();
  cothread_event_signal (park.event);
  while (*n_woken < n)
    g_main_context_iteration (NULL, TRUE);
  result.woken_ns = perf_now_ns () - start;
  g_object_unref (park.event);
  return result;
}

static void
measure_tasks (Perf *perf, guint n, const Memory *thread, double thread_ns)
{
  const char *peer = "threads, 2 000 of them";
  Parked parked = park_and_wake (n, 0);

  perf_row (perf, "resident memory of a parked task", "KiB", parked.resident_kib, peer, (double) thread->resident / 1024);
  perf_row (perf, "page tables of a parked task", "KiB", parked.page_tables_kib, peer, (double) thread->page_tables / 1024);
  perf_row (perf, "both together", "KiB", parked.resident_kib + parked.page_tables_kib,
            peer, (double) (thread->resident + thread->page_tables) / 1024);
  perf_row (perf, "spawn, each", "ns", parked.spawned_ns / n, NULL, 0);
  perf_row (perf, "first run until it waits, each", "ns", parked.parked_ns / n, NULL, 0);
  perf_row (perf, "spawn and run until it waits, each", "ns", (parked.spawned_ns + parked.parked_ns) / n, peer, thread_ns);
  perf_row (perf, "spawn and park all", "s", (parked.spawned_ns + parked.parked_ns) / 1e9, NULL, 0);
  perf_row (perf, "wake all, until each has ended", "s", parked.woken_ns / 1e9, NULL, 0);
  perf_note (perf, "%u parked tasks with stacks of 256 KiB of address space each.", n);
}

/* In a process of its own, where nothing is left of other tasks. */
static gboolean
park_small_stacks (guint n, Parked *parked)
{
  int ends[2];
  gboolean has_result;
  pid_t child;

  if (pipe (ends) != 0)
    return FALSE;
  child = fork ();
  if (child == 0)
    {
      touch_memory ((gsize) n * KIB_TOUCHED * 1024);
      cothread_scheduler_get_default ();
      *parked = park_and_wake (n, SMALL_STACK_BYTES);
      _exit (write (ends[1], parked, sizeof *parked) == (ssize_t) sizeof *parked ? 0 : 1);
    }
  close (ends[1]);
  has_result = child > 0 && read (ends[0], parked, sizeof *parked) == (ssize_t) sizeof *parked;
  close (ends[0]);
  if (child > 0)
    waitpid (child, NULL, 0);
  return has_result;
}

static void
report_small_stacks (Perf *perf, const Parked *parked)
{
  perf_row (perf, "with stacks of 28 KiB: resident memory", "KiB", parked->resident_kib, NULL, 0);
  perf_row (perf, "with stacks of 28 KiB: page tables", "KiB", parked->page_tables_kib, NULL, 0);
  perf_row (perf, "with stacks of 28 KiB: both together", "KiB", parked->resident_kib + parked->page_tables_kib, NULL, 0);
  perf_row (perf, "with stacks of 28 KiB: spawn and park all", "s", (parked->spawned_ns + parked->parked_ns) / 1e9, NULL, 0);
  perf_row (perf, "with stacks of 28 KiB: wake all, until each has ended", "s", parked->woken_ns / 1e9, NULL, 0);
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
  Parked small;
  gboolean has_small;

  if (n == 0)
    n = 1;
  has_small = park_small_stacks (n, &small);
  touch_memory ((gsize) n * KIB_TOUCHED * 1024);
  cothread_scheduler_get_default ();
  thread_ns = measure_threads (perf_scale (perf, THREADS), &thread);
  measure_tasks (perf, n, &thread, thread_ns);
  if (has_small)
    report_small_stacks (perf, &small);
  return perf_finish (perf);
}
