/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Sleeping, in tasks. */

static gpointer
sleep_with_a_bystander (gpointer data, GError **error)
{
  gint64 timeout_us = *(gint64 *) data;
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  g_assert_true (cothread_sleep (timeout_us, error));
  say ("slept:%d", (int) (own_switches () - before));
  return NULL;
}

static void
test_no_time_suspends_once (void)
{
  gint64 zero = 0;

  start ("task", sleep_with_a_bystander, &zero);
  settle ();

  assert_said ("bystander slept:1");
}

static gpointer
sleep_until_with_a_bystander (gpointer data, GError **error)
{
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  g_assert_true (cothread_sleep_until (*(gint64 *) data, error));
  say ("slept:%d", (int) (own_switches () - before));
  return NULL;
}

static void
test_a_moment_in_the_past_suspends_once (void)
{
  gint64 past[] = { now () - 1, 0, -1, G_MININT64 };

  for (guint i = 0; i < G_N_ELEMENTS (past); i++)
    {
      start ("task", sleep_until_with_a_bystander, &past[i]);
      settle ();
      assert_said ("bystander slept:1");
    }
}

static gpointer
measure_a_sleep (gpointer elapsed_us, GError **error)
{
  gint64 before = now ();

  g_assert_true (cothread_sleep (7 * MS + 1, error));
  *(gint64 *) elapsed_us = now () - before;
  return NULL;
}

static void
test_no_sleep_is_too_short (void)
{
  gint64 elapsed_us = 0;

  start ("task", measure_a_sleep, &elapsed_us);
  run_until_no_task_is_left ();

  g_assert_cmpint (elapsed_us, >=, 7 * MS + 1);
}

static gpointer
sleep_until_and_say (gpointer deadline_us, GError **error)
{
  g_assert_true (cothread_sleep_until (*(gint64 *) deadline_us, error));
  say ("%s", own_name ());
  return NULL;
}

static void
test_sleepers_wake_in_the_order_of_their_deadlines (void)
{
  gint64 now_us = now ();
  gint64 deadlines_us[] = { now_us + 9 * MS, now_us + 3 * MS, now_us + 6 * MS, now_us + 3 * MS + 1 };

  start ("d", sleep_until_and_say, &deadlines_us[0]);
  start ("a", sleep_until_and_say, &deadlines_us[1]);
  start ("c", sleep_until_and_say, &deadlines_us[2]);
  start ("b", sleep_until_and_say, &deadlines_us[3]);
  run_until_no_task_is_left ();

  assert_said ("a b c d");
}

static void
test_equal_deadlines_fire_in_the_order_they_were_set (void)
{
  gint64 deadline_us = now () + 5 * MS;
  const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    start (names[i], sleep_until_and_say, &deadline_us);
  run_until_no_task_is_left ();

  assert_said ("a b c d e f g h i j");
}

static gpointer
wait_for_event_and_say (gpointer event, GError **error)
{
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, error));
  say ("%s", own_name ());
  return NULL;
}

static void
test_those_woken_by_time_come_after_those_made_ready (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  gint64 deadline_us = now () + 200 * MS;

  start ("sleeper", sleep_until_and_say, &deadline_us);
  start ("waiter", wait_for_event_and_say, event);
  settle ();
  cothread_test_scheduler_advance (test_scheduler (), 201 * MS);
  cothread_event_signal (event);
  run_until_no_task_is_left ();

  /* Although the sleeper was due before the signal. */
  assert_said ("waiter sleeper");
}

static gpointer
sleep_until_the_end_of_time (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep_until (G_MAXINT64, error);
  return NULL;
}

static gpointer
sleep_very_long (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (G_MAXINT64 - 1, error);
  return NULL;
}

static void
test_a_sleep_may_be_as_long_as_it_likes (void)
{
  g_autoptr (CothreadTask) until = spawn ("until", sleep_until_the_end_of_time, NULL);
  g_autoptr (CothreadTask) sleeper = spawn ("sleeper", sleep_very_long, NULL);

  settle ();
  g_assert_cmpint (cothread_task_get_state (until), ==, COTHREAD_TASK_WAITING);
  g_assert_cmpint (cothread_task_get_state (sleeper), ==, COTHREAD_TASK_WAITING);
  assert_scheduler_works ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/wait/sleep/no-time-suspends-once", test_no_time_suspends_once);
  behaviour_add_virtual ("/wait/sleep/until-a-moment-in-the-past-suspends-once", test_a_moment_in_the_past_suspends_once);
  behaviour_add ("/wait/sleep/is-never-too-short", test_no_sleep_is_too_short);
  behaviour_add_virtual ("/wait/sleep/sleepers-wake-in-the-order-of-their-deadlines", test_sleepers_wake_in_the_order_of_their_deadlines);
  behaviour_add_virtual ("/wait/sleep/equal-deadlines-fire-in-the-order-they-were-set", test_equal_deadlines_fire_in_the_order_they_were_set);
  behaviour_add_virtual ("/wait/sleep/those-woken-by-time-come-after-those-made-ready", test_those_woken_by_time_come_after_those_made_ready);
  behaviour_add_virtual ("/wait/sleep/may-be-as-long-as-it-likes", test_a_sleep_may_be_as_long_as_it_likes);
  return g_test_run ();
}
