/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* A timer among several things: it tells everybody who waits, and stays as it is. */

static CothreadTimer *timer;
static CothreadEvent *event;

static void
set_up (gint64 timeout_us, CothreadTimerFlags flags)
{
  timer = cothread_timer_new_plain (timeout_us, flags);
  event = cothread_event_new (TRUE);
}

static void
tear_down (void)
{
  cothread_timer_cancel (timer);
  run_until_no_task_is_left ();
  g_assert_finalize_object (timer);
  g_assert_finalize_object (event);
}

static gpointer
wait_for_any (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = event },
    { .kind = COTHREAD_WAIT_TIMER, .object = timer },
  };
  g_autoptr (GError) failure = NULL;
  guint which;
  gboolean success = cothread_wait_any (items, G_N_ELEMENTS (items), COTHREAD_FOREVER, &which, &failure);

  say ("%u", which);
  say_outcome (success, &failure);
  return NULL;
}

static gpointer
wait_for_timer (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean success = cothread_timer_wait (timer, COTHREAD_FOREVER, &failure);

  say_outcome (success, &failure);
  return NULL;
}

static void
pass (gint64 us)
{
  cothread_test_scheduler_advance (test_scheduler (), us);
  settle ();
}

static void
one_that_expires_wakes_all_who_wait_for_it (void)
{
  set_up (10 * MS, COTHREAD_TIMER_DEFAULT);
  start ("a", wait_for_any, NULL);
  start ("b", wait_for_timer, NULL);
  start ("c", wait_for_any, NULL);
  settle ();
  pass (9 * MS);
  assert_said ("");
  pass (1 * MS);
  assert_said ("1 a-ok b-ok 1 c-ok");
  tear_down ();
}

static void
one_that_lost_goes_on (void)
{
  set_up (10 * MS, COTHREAD_TIMER_DEFAULT);
  start ("a", wait_for_any, NULL);
  start ("b", wait_for_timer, NULL);
  settle ();
  cothread_event_signal (event);
  settle ();
  assert_said ("0 a-ok");
  g_assert_true (cothread_timer_is_pending (timer));
  pass (10 * MS);
  assert_said ("b-ok");
  tear_down ();
}

static void
one_that_has_expired_is_there_for_everybody (void)
{
  set_up (10 * MS, COTHREAD_TIMER_DEFAULT);
  pass (10 * MS);
  wait_for_any (NULL, NULL);
  wait_for_any (NULL, NULL);
  assert_said ("1 main-ok 1 main-ok");
  tear_down ();
}

static void
one_that_was_cancelled_is_an_error (void)
{
  set_up (10 * MS, COTHREAD_TIMER_DEFAULT);
  start ("a", wait_for_any, NULL);
  settle ();
  cothread_timer_cancel (timer);
  settle ();
  wait_for_any (NULL, NULL);
  assert_said ("1 a-closed 1 main-closed");
  tear_down ();
}

static gpointer
wait_three_times (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 3; i++)
    {
      gint64 begin_us = now ();

      wait_for_any (NULL, error);
      g_assert_cmpint (now () - begin_us, ==, 10 * MS);
    }
  return NULL;
}

static void
one_that_retriggers_ends_a_wait_each_time (void)
{
  set_up (10 * MS, COTHREAD_TIMER_RETRIGGER);
  start ("a", wait_three_times, NULL);
  g_assert_true (cothread_sleep (35 * MS, NULL));
  assert_said ("1 a-ok 1 a-ok 1 a-ok");
  tear_down ();
}

/* Who is woken in vain stands nowhere until it runs. */
static void
what_happens_to_it_while_its_waiter_was_woken_in_vain_counts (void)
{
  set_up (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE);
  start ("a", wait_for_any, NULL);
  settle ();
  cothread_event_signal (event);
  cothread_event_reset (event);
  cothread_timer_cancel (timer);
  settle ();
  assert_said ("1 a-closed");
  tear_down ();
}

static void
selected (GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;
  gint which = cothread_selection_wait_finish (COTHREAD_SELECTION (source), result, &error);

  say ("%d", which);
  say_outcome (which >= 0, &error);
}

static void
a_selection_waits_for_one (void)
{
  g_autoptr (CothreadSelection) selection = cothread_selection_new ();

  set_up (10 * MS, COTHREAD_TIMER_REUSE);
  g_assert_cmpint (cothread_selection_add_event (selection, event), ==, 0);
  g_assert_cmpint (cothread_selection_add_timer (selection, timer), ==, 1);
  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, NULL);
  settle ();
  pass (10 * MS);
  assert_said ("1 main-ok");
  g_assert_cmpint (cothread_selection_wait (selection, COTHREAD_FOREVER, NULL), ==, 1); /* nobody has started it again */
  cothread_timer_reset (timer, COTHREAD_FOREVER);
  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, NULL);
  settle ();
  cothread_timer_cancel (timer);
  settle ();
  assert_said ("-1 main-closed");
  g_clear_object (&selection);
  tear_down ();
}

static void
no_timer_is_a_critical (void)
{
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_TIMER };
  g_autoptr (CothreadSelection) selection = cothread_selection_new ();
  guint which;

  expect_critical ("*IS_TIMER*");
  g_assert_false (cothread_wait_any (&item, 1, 0, &which, NULL));
  expect_critical ("*IS_TIMER*");
  g_assert_cmpint (cothread_selection_add_timer (selection, NULL), ==, -1);
  g_test_assert_expected_messages ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/wait-any/timer/one-that-expires-wakes-all-who-wait-for-it", one_that_expires_wakes_all_who_wait_for_it);
  sync_test_add ("/wait-any/timer/one-that-lost-goes-on", one_that_lost_goes_on);
  sync_test_add ("/wait-any/timer/one-that-has-expired-is-there-for-everybody", one_that_has_expired_is_there_for_everybody);
  sync_test_add ("/wait-any/timer/one-that-was-cancelled-is-an-error", one_that_was_cancelled_is_an_error);
  sync_test_add ("/wait-any/timer/one-that-retriggers-ends-a-wait-each-time", one_that_retriggers_ends_a_wait_each_time);
  sync_test_add ("/wait-any/timer/what-happens-to-it-while-its-waiter-was-woken-in-vain-counts",
                 what_happens_to_it_while_its_waiter_was_woken_in_vain_counts);
  sync_test_add ("/wait-any/timer/a-selection-waits-for-one", a_selection_waits_for_one);
  sync_test_add ("/wait-any/timer/none-is-a-critical", no_timer_is_a_critical);
  return g_test_run ();
}
