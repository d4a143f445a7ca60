/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Plain main(), outside any task and any dispatch, waits like a task, and the
 * main context runs meanwhile. */

static gpointer
sleep_and_say (gpointer timeout_us, GError **error)
{
  cothread_sleep (*(gint64 *) timeout_us, error);
  say ("%s", own_name ());
  return NULL;
}

static gboolean
say_idle (G_GNUC_UNUSED gpointer unused)
{
  say ("idle");
  return G_SOURCE_REMOVE;
}

static void
test_tasks_and_sources_run_while_main_sleeps (void)
{
  gint64 timeout_us = MS;

  start ("task", sleep_and_say, &timeout_us);
  add_source (G_PRIORITY_DEFAULT_IDLE, say_idle, NULL);
  g_assert_true (cothread_sleep (300 * MS, NULL));

  assert_said ("idle task");
}

static void
test_a_sleep_is_never_too_short (void)
{
  gint64 before = g_get_monotonic_time ();

  g_assert_true (cothread_sleep (3 * MS + 1, NULL));
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 3 * MS + 1);
}

static void
test_a_sleep_of_no_time_lets_every_ready_task_run_once (void)
{
  start ("a", say_own_name, NULL);
  start ("b", say_own_name, NULL);
  g_assert_true (cothread_sleep (0, NULL));

  assert_said ("a b");
}

static gpointer
compute_and_count (gpointer n, G_GNUC_UNUSED GError **error)
{
  gint64 end_us = g_get_monotonic_time () + MS;

  while (g_get_monotonic_time () < end_us)
    ;
  ++*(guint *) n;
  return NULL;
}

static void
test_a_sleep_of_no_time_lets_every_ready_task_run_once_although_turns_are_cut (void)
{
  guint n = 0;

  use_default_time_slice ();
  for (guint i = 0; i < 10; i++)
    start ("computing", compute_and_count, &n);
  g_assert_true (cothread_sleep (0, NULL));

  g_assert_cmpuint (n, ==, 10);
}

static void
test_a_wait_with_no_time_lets_every_ready_task_run_once (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();
  g_autoptr (GError) error = NULL;

  start ("a", say_own_name, NULL);
  g_assert_false (cothread_pulse_wait (pulse, 0, &error));

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_said ("a");
}

static gpointer
sleep_until_and_say (gpointer deadline_us, GError **error)
{
  cothread_sleep_until (*(gint64 *) deadline_us, error);
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_task_with_an_earlier_deadline_goes_on_before_main (void)
{
  gint64 deadline_us = g_get_monotonic_time () + 20 * MS;

  start ("task", sleep_until_and_say, &deadline_us);
  g_assert_true (cothread_sleep_until (deadline_us + 1, NULL));

  assert_said ("task");
}

static gpointer
suspend_twice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      say ("task");
      cothread_sleep (0, error);
    }
  return NULL;
}

static void
test_a_yield_lets_all_who_are_ready_run_first (void)
{
  start ("task", suspend_twice, NULL);
  g_assert_true (cothread_yield (NULL));
  say ("main");
  g_assert_true (cothread_checkpoint (NULL));

  assert_said ("task task main");
}

static gboolean
signal_event (gpointer event)
{
  cothread_event_signal (event);
  return G_SOURCE_REMOVE;
}

static gpointer
signal_event_in_task (gpointer event, G_GNUC_UNUSED GError **error)
{
  cothread_event_signal (event);
  return NULL;
}

static void
test_main_is_woken_by_a_task_and_by_a_source (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  add_source (G_PRIORITY_DEFAULT, signal_event, event);
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  start ("task", signal_event_in_task, event);
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  g_assert_false (cothread_event_is_signalled (event));
}

static void
test_main_does_not_suspend_for_what_is_there_already (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);
  gpointer item = NULL;

  start ("task", say_own_name, NULL);
  cothread_event_queue_signal (queue, &item);
  g_assert_true (cothread_event_queue_wait (queue, COTHREAD_FOREVER, &item, NULL));
  g_assert_true (item == &item);
  assert_said ("");
  settle ();

  assert_said ("task");
}

static gboolean
interrupt (gpointer scheduler)
{
  cothread_scheduler_interrupt (scheduler);
  return G_SOURCE_REMOVE;
}

static void
test_an_interrupt_ends_mains_wait_and_undoes_its_wakeup (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;

  add_source (G_PRIORITY_DEFAULT, interrupt, cothread_scheduler_get_default ());
  g_assert_false (cothread_event_wait (event, COTHREAD_FOREVER, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);

  /* Nobody waits any more: the signal is for the next. */
  cothread_event_signal (event);
  g_assert_true (cothread_event_is_signalled (event));
  g_assert_true (cothread_event_wait (event, 0, NULL));
}

static void
test_an_interrupt_leaves_the_tasks_alone (void)
{
  gint64 timeout_us = 5 * MS;
  g_autoptr (GError) error = NULL;

  start ("task", sleep_and_say, &timeout_us);
  add_source (G_PRIORITY_DEFAULT, interrupt, cothread_scheduler_get_default ());
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  run_until_no_task_is_left ();

  assert_said ("task");
}

static void
test_an_interrupt_waits_for_main_to_wait (void)
{
  g_autoptr (GError) error = NULL;

  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  settle ();
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, &error));

  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  g_assert_true (cothread_sleep (0, NULL));
}

static gpointer
wait_in_own_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadEvent) event = NULL;

  g_main_context_push_thread_default (context);
  event = cothread_event_new (TRUE);
  start ("task", signal_event_in_task, event);
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  return data;
}

static void
test_a_thread_with_a_context_of_its_own_waits_there (void)
{
  gboolean token;

  g_assert_true (g_thread_join (g_thread_new ("own", wait_in_own_context, &token)) == &token);
}

static gpointer
sleep_without_a_context (gpointer error)
{
  g_assert_false (cothread_sleep (0, error));
  return NULL;
}

static void
test_a_thread_without_a_context_of_its_own_gets_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_thread_join (g_thread_new ("none", sleep_without_a_context, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/wait/main/tasks-and-sources-run-while-it-sleeps", test_tasks_and_sources_run_while_main_sleeps);
  behaviour_add ("/wait/main/never-sleeps-too-short", test_a_sleep_is_never_too_short);
  behaviour_add_isolated ("/wait/main/a-sleep-of-no-time-lets-every-ready-task-run-once", test_a_sleep_of_no_time_lets_every_ready_task_run_once);
  behaviour_add_isolated ("/wait/main/a-sleep-of-no-time-lets-every-ready-task-run-once-although-turns-are-cut",
                          test_a_sleep_of_no_time_lets_every_ready_task_run_once_although_turns_are_cut);
  behaviour_add_isolated ("/wait/main/a-wait-with-no-time-lets-every-ready-task-run-once", test_a_wait_with_no_time_lets_every_ready_task_run_once);
  behaviour_add_isolated ("/wait/main/a-task-with-an-earlier-deadline-goes-on-before-it", test_a_task_with_an_earlier_deadline_goes_on_before_main);
  behaviour_add_virtual ("/wait/main/a-yield-lets-all-who-are-ready-run-first", test_a_yield_lets_all_who_are_ready_run_first);
  behaviour_add_virtual ("/wait/main/is-woken-by-a-task-and-by-a-source", test_main_is_woken_by_a_task_and_by_a_source);
  behaviour_add_virtual ("/wait/main/does-not-suspend-for-what-is-there-already", test_main_does_not_suspend_for_what_is_there_already);
  behaviour_add_virtual ("/wait/main/an-interrupt-ends-the-wait-and-undoes-its-wakeup", test_an_interrupt_ends_mains_wait_and_undoes_its_wakeup);
  behaviour_add_virtual ("/wait/main/an-interrupt-leaves-the-tasks-alone", test_an_interrupt_leaves_the_tasks_alone);
  behaviour_add_virtual ("/wait/main/an-interrupt-waits-for-main-to-wait", test_an_interrupt_waits_for_main_to_wait);
  behaviour_add_virtual ("/wait/main/a-thread-with-a-context-of-its-own-waits-there", test_a_thread_with_a_context_of_its_own_waits_there);
  behaviour_add_virtual ("/wait/main/a-thread-without-a-context-of-its-own-gets-an-error", test_a_thread_without_a_context_of_its_own_gets_an_error);
  return g_test_run ();
}
