/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include "loop/cothread-task-alloc.h"

#include <string.h>

/* What a load leaves behind is kept for the next one, and given back when none
 * comes. */

#define N 5000

static CothreadTask *tasks[N];

static void
make_a_peak (void)
{
  for (guint i = 0; i < N; i++)
    tasks[i] = cothread_task_alloc ();
  for (guint i = 0; i < N; i++)
    cothread_task_free (tasks[i]);
}

static void
test_what_a_peak_left_is_given_back_in_portions (void)
{
  guint left, before = G_MAXUINT;

  make_a_peak ();
  for (left = cothread_task_alloc_give_back (0); left > 0; left = cothread_task_alloc_give_back (100))
    {
      g_assert_cmpuint (left, <, before);
      g_assert_true (before == G_MAXUINT || before - left <= 100);
      before = left;
    }
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpuint (before, <=, 100);
#endif
}

static void
test_every_task_is_zeroed_and_on_a_cache_line_of_its_own (void)
{
  static const CothreadTask zero;

  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < N; i++)
        {
          tasks[i] = cothread_task_alloc ();
          g_assert_cmpuint ((gsize) tasks[i] % CT_CACHE_LINE, ==, 0);
          g_assert_cmpmem (tasks[i], sizeof zero, &zero, sizeof zero);
          memset (tasks[i], 0x5a, sizeof zero);
        }
      for (guint i = 0; i < N; i++)
        cothread_task_free (tasks[i]);
    }
}

static guint surplus;

static guint
give_back (guint max)
{
  surplus -= MIN (max, surplus);
  return surplus;
}

static void
test_an_idle_scheduler_asks_its_owner_to_give_back_until_there_is_no_more (CoreFixture *f)
{
  f->scheduler->give_back = give_back;
  surplus = 1000;
  core_turn (f);
  g_assert_cmpint (f->timeout_us, ==, G_USEC_PER_SEC);
  g_assert_cmpuint (surplus, ==, 1000);
  for (guint i = 0; i < 100 && f->timeout_us > 0; i++)
    core_pass (f, f->timeout_us);
  g_assert_cmpuint (surplus, ==, 0);
  g_assert_cmpint (f->timeout_us, ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/task-alloc/what-a-peak-left-is-given-back-in-portions", test_what_a_peak_left_is_given_back_in_portions);
  g_test_add_func ("/task-alloc/every-one-is-zeroed-and-on-a-cache-line-of-its-own",
                   test_every_task_is_zeroed_and_on_a_cache_line_of_its_own);
  core_test_add ("/task-alloc/an-idle-scheduler-asks-its-owner-to-give-back-until-there-is-no-more",
                 test_an_idle_scheduler_asks_its_owner_to_give_back_until_there_is_no_more);
  return g_test_run ();
}
