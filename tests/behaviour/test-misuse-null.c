/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "misuse.h"

/* Every public function, given no object, or the wrong one. */

static void
never_called (G_GNUC_UNUSED gpointer unused)
{
  g_assert_not_reached ();
}

static CothreadEvent *
something_else (void)
{
  static CothreadPulse *pulse;

  if (pulse == NULL)
    pulse = cothread_pulse_new ();
  return (CothreadEvent *) pulse;
}

#define ROWS(ROW) \
  ROW (scheduler_attach, cothread_scheduler_attach (NULL, NULL)) \
  ROW (scheduler_poll, cothread_scheduler_poll (NULL, NULL, 0, NULL, NULL, NULL)) \
  ROW (scheduler_interrupt, cothread_scheduler_interrupt (NULL)) \
  ROW (scheduler_shutdown, cothread_scheduler_shutdown (NULL)) \
  ROW (scheduler_get_time_slice, cothread_scheduler_get_time_slice (NULL)) \
  ROW (scheduler_set_time_slice, cothread_scheduler_set_time_slice (NULL, 2 * MS)) \
  ROW (scheduler_get_minimum_share, cothread_scheduler_get_minimum_share (NULL)) \
  ROW (scheduler_set_minimum_share, cothread_scheduler_set_minimum_share (NULL, 0.1)) \
  ROW (scheduler_get_statistics, g_assert_null (cothread_scheduler_get_statistics (NULL))) \
  ROW (scheduler_get_recent_turns, g_assert_null (cothread_scheduler_get_recent_turns (NULL))) \
  ROW (scheduler_reset_longest_turn, cothread_scheduler_reset_longest_turn (NULL)) \
  ROW (scheduler_list_tasks, g_ptr_array_unref (cothread_scheduler_list_tasks (NULL))) \
  ROW (scheduler_get_callback_queue, g_assert_null (cothread_scheduler_get_callback_queue (NULL))) \
  ROW (scheduler_peek_callback_queue, g_assert_null (cothread_scheduler_peek_callback_queue (NULL))) \
  ROW (call_on_thread_stack, cothread_call_on_thread_stack (NULL, NULL)) \
  ROW (spawn, g_assert_null (cothread_spawn_full (NULL, NULL, NULL, NULL))) \
  ROW (task_ref, g_assert_null (cothread_task_ref (NULL))) \
  ROW (task_join, g_assert_false (cothread_task_join (NULL, COTHREAD_FOREVER, NULL, NULL))) \
  ROW (task_cancel, cothread_task_cancel (NULL)) \
  ROW (task_is_cancelled, cothread_task_is_cancelled (NULL)) \
  ROW (task_is_finished, cothread_task_is_finished (NULL)) \
  ROW (task_get_state, cothread_task_get_state (NULL)) \
  ROW (task_get_id, cothread_task_get_id (NULL)) \
  ROW (task_get_name, g_assert_null (cothread_task_get_name (NULL))) \
  ROW (task_get_switches, cothread_task_get_switches (NULL)) \
  ROW (task_dup_wait_reason, g_assert_null (cothread_task_dup_wait_reason (NULL))) \
  ROW (event_get_auto_reset, cothread_event_get_auto_reset (NULL)) \
  ROW (event_signal, cothread_event_signal (NULL)) \
  ROW (event_signal_value, cothread_event_signal_value (NULL, NULL, NULL)) \
  ROW (event_signal_error, cothread_event_signal_error (NULL, NULL)) \
  ROW (event_signal_no_error, cothread_event_signal_error (g_object_new (COTHREAD_TYPE_EVENT, NULL), NULL)) \
  ROW (event_reset, cothread_event_reset (NULL)) \
  ROW (event_is_signalled, cothread_event_is_signalled (NULL)) \
  ROW (event_wait, g_assert_false (cothread_event_wait (NULL, COTHREAD_FOREVER, NULL))) \
  ROW (event_wait_value, g_assert_false (cothread_event_wait_value (NULL, COTHREAD_FOREVER, NULL, NULL))) \
  ROW (event_abort_wait, cothread_event_abort_wait (NULL)) \
  ROW (event_that_is_none, cothread_event_signal (something_else ())) \
  ROW (event_wait_for_one_that_is_none, g_assert_false (cothread_event_wait (something_else (), COTHREAD_FOREVER, NULL))) \
  ROW (pulse_signal, cothread_pulse_signal (NULL, TRUE)) \
  ROW (pulse_wait, g_assert_false (cothread_pulse_wait (NULL, COTHREAD_FOREVER, NULL))) \
  ROW (event_queue_signal, g_assert_false (cothread_event_queue_signal (NULL, NULL))) \
  ROW (event_queue_wait, g_assert_false (cothread_event_queue_wait (NULL, COTHREAD_FOREVER, NULL, NULL))) \
  ROW (event_queue_close, cothread_event_queue_close (NULL)) \
  ROW (event_queue_is_closed, cothread_event_queue_is_closed (NULL)) \
  ROW (event_queue_get_length, cothread_event_queue_get_length (NULL)) \
  ROW (event_queue_get_max_length, cothread_event_queue_get_max_length (NULL)) \
  ROW (event_queue_reset, cothread_event_queue_reset (NULL)) \
  ROW (event_queue_abort_wait, cothread_event_queue_abort_wait (NULL)) \
  ROW (timer_new, g_assert_null (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, NULL, NULL, NULL))) \
  ROW (timer_cancel, cothread_timer_cancel (NULL)) \
  ROW (timer_reset, g_assert_false (cothread_timer_reset (NULL, 0))) \
  ROW (timer_is_pending, cothread_timer_is_pending (NULL)) \
  ROW (poll_list, g_assert_cmpint (cothread_poll_list (NULL, 1, COTHREAD_FOREVER, NULL), ==, -1)) \
  ROW (statistics_copy, g_assert_null (cothread_statistics_copy (NULL))) \
  ROW (callback_queue_new, g_assert_null (cothread_callback_queue_new (NULL, "name"))) \
  ROW (callback_queue_new_nameless, g_assert_null (cothread_callback_queue_new (cothread_scheduler_get_default (), NULL))) \
  ROW (callback_queue_post, g_assert_false (cothread_callback_queue_post (NULL, never_called, NULL, NULL, NULL))) \
  ROW (callback_queue_close, cothread_callback_queue_close (NULL)) \
  ROW (callback_queue_pause, cothread_callback_queue_pause (NULL)) \
  ROW (callback_queue_resume, cothread_callback_queue_resume (NULL)) \
  ROW (callback_queue_get_length, cothread_callback_queue_get_length (NULL)) \
  ROW (callback_queue_get_statistics, g_assert_null (cothread_callback_queue_get_statistics (NULL)))

MISUSE_TABLE (ROWS)

static void
test_row (void)
{
  g_assert_cmpuint (misuse_count_complaints (misuse_rows, G_N_ELEMENTS (misuse_rows)), ==, 1);
  assert_scheduler_works ();
}

static void
free_nothing (G_GNUC_UNUSED gpointer unused)
{
  cothread_task_unref (NULL);
  cothread_statistics_free (NULL);
  cothread_callback_statistics_free (NULL);
}

static void
test_freeing_nothing_is_harmless (void)
{
  g_assert_cmpuint (count_complaints (free_nothing, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  misuse_add ("/misuse/no-object/", misuse_rows, G_N_ELEMENTS (misuse_rows), test_row);
  behaviour_add ("/misuse/no-object/is-harmless-to-free", test_freeing_nothing_is_harmless);
  return g_test_run ();
}
