/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"
#include "perf.h"

/* boost.context's C interface, as its assembly files define it
 * (boost/context/detail/fcontext.hpp). */

typedef struct
{
  void *context; /* where the jump came from */
  void *data;
} Transfer;

extern Transfer jump_fcontext (void *to, void *data);
extern void *make_fcontext (void *top, size_t size, void (*func) (Transfer));

static void **contexts;
static void *main_context;
static const BareRing *ring;
static guint current;
static guint rounds_left;

static void
jump_to_next (void)
{
  guint self = current;
  guint next = self + 1 < ring->n ? self + 1 : 0;
  Transfer from;

  current = next;
  from = jump_fcontext (contexts[next], NULL);
  contexts[self > 0 ? self - 1 : ring->n - 1] = from.context;
}

BARE_CALLS (call_and_jump, jump_to_next)

static void
run (Transfer from)
{
  if (current == 0)
    main_context = from.context;
  else
    contexts[current - 1] = from.context;
  for (;;)
    {
      if (current == 0 && rounds_left-- == 0)
        jump_fcontext (main_context, NULL);
      call_and_jump (ring->depth);
    }
}

double
bare_boost_ring (gpointer data)
{
  const BareStack *stacks;
  double start;

  ring = data;
  stacks = bare_stacks (ring->n);
  contexts = g_new (void *, ring->n);
  for (guint i = 0; i < ring->n; i++)
    contexts[i] = make_fcontext (stacks[i].top, (gsize) (stacks[i].top - stacks[i].base), run);
  current = 0;
  rounds_left = ring->rounds;
  start = perf_now_ns ();
  jump_fcontext (contexts[0], NULL);
  start = perf_now_ns () - start;
  g_free (contexts);
  return start / ring->rounds / ring->n;
}

static void
come_back (Transfer from)
{
  jump_fcontext (from.context, NULL);
}

double
bare_boost_spawn (gpointer data)
{
  guint n = *(guint *) data;
  const BareStack *stack = bare_stacks (1);
  double start = perf_now_ns ();

  for (guint i = 0; i < n; i++)
    jump_fcontext (make_fcontext (stack->top, (gsize) (stack->top - stack->base), come_back), NULL);
  return (perf_now_ns () - start) / n;
}
