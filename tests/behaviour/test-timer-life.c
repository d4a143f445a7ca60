/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* How long a timer lives: it holds a reference to itself while it is pending or
 * its function runs, and no longer. */

static CothreadEvent *may_end;

static void
do_nothing (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer data)
{
}

static void
wait_until_it_may_end (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer data)
{
  cothread_event_wait (may_end, COTHREAD_FOREVER, NULL);
}

static void
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
}

static void
test_a_one_shot_is_gone_when_it_has_run (void)
{
  gboolean is_gone = FALSE;

  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, do_nothing, &is_gone, set_flag));
  g_assert_false (is_gone);
  settle ();
  g_assert_true (is_gone);
}

static void
test_it_lives_while_its_function_runs (void)
{
  gboolean is_gone = FALSE;

  may_end = cothread_event_new (FALSE);
  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, wait_until_it_may_end, &is_gone, set_flag));
  settle ();
  g_assert_false (is_gone);
  cothread_event_signal (may_end);
  settle ();
  g_assert_true (is_gone);
  g_clear_object (&may_end);
}

static void
test_a_cancelled_one_is_gone (void)
{
  gboolean is_gone = FALSE;
  CothreadTimer *timer = cothread_timer_new (G_USEC_PER_SEC, COTHREAD_TIMER_DEFAULT, do_nothing, &is_gone, set_flag);

  settle ();
  cothread_timer_cancel (timer);
  g_object_unref (timer);
  settle ();
  g_assert_true (is_gone);
}

static void
test_a_reusable_one_that_nobody_can_reset_is_gone_when_it_has_run (void)
{
  gboolean is_gone = FALSE;

  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_REUSE, do_nothing, &is_gone, set_flag));
  settle ();
  g_assert_true (is_gone);
}

static void
test_a_reusable_one_goes_with_its_last_reference (void)
{
  gboolean is_gone = FALSE;
  CothreadTimer *timer = cothread_timer_new (0, COTHREAD_TIMER_REUSE, do_nothing, &is_gone, set_flag);

  settle ();
  g_assert_false (is_gone);
  g_object_unref (timer);
  settle ();
  g_assert_true (is_gone);
}

static void
test_a_retriggering_one_that_was_cancelled_is_gone (void)
{
  gboolean is_gone = FALSE;
  CothreadTimer *timer = cothread_timer_new (G_USEC_PER_SEC, COTHREAD_TIMER_RETRIGGER, do_nothing, &is_gone, set_flag);

  settle ();
  cothread_timer_cancel (timer);
  g_object_unref (timer);
  settle ();
  g_assert_true (is_gone);
}

static void
test_a_pending_one_is_gone_with_its_scheduler (void)
{
  gboolean is_gone = FALSE;

  g_object_unref (cothread_timer_new (G_USEC_PER_SEC, COTHREAD_TIMER_RETRIGGER, do_nothing, &is_gone, set_flag));
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_true (is_gone);
}

static void
test_one_that_outlives_its_scheduler_does_nothing (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (0, COTHREAD_TIMER_REUSE, do_nothing, NULL, NULL);

  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_false (cothread_timer_is_pending (timer));
  g_assert_false (cothread_timer_reset (timer, 0));
  g_assert_false (cothread_timer_is_pending (timer));
  cothread_timer_cancel (timer);
}

static void
test_a_function_that_runs_at_the_shutdown_is_unwound (void)
{
  gboolean is_gone = FALSE;

  may_end = cothread_event_new (FALSE);
  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_RETRIGGER, wait_until_it_may_end, &is_gone, set_flag));
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_true (is_gone);
  g_clear_object (&may_end);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/timer/life/a-one-shot-is-gone-when-it-has-run", test_a_one_shot_is_gone_when_it_has_run);
  behaviour_add_virtual ("/sync/timer/life/goes-on-while-the-function-runs", test_it_lives_while_its_function_runs);
  behaviour_add_virtual ("/sync/timer/life/a-cancelled-one-is-gone", test_a_cancelled_one_is_gone);
  behaviour_add_isolated ("/sync/timer/life/a-reusable-one-that-nobody-can-reset-is-gone-when-it-has-run",
                          test_a_reusable_one_that_nobody_can_reset_is_gone_when_it_has_run);
  behaviour_add_isolated ("/sync/timer/life/a-reusable-one-goes-with-its-last-reference", test_a_reusable_one_goes_with_its_last_reference);
  behaviour_add_isolated ("/sync/timer/life/a-retriggering-one-that-was-cancelled-is-gone", test_a_retriggering_one_that_was_cancelled_is_gone);
  behaviour_add_virtual ("/sync/timer/life/a-pending-one-is-gone-with-its-scheduler", test_a_pending_one_is_gone_with_its_scheduler);
  behaviour_add_virtual ("/sync/timer/life/one-that-outlives-its-scheduler-does-nothing", test_one_that_outlives_its_scheduler_does_nothing);
  behaviour_add_virtual ("/sync/timer/life/a-function-that-runs-at-the-shutdown-is-unwound", test_a_function_that_runs_at_the_shutdown_is_unwound);
  return g_test_run ();
}
