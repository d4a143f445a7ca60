/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <ucontext.h>

static ucontext_t *contexts;
static ucontext_t main_context;
static const BareRing *ring;
static guint current;
static guint rounds_left;

static void
swap_to_next (void)
{
  guint self = current;

  current = self + 1 < ring->n ? self + 1 : 0;
  swapcontext (&contexts[self], &contexts[current]);
}

BARE_CALLS (call_and_swap, swap_to_next)

static void
run (void)
{
  for (;;)
    {
      if (current == 0 && rounds_left-- == 0)
        swapcontext (&contexts[0], &main_context);
      call_and_swap (ring->depth);
    }
}

double
bare_ucontext_ring (gpointer data)
{
  const BareStack *stacks;
  double start;

  ring = data;
  stacks = bare_stacks (ring->n);
  contexts = g_new0 (ucontext_t, ring->n);
  for (guint i = 0; i < ring->n; i++)
    {
      getcontext (&contexts[i]);
      contexts[i].uc_stack.ss_sp = stacks[i].base;
      contexts[i].uc_stack.ss_size = (gsize) (stacks[i].top - stacks[i].base);
      makecontext (&contexts[i], run, 0);
    }
  current = 0;
  rounds_left = ring->rounds;
  start = perf_now_ns ();
  swapcontext (&main_context, &contexts[0]);
  start = perf_now_ns () - start;
  g_free (contexts);
  return start / ring->rounds / ring->n;
}

typedef struct
{
  const BareRing *ring;
  GMutex lock;
  GCond *turn_came; /* one for each thread */
  guint whose_turn;
} Threads;

typedef struct
{
  Threads *threads;
  guint index;
} ThreadsMember;

static gpointer
run_thread (gpointer data)
{
  ThreadsMember *self = data;
  Threads *threads = self->threads;
  guint n = threads->ring->n;

  g_mutex_lock (&threads->lock);
  for (guint i = 0; i < threads->ring->rounds; i++)
    {
      while (threads->whose_turn != self->index)
        g_cond_wait (&threads->turn_came[self->index], &threads->lock);
      threads->whose_turn = (self->index + 1) % n;
      g_cond_signal (&threads->turn_came[threads->whose_turn]);
    }
  g_mutex_unlock (&threads->lock);
  return NULL;
}

/* A mutex and a condition variable each; both are futexes underneath. */
double
bare_threads_ring (gpointer data)
{
  Threads threads = { .ring = data };
  guint n = threads.ring->n;
  g_autofree ThreadsMember *members = g_new (ThreadsMember, n);
  g_autofree GThread **ids = g_new (GThread *, n);
  double start;

  g_mutex_init (&threads.lock);
  threads.turn_came = g_new0 (GCond, n);
  start = perf_now_ns ();
  for (guint i = 0; i < n; i++)
    {
      members[i] = (ThreadsMember) { &threads, i };
      ids[i] = g_thread_new ("hand-over", run_thread, &members[i]);
    }
  for (guint i = 0; i < n; i++)
    g_thread_join (ids[i]);
  start = perf_now_ns () - start;
  g_free (threads.turn_came);
  g_mutex_clear (&threads.lock);
  return start / threads.ring->rounds / n;
}
