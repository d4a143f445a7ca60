/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#define HOUR (3600 * 1000 * MS)

/* The virtual clock and the end of everything. */

static gpointer
sleep_and_say (gpointer ms, GError **error)
{
  if (cothread_sleep (GPOINTER_TO_INT (ms) * MS, error))
    say ("%s", own_name ());
  return NULL;
}

static gpointer
wait_and_say (gpointer event, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    say ("%s", own_name ());
  return NULL;
}

static void
a_day_passes_in_no_time (void)
{
  gint64 begin_us = now ();

  g_assert_true (cothread_sleep (24 * HOUR, NULL));
  g_assert_cmpint (now () - begin_us, ==, 24 * HOUR);
}

static void
the_clock_stands_still_while_something_is_ready (void)
{
  gint64 begin_us = now ();

  for (guint i = 0; i < 1000; i++)
    g_assert_true (cothread_sleep (0, NULL));
  g_assert_true (cothread_yield (NULL));
  settle ();
  g_assert_cmpint (now (), ==, begin_us);
}

static void
deadlines_come_in_their_order_and_each_at_its_time (void)
{
  gint64 begin_us = now ();

  start ("c", sleep_and_say, GINT_TO_POINTER (3));
  start ("a", sleep_and_say, GINT_TO_POINTER (1));
  start ("b1", sleep_and_say, GINT_TO_POINTER (2));
  start ("b2", sleep_and_say, GINT_TO_POINTER (2));
  g_assert_true (cothread_sleep (2 * MS, NULL));
  assert_said ("a b1 b2");
  g_assert_cmpint (now () - begin_us, ==, 2 * MS);
  run_until_no_task_is_left ();
  assert_said ("c");
  g_assert_cmpint (now () - begin_us, ==, 3 * MS);
}

static void
a_deadline_of_the_clock_is_met (void)
{
  gint64 deadline_us = now () + HOUR + 7;

  g_assert_true (cothread_sleep_until (deadline_us, NULL));
  g_assert_cmpint (now (), ==, deadline_us);
  g_assert_true (cothread_sleep_until (deadline_us - HOUR, NULL));
  g_assert_cmpint (now (), ==, deadline_us);
}

static void
a_timeout_comes_when_it_should (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;
  gint64 begin_us = now ();

  g_assert_false (cothread_event_wait (event, HOUR, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (now () - begin_us, ==, HOUR);
}

static gpointer
compute (gpointer n_yields, GError **error)
{
  cothread_test_scheduler_advance (test_scheduler (), 10 * MS);
  if (!cothread_checkpoint (error))
    return NULL;
  ++*(guint *) n_yields;
  say ("%s", own_name ());
  return NULL;
}

static void
advancing_uses_up_the_time_slice (void)
{
  guint n_yields = 0;

  start ("a", compute, &n_yields);
  start ("b", compute, &n_yields);
  settle ();
  g_assert_cmpuint (n_yields, ==, 2);
  g_assert_cmpint (now (), ==, G_USEC_PER_SEC + 20 * MS);
  assert_said ("a b"); /* each was sent to the back by its checkpoint */
}

static void
what_is_due_after_an_advance_runs_in_the_next_turn (void)
{
  start ("a", sleep_and_say, GINT_TO_POINTER (10));
  settle ();
  cothread_test_scheduler_advance (test_scheduler (), 10 * MS - 1);
  settle ();
  assert_said ("");
  cothread_test_scheduler_advance (test_scheduler (), 1);
  settle ();
  assert_said ("a");
}

static void
advancing_for_ever_stops_at_the_end_of_time (void)
{
  GError *error = NULL;
  gint64 end_us;

  cothread_test_scheduler_advance (test_scheduler (), G_MAXINT64);
  end_us = now ();
  cothread_test_scheduler_advance (test_scheduler (), G_MAXINT64);
  g_assert_cmpint (now (), ==, end_us);
  g_assert_cmpint (end_us, >, G_MAXINT64 / 2);
  g_assert_true (cothread_sleep (0, NULL));
  say_outcome (cothread_sleep (1000 * MS, &error), &error);
  assert_said ("main-deadlock");
}

/* ---- deadlock ---- */

static void
a_wait_that_nothing_can_end_is_a_deadlock (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_event_wait (event, COTHREAD_FOREVER, &error);

  say_outcome (success, &error);
  assert_said ("main-deadlock");
  cothread_event_signal (event);
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
}

static void
every_kind_of_wait_can_deadlock (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();
  g_autoptr (CothreadSemaphore) semaphore = cothread_semaphore_new (0, 0);
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_and_say, event);
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_PULSE, .object = pulse };
  GError *error = NULL;
  guint which;

  say_outcome (cothread_sleep (COTHREAD_FOREVER, &error), &error);
  say_outcome (cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, &error), &error);
  say_outcome (cothread_pulse_wait (pulse, COTHREAD_FOREVER, &error), &error);
  say_outcome (cothread_semaphore_acquire (semaphore, COTHREAD_FOREVER, &error), &error);
  say_outcome (cothread_wait_any (&item, 1, COTHREAD_FOREVER, &which, &error), &error);
  say_outcome (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error), &error);
  assert_said ("main-deadlock main-deadlock main-deadlock main-deadlock main-deadlock main-deadlock");

  /* Nothing was lost. */
  cothread_event_signal (event);
  g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL));
  assert_said ("waiter");
}

static void
the_message_names_the_tasks_that_wait (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *name = g_strdup_printf ("task-%u", i);

      start (name, i == 0 ? sleep_and_say : wait_and_say, i == 0 ? GINT_TO_POINTER (1) : (gpointer) event);
    }
  g_assert_false (cothread_test_scheduler_run (test_scheduler (), &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK);
  g_assert_nonnull (strstr (error->message, "task-1 (event), task-2 (event)"));
  g_assert_nonnull (strstr (error->message, "task-10 (event) and 1 more"));
  g_assert_null (strstr (error->message, "task-0"));
  assert_said ("task-0");
}

static void
a_wait_with_a_deadline_is_no_deadlock (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("a", wait_and_say, event);
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_task_join (task, HOUR, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

/* ---- run ---- */

static void
run_returns_when_every_task_has_ended (void)
{
  start ("b", sleep_and_say, GINT_TO_POINTER (2000));
  start ("a", sleep_and_say, GINT_TO_POINTER (1000));
  g_assert_true (cothread_test_scheduler_run (test_scheduler (), NULL));
  assert_said ("a b");
  g_assert_true (cothread_test_scheduler_run (test_scheduler (), NULL));
}

static void
say_posted (gpointer what)
{
  say ("%s", (const char *) what);
}

static void
run_runs_posted_callbacks_and_does_not_wait_for_more (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  cothread_callback_queue_post (queue, say_posted, (gpointer) "one", NULL, NULL);
  g_assert_true (cothread_test_scheduler_run (test_scheduler (), NULL));
  assert_said ("one");
}

static void
interrupt_now (G_GNUC_UNUSED gpointer unused)
{
  cothread_scheduler_interrupt (cothread_test_scheduler_get_scheduler (test_scheduler ()));
}

static void
run_can_be_interrupted (void)
{
  GError *error = NULL;

  start ("a", sleep_and_say, GINT_TO_POINTER (1000));
  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), interrupt_now, NULL, NULL, NULL);
  say_outcome (cothread_test_scheduler_run (test_scheduler (), &error), &error);
  assert_said ("main-interrupted");
  g_assert_true (cothread_test_scheduler_run (test_scheduler (), NULL));
  assert_said ("a");
}

static gpointer
run_in_task (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;

  say_outcome (cothread_test_scheduler_run (test_scheduler (), &error), &error);
  return NULL;
}

static gboolean
run_in_handler (G_GNUC_UNUSED gpointer data)
{
  GError *error = NULL;

  say_outcome (cothread_test_scheduler_run (test_scheduler (), &error), &error);
  return G_SOURCE_REMOVE;
}

static void
run_is_refused_in_a_task_and_in_a_handler (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  start ("a", run_in_task, NULL);
  g_source_set_callback (source, run_in_handler, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  settle ();
  assert_said ("a-refused main-refused");
}

static gboolean
shut_down (G_GNUC_UNUSED gpointer data)
{
  cothread_scheduler_shutdown (cothread_test_scheduler_get_scheduler (test_scheduler ()));
  return G_SOURCE_REMOVE;
}

static void
run_ends_when_the_scheduler_is_shut_down_in_it (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  GError *error = NULL;

  start ("a", sleep_and_say, GINT_TO_POINTER (1000));
  g_source_set_callback (source, shut_down, NULL, NULL);
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_attach (source, g_main_context_get_thread_default ());
  say_outcome (cothread_test_scheduler_run (test_scheduler (), &error), &error);
  assert_said ("main-closed");
  say_outcome (cothread_test_scheduler_run (test_scheduler (), &error), &error);
  assert_said ("main-closed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/test-scheduler/a-day", a_day_passes_in_no_time);
  sync_test_add ("/test-scheduler/clock-stands-still", the_clock_stands_still_while_something_is_ready);
  sync_test_add ("/test-scheduler/deadlines-in-order", deadlines_come_in_their_order_and_each_at_its_time);
  sync_test_add ("/test-scheduler/sleep-until", a_deadline_of_the_clock_is_met);
  sync_test_add ("/test-scheduler/timeout", a_timeout_comes_when_it_should);
  sync_test_add ("/test-scheduler/advance/uses-up-the-slice", advancing_uses_up_the_time_slice);
  sync_test_add ("/test-scheduler/advance/what-is-due", what_is_due_after_an_advance_runs_in_the_next_turn);
  sync_test_add ("/test-scheduler/advance/end-of-time", advancing_for_ever_stops_at_the_end_of_time);
  sync_test_add ("/test-scheduler/deadlock/main", a_wait_that_nothing_can_end_is_a_deadlock);
  sync_test_add ("/test-scheduler/deadlock/every-wait", every_kind_of_wait_can_deadlock);
  sync_test_add ("/test-scheduler/deadlock/names", the_message_names_the_tasks_that_wait);
  sync_test_add ("/test-scheduler/deadlock/not-with-a-deadline", a_wait_with_a_deadline_is_no_deadlock);
  sync_test_add ("/test-scheduler/run/all-ended", run_returns_when_every_task_has_ended);
  sync_test_add ("/test-scheduler/run/callbacks", run_runs_posted_callbacks_and_does_not_wait_for_more);
  sync_test_add ("/test-scheduler/run/interrupt", run_can_be_interrupted);
  sync_test_add ("/test-scheduler/run/refused", run_is_refused_in_a_task_and_in_a_handler);
  sync_test_add ("/test-scheduler/run/shutdown", run_ends_when_the_scheduler_is_shut_down_in_it);
  return g_test_run ();
}
