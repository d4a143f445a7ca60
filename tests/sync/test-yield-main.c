/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static gpointer
yield_for_ever (G_GNUC_UNUSED gpointer data, GError **error)
{
  while (cothread_yield (error))
    ;
  return NULL;
}

static void
a_yield_of_main_lets_the_ready_tasks_run_first (void)
{
  start ("a", say_own_name, NULL);
  start ("b", say_own_name, NULL);
  g_assert_true (cothread_yield (NULL));
  assert_said ("a b");
}

static void
a_timed_yield_of_main_does_too (void)
{
  start ("a", say_own_name, NULL);
  g_assert_true (cothread_yield_for (1000 * MS, NULL));
  assert_said ("a");
}

static void
a_sleep_of_nothing_in_main_does_too (void)
{
  start ("a", say_own_name, NULL);
  g_assert_true (cothread_sleep (0, NULL));
  assert_said ("a");
}

static void
endless_yielders_do_not_keep_main_from_returning (void)
{
  start ("a", yield_for_ever, NULL);
  for (guint i = 0; i < 100; i++)
    g_assert_true (cothread_yield (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/yield-main/ready-tasks-first", a_yield_of_main_lets_the_ready_tasks_run_first);
  sync_test_add ("/yield-main/timed", a_timed_yield_of_main_does_too);
  sync_test_add ("/yield-main/sleep-of-nothing", a_sleep_of_nothing_in_main_does_too);
  sync_test_add ("/yield-main/endless-yielders", endless_yielders_do_not_keep_main_from_returning);
  return g_test_run ();
}
