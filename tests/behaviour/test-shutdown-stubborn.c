/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* A shutdown waits for every task that ends; one that does not end although it
 * was cancelled is left behind. */

static void
shut_down (void)
{
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

static void
run_a_few_turns (void)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
}

static gpointer
sleep_and_say (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  say ("sleeper");
  return NULL;
}

static gpointer
clean_up_slowly (gpointer n, GError **error)
{
  gint64 end_us;

  cothread_sleep (COTHREAD_FOREVER, error);
  end_us = g_get_monotonic_time () + 15 * MS;
  while (g_get_monotonic_time () < end_us)
    ;
  ++*(guint *) n;
  return NULL;
}

static void
test_many_clean_ups_may_take_longer_than_the_patience_with_one_task (void)
{
  guint n = 0;

  for (guint i = 0; i < 150; i++)
    start ("slow", clean_up_slowly, &n);
  settle ();
  shut_down ();

  g_assert_cmpuint (n, ==, 150);
}

static gpointer
ignore_cancellation (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (;;)
    cothread_yield (NULL);
  return NULL;
}

/* Keeps what an abandoned task holds from being taken for a leak. */
static CothreadTask *abandoned;

static void
test_a_task_that_ignores_its_cancellation_is_reported_and_abandoned (void)
{
  use_default_time_slice ();
  abandoned = spawn ("stubborn", ignore_cancellation, NULL);
  start ("sleeper", sleep_and_say, NULL);
  run_a_few_turns ();
  expect_critical ("*stubborn*abandoned*");
  shut_down ();
  g_test_assert_expected_messages ();

  assert_said ("sleeper");
  assert_scheduler_works ();
}

static void
test_the_handle_of_an_abandoned_task_is_safe_to_use (void)
{
  g_autoptr (GError) error = NULL;

  use_default_time_slice ();
  abandoned = spawn ("stubborn", ignore_cancellation, NULL);
  run_a_few_turns ();
  expect_critical ("*stubborn*abandoned*");
  shut_down ();
  g_test_assert_expected_messages ();

  cothread_task_cancel (abandoned);
  g_assert_false (cothread_task_join (abandoned, 0, NULL, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/shutdown/many-clean-ups-may-take-longer-than-the-patience-with-one-task",
                          test_many_clean_ups_may_take_longer_than_the_patience_with_one_task);
  behaviour_add_isolated ("/shutdown/a-task-that-ignores-its-cancellation-is-reported-and-abandoned",
                          test_a_task_that_ignores_its_cancellation_is_reported_and_abandoned);
  behaviour_add_isolated ("/shutdown/the-handle-of-an-abandoned-task-is-safe-to-use", test_the_handle_of_an_abandoned_task_is_safe_to_use);
  return g_test_run ();
}
