/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "poll-loop.h"

/* When a loop over poll(2) may sleep, and what wakes it. Run with each poller
 * (COTHREAD_POLLER). */

static CothreadEvent *event;

static gpointer
wait_and_sleep (G_GNUC_UNUSED gpointer unused, GError **error)
{
  if (!cothread_event_wait (event, COTHREAD_FOREVER, error))
    return NULL;
  say ("event");
  cothread_sleep (10 * G_USEC_PER_SEC, error);
  return NULL;
}

static void
test_it_tells_how_long_the_loop_may_sleep (void)
{
  Loop loop;

  loop_init (&loop);
  event = cothread_event_new (TRUE);
  g_assert_true (loop_turn (&loop, NULL));
  g_assert_cmpint (loop.timeout_us, ==, -1);
  spawn_on (loop.scheduler, wait_and_sleep);
  g_assert_true (loop_turn (&loop, NULL));
  g_assert_cmpint (loop.timeout_us, ==, -1);
  cothread_event_signal (event);
  g_assert_true (loop_turn (&loop, NULL));
  assert_said ("event");
  g_assert_cmpint (loop.timeout_us, >=, 0);
  g_assert_cmpint (loop.timeout_us, <=, 10 * G_USEC_PER_SEC);
  loop_clear (&loop);
  g_clear_object (&event);
}

/* When its turn is over already, so that the deadline is first seen outside. */
static gpointer
sleep_until_before_all_time (gpointer unused, GError **error)
{
  gint64 begin_us = g_get_monotonic_time ();

  while (g_get_monotonic_time () - begin_us < 1000)
    ;
  cothread_sleep_until (G_MININT64, error);
  say ("slept");
  return unused;
}

static void
test_a_deadline_before_all_time_has_passed (void)
{
  Loop loop;

  loop_init (&loop);
  cothread_scheduler_set_time_slice (loop.scheduler, 50);
  spawn_on (loop.scheduler, sleep_until_before_all_time);
  g_assert_true (loop_turn (&loop, NULL));
  assert_said ("");
  g_assert_cmpint (loop.timeout_us, ==, 0);
  g_assert_true (loop_turn (&loop, NULL));
  assert_said ("slept");
  loop_clear (&loop);
}

static gpointer
sleep_for_no_time_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (cothread_sleep (0, error))
    ;
  return NULL;
}

static void
test_it_does_not_let_the_loop_sleep_while_work_is_left (void)
{
  Loop loop;

  loop_init (&loop);
  cothread_scheduler_set_time_slice (loop.scheduler, 50);
  spawn_on (loop.scheduler, sleep_for_no_time_for_ever);
  /* Often enough to meet the clock in the middle of a step. */
  for (guint i = 0; i < 5000; i++)
    {
      g_assert_true (loop_turn (&loop, NULL));
      g_assert_cmpint (loop.timeout_us, ==, 0);
    }
  loop_clear (&loop);
}

static void
test_what_its_thread_makes_ready_between_two_turns_ends_the_sleep (void)
{
  Loop loop;

  loop_init (&loop);
  event = cothread_event_new (TRUE);
  spawn_on (loop.scheduler, wait_and_sleep);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (loop_turn (&loop, NULL));
      g_assert_cmpint (loop.timeout_us, ==, -1);
      loop.timeout_us = 0;
      g_assert_cmpint (loop_poll (&loop), ==, 0);
    }
  cothread_event_signal (event);
  loop.timeout_us = -1;
  g_assert_cmpint (loop_poll (&loop), >, 0);
  g_assert_true (loop_turn (&loop, NULL));

  assert_said ("event");
  loop_clear (&loop);
  g_clear_object (&event);
}

static void
say_called (G_GNUC_UNUSED gpointer unused)
{
  say ("called");
}

static gpointer
post_later (gpointer callbacks)
{
  wait_until_main_thread_sleeps ();
  g_assert_true (cothread_callback_queue_post (callbacks, say_called, NULL, NULL, NULL));
  return NULL;
}

static void
test_a_post_from_another_thread_ends_the_sleep (void)
{
  Loop loop;
  GThread *thread;

  loop_init (&loop);
  thread = g_thread_new ("post", post_later, cothread_scheduler_get_callback_queue (loop.scheduler));
  g_assert_true (loop_turn (&loop, NULL));
  while (loop.timeout_us != -1)
    g_assert_true (loop_turn (&loop, NULL));
  g_assert_cmpint (loop_poll (&loop), >, 0);
  g_assert_true (loop_turn (&loop, NULL));

  assert_said ("called");
  g_thread_join (thread);
  cothread_scheduler_shutdown (loop.scheduler);
  loop_clear (&loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/foreign-loop/is-told-how-long-it-may-sleep", test_it_tells_how_long_the_loop_may_sleep);
  behaviour_add_isolated ("/foreign-loop/a-deadline-before-all-time-has-passed", test_a_deadline_before_all_time_has_passed);
  behaviour_add_isolated ("/foreign-loop/may-not-sleep-while-work-is-left", test_it_does_not_let_the_loop_sleep_while_work_is_left);
  behaviour_add_isolated ("/foreign-loop/what-its-thread-makes-ready-between-two-turns-ends-the-sleep",
                          test_what_its_thread_makes_ready_between_two_turns_ends_the_sleep);
  behaviour_add_isolated ("/foreign-loop/a-post-from-another-thread-ends-the-sleep", test_a_post_from_another_thread_ends_the_sleep);
  return g_test_run ();
}
