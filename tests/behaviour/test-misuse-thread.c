/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "misuse.h"

/* Everything that belongs on the scheduler's thread, called on another. */

static CothreadScheduler *scheduler;
static CothreadScheduler *unattached;
static CothreadTask *parked;
static CothreadEvent *event;
static CothreadPulse *pulse;
static CothreadEventQueue *queue;
static CothreadTimer *timer;
static CothreadCallbackQueue *callbacks;

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
do_nothing (G_GNUC_UNUSED CothreadTimer *self, G_GNUC_UNUSED gpointer unused)
{
}

static void
spawn_elsewhere (void)
{
  CothreadSpawnOptions options = { .scheduler = scheduler };

  g_assert_null (cothread_spawn_full (sleep_for_ever, NULL, &options, NULL));
}

static void
signal_an_error (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_NOENT, "");

  cothread_event_signal_error (event, error);
}

#define ROWS(ROW) \
  ROW (scheduler_get_default, g_assert_null (cothread_scheduler_get_default ())) \
  ROW (scheduler_attach, g_assert_false (cothread_scheduler_attach (unattached, NULL))) \
  ROW (scheduler_poll, g_assert_false (cothread_scheduler_poll (unattached, NULL, 0, NULL, NULL, NULL))) \
  ROW (scheduler_interrupt, cothread_scheduler_interrupt (scheduler)) \
  ROW (scheduler_shutdown, cothread_scheduler_shutdown (scheduler)) \
  ROW (scheduler_set_time_slice, cothread_scheduler_set_time_slice (scheduler, 7 * MS)) \
  ROW (scheduler_set_minimum_share, cothread_scheduler_set_minimum_share (scheduler, 0.7)) \
  ROW (scheduler_get_statistics, g_assert_null (cothread_scheduler_get_statistics (scheduler))) \
  ROW (scheduler_get_recent_turns, g_assert_null (cothread_scheduler_get_recent_turns (scheduler))) \
  ROW (scheduler_reset_longest_turn, cothread_scheduler_reset_longest_turn (scheduler)) \
  ROW (scheduler_list_tasks, g_ptr_array_unref (cothread_scheduler_list_tasks (scheduler))) \
  ROW (spawn, spawn_elsewhere ()) \
  ROW (spawn_without_a_scheduler, g_assert_null (cothread_spawn (sleep_for_ever, NULL))) \
  ROW (task_cancel, cothread_task_cancel (parked)) \
  ROW (task_join, g_assert_false (cothread_task_join (parked, COTHREAD_FOREVER, NULL, NULL))) \
  ROW (event_signal, cothread_event_signal (event)) \
  ROW (event_signal_value, cothread_event_signal_value (event, NULL, NULL)) \
  ROW (event_signal_error, signal_an_error ()) \
  ROW (event_reset, cothread_event_reset (event)) \
  ROW (event_abort_wait, cothread_event_abort_wait (event)) \
  ROW (event_wait, g_assert_false (cothread_event_wait (event, COTHREAD_FOREVER, NULL))) \
  ROW (pulse_signal, g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0)) \
  ROW (pulse_wait, g_assert_false (cothread_pulse_wait (pulse, COTHREAD_FOREVER, NULL))) \
  ROW (event_queue_signal, g_assert_false (cothread_event_queue_signal (queue, NULL))) \
  ROW (event_queue_wait, g_assert_false (cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, NULL))) \
  ROW (event_queue_close, cothread_event_queue_close (queue)) \
  ROW (event_queue_reset, cothread_event_queue_reset (queue)) \
  ROW (event_queue_abort_wait, cothread_event_queue_abort_wait (queue)) \
  ROW (timer_new, g_assert_null (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, do_nothing, NULL, NULL))) \
  ROW (timer_cancel, cothread_timer_cancel (timer)) \
  ROW (timer_reset, g_assert_false (cothread_timer_reset (timer, COTHREAD_FOREVER))) \
  ROW (callback_queue_new, g_assert_null (cothread_callback_queue_new (scheduler, "name"))) \
  ROW (callback_queue_close, cothread_callback_queue_close (callbacks)) \
  ROW (callback_queue_pause, cothread_callback_queue_pause (callbacks)) \
  ROW (callback_queue_resume, cothread_callback_queue_resume (callbacks)) \
  ROW (callback_queue_set_max_length, cothread_callback_queue_set_max_length (callbacks, 1)) \
  ROW (callback_queue_get_statistics, g_assert_null (cothread_callback_queue_get_statistics (callbacks))) \
  ROW (object_new_callback_queue, g_object_unref (g_object_new (COTHREAD_TYPE_CALLBACK_QUEUE, "name", "x", NULL)))

MISUSE_TABLE (ROWS)

static void
set_up (void)
{
  scheduler = cothread_scheduler_get_default ();
  unattached = cothread_scheduler_new (NULL);
  parked = spawn ("parked", sleep_for_ever, NULL);
  event = cothread_event_new (TRUE);
  pulse = cothread_pulse_new ();
  queue = cothread_event_queue_new (0, NULL);
  timer = cothread_timer_new (1000 * G_USEC_PER_SEC, COTHREAD_TIMER_REUSE, do_nothing, NULL, NULL);
  callbacks = cothread_scheduler_get_callback_queue (scheduler);
  settle ();
}

/* Nothing has changed. */
static void
tear_down (void)
{
  g_assert_true (cothread_scheduler_get_default () == scheduler);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), !=, 7 * MS);
  g_assert_cmpfloat (cothread_scheduler_get_minimum_share (scheduler), !=, 0.7);
  g_assert_false (cothread_task_is_cancelled (parked));
  g_assert_false (cothread_event_is_signalled (event));
  g_assert_false (cothread_event_queue_is_closed (queue));
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 0);
  g_assert_true (cothread_timer_is_pending (timer));
  cothread_event_signal (event);
  g_assert_true (cothread_event_is_signalled (event));
  g_assert_true (cothread_scheduler_poll (unattached, NULL, 0, NULL, NULL, NULL));
  g_clear_pointer (&parked, cothread_task_unref);
  g_clear_object (&unattached);
  g_clear_object (&event);
  g_clear_object (&pulse);
  g_clear_object (&queue);
  g_clear_object (&timer);
}

static void
test_row (void)
{
  set_up ();
  g_assert_cmpuint (misuse_count_complaints_in_a_thread (misuse_rows, G_N_ELEMENTS (misuse_rows)), ==, 1);
  assert_scheduler_works ();
  tear_down ();
}

static gpointer
wait_where_nothing_can (gpointer error)
{
  g_assert_false (cothread_yield (error));
  return NULL;
}

static void
test_a_wait_where_nothing_can_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_thread_join (g_thread_new ("wrong", wait_where_nothing_can, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  misuse_add ("/misuse/wrong-thread/", misuse_rows, G_N_ELEMENTS (misuse_rows), test_row);
  behaviour_add ("/misuse/wrong-thread/a-wait-is-an-error", test_a_wait_where_nothing_can_is_an_error);
  return g_test_run ();
}
