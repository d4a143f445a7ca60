/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Events: who is woken, in which order, and what stays. */

static gpointer
wait_and_say (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (cothread_event_wait (event, COTHREAD_FOREVER, &failure))
    say ("%s", own_name ());
  else if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s:%s", own_name (), failure->message);
  return NULL;
}

static void
start_waiters (CothreadEvent *event)
{
  start ("a", wait_and_say, event);
  start ("b", wait_and_say, event);
  start ("c", wait_and_say, event);
  settle ();
}

static void
test_a_signal_wakes_one_waiter_and_the_first (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start_waiters (event);
  for (int i = 0; i < 3; i++)
    {
      cothread_event_signal (event);
      g_assert_true (cothread_event_is_signalled (event));
      settle ();
      g_assert_false (cothread_event_is_signalled (event));
      say ("|");
    }

  assert_said ("a | b | c |");
}

static void
test_a_latched_signal_wakes_all_in_order_and_stays (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  start_waiters (event);
  cothread_event_signal (event);
  settle ();
  assert_said ("a b c");
  g_assert_true (cothread_event_is_signalled (event));
  start ("late", wait_and_say, event);
  settle ();

  assert_said ("late");
}

static void
test_a_latched_signal_stays_until_it_is_reset (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  cothread_event_signal (event);
  cothread_event_reset (event);
  g_assert_false (cothread_event_is_signalled (event));
  start ("a", wait_and_say, event);
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();

  assert_said ("a");
}

static gpointer
signal_and_say (gpointer event, G_GNUC_UNUSED GError **error)
{
  guint64 before = own_switches ();

  cothread_event_signal (event);
  say ("signalled:%d", (int) (own_switches () - before));
  return NULL;
}

static void
test_signalling_does_not_suspend (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", wait_and_say, event);
  settle ();
  start ("signaller", signal_and_say, event);
  start ("bystander", say_own_name, NULL);
  settle ();

  /* The woken task goes to the end of the ready queue. */
  assert_said ("signalled:0 bystander a");
}

static gpointer
wait_for_a_signalled_event (gpointer event, GError **error)
{
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  g_assert_true (cothread_event_wait (event, 0, error));
  say ("waited:%d", (int) (own_switches () - before));
  return NULL;
}

static void
test_waiting_for_a_signalled_event_does_not_suspend (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal (event);
  start ("waiter", wait_for_a_signalled_event, event);
  settle ();
  assert_said ("waited:0 bystander");
  g_assert_false (cothread_event_is_signalled (event));
}

static void
test_a_signal_for_nobody_is_kept_once (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal (event);
  cothread_event_signal (event);
  start ("a", wait_and_say, event);
  start ("b", wait_and_say, event);
  settle ();

  assert_said ("a");
}

static void
test_two_signals_before_the_waiter_runs_are_one (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start_waiters (event);
  cothread_event_signal (event);
  cothread_event_signal (event);
  settle ();
  assert_said ("a");
  /* The second woke b in vain, and b is still before c. */
  cothread_event_signal (event);
  settle ();

  assert_said ("b");
}

static gpointer
steal (gpointer event, GError **error)
{
  cothread_event_signal (event);
  g_assert_true (cothread_event_wait (event, 0, error));
  say ("stolen");
  return NULL;
}

static void
test_a_waiter_woken_in_vain_keeps_its_place (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start_waiters (event);
  start ("thief", steal, event);
  settle ();
  assert_said ("stolen");
  for (int i = 0; i < 3; i++)
    {
      cothread_event_signal (event);
      settle ();
    }

  assert_said ("a b c");
}

static gpointer
wait_a_while_and_say (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (cothread_event_wait (event, 200 * MS, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  say ("timed-out");
  return NULL;
}

static gpointer
steal_late (gpointer event, GError **error)
{
  cothread_sleep (100 * MS, error);
  return steal (event, error);
}

static gpointer
say_when_late (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (250 * MS, error);
  say ("250ms");
  return NULL;
}

static void
test_a_waiter_woken_in_vain_keeps_its_deadline (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  /* Woken at 100 ms, it would time out at 300 ms if its time began anew. */
  start ("waiter", wait_a_while_and_say, event);
  start ("thief", steal_late, event);
  start ("late", say_when_late, NULL);
  run_until_no_task_is_left ();

  assert_said ("stolen timed-out 250ms");
}

static void
test_a_waiter_that_left_is_not_woken (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) gone = spawn ("gone", wait_and_say, event);

  start ("next", wait_and_say, event);
  settle ();
  cothread_task_cancel (gone);
  cothread_event_signal (event);
  settle ();

  assert_said ("next");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/event/waiters-wake-in-the-order-they-began-to-wait", test_a_signal_wakes_one_waiter_and_the_first);
  behaviour_add_virtual ("/sync/event/latched-wakes-all-in-order-and-stays", test_a_latched_signal_wakes_all_in_order_and_stays);
  behaviour_add_virtual ("/sync/event/latched-stays-until-it-is-reset", test_a_latched_signal_stays_until_it_is_reset);
  behaviour_add_virtual ("/sync/event/signalling-does-not-suspend", test_signalling_does_not_suspend);
  behaviour_add_virtual ("/sync/event/waiting-for-a-signalled-one-does-not-suspend", test_waiting_for_a_signalled_event_does_not_suspend);
  behaviour_add_virtual ("/sync/event/a-signal-for-nobody-is-kept-once", test_a_signal_for_nobody_is_kept_once);
  behaviour_add_virtual ("/sync/event/two-signals-before-the-waiter-runs-are-one", test_two_signals_before_the_waiter_runs_are_one);
  behaviour_add_virtual ("/sync/event/a-waiter-woken-in-vain-keeps-its-place", test_a_waiter_woken_in_vain_keeps_its_place);
  behaviour_add_virtual ("/sync/event/a-waiter-woken-in-vain-keeps-its-deadline", test_a_waiter_woken_in_vain_keeps_its_deadline);
  behaviour_add_virtual ("/sync/event/a-waiter-that-left-is-not-woken", test_a_waiter_that_left_is_not_woken);
  return g_test_run ();
}
