/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <pth.h>

/* GNU Pth, whose scheduler looks at descriptors and signals at each switch. */

static void
yield (void)
{
  pth_yield (NULL);
}

BARE_CALLS (call_and_yield, yield)

static void *
run (void *data)
{
  const BareRing *ring = data;

  for (guint i = 0; i < ring->rounds; i++)
    call_and_yield (ring->depth);
  return NULL;
}

double
bare_pth_ring (gpointer data)
{
  static gboolean is_ready = FALSE;
  const BareRing *ring = data;
  g_autofree pth_t *threads = g_new (pth_t, ring->n);
  double start;

  if (!is_ready)
    pth_init ();
  is_ready = TRUE;
  for (guint i = 0; i < ring->n; i++)
    threads[i] = pth_spawn (PTH_ATTR_DEFAULT, run, data);
  start = perf_now_ns ();
  for (guint i = 0; i < ring->n; i++)
    pth_join (threads[i], NULL);
  return (perf_now_ns () - start) / ring->rounds / ring->n;
}
