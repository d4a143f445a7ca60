/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack-region.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test runs once for each kind of guard page. */
typedef struct
{
  CtStackPool *pool;
  CtStackGuard guard;
  gsize page_bytes;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer guard)
{
  fixture->guard = (CtStackGuard) GPOINTER_TO_INT (guard);
  fixture->pool = ct_stack_pool_new (fixture->guard);
  fixture->page_bytes = (gsize) sysconf (_SC_PAGESIZE);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer guard)
{
  ct_stack_pool_free (fixture->pool);
}

static CtStack *
acquire (Fixture *fixture, gsize bytes)
{
  g_autoptr (GError) error = NULL;
  CtStack *stack = ct_stack_pool_acquire (fixture->pool, bytes, &error);

  g_assert_no_error (error);
  g_assert_nonnull (stack);
  return stack;
}

static CtStackPoolStatistics
statistics_of (Fixture *fixture)
{
  CtStackPoolStatistics statistics;

  ct_stack_pool_get_statistics (fixture->pool, &statistics);
  return statistics;
}

static void
test_every_byte_can_be_used (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  static const gsize sizes[] = { 0, 1, 16 * 1024, 100000, 256 * 1024, 1024 * 1024 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      CtStack *stack = acquire (fixture, sizes[i]);

      memset (stack->base, 0x5a, ct_stack_get_bytes (stack));
      g_assert_cmphex (stack->limit[-1], ==, 0x5a);
      ct_stack_pool_release (fixture->pool, stack);
    }
}

static void
test_both_ends_are_page_aligned (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  for (gsize bytes = 1; bytes <= CT_STACK_DEFAULT_BYTES * 4; bytes = bytes * 3 + 1)
    {
      CtStack *stack = acquire (fixture, bytes);

      g_assert_cmpuint ((gsize) stack->base % fixture->page_bytes, ==, 0);
      g_assert_cmpuint ((gsize) stack->limit % fixture->page_bytes, ==, 0);
      ct_stack_pool_release (fixture->pool, stack);
    }
}

static void
test_the_smallest_request_still_gets_a_usable_stack (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stack = acquire (fixture, 0);

  g_assert_cmpuint (ct_stack_get_bytes (stack), >=, CT_STACK_MIN_BYTES - fixture->page_bytes);
  ct_stack_pool_release (fixture->pool, stack);
}

static int
compare_bases (gconstpointer a, gconstpointer b)
{
  const CtStack *const *one = a, *const *other = b;

  return (*one)->base < (*other)->base ? -1 : (*one)->base > (*other)->base;
}

static void
test_no_two_stacks_touch (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  g_autoptr (GPtrArray) stacks = g_ptr_array_new ();

  for (guint i = 0; i < 1000; i++)
    g_ptr_array_add (stacks, acquire (fixture, CT_STACK_MIN_BYTES << (i % 3)));
  g_ptr_array_sort (stacks, compare_bases);

  for (guint i = 1; i < stacks->len; i++)
    {
      CtStack *below = stacks->pdata[i - 1], *above = stacks->pdata[i];

      g_assert_true (above->base - fixture->page_bytes >= below->limit);
    }
  for (guint i = 0; i < stacks->len; i++)
    ct_stack_pool_release (fixture->pool, stacks->pdata[i]);
}

static void
test_the_stack_released_last_is_reused_first (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *first = acquire (fixture, CT_STACK_DEFAULT_BYTES);
  CtStack *second = acquire (fixture, CT_STACK_DEFAULT_BYTES);

  ct_stack_pool_release (fixture->pool, first);
  ct_stack_pool_release (fixture->pool, second);

  g_assert_true (acquire (fixture, CT_STACK_DEFAULT_BYTES) == second);
  g_assert_true (acquire (fixture, CT_STACK_DEFAULT_BYTES) == first);
  ct_stack_pool_release (fixture->pool, first);
  ct_stack_pool_release (fixture->pool, second);
}

static void
test_a_stack_is_not_reused_for_another_size (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *small = acquire (fixture, CT_STACK_MIN_BYTES);
  CtStack *large;

  ct_stack_pool_release (fixture->pool, small);
  large = acquire (fixture, CT_STACK_MIN_BYTES * 8);

  g_assert_true (large != small);
  g_assert_cmpuint (ct_stack_get_bytes (large), >, CT_STACK_MIN_BYTES * 4);
  ct_stack_pool_release (fixture->pool, large);
}

static void
test_the_statistics_count_live_and_warm_stacks (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *first = acquire (fixture, CT_STACK_DEFAULT_BYTES);
  CtStack *second = acquire (fixture, CT_STACK_DEFAULT_BYTES);

  ct_stack_pool_release (fixture->pool, first);

  g_assert_cmpuint (statistics_of (fixture).live, ==, 1);
  g_assert_cmpuint (statistics_of (fixture).warm, ==, 1);
  g_assert_cmpuint (statistics_of (fixture).regions, ==, 1);
  g_assert_cmpuint (statistics_of (fixture).reserved_bytes, >=, 2 * CT_STACK_DEFAULT_BYTES);
  ct_stack_pool_release (fixture->pool, second);
}

static void
test_the_statistics_tell_which_guard_is_used (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  gboolean expected = fixture->guard == CT_STACK_GUARD_AUTO && ct_stack_region_has_guard_markers ();

  g_assert_cmpint (statistics_of (fixture).uses_guard_markers, ==, expected);
}

/* ---- the guard page ---- */

static int
touch_in_a_child (volatile guint8 *address)
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      setrlimit (RLIMIT_CORE, &(struct rlimit) { 0 });
      signal (SIGSEGV, SIG_DFL);
      *address = 1;
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return status;
}

static void
assert_faults (guint8 *address)
{
  int status = touch_in_a_child (address);

  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGSEGV);
}

static void
assert_does_not_fault (guint8 *address)
{
  int status = touch_in_a_child (address);

  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

static void
test_the_page_below_the_stack_faults (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stack = acquire (fixture, CT_STACK_DEFAULT_BYTES);

  assert_does_not_fault (stack->base);
  assert_faults (stack->base - 1);
  assert_faults (stack->base - fixture->page_bytes);
  ct_stack_pool_release (fixture->pool, stack);
}

static void
test_every_stack_of_a_region_has_its_guard (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stacks[20];

  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    stacks[i] = acquire (fixture, CT_STACK_MIN_BYTES);

  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    assert_faults (stacks[i]->base - 1);
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    ct_stack_pool_release (fixture->pool, stacks[i]);
}

static void
test_a_reused_stack_still_has_its_guard (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stack = acquire (fixture, CT_STACK_DEFAULT_BYTES);

  ct_stack_pool_release (fixture->pool, stack);
  stack = acquire (fixture, CT_STACK_DEFAULT_BYTES);

  assert_faults (stack->base - 1);
  ct_stack_pool_release (fixture->pool, stack);
}

/* ---- what was asked for ---- */

static void
test_a_stack_has_at_least_the_bytes_that_were_asked_for (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  static const gsize sizes[] = { 1, 5000, 60000, 64 * 1024 - 4096, 64 * 1024, 256 * 1024, 1024 * 1024 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      CtStack *stack = acquire (fixture, sizes[i]);

      g_assert_cmpuint (ct_stack_get_bytes (stack), >=, sizes[i]);
      ct_stack_pool_release (fixture->pool, stack);
    }
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *markers = g_strdup_printf ("/stack/guard-auto/%s", name);
  g_autofree char *mprotected = g_strdup_printf ("/stack/guard-mprotect/%s", name);

  g_test_add (markers, Fixture, GINT_TO_POINTER (CT_STACK_GUARD_AUTO), set_up, func, tear_down);
  g_test_add (mprotected, Fixture, GINT_TO_POINTER (CT_STACK_GUARD_MPROTECT), set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("every-byte-can-be-used", test_every_byte_can_be_used);
  add ("both-ends-are-page-aligned", test_both_ends_are_page_aligned);
  add ("the-smallest-request-still-gets-a-usable-stack", test_the_smallest_request_still_gets_a_usable_stack);
  add ("no-two-stacks-touch", test_no_two_stacks_touch);
  add ("the-one-released-last-is-reused-first", test_the_stack_released_last_is_reused_first);
  add ("is-not-reused-for-another-size", test_a_stack_is_not_reused_for_another_size);
  add ("the-statistics-count-live-and-warm-stacks", test_the_statistics_count_live_and_warm_stacks);
  add ("the-statistics-tell-which-guard-is-used", test_the_statistics_tell_which_guard_is_used);
  add ("the-page-below-faults", test_the_page_below_the_stack_faults);
  add ("every-stack-of-a-region-has-its-guard", test_every_stack_of_a_region_has_its_guard);
  add ("a-reused-one-still-has-its-guard", test_a_reused_stack_still_has_its_guard);
  add ("has-at-least-the-bytes-that-were-asked-for", test_a_stack_has_at_least_the_bytes_that_were_asked_for);
  return g_test_run ();
}
