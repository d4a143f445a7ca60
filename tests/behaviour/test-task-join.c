/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Joining: any number of tasks, at once or one after another, and all get the
 * result or the error. */

static char success[] = "result";
static char untouched[] = "untouched";

static gpointer
wait_and_return (gpointer event, GError **error)
{
  return cothread_event_wait (event, COTHREAD_FOREVER, error) ? success : NULL;
}

static gpointer
return_at_once (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return success;
}

static gpointer
fail (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "there is nothing");
  return NULL;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
join_and_say (CothreadTask *task, gint64 timeout_us)
{
  g_autoptr (GError) error = NULL;
  gpointer result = untouched;

  if (cothread_task_join (task, timeout_us, &result, &error))
    {
      g_assert_no_error (error);
      say ("%s:%s", own_name (), (const char *) result);
      return;
    }
  g_assert_nonnull (error);
  g_assert_cmpstr (result, ==, "untouched");
  say ("%s:%s", own_name (),
       g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timed-out" :
       g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled" :
       g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? "noent" : "?");
}

static gpointer
join (gpointer task, G_GNUC_UNUSED GError **error)
{
  join_and_say (task, COTHREAD_FOREVER);
  return NULL;
}

static void
test_many_at_once_get_the_result_in_the_order_they_began_to_wait (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_and_return, event);

  start ("a", join, task);
  start ("b", join, task);
  start ("c", join, task);
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();

  assert_said ("a:result b:result c:result");
}

static void
test_one_after_another_get_the_result (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", return_at_once, NULL);

  start ("a", join, task);
  settle ();
  start ("b", join, task);
  settle ();
  start ("c", join, task);
  settle ();

  assert_said ("a:result b:result c:result");
}

static gpointer
join_a_finished_task (gpointer task, G_GNUC_UNUSED GError **error)
{
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  join_and_say (task, COTHREAD_FOREVER);
  g_assert_cmpuint (own_switches (), ==, before);
  return NULL;
}

static void
test_joining_a_finished_task_does_not_suspend (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", return_at_once, NULL);

  settle ();
  start ("joiner", join_a_finished_task, task);
  settle ();

  assert_said ("joiner:result bystander");
}

static void
test_the_error_reaches_every_joiner (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", fail, NULL);

  start ("a", join, task);
  start ("b", join, task);
  settle ();
  start ("c", join, task);
  settle ();

  assert_said ("a:noent b:noent c:noent");
  /* And no warning when the handle goes: somebody has seen it. */
}

static gpointer
join_for_a_millisecond (gpointer task, G_GNUC_UNUSED GError **error)
{
  join_and_say (task, MS);
  return NULL;
}

static void
test_a_join_that_times_out_can_be_made_again (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_and_return, event);
  g_autoptr (CothreadTask) impatient = spawn ("impatient", join_for_a_millisecond, task);

  g_assert_true (cothread_task_join (impatient, COTHREAD_FOREVER, NULL, NULL));
  assert_said ("impatient:timed-out");
  start ("patient", join, task);
  cothread_event_signal (event);
  settle ();

  assert_said ("patient:result");
}

static gpointer
join_with_no_time (gpointer task, G_GNUC_UNUSED GError **error)
{
  start ("bystander", say_own_name, NULL);
  join_and_say (task, 0);
  return NULL;
}

static void
test_a_join_with_no_time_suspends_once (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_for_ever, NULL);

  start ("joiner", join_with_no_time, task);
  settle ();

  assert_said ("bystander joiner:timed-out");
}

static gpointer
fail_after_a_signal (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, NULL);
  return fail (NULL, error);
}

static void
test_a_joiner_who_left_early_has_not_seen_the_failure (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  CothreadTask *task = spawn ("culprit", fail_after_a_signal, event);

  start ("impatient", join_with_no_time, task);
  settle ();
  assert_said ("bystander impatient:timed-out");
  cothread_event_signal (event);
  settle ();

  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "*culprit*nobody joined it*");
  cothread_task_unref (task);
  g_test_assert_expected_messages ();
}

static void
test_a_cancelled_joiner_leaves_the_task_alone (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_and_return, event);
  g_autoptr (CothreadTask) joiner = spawn ("joiner", join, task);

  start ("other", join, task);
  settle ();
  cothread_task_cancel (joiner);
  settle ();
  assert_said ("joiner:cancelled");
  cothread_event_signal (event);
  settle ();

  assert_said ("other:result");
}

static void
test_a_task_cancelled_before_it_began_fails_its_joiners (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", return_at_once, NULL);

  cothread_task_cancel (task);
  start ("joiner", join, task);
  settle ();

  assert_said ("joiner:cancelled");
}

static void
test_main_joins_a_task_outside_any_task (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", return_at_once, NULL);
  g_autoptr (CothreadTask) bad = spawn ("bad", fail, NULL);
  g_autoptr (GError) error = NULL;
  gpointer result = NULL;

  g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, &result, NULL));
  g_assert_cmpstr (result, ==, "result");
  g_assert_false (cothread_task_join (bad, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static gpointer
join_and_drop (gpointer task, G_GNUC_UNUSED GError **error)
{
  join_and_say (task, COTHREAD_FOREVER);
  cothread_task_unref (task);
  return NULL;
}

static void
test_a_joiner_may_drop_the_last_handle (void)
{
  start ("joiner", join_and_drop, spawn ("task", return_at_once, NULL));
  settle ();

  assert_said ("joiner:result");
  g_assert_cmpuint (live_tasks (), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/task/join/many-at-once-get-the-result-in-the-order-they-began-to-wait",
                 test_many_at_once_get_the_result_in_the_order_they_began_to_wait);
  behaviour_add_virtual ("/task/join/one-after-another-get-the-result", test_one_after_another_get_the_result);
  behaviour_add_virtual ("/task/join/of-a-finished-task-does-not-suspend", test_joining_a_finished_task_does_not_suspend);
  behaviour_add_virtual ("/task/join/the-error-reaches-everybody", test_the_error_reaches_every_joiner);
  behaviour_add_virtual ("/task/join/can-be-made-again-after-it-timed-out", test_a_join_that_times_out_can_be_made_again);
  behaviour_add_virtual ("/task/join/with-no-time-suspends-once", test_a_join_with_no_time_suspends_once);
  behaviour_add_virtual ("/task/join/who-left-early-has-not-seen-the-failure", test_a_joiner_who_left_early_has_not_seen_the_failure);
  behaviour_add_virtual ("/task/join/a-cancelled-joiner-leaves-the-task-alone", test_a_cancelled_joiner_leaves_the_task_alone);
  behaviour_add_virtual ("/task/join/of-a-task-cancelled-before-it-began-is-cancelled", test_a_task_cancelled_before_it_began_fails_its_joiners);
  behaviour_add_virtual ("/task/join/main-can-join-outside-any-task", test_main_joins_a_task_outside_any_task);
  behaviour_add_virtual ("/task/join/the-joiner-may-drop-the-last-handle", test_a_joiner_may_drop_the_last_handle);
  return g_test_run ();
}
