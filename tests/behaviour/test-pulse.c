/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Pulses: no state, only those who wait at this moment. */

static gpointer
wait_and_say (gpointer pulse, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (cothread_pulse_wait (pulse, COTHREAD_FOREVER, &failure))
    say ("%s", own_name ());
  else
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static void
start_waiters (CothreadPulse *pulse)
{
  start ("a", wait_and_say, pulse);
  start ("b", wait_and_say, pulse);
  start ("c", wait_and_say, pulse);
  settle ();
}

static void
test_it_wakes_all_in_the_order_they_began_to_wait (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  start_waiters (pulse);
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 3);
  settle ();

  assert_said ("a b c");
}

static void
test_it_wakes_one_the_first (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  start_waiters (pulse);
  for (int i = 0; i < 3; i++)
    {
      g_assert_cmpuint (cothread_pulse_signal (pulse, FALSE), ==, 1);
      settle ();
      say ("|");
    }
  g_assert_cmpuint (cothread_pulse_signal (pulse, FALSE), ==, 0);

  assert_said ("a | b | c |");
}

static void
test_it_is_not_remembered (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0);
  start ("a", wait_and_say, pulse);
  settle ();
  assert_said ("");
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 1);
  settle ();

  assert_said ("a");
}

static void
test_two_in_a_row_wake_once_or_two_different (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  start_waiters (pulse);
  g_assert_cmpuint (cothread_pulse_signal (pulse, FALSE), ==, 1);
  g_assert_cmpuint (cothread_pulse_signal (pulse, FALSE), ==, 1);
  settle ();
  assert_said ("a b");
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 1);
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0);
  settle ();

  assert_said ("c");
}

static gpointer
wait_twice (gpointer pulse, GError **error)
{
  wait_and_say (pulse, error);
  return wait_and_say (pulse, error);
}

static void
test_who_waits_again_waits_for_the_next (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  start ("a", wait_twice, pulse);
  settle ();
  cothread_pulse_signal (pulse, TRUE);
  settle ();
  assert_said ("a");
  cothread_pulse_signal (pulse, TRUE);
  settle ();

  assert_said ("a");
}

static gpointer
signal_and_say (gpointer pulse, G_GNUC_UNUSED GError **error)
{
  cothread_pulse_signal (pulse, TRUE);
  say ("signalled");
  return NULL;
}

static void
test_signalling_does_not_suspend (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  start ("a", wait_and_say, pulse);
  settle ();
  start ("signaller", signal_and_say, pulse);
  start ("bystander", say_own_name, NULL);
  settle ();

  assert_said ("signalled bystander a");
}

static void
test_who_left_is_not_woken (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();
  g_autoptr (CothreadTask) gone = spawn ("gone", wait_and_say, pulse);

  start ("next", wait_and_say, pulse);
  settle ();
  cothread_task_cancel (gone);
  g_assert_cmpuint (cothread_pulse_signal (pulse, FALSE), ==, 1);
  settle ();

  assert_said ("next");
}

static void
test_it_lives_while_somebody_waits_for_it (void)
{
  CothreadPulse *pulse = cothread_pulse_new ();
  g_autoptr (CothreadTask) task = spawn ("a", wait_and_say, pulse);

  settle ();
  g_object_add_weak_pointer (G_OBJECT (pulse), (gpointer *) &pulse);
  g_object_unref (pulse);
  g_assert_nonnull (pulse);
  cothread_task_cancel (task);
  settle ();

  g_assert_null (pulse);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/pulse/wakes-all-in-the-order-they-began-to-wait", test_it_wakes_all_in_the_order_they_began_to_wait);
  behaviour_add_virtual ("/sync/pulse/wakes-one-the-first", test_it_wakes_one_the_first);
  behaviour_add_virtual ("/sync/pulse/is-not-remembered", test_it_is_not_remembered);
  behaviour_add_virtual ("/sync/pulse/two-in-a-row-wake-two-different-tasks", test_two_in_a_row_wake_once_or_two_different);
  behaviour_add_virtual ("/sync/pulse/who-waits-again-waits-for-the-next", test_who_waits_again_waits_for_the_next);
  behaviour_add_virtual ("/sync/pulse/signalling-does-not-suspend", test_signalling_does_not_suspend);
  behaviour_add_virtual ("/sync/pulse/who-left-is-not-woken", test_who_left_is_not_woken);
  behaviour_add_virtual ("/sync/pulse/lives-while-somebody-waits-for-it", test_it_lives_while_somebody_waits_for_it);
  return g_test_run ();
}
