/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

/* Many contexts that switch straight to each other, as suspending tasks do. */

#define N_CONTEXTS 500
#define N_ROUNDS 20

typedef struct
{
  CtContext context;
  CtStack *stack;
  guint number;
  guint rounds;
} Member;

static Member members[N_CONTEXTS];
static CtStackPool *pool;
static CtContext ring_thread;
static guint expected_next;

static void
pass_on (gpointer data)
{
  Member *self = data;

  ct_context_entered ();
  for (;;)
    {
      volatile guint number = self->number;

      g_assert_cmpuint (expected_next, ==, number);
      self->rounds++;
      expected_next = (number + 1) % N_CONTEXTS;
      if (number == N_CONTEXTS - 1)
        ct_context_switch (&self->context, &ring_thread, FALSE);
      else
        ct_context_switch (&self->context, &members[number + 1].context, FALSE);
      g_assert_cmpuint (self->number, ==, number);
    }
}

static void
test_many_contexts_switch_straight_to_each_other (void)
{
  ct_context_init_thread (&ring_thread);
  for (guint i = 0; i < N_CONTEXTS; i++)
    {
      members[i] = (Member) { .number = i, .stack = ct_stack_pool_acquire (pool, CT_STACK_MIN_BYTES * 4, NULL) };
      ct_context_init (&members[i].context, members[i].stack->base, members[i].stack->limit, i, ct_context_get_float_control (), pass_on, &members[i]);
    }

  for (guint round = 1; round <= N_ROUNDS; round++)
    {
      ct_context_switch (&ring_thread, &members[0].context, FALSE);
      g_assert_cmpuint (members[N_CONTEXTS - 1].rounds, ==, round);
    }

  for (guint i = 0; i < N_CONTEXTS; i++)
    {
      g_assert_cmpuint (members[i].rounds, ==, N_ROUNDS);
      ct_context_clear (&members[i].context);
      ct_stack_pool_release (pool, members[i].stack);
    }
  ct_context_clear (&ring_thread);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  g_test_add_func ("/context/ring/many-switch-straight-to-each-other", test_many_contexts_switch_straight_to_each_other);
  result = g_test_run ();
  ct_stack_pool_free (pool);
  return result;
}
