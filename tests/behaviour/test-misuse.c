/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "misuse.h"

#include <math.h>

/* Impossible numbers, things done twice, and objects that were made without
 * their constructors or have had their time. */

static CothreadScheduler *scheduler;
static CothreadScheduler *unattached;
static CothreadScheduler *dead;      /* has been shut down */
static CothreadScheduler *stillborn; /* g_object_new() and nothing else */
static CothreadEvent *event;
static CothreadPulse *pulse;
static CothreadEventQueue *queue;
static CothreadTimer *timer;
static CothreadTask *task;

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

static gpointer
join_oneself (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_assert_false (cothread_task_join (cothread_task_self (), COTHREAD_FOREVER, NULL, NULL));
  return NULL;
}

static gpointer
sleep_backwards (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_assert_false (cothread_sleep (-2, NULL));
  return NULL;
}

static void
run_task (CothreadTaskFunc func)
{
  start ("task", func, NULL);
  settle ();
}

static void
attach_to_a_fresh_context_twice (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_assert_true (cothread_scheduler_attach (unattached, context));
  g_assert_false (cothread_scheduler_attach (unattached, context));
  cothread_scheduler_shutdown (unattached);
}

static void
poll_into_an_array_of_bytes (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  cothread_scheduler_poll (unattached, NULL, 0, (GArray *) bytes, NULL, NULL);
}

static void
signal_a_closed_queue (void)
{
  cothread_event_queue_close (queue);
  g_assert_false (cothread_event_queue_signal (queue, NULL));
}

#define ROWS(ROW) \
  ROW (negative_timeout_sleep, g_assert_false (cothread_sleep (-2, NULL))) \
  ROW (negative_timeout_sleep_in_a_task, run_task (sleep_backwards)) \
  ROW (most_negative_timeout_sleep, g_assert_false (cothread_sleep (G_MININT64, NULL))) \
  ROW (negative_timeout_yield_for, g_assert_false (cothread_yield_for (-2, NULL))) \
  ROW (negative_timeout_join, g_assert_false (cothread_task_join (task, -2, NULL, NULL))) \
  ROW (negative_timeout_event, g_assert_false (cothread_event_wait (event, -2, NULL))) \
  ROW (negative_timeout_event_value, g_assert_false (cothread_event_wait_value (event, -2, NULL, NULL))) \
  ROW (negative_timeout_pulse, g_assert_false (cothread_pulse_wait (pulse, -2, NULL))) \
  ROW (negative_timeout_event_queue, g_assert_false (cothread_event_queue_wait (queue, -2, NULL, NULL))) \
  ROW (negative_timeout_descriptor, g_assert_cmpint (cothread_wait_fd (0, G_IO_IN, -2, NULL), ==, 0)) \
  ROW (negative_timeout_descriptor_again, g_assert_cmpint (cothread_wait_fd_again (0, G_IO_IN, -2, NULL), ==, 0)) \
  ROW (negative_timeout_descriptors, g_assert_cmpint (cothread_poll_list (NULL, 0, -2, NULL), ==, -1)) \
  ROW (negative_timeout_timer, g_assert_null (cothread_timer_new (-2, COTHREAD_TIMER_DEFAULT, do_nothing, NULL, NULL))) \
  ROW (negative_timeout_timer_reset, g_assert_false (cothread_timer_reset (timer, -2))) \
  ROW (time_slice_of_nothing, cothread_scheduler_set_time_slice (scheduler, 0)) \
  ROW (time_slice_too_short, cothread_scheduler_set_time_slice (scheduler, 49)) \
  ROW (time_slice_too_long, cothread_scheduler_set_time_slice (scheduler, G_USEC_PER_SEC + 1)) \
  ROW (minimum_share_negative, cothread_scheduler_set_minimum_share (scheduler, -0.01)) \
  ROW (minimum_share_of_everything, cothread_scheduler_set_minimum_share (scheduler, 1)) \
  ROW (minimum_share_not_a_number, cothread_scheduler_set_minimum_share (scheduler, (double) NAN)) \
  ROW (join_oneself_in_a_task, run_task (join_oneself)) \
  ROW (attach_twice, attach_to_a_fresh_context_twice ()) \
  ROW (attach_an_attached_one_elsewhere, g_assert_false (cothread_scheduler_attach (scheduler, NULL))) \
  ROW (attach_a_second_to_one_context, g_assert_false (cothread_scheduler_attach (unattached, g_main_context_get_thread_default ()))) \
  ROW (attach_a_dead_one, g_assert_false (cothread_scheduler_attach (dead, NULL))) \
  ROW (attach_a_stillborn_one, g_assert_false (cothread_scheduler_attach (stillborn, NULL))) \
  ROW (poll_an_attached_one, g_assert_false (cothread_scheduler_poll (scheduler, NULL, 0, NULL, NULL, NULL))) \
  ROW (poll_a_dead_one, g_assert_false (cothread_scheduler_poll (dead, NULL, 0, NULL, NULL, NULL))) \
  ROW (poll_a_stillborn_one, g_assert_false (cothread_scheduler_poll (stillborn, NULL, 0, NULL, NULL, NULL))) \
  ROW (poll_with_descriptors_that_are_not_there, g_assert_false (cothread_scheduler_poll (unattached, NULL, 3, NULL, NULL, NULL))) \
  ROW (poll_into_bytes, poll_into_an_array_of_bytes ()) \
  ROW (interrupt_a_dead_one, cothread_scheduler_interrupt (dead)) \
  ROW (interrupt_a_stillborn_one, cothread_scheduler_interrupt (stillborn)) \
  ROW (callback_queue_of_a_dead_one, g_assert_null (cothread_callback_queue_new (dead, "name"))) \
  ROW (callback_queue_of_a_stillborn_one, g_assert_null (cothread_callback_queue_new (stillborn, "name"))) \
  ROW (signal_a_closed_event_queue, signal_a_closed_queue ()) \
  ROW (reset_a_timer_that_runs_once, g_assert_false (cothread_timer_reset (g_object_new (COTHREAD_TYPE_TIMER, NULL), 0)))

MISUSE_TABLE (ROWS)

static void
set_up (void)
{
  scheduler = cothread_scheduler_get_default ();
  unattached = cothread_scheduler_new (NULL);
  dead = cothread_scheduler_new (NULL);
  cothread_scheduler_shutdown (dead);
  stillborn = g_object_new (COTHREAD_TYPE_SCHEDULER, NULL);
  event = cothread_event_new (TRUE);
  pulse = cothread_pulse_new ();
  queue = cothread_event_queue_new (0, NULL);
  timer = cothread_timer_new (1000 * G_USEC_PER_SEC, COTHREAD_TIMER_REUSE, do_nothing, NULL, NULL);
  task = spawn ("parked", sleep_for_ever, NULL);
  settle ();
}

static void
tear_down (void)
{
  g_clear_object (&unattached);
  g_clear_object (&dead);
  g_clear_object (&stillborn);
  g_clear_object (&event);
  g_clear_object (&pulse);
  g_clear_object (&queue);
  g_clear_object (&timer);
  g_clear_pointer (&task, cothread_task_unref);
}

static void
test_row (void)
{
  set_up ();
  g_assert_cmpuint (misuse_count_complaints (misuse_rows, G_N_ELEMENTS (misuse_rows)), ==, 1);
  assert_scheduler_works ();
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  misuse_add ("/misuse/", misuse_rows, G_N_ELEMENTS (misuse_rows), test_row);
  return g_test_run ();
}
