/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_STACKS 300
/* So many a pool keeps warm for a load it has not seen yet. */
#define KEPT_WARM 64

typedef struct
{
  CtStackPool *pool;
  CtStack *stacks[N_STACKS];
  gsize page_bytes;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  fixture->pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  fixture->page_bytes = (gsize) sysconf (_SC_PAGESIZE);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  ct_stack_pool_free (fixture->pool);
}

/* A load that uses every page of n stacks at once. */
static void
begin_load (Fixture *fixture, guint n, gsize bytes)
{
  for (guint i = 0; i < n; i++)
    {
      fixture->stacks[i] = ct_stack_pool_acquire (fixture->pool, bytes, NULL);
      g_assert_nonnull (fixture->stacks[i]);
      memset (fixture->stacks[i]->base, 1, ct_stack_get_bytes (fixture->stacks[i]));
    }
}

static void
end_load (Fixture *fixture, guint n)
{
  for (guint i = 0; i < n; i++)
    ct_stack_pool_release (fixture->pool, fixture->stacks[i]);
}

static guint
count_resident_pages (Fixture *fixture, const CtStack *stack)
{
  gsize n_pages = ct_stack_get_bytes (stack) / fixture->page_bytes;
  g_autofree guchar *pages = g_malloc (n_pages);
  guint n = 0;

  g_assert_cmpint (mincore (stack->base, ct_stack_get_bytes (stack), pages), ==, 0);
  for (gsize i = 0; i < n_pages; i++)
    n += pages[i] & 1;
  return n;
}

static guint
count_resident_stacks (Fixture *fixture, guint n)
{
  guint resident = 0;

  for (guint i = 0; i < n; i++)
    resident += count_resident_pages (fixture, fixture->stacks[i]) > 0;
  return resident;
}

static guint
count_warm (Fixture *fixture)
{
  CtStackPoolStatistics statistics;

  ct_stack_pool_get_statistics (fixture->pool, &statistics);
  return statistics.warm;
}

static void
trim_everything (Fixture *fixture)
{
  for (guint i = 0; i < 100 && (ct_stack_pool_trim (fixture->pool, 64) || i < 2); i++)
    ;
}

static void
test_an_untouched_stack_costs_no_memory (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stack = ct_stack_pool_acquire (fixture->pool, CT_STACK_DEFAULT_BYTES, NULL);

  g_assert_cmpuint (count_resident_pages (fixture, stack), ==, 0);
  ct_stack_pool_release (fixture->pool, stack);
}

static void
test_touching_one_page_costs_one_page (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *stack = ct_stack_pool_acquire (fixture->pool, CT_STACK_DEFAULT_BYTES, NULL);

  stack->limit[-1] = 1;

  g_assert_cmpuint (count_resident_pages (fixture, stack), ==, 1);
  ct_stack_pool_release (fixture->pool, stack);
}

static void
test_a_released_stack_stays_warm (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, 1, CT_STACK_MIN_BYTES);

  end_load (fixture, 1);

  g_assert_cmpuint (count_resident_stacks (fixture, 1), ==, 1);
  g_assert_cmpuint (count_warm (fixture), ==, 1);
}

static void
test_few_warm_stacks_are_not_worth_a_trim (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, KEPT_WARM, CT_STACK_MIN_BYTES);
  end_load (fixture, KEPT_WARM);

  g_assert_false (ct_stack_pool_needs_trim (fixture->pool));
  trim_everything (fixture);
  g_assert_cmpuint (count_warm (fixture), ==, KEPT_WARM);
}

static void
test_the_load_since_the_last_trim_keeps_its_stacks (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);

  g_assert_true (ct_stack_pool_needs_trim (fixture->pool));
  g_assert_false (ct_stack_pool_trim (fixture->pool, N_STACKS));

  g_assert_cmpuint (count_warm (fixture), ==, N_STACKS);
}

static void
test_the_pages_of_an_idle_pool_are_given_back (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);
  g_assert_cmpuint (count_resident_stacks (fixture, N_STACKS), ==, N_STACKS);

  trim_everything (fixture);

  g_assert_cmpuint (count_resident_stacks (fixture, N_STACKS), ==, KEPT_WARM);
  g_assert_cmpuint (count_warm (fixture), ==, KEPT_WARM);
  g_assert_false (ct_stack_pool_needs_trim (fixture->pool));
}

static void
test_a_live_stack_is_never_trimmed (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  CtStack *live;

  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);
  live = ct_stack_pool_acquire (fixture->pool, CT_STACK_MIN_BYTES, NULL);
  memset (live->base, 0x77, ct_stack_get_bytes (live));

  trim_everything (fixture);

  for (gsize i = 0; i < ct_stack_get_bytes (live); i++)
    g_assert_cmphex (live->base[i], ==, 0x77);
  ct_stack_pool_release (fixture->pool, live);
}

static void
test_a_trim_goes_in_portions_and_tells_whether_there_is_more (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);
  ct_stack_pool_trim (fixture->pool, N_STACKS);

  g_assert_true (ct_stack_pool_trim (fixture->pool, 100));
  g_assert_cmpuint (count_warm (fixture), ==, N_STACKS - 100);
  g_assert_true (ct_stack_pool_trim (fixture->pool, 100));
  g_assert_cmpuint (count_warm (fixture), ==, N_STACKS - 200);
  g_assert_false (ct_stack_pool_trim (fixture->pool, 100));
  g_assert_cmpuint (count_warm (fixture), ==, KEPT_WARM);
}

static void
test_a_trimmed_stack_can_be_used_again_and_has_its_guard (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  gsize reserved_bytes;
  CtStackPoolStatistics statistics;

  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);
  trim_everything (fixture);
  ct_stack_pool_get_statistics (fixture->pool, &statistics);
  reserved_bytes = statistics.reserved_bytes;

  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);

  ct_stack_pool_get_statistics (fixture->pool, &statistics);
  g_assert_cmpuint (statistics.reserved_bytes, ==, reserved_bytes);
  g_assert_cmpuint (statistics.live, ==, N_STACKS);
  for (guint i = 0; i < N_STACKS; i++)
    {
      /* A page that no process may read is one that write() refuses. */
      int null_pipe[2];

      g_assert_cmpint (pipe (null_pipe), ==, 0);
      g_assert_cmpint (write (null_pipe[1], fixture->stacks[i]->base - 1, 1), ==, -1);
      close (null_pipe[0]);
      close (null_pipe[1]);
    }
  end_load (fixture, N_STACKS);
}

static void
test_the_portion_is_for_all_sizes_together (Fixture *fixture, G_GNUC_UNUSED gconstpointer unused)
{
  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES);
  end_load (fixture, N_STACKS);
  begin_load (fixture, N_STACKS, CT_STACK_MIN_BYTES * 2);
  end_load (fixture, N_STACKS);
  ct_stack_pool_trim (fixture->pool, N_STACKS);

  g_assert_true (ct_stack_pool_trim (fixture->pool, 100));

  g_assert_cmpuint (count_warm (fixture), ==, 2 * N_STACKS - 100);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/stack/trim/%s", name);

  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("an-untouched-stack-costs-no-memory", test_an_untouched_stack_costs_no_memory);
  add ("touching-one-page-costs-one-page", test_touching_one_page_costs_one_page);
  add ("a-released-stack-stays-warm", test_a_released_stack_stays_warm);
  add ("few-warm-stacks-are-not-worth-it", test_few_warm_stacks_are_not_worth_a_trim);
  add ("the-load-since-the-last-trim-keeps-its-stacks", test_the_load_since_the_last_trim_keeps_its_stacks);
  add ("the-pages-of-an-idle-pool-are-given-back", test_the_pages_of_an_idle_pool_are_given_back);
  add ("a-live-stack-is-never-trimmed", test_a_live_stack_is_never_trimmed);
  add ("goes-in-portions-and-tells-whether-there-is-more", test_a_trim_goes_in_portions_and_tells_whether_there_is_more);
  add ("a-trimmed-stack-can-be-used-again-and-has-its-guard", test_a_trimmed_stack_can_be_used_again_and_has_its_guard);
  add ("the-portion-is-for-all-sizes-together", test_the_portion_is_for_all_sizes_together);
  return g_test_run ();
}
