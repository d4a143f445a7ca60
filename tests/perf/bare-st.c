/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

#include <st.h>

/* State Threads: no yield, so each wakes the next and waits for its own turn. */

typedef struct
{
  const BareRing *ring;
  st_cond_t *turns; /* one for each thread */
} Ring;

typedef struct
{
  Ring *ring;
  guint index;
} Member;

static st_cond_t own_turn, next_turn;

static void
hand_over (void)
{
  st_cond_signal (next_turn);
  st_cond_wait (own_turn);
}

BARE_CALLS (call_and_hand_over, hand_over)

static void *
run (void *data)
{
  Member *self = data;
  const BareRing *ring = self->ring->ring;

  st_cond_wait (self->ring->turns[self->index]);
  for (guint i = 0; i < ring->rounds; i++)
    {
      own_turn = self->ring->turns[self->index];
      next_turn = self->ring->turns[(self->index + 1) % ring->n];
      call_and_hand_over (ring->depth);
    }
  st_cond_signal (self->ring->turns[(self->index + 1) % ring->n]);
  return NULL;
}

double
bare_st_ring (gpointer data)
{
  Ring ring = { .ring = data };
  guint n = ring.ring->n;
  g_autofree Member *members = g_new (Member, n);
  g_autofree st_thread_t *threads = g_new (st_thread_t, n);
  double start;

  st_init (); /* harmless if it was called before */
  ring.turns = g_new (st_cond_t, n);
  for (guint i = 0; i < n; i++)
    {
      ring.turns[i] = st_cond_new ();
      members[i] = (Member) { &ring, i };
      threads[i] = st_thread_create (run, &members[i], 1, 64 * 1024);
    }
  st_usleep (0); /* all begin to wait */
  start = perf_now_ns ();
  st_cond_signal (ring.turns[0]);
  for (guint i = 0; i < n; i++)
    st_thread_join (threads[i], NULL);
  start = perf_now_ns () - start;
  for (guint i = 0; i < n; i++)
    st_cond_destroy (ring.turns[i]);
  g_free (ring.turns);
  return start / ring.ring->rounds / n;
}
