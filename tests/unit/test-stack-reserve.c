/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"

#include <gio/gio.h>

/* A stack in two steps: first the promise, then the stack. */

typedef struct
{
  CtStackPool *pool;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  fixture->pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  ct_stack_pool_free (fixture->pool);
}

static guint8
reserve (Fixture *fixture, gsize bytes)
{
  g_autoptr (GError) error = NULL;
  guint8 size_class = 0;

  g_assert_true (ct_stack_pool_reserve (fixture->pool, bytes, &size_class, &error));
  g_assert_no_error (error);
  return size_class;
}

static CtStackPoolStatistics
statistics_of (Fixture *fixture)
{
  CtStackPoolStatistics statistics;

  ct_stack_pool_get_statistics (fixture->pool, &statistics);
  return statistics;
}

static void
test_a_reserved_stack_is_not_live_before_it_is_taken (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  guint8 size_class = reserve (fixture, CT_STACK_DEFAULT_BYTES);
  CtStack *stack;

  g_assert_cmpuint (statistics_of (fixture).live, ==, 0);
  stack = ct_stack_pool_take (fixture->pool, size_class);
  g_assert_cmpuint (statistics_of (fixture).live, ==, 1);
  ct_stack_pool_release (fixture->pool, stack);
  g_assert_cmpuint (statistics_of (fixture).live, ==, 0);
}

static void
test_what_is_taken_has_the_size_that_was_reserved (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  for (gsize bytes = CT_STACK_MIN_BYTES; bytes <= 16 * CT_STACK_DEFAULT_BYTES; bytes *= 2)
    {
      CtStack *taken = ct_stack_pool_take (fixture->pool, reserve (fixture, bytes));
      CtStack *acquired = ct_stack_pool_acquire (fixture->pool, bytes, NULL);

      g_assert_cmpuint (ct_stack_get_bytes (taken), ==, ct_stack_get_bytes (acquired));
      ct_stack_pool_release (fixture->pool, taken);
      ct_stack_pool_release (fixture->pool, acquired);
    }
}

static void
test_every_reservation_gets_a_stack_of_its_own (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  enum { N = 500 };
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  CtStack *stacks[N];
  guint8 classes[N];

  for (guint i = 0; i < N; i++)
    classes[i] = reserve (fixture, CT_STACK_MIN_BYTES);
  for (guint i = 0; i < N; i++)
    {
      stacks[i] = ct_stack_pool_take (fixture->pool, classes[i]);
      g_assert_nonnull (stacks[i]);
      g_assert_true (g_hash_table_add (seen, stacks[i]));
      stacks[i]->base[0] = stacks[i]->limit[-1] = 1;
    }
  for (guint i = 0; i < N; i++)
    ct_stack_pool_release (fixture->pool, stacks[i]);
}

static void
test_a_stack_taken_in_between_does_not_break_a_promise (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  guint8 promised = reserve (fixture, CT_STACK_DEFAULT_BYTES);
  CtStack *other = ct_stack_pool_acquire (fixture->pool, CT_STACK_DEFAULT_BYTES, NULL);
  CtStack *mine = ct_stack_pool_take (fixture->pool, promised);

  g_assert_nonnull (mine);
  g_assert_true (mine != other);
  ct_stack_pool_release (fixture->pool, other);
  ct_stack_pool_release (fixture->pool, mine);
}

static void
test_a_stack_released_in_between_is_taken_while_it_is_warm (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *warm = ct_stack_pool_acquire (fixture->pool, CT_STACK_DEFAULT_BYTES, NULL);
  guint8 promised = reserve (fixture, CT_STACK_DEFAULT_BYTES);

  ct_stack_pool_release (fixture->pool, warm);

  g_assert_true (ct_stack_pool_take (fixture->pool, promised) == warm);
  ct_stack_pool_release (fixture->pool, warm);
}

static void
test_a_trim_does_not_break_a_promise (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  enum { N = 200 };
  CtStack *stacks[N];
  guint8 classes[N];

  for (guint i = 0; i < N; i++)
    stacks[i] = ct_stack_pool_acquire (fixture->pool, CT_STACK_MIN_BYTES, NULL);
  for (guint i = 0; i < N; i++)
    ct_stack_pool_release (fixture->pool, stacks[i]);
  for (guint i = 0; i < N; i++)
    classes[i] = reserve (fixture, CT_STACK_MIN_BYTES);

  for (guint i = 0; i < 10; i++)
    ct_stack_pool_trim (fixture->pool, N);

  for (guint i = 0; i < N; i++)
    {
      stacks[i] = ct_stack_pool_take (fixture->pool, classes[i]);
      g_assert_nonnull (stacks[i]);
      stacks[i]->limit[-1] = 1;
    }
  for (guint i = 0; i < N; i++)
    ct_stack_pool_release (fixture->pool, stacks[i]);
}

static void
test_a_reservation_beyond_the_largest_stack_is_an_error (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  guint8 size_class = 77;

  g_assert_false (ct_stack_pool_reserve (fixture->pool, CT_STACK_MAX_BYTES + 1, &size_class, &error));

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (size_class, ==, 77);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/stack/reserve/%s", name);

  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-stack-is-not-live-before-it-is-taken", test_a_reserved_stack_is_not_live_before_it_is_taken);
  add ("what-is-taken-has-the-size-that-was-reserved", test_what_is_taken_has_the_size_that_was_reserved);
  add ("everyone-gets-a-stack-of-his-own", test_every_reservation_gets_a_stack_of_its_own);
  add ("a-stack-taken-in-between-does-not-break-a-promise", test_a_stack_taken_in_between_does_not_break_a_promise);
  add ("a-stack-released-in-between-is-taken-while-it-is-warm", test_a_stack_released_in_between_is_taken_while_it_is_warm);
  add ("a-trim-does-not-break-a-promise", test_a_trim_does_not_break_a_promise);
  add ("beyond-the-largest-stack-is-an-error", test_a_reservation_beyond_the_largest_stack_is_an_error);
  return g_test_run ();
}
