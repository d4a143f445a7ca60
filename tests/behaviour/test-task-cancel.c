/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <fcntl.h>
#include <glib/gstdio.h>

/* Cancellation is sticky, reaches every wait, outranks a timeout of the same
 * turn, and wakes exactly once. */

static void
say_what_came (gboolean success, GError *error)
{
  if (success)
    say ("%s:ok", own_name ());
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s:cancelled", own_name ());
  else
    say ("%s:%s", own_name (), error != NULL ? error->message : "no-error");
  g_clear_error (&error);
}

static gpointer
wait_for_event (gpointer event, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success = cothread_event_wait (event, COTHREAD_FOREVER, &failure);

  say_what_came (success, failure);
  return NULL;
}

static void
test_it_ends_the_present_wait (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_for_event, event);

  settle ();
  g_assert_false (cothread_task_is_cancelled (task));
  cothread_task_cancel (task);
  g_assert_true (cothread_task_is_cancelled (task));
  settle ();

  assert_said ("task:cancelled");
}

static gpointer
wait_three_times (gpointer event, G_GNUC_UNUSED GError **error)
{
  for (int i = 0; i < 3; i++)
    wait_for_event (event, NULL);
  return NULL;
}

static void
test_it_is_sticky (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_three_times, event);

  settle ();
  cothread_task_cancel (task);
  settle ();

  assert_said ("task:cancelled task:cancelled task:cancelled");
}

static void
test_it_wakes_once_however_often_it_is_asked_for (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_for_event, event);

  settle ();
  cothread_task_cancel (task);
  cothread_task_cancel (task);
  cothread_event_signal (event);
  settle ();

  assert_said ("task:cancelled");
  g_assert_cmpuint (cothread_task_get_switches (task), ==, 2);
  g_assert_true (cothread_event_is_signalled (event));
}

static void
test_a_task_that_never_ran_does_not_begin (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", say_own_name, NULL);
  g_autoptr (GError) error = NULL;

  cothread_task_cancel (task);
  settle ();

  assert_said ("");
  g_assert_false (cothread_task_join (task, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static gint64 deadline_us;

static gpointer
sleep_until_the_deadline (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success = cothread_sleep_until (deadline_us, &failure);

  say_what_came (success, failure);
  return NULL;
}

static gpointer
cancel_at_the_deadline (gpointer task, GError **error)
{
  cothread_sleep_until (deadline_us, error);
  cothread_task_cancel (*(CothreadTask **) task);
  return NULL;
}

static void
test_it_outranks_a_timeout_of_the_same_turn (void)
{
  CothreadTask *victim = NULL;

  /* Equal deadlines fire together, in the order in which they were set. */
  deadline_us = g_get_monotonic_time () + 5 * MS;
  start ("canceller", cancel_at_the_deadline, &victim);
  victim = spawn ("victim", sleep_until_the_deadline, NULL);
  run_until_no_task_is_left ();

  assert_said ("victim:cancelled");
  cothread_task_unref (victim);
}

static void
test_what_fired_before_counts_and_the_next_wait_fails (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_three_times, event);

  settle ();
  cothread_event_signal (event);
  cothread_task_cancel (task);
  settle ();

  assert_said ("task:ok task:cancelled task:cancelled");
}

static void
test_a_finished_task_stays_as_it_is (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", say_own_name, NULL);

  settle ();
  cothread_task_cancel (task);

  g_assert_false (cothread_task_is_cancelled (task));
  g_assert_true (cothread_task_join (task, 0, NULL, NULL));
  assert_said ("task");
}

static gpointer
cancel_itself (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success;

  cothread_task_cancel (cothread_task_self ());
  say ("goes-on");
  success = cothread_sleep (COTHREAD_FOREVER, &failure);
  say_what_came (success, failure);
  return NULL;
}

static void
test_a_task_that_cancels_itself_goes_on_to_its_next_wait (void)
{
  start ("task", cancel_itself, NULL);
  settle ();

  assert_said ("goes-on task:cancelled");
}

static gpointer
ignore_cancellation_for_a_while (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (int i = 0; i < 3; i++)
    {
      say ("%s", own_name ());
      cothread_sleep (COTHREAD_FOREVER, NULL);
    }
  return NULL;
}

static gpointer
suspend_twice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      say ("%s", own_name ());
      cothread_sleep (0, error);
    }
  return NULL;
}

static void
test_a_task_that_ignores_it_lets_the_others_run (void)
{
  g_autoptr (CothreadTask) stubborn = spawn ("stubborn", ignore_cancellation_for_a_while, NULL);

  settle ();
  cothread_task_cancel (stubborn);
  start ("other", suspend_twice, NULL);
  settle ();

  assert_said ("stubborn stubborn other stubborn other");
}

/* What a cancelled task waits for here is there already. */
static CothreadEvent *signalled;
static CothreadEvent *latched;
static CothreadEventQueue *filled;
static CothreadTask *finished;
static gint regular_file;

static gpointer
wait_for_what_is_ready (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GError *failure[6] = { NULL };
  gboolean success[6];

  cothread_task_cancel (cothread_task_self ());
  success[0] = cothread_checkpoint (&failure[0]);
  success[1] = cothread_event_wait (signalled, COTHREAD_FOREVER, &failure[1]);
  success[2] = cothread_event_wait (latched, COTHREAD_FOREVER, &failure[2]);
  success[3] = cothread_event_queue_wait (filled, COTHREAD_FOREVER, NULL, &failure[3]);
  success[4] = cothread_task_join (finished, COTHREAD_FOREVER, NULL, &failure[4]);
  success[5] = cothread_wait_fd (regular_file, G_IO_IN, COTHREAD_FOREVER, &failure[5]) != 0;
  for (int i = 0; i < 6; i++)
    say_what_came (success[i], failure[i]);
  return NULL;
}

static void
test_it_reaches_a_wait_for_something_ready (void)
{
  signalled = cothread_event_new (TRUE);
  latched = cothread_event_new (FALSE);
  filled = cothread_event_queue_new (0, NULL);
  finished = spawn ("finished", say_own_name, NULL);
  regular_file = g_open ("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
  settle ();
  assert_said ("finished");
  cothread_event_signal (signalled);
  cothread_event_signal (latched);
  cothread_event_queue_signal (filled, NULL);
  start ("a", wait_for_what_is_ready, NULL);
  settle ();

  assert_said ("a:cancelled a:cancelled a:cancelled a:cancelled a:cancelled a:cancelled");
  g_assert_true (cothread_event_is_signalled (signalled));
  g_assert_cmpuint (cothread_event_queue_get_length (filled), ==, 1);
  g_object_unref (signalled);
  g_object_unref (latched);
  g_object_unref (filled);
  cothread_task_unref (finished);
  g_close (regular_file, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/task/cancel/ends-the-present-wait", test_it_ends_the_present_wait);
  behaviour_add_virtual ("/task/cancel/is-sticky", test_it_is_sticky);
  behaviour_add_virtual ("/task/cancel/wakes-once-however-often-it-is-asked-for", test_it_wakes_once_however_often_it_is_asked_for);
  behaviour_add_virtual ("/task/cancel/a-task-that-never-ran-does-not-begin", test_a_task_that_never_ran_does_not_begin);
  behaviour_add_virtual ("/task/cancel/outranks-a-timeout-of-the-same-turn", test_it_outranks_a_timeout_of_the_same_turn);
  behaviour_add_virtual ("/task/cancel/what-fired-before-counts-and-the-next-wait-fails", test_what_fired_before_counts_and_the_next_wait_fails);
  behaviour_add_virtual ("/task/cancel/leaves-a-finished-task-as-it-is", test_a_finished_task_stays_as_it_is);
  behaviour_add_virtual ("/task/cancel/of-oneself-takes-effect-at-the-next-wait", test_a_task_that_cancels_itself_goes_on_to_its_next_wait);
  behaviour_add_virtual ("/task/cancel/a-task-that-ignores-it-lets-the-others-run", test_a_task_that_ignores_it_lets_the_others_run);
  behaviour_add_isolated ("/task/cancel/reaches-a-wait-for-something-ready", test_it_reaches_a_wait_for_something_ready);
  return g_test_run ();
}
