/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Starting a timer again. */

static void
say_data (G_GNUC_UNUSED CothreadTimer *timer, gpointer text)
{
  say ("%s", (const char *) text);
}

static char a[] = "a";
static char b[] = "b";

static void
test_a_reusable_one_can_be_started_again (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (MS, COTHREAD_TIMER_REUSE, say_data, a, NULL);

  g_assert_true (cothread_sleep (50 * MS, NULL));
  assert_said ("a");
  g_assert_false (cothread_timer_is_pending (timer));
  g_assert_true (cothread_timer_reset (timer, MS));
  g_assert_true (cothread_timer_is_pending (timer));
  g_assert_true (cothread_sleep (50 * MS, NULL));
  assert_said ("a");
  cothread_timer_cancel (timer);
  g_assert_true (cothread_timer_reset (timer, 0));
  g_assert_true (cothread_sleep (50 * MS, NULL));

  assert_said ("a");
}

static void
test_resetting_a_pending_one_begins_its_time_anew (void)
{
  g_autoptr (CothreadTimer) sooner = cothread_timer_new (G_USEC_PER_SEC * 1000, COTHREAD_TIMER_REUSE, say_data, a, NULL);
  g_autoptr (CothreadTimer) later = cothread_timer_new (100 * MS, COTHREAD_TIMER_REUSE, say_data, b, NULL);

  settle ();
  g_assert_true (cothread_timer_reset (sooner, MS));
  g_assert_true (cothread_timer_reset (later, G_USEC_PER_SEC * 1000));
  g_assert_true (cothread_sleep (200 * MS, NULL));

  assert_said ("a");
}

static void
test_resetting_to_for_ever_suspends_it (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (20 * MS, COTHREAD_TIMER_REUSE, say_data, a, NULL);

  g_assert_false (cothread_timer_reset (timer, COTHREAD_FOREVER));
  g_assert_false (cothread_timer_is_pending (timer));
  g_assert_true (cothread_sleep (60 * MS, NULL));
  assert_said ("");
  g_assert_true (cothread_timer_reset (timer, 0));
  settle ();

  assert_said ("a");
}

static void
test_one_that_never_expires_waits_to_be_reset (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE, say_data, a, NULL);

  settle ();
  g_assert_false (cothread_timer_is_pending (timer));
  g_assert_true (cothread_timer_reset (timer, 0));
  settle ();

  assert_said ("a");
}

static void
test_resetting_one_that_cannot_be_is_a_critical (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (MS, COTHREAD_TIMER_DEFAULT, say_data, a, NULL);

  expect_critical ("*COTHREAD_TIMER_REUSE*");
  g_assert_false (cothread_timer_reset (timer, COTHREAD_FOREVER));
  g_test_assert_expected_messages ();
  g_assert_true (cothread_sleep (50 * MS, NULL));

  assert_said ("a");
}

static void
reset_once (CothreadTimer *timer, gpointer n)
{
  say ("run");
  if (++*(guint *) n < 3)
    cothread_timer_reset (timer, 0);
}

static void
test_it_may_be_reset_in_its_own_function (void)
{
  guint n = 0;
  g_autoptr (CothreadTimer) timer = cothread_timer_new (0, COTHREAD_TIMER_REUSE, reset_once, &n, NULL);

  settle ();

  assert_said ("run run run");
  g_assert_false (cothread_timer_is_pending (timer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/timer/reset/starts-a-reusable-one-again", test_a_reusable_one_can_be_started_again);
  behaviour_add_virtual ("/sync/timer/reset/of-a-pending-one-begins-its-time-anew", test_resetting_a_pending_one_begins_its_time_anew);
  behaviour_add_virtual ("/sync/timer/reset/to-for-ever-suspends-it", test_resetting_to_for_ever_suspends_it);
  behaviour_add_virtual ("/sync/timer/reset/starts-one-that-never-expires", test_one_that_never_expires_waits_to_be_reset);
  behaviour_add_virtual ("/sync/timer/reset/of-one-that-cannot-be-is-a-critical", test_resetting_one_that_cannot_be_is_a_critical);
  behaviour_add_virtual ("/sync/timer/reset/is-possible-in-its-own-function", test_it_may_be_reset_in_its_own_function);
  return g_test_run ();
}
