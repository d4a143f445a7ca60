/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <pcl.h>

/* The Portable Coroutine Library. */

static coroutine_t *coroutines, main_coroutine;
static const BareRing *ring;
static guint current;
static guint rounds_left;

static void
call_next (void)
{
  current = current + 1 < ring->n ? current + 1 : 0;
  co_call (coroutines[current]);
}

BARE_CALLS (call_and_call_next, call_next)

static void
run (G_GNUC_UNUSED void *unused)
{
  for (;;)
    {
      if (current == 0 && rounds_left-- == 0)
        co_call (main_coroutine);
      call_and_call_next (ring->depth);
    }
}

double
bare_pcl_ring (gpointer data)
{
  double start;

  ring = data;
  co_thread_init ();
  main_coroutine = co_current ();
  coroutines = g_new (coroutine_t, ring->n);
  for (guint i = 0; i < ring->n; i++)
    coroutines[i] = co_create (run, NULL, NULL, 64 * 1024);
  current = 0;
  rounds_left = ring->rounds;
  start = perf_now_ns ();
  co_call (coroutines[0]);
  start = perf_now_ns () - start;
  for (guint i = 0; i < ring->n; i++)
    co_delete (coroutines[i]);
  g_free (coroutines);
  co_thread_cleanup ();
  return start / ring->rounds / ring->n;
}
