/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Late, empty and half-made things that are no reason to complain. */

static void
use_a_dead_scheduler (gpointer scheduler)
{
  CothreadSpawnOptions options = { .scheduler = scheduler };
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (scheduler);
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (scheduler);
  g_autoptr (GArray) turns = cothread_scheduler_get_recent_turns (scheduler);
  g_autoptr (GError) error = NULL;

  cothread_scheduler_shutdown (scheduler);
  g_assert_cmpuint (statistics->tasks + statistics->ready + statistics->waiting + statistics->running, ==, 0);
  g_assert_cmpuint (tasks->len, ==, 0);
  g_assert_null (cothread_scheduler_get_callback_queue (scheduler));
  cothread_scheduler_reset_longest_turn (scheduler);
  cothread_scheduler_set_time_slice (scheduler, 5 * MS);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), ==, 5 * MS);
  cothread_scheduler_set_minimum_share (scheduler, 0.5);
  g_assert_cmpfloat (cothread_scheduler_get_minimum_share (scheduler), ==, 0.5);
  g_assert_null (cothread_spawn_full (say_own_name, NULL, &options, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static void
test_a_scheduler_that_was_shut_down_answers (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);

  cothread_scheduler_shutdown (scheduler);
  g_assert_cmpuint (count_complaints (use_a_dead_scheduler, scheduler), ==, 0);
}

static void
test_a_scheduler_made_without_its_constructor_is_a_dead_one (void)
{
  g_autoptr (CothreadScheduler) scheduler = g_object_new (COTHREAD_TYPE_SCHEDULER, NULL);

  g_assert_cmpuint (count_complaints (use_a_dead_scheduler, scheduler), ==, 0);
}

static gpointer
wait_for_event_and_say (gpointer event, GError **error)
{
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, error));
  say ("event");
  return NULL;
}

static gpointer
wait_for_pulse_and_say (gpointer pulse, GError **error)
{
  g_assert_true (cothread_pulse_wait (pulse, COTHREAD_FOREVER, error));
  say ("pulse");
  return NULL;
}

static gpointer
take_item_and_say (gpointer queue, GError **error)
{
  g_assert_true (cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, error));
  say ("item");
  return NULL;
}

static void
say_called (G_GNUC_UNUSED gpointer unused)
{
  say ("called");
}

static void
use_objects_made_without_their_constructors (G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (CothreadEvent) event = g_object_new (COTHREAD_TYPE_EVENT, NULL);
  g_autoptr (CothreadPulse) pulse = g_object_new (COTHREAD_TYPE_PULSE, NULL);
  g_autoptr (CothreadEventQueue) queue = g_object_new (COTHREAD_TYPE_EVENT_QUEUE, NULL);
  g_autoptr (CothreadTimer) timer = g_object_new (COTHREAD_TYPE_TIMER, NULL);
  g_autoptr (CothreadCallbackQueue) callbacks = g_object_new (COTHREAD_TYPE_CALLBACK_QUEUE, NULL);

  start ("event", wait_for_event_and_say, event);
  start ("pulse", wait_for_pulse_and_say, pulse);
  start ("item", take_item_and_say, queue);
  settle ();
  g_assert_true (cothread_event_get_auto_reset (event));
  cothread_event_signal (event);
  cothread_pulse_signal (pulse, TRUE);
  g_assert_true (cothread_event_queue_signal (queue, NULL));
  settle ();
  g_assert_false (cothread_timer_is_pending (timer));
  cothread_timer_cancel (timer);
  g_assert_true (cothread_callback_queue_post (callbacks, say_called, NULL, NULL, NULL));
  settle ();
}

static void
test_objects_made_without_their_constructors_work (void)
{
  g_assert_cmpuint (count_complaints (use_objects_made_without_their_constructors, NULL), ==, 0);
  assert_said ("event pulse item called");
}

static void
use_a_finished_task (gpointer task)
{
  g_autofree char *reason = cothread_task_dup_wait_reason (task);

  cothread_task_cancel (task);
  g_assert_false (cothread_task_is_cancelled (task));
  g_assert_true (cothread_task_is_finished (task));
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_FINISHED);
  g_assert_null (reason);
  for (guint i = 0; i < 3; i++)
    g_assert_true (cothread_task_join (task, 0, NULL, NULL));
}

static void
test_a_finished_task_answers (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", say_own_name, NULL);

  settle ();
  assert_said ("task");
  g_assert_cmpuint (count_complaints (use_a_finished_task, task), ==, 0);
}

static void
poll_with_nonsense (gpointer scheduler)
{
  GPollFD nonsense[] = {
    { -1, G_IO_IN, G_IO_IN }, { G_MAXINT, G_IO_IN, G_IO_IN }, { G_MININT, 0, 0xffff }, { 7000, G_IO_OUT, G_IO_NVAL }, { 0, 0, 0xffff },
  };

  g_assert_true (cothread_scheduler_poll (scheduler, nonsense, G_N_ELEMENTS (nonsense), NULL, NULL, NULL));
}

static void
test_a_foreign_loop_may_report_descriptors_that_nobody_asked_for (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);

  g_assert_cmpuint (count_complaints (poll_with_nonsense, scheduler), ==, 0);
}

static void
test_a_plain_call_needs_no_scheduler (void)
{
  cothread_call_on_thread_stack (say_called, NULL);
  assert_said ("called");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/misuse/harmless/a-scheduler-that-was-shut-down-answers", test_a_scheduler_that_was_shut_down_answers);
  behaviour_add ("/misuse/harmless/a-scheduler-made-without-its-constructor-is-a-dead-one", test_a_scheduler_made_without_its_constructor_is_a_dead_one);
  behaviour_add ("/misuse/harmless/objects-made-without-their-constructors-work", test_objects_made_without_their_constructors_work);
  behaviour_add ("/misuse/harmless/a-finished-task-answers", test_a_finished_task_answers);
  behaviour_add ("/misuse/harmless/a-foreign-loop-may-report-descriptors-that-nobody-asked-for",
                 test_a_foreign_loop_may_report_descriptors_that_nobody_asked_for);
  behaviour_add ("/misuse/harmless/a-call-on-the-threads-own-stack-outside-any-task-is-a-plain-call", test_a_plain_call_needs_no_scheduler);
  return g_test_run ();
}
