/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* What lost is as if nobody had waited for it. */

static CothreadEvent *events[2];
static CothreadEventQueue *queue;
static CothreadPulse *pulse;

static void
set_up (void)
{
  events[0] = cothread_event_new (TRUE);
  events[1] = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, NULL);
  pulse = cothread_pulse_new ();
}

static void
tear_down (void)
{
  run_until_no_task_is_left ();
  g_assert_finalize_object (events[0]);
  g_assert_finalize_object (events[1]);
  g_assert_finalize_object (queue);
  g_assert_finalize_object (pulse);
}

static gpointer
wait_for_any (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = events[0] },
    { .kind = COTHREAD_WAIT_EVENT, .object = events[1] },
    { .kind = COTHREAD_WAIT_EVENT_QUEUE, .object = queue },
    { .kind = COTHREAD_WAIT_PULSE, .object = pulse },
  };
  g_autoptr (GError) error = NULL;
  guint which;
  gboolean success = cothread_wait_any (items, G_N_ELEMENTS (items), GPOINTER_TO_INT (timeout_us), &which, &error);

  say ("%u", which);
  say_outcome (success, &error);
  return NULL;
}

#define FOREVER GINT_TO_POINTER (COTHREAD_FOREVER)

static gpointer
wait_for_event (gpointer event, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_event_wait (event, COTHREAD_FOREVER, &error);

  say_outcome (success, &error);
  return NULL;
}

static void
of_two_in_one_turn_the_second_stays (void)
{
  set_up ();
  start ("a", wait_for_any, FOREVER);
  settle ();
  cothread_event_signal (events[1]);
  cothread_event_signal (events[0]);
  cothread_event_queue_signal (queue, NULL);
  settle ();
  assert_said ("1 a-ok"); /* the first to come, not the lowest index */
  g_assert_true (cothread_event_is_signalled (events[0]));
  g_assert_false (cothread_event_is_signalled (events[1]));
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  tear_down ();
}

static void
what_comes_after_it_was_woken_goes_to_the_next (void)
{
  set_up ();
  start ("a", wait_for_any, FOREVER);
  start ("b", wait_for_event, events[0]);
  settle ();
  cothread_event_signal (events[1]);
  cothread_event_signal (events[0]);
  settle ();
  assert_said ("1 a-ok b-ok");
  tear_down ();
}

/* Signalled for a, but taken before a runs; meanwhile something else comes. */
static void
woken_in_vain_it_waits_on (void)
{
  set_up ();
  start ("a", wait_for_any, FOREVER);
  settle ();
  cothread_event_signal (events[0]);
  cothread_event_reset (events[0]);
  settle ();
  assert_said ("");
  cothread_event_signal (events[0]);
  cothread_event_reset (events[0]);
  cothread_event_queue_signal (queue, NULL);
  settle ();
  assert_said ("2 a-ok");
  tear_down ();
}

static void
woken_in_vain_it_misses_no_pulse (void)
{
  set_up ();
  start ("a", wait_for_any, FOREVER);
  settle ();
  cothread_event_signal (events[0]);
  cothread_event_reset (events[0]);
  cothread_pulse_signal (pulse, TRUE);
  settle ();
  assert_said ("3 a-ok");
  tear_down ();
}

static void
woken_in_vain_it_keeps_its_place_and_its_deadline (void)
{
  gint64 begin_us;

  set_up ();
  start ("a", wait_for_any, FOREVER);
  settle ();
  start ("b", wait_for_event, events[0]);
  settle ();
  for (guint i = 0; i < 3; i++)
    {
      cothread_event_signal (events[0]);
      cothread_event_reset (events[0]);
      settle ();
    }
  cothread_event_signal (events[0]);
  settle ();
  assert_said ("0 a-ok");
  cothread_event_signal (events[0]);
  settle ();
  assert_said ("b-ok");

  start ("a", wait_for_any, GINT_TO_POINTER (100 * MS));
  begin_us = now ();
  settle ();
  cothread_test_scheduler_advance (test_scheduler (), 90 * MS);
  cothread_event_signal (events[0]);
  cothread_event_reset (events[0]);
  run_until_no_task_is_left ();
  assert_said ("4 a-timeout");
  g_assert_cmpint (now () - begin_us, ==, 100 * MS);
  tear_down ();
}

static void
after_a_timeout_nothing_is_taken (void)
{
  set_up ();
  start ("a", wait_for_any, GINT_TO_POINTER (1 * MS));
  run_until_no_task_is_left ();
  cothread_event_signal (events[0]);
  cothread_event_queue_signal (queue, NULL);
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0);
  g_assert_true (cothread_event_is_signalled (events[0]));
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  assert_said ("4 a-timeout");
  tear_down ();
}

static gpointer
wait_for_twice_the_same (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = events[0] },
    { .kind = COTHREAD_WAIT_EVENT, .object = events[0] },
  };
  guint which;

  g_assert_true (cothread_wait_any (items, 2, COTHREAD_FOREVER, &which, NULL));
  say ("%u", which);
  return NULL;
}

static void
the_same_object_twice_is_taken_once (void)
{
  set_up ();
  start ("a", wait_for_twice_the_same, NULL);
  start ("b", wait_for_event, events[0]);
  settle ();
  cothread_event_signal (events[0]);
  settle ();
  assert_said ("0");
  cothread_event_signal (events[0]);
  settle ();
  assert_said ("b-ok");
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/wait-any/second-stays", of_two_in_one_turn_the_second_stays);
  sync_test_add ("/wait-any/next-in-line", what_comes_after_it_was_woken_goes_to_the_next);
  sync_test_add ("/wait-any/in-vain", woken_in_vain_it_waits_on);
  sync_test_add ("/wait-any/in-vain-no-pulse-missed", woken_in_vain_it_misses_no_pulse);
  sync_test_add ("/wait-any/in-vain-place-and-deadline", woken_in_vain_it_keeps_its_place_and_its_deadline);
  sync_test_add ("/wait-any/after-a-timeout", after_a_timeout_nothing_is_taken);
  sync_test_add ("/wait-any/twice-the-same", the_same_object_twice_is_taken_once);
  return g_test_run ();
}
