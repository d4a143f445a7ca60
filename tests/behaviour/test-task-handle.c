/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>

/* Who owns what: handles, results, user data; and what a waiting task says it
 * waits for. */

static char text[] = "data";
static gint n_destroyed;
static GThread *destroyed_in;

static void
note_destruction (G_GNUC_UNUSED gpointer data)
{
  n_destroyed++;
  destroyed_in = g_thread_self ();
}

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GError **error)
{
  return data;
}

static gpointer
fail (G_GNUC_UNUSED gpointer data, GError **error)
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

static gpointer
unref_task (gpointer task)
{
  cothread_task_unref (task);
  return NULL;
}

static void
unref_in_another_thread (CothreadTask *task)
{
  g_thread_join (g_thread_new ("unref", unref_task, task));
}

static void
test_the_last_handle_frees_the_result_once (void)
{
  CothreadSpawnOptions options = { .result_destroy = note_destruction };
  CothreadTask *task = cothread_spawn_full (return_data, text, &options, NULL);

  n_destroyed = 0;
  settle ();
  g_assert_cmpint (n_destroyed, ==, 0);
  cothread_task_unref (cothread_task_ref (task));
  g_assert_cmpint (n_destroyed, ==, 0);
  cothread_task_unref (task);
  g_assert_cmpint (n_destroyed, ==, 1);
}

static void
test_a_result_that_nobody_wants_is_freed_at_the_end (void)
{
  CothreadSpawnOptions options = { .result_destroy = note_destruction };

  n_destroyed = 0;
  cothread_task_unref (cothread_spawn_full (return_data, text, &options, NULL));
  settle ();

  g_assert_cmpint (n_destroyed, ==, 1);
}

static void
test_the_last_handle_may_be_dropped_in_another_thread (void)
{
  CothreadSpawnOptions options = { .result_destroy = note_destruction };
  CothreadTask *task = cothread_spawn_full (return_data, text, &options, NULL);

  n_destroyed = 0;
  settle ();
  unref_in_another_thread (task);

  g_assert_cmpint (n_destroyed, ==, 1);
  g_assert_true (destroyed_in != g_thread_self ());
}

static gpointer
say_after_a_sleep (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (MS, error);
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_task_goes_on_without_a_handle (void)
{
  CothreadTask *task = spawn ("task", say_after_a_sleep, NULL);

  settle ();
  unref_in_another_thread (task);
  run_until_no_task_is_left ();

  assert_said ("task");
}

static void
test_no_handle_is_harmless_to_drop (void)
{
  cothread_task_unref (NULL);
}

static void
test_a_failure_that_nobody_joined_is_reported_with_the_last_handle (void)
{
  CothreadTask *task = spawn ("culprit", fail, NULL);

  settle ();
  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "*culprit*there is nothing*");
  cothread_task_unref (task);
  g_test_assert_expected_messages ();
}

static void
test_a_failure_that_nobody_could_join_is_reported_at_the_end (void)
{
  start ("culprit", fail, NULL);

  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "*culprit*there is nothing*");
  settle ();
  g_test_assert_expected_messages ();
}

static void
free_user_data_of_every_fate (gpointer destroy)
{
  CothreadSpawnOptions options = { .user_data_destroy = (GDestroyNotify) destroy };
  CothreadSpawnOptions impossible = { .user_data_destroy = (GDestroyNotify) destroy, .stack_bytes = G_MAXSIZE };
  g_autoptr (CothreadTask) cancelled_early = cothread_spawn_full (return_data, text, &options, NULL);
  g_autoptr (CothreadTask) cancelled_late = cothread_spawn_full (sleep_for_ever, text, &options, NULL);
  g_autoptr (CothreadTask) failed = cothread_spawn_full (fail, text, &options, NULL);
  g_autoptr (GError) error = NULL;

  cothread_task_unref (cothread_spawn_full (return_data, text, &options, NULL));
  cothread_task_cancel (cancelled_early);
  settle ();
  cothread_task_cancel (cancelled_late);
  settle ();
  cothread_task_join (failed, 0, NULL, NULL);
  g_assert_null (cothread_spawn_full (return_data, text, &impossible, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_user_data_are_freed_exactly_once_whatever_happens (void)
{
  n_destroyed = 0;
  free_user_data_of_every_fate (note_destruction);

  g_assert_cmpint (n_destroyed, ==, 5);
}

static void
note_running_task (gpointer location)
{
  *(CothreadTask **) location = cothread_task_self ();
}

static void
test_user_data_are_freed_in_their_task (void)
{
  CothreadTask *freed_in = NULL;
  CothreadSpawnOptions options = { .user_data_destroy = note_running_task };
  g_autoptr (CothreadTask) task = cothread_spawn_full (return_data, &freed_in, &options, NULL);

  settle ();

  g_assert_true (freed_in == task);
}

static CothreadEvent *event;
static CothreadPulse *pulse;
static CothreadEventQueue *queue;
static CothreadTask *other;
static gint ends[2];

static void
wait_for_an_event (void)
{
  cothread_event_wait (event, COTHREAD_FOREVER, NULL);
}

static void
wait_for_a_pulse (void)
{
  cothread_pulse_wait (pulse, COTHREAD_FOREVER, NULL);
}

static void
wait_for_an_item (void)
{
  cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, NULL);
}

static void
wait_for_a_task (void)
{
  cothread_task_join (other, COTHREAD_FOREVER, NULL, NULL);
}

static void
wait_for_a_descriptor (void)
{
  cothread_wait_fd (ends[0], G_IO_IN, COTHREAD_FOREVER, NULL);
}

static void
wait_for_a_time (void)
{
  cothread_sleep (COTHREAD_FOREVER, NULL);
}

static gpointer
call (gpointer func, G_GNUC_UNUSED GError **error)
{
  ((void (*) (void)) func) ();
  return NULL;
}

static void
assert_wait_reason (void (*wait) (void), const char *expected)
{
  g_autoptr (CothreadTask) task = spawn ("waiting", call, wait);
  g_autofree char *before = cothread_task_dup_wait_reason (task);
  g_autofree char *during = NULL;
  g_autofree char *after = NULL;

  g_assert_null (before);
  settle ();
  during = cothread_task_dup_wait_reason (task);
  g_assert_cmpstr (during, ==, expected);
  cothread_task_cancel (task);
  settle ();
  after = cothread_task_dup_wait_reason (task);
  g_assert_null (after);
}

static void
test_a_waiting_task_tells_what_it_waits_for (void)
{
  g_autofree char *descriptor = NULL;

  make_pipe (ends);
  descriptor = g_strdup_printf ("descriptor %d", ends[0]);
  event = cothread_event_new (TRUE);
  pulse = cothread_pulse_new ();
  queue = cothread_event_queue_new (0, NULL);
  other = spawn ("the-other", sleep_for_ever, NULL);

  assert_wait_reason (wait_for_a_time, "sleep");
  assert_wait_reason (wait_for_an_event, "event");
  assert_wait_reason (wait_for_a_pulse, "pulse");
  assert_wait_reason (wait_for_an_item, "event queue");
  assert_wait_reason (wait_for_a_task, "task the-other");
  assert_wait_reason (wait_for_a_descriptor, descriptor);

  g_clear_object (&event);
  g_clear_object (&pulse);
  g_clear_object (&queue);
  g_clear_pointer (&other, cothread_task_unref);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/task/result/the-last-handle-frees-it-once", test_the_last_handle_frees_the_result_once);
  behaviour_add_virtual ("/task/result/is-freed-at-the-end-if-nobody-wants-it", test_a_result_that_nobody_wants_is_freed_at_the_end);
  behaviour_add_virtual ("/task/handle/the-last-may-be-dropped-in-another-thread", test_the_last_handle_may_be_dropped_in_another_thread);
  behaviour_add_virtual ("/task/handle/a-task-goes-on-without-one", test_a_task_goes_on_without_a_handle);
  behaviour_add_virtual ("/task/handle/none-is-harmless-to-drop", test_no_handle_is_harmless_to_drop);
  behaviour_add_virtual ("/task/failure/is-reported-with-the-last-handle-if-nobody-joined", test_a_failure_that_nobody_joined_is_reported_with_the_last_handle);
  behaviour_add_virtual ("/task/failure/is-reported-at-the-end-if-nobody-could-join", test_a_failure_that_nobody_could_join_is_reported_at_the_end);
  behaviour_add_virtual ("/task/user-data/are-freed-exactly-once-whatever-happens", test_user_data_are_freed_exactly_once_whatever_happens);
  behaviour_add_virtual ("/task/user-data/are-freed-in-their-task", test_user_data_are_freed_in_their_task);
  behaviour_add_virtual ("/task/wait-reason/tells-what-a-waiting-task-waits-for", test_a_waiting_task_tells_what_it_waits_for);
  return g_test_run ();
}
