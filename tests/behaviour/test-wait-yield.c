/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Yielding and checkpoints, in tasks. */

static gpointer
yield_and_say (G_GNUC_UNUSED gpointer unused, GError **error)
{
  say ("yields");
  g_assert_true (cothread_yield (error));
  say ("goes-on");
  return NULL;
}

static gpointer
suspend_twice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      cothread_sleep (0, error);
      say ("busy");
    }
  return NULL;
}

static void
test_a_yielder_lets_all_who_are_ready_run_first (void)
{
  start ("yielder", yield_and_say, NULL);
  start ("busy", suspend_twice, NULL);
  settle ();

  assert_said ("yields busy busy goes-on");
}

static void
test_yielding_alone_goes_on (void)
{
  start ("yielder", yield_and_say, NULL);
  settle ();

  assert_said ("yields goes-on");
}

static gboolean is_over;

static gpointer
keep_busy (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over && cothread_sleep (0, error))
    cothread_test_scheduler_advance (test_scheduler (), 100);
  return NULL;
}

static gpointer
yield_for_three_milliseconds (gpointer elapsed_us, GError **error)
{
  gint64 before = now ();

  g_assert_true (cothread_yield_for (3 * MS, error));
  *(gint64 *) elapsed_us = now () - before;
  is_over = TRUE;
  return NULL;
}

static void
test_a_yield_for_a_time_ends_then_although_others_are_ready (void)
{
  gint64 elapsed_us = 0;

  is_over = FALSE;
  start ("yielder", yield_for_three_milliseconds, &elapsed_us);
  start ("busy", keep_busy, NULL);
  run_until_no_task_is_left ();

  g_assert_cmpint (elapsed_us, ==, 3 * MS);
}

static gpointer
yield_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_assert_true (cothread_yield_for (COTHREAD_FOREVER, error));
  g_assert_true (cothread_yield_for (G_MAXINT64, error));
  g_assert_true (cothread_yield_for (0, error));
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_yield_for_a_time_ends_when_nothing_else_is_ready (void)
{
  start ("yielder", yield_for_ever, NULL);
  start ("busy", suspend_twice, NULL);
  settle ();

  assert_said ("busy busy yielder");
}

static gpointer
pass_many_checkpoints (G_GNUC_UNUSED gpointer unused, GError **error)
{
  guint64 before = own_switches ();

  for (int i = 0; i < 1000; i++)
    g_assert_true (cothread_checkpoint (error));
  g_assert_cmpuint (own_switches (), ==, before);
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_checkpoint_does_not_suspend_while_the_slice_lasts (void)
{
  start ("computing", pass_many_checkpoints, NULL);
  start ("other", say_own_name, NULL);
  settle ();

  assert_said ("computing other");
}

static gboolean
set_over (G_GNUC_UNUSED gpointer unused)
{
  is_over = TRUE;
  return G_SOURCE_REMOVE;
}

static gpointer
compute_until_over (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over)
    {
      g_assert_true (cothread_checkpoint (error));
      cothread_test_scheduler_advance (test_scheduler (), 10);
    }
  return NULL;
}

static void
test_a_checkpoint_lets_everybody_run_when_the_slice_is_used_up (void)
{
  use_default_time_slice ();
  is_over = FALSE;
  start ("computing", compute_until_over, NULL);
  start ("other", say_own_name, NULL);
  add_source (G_PRIORITY_DEFAULT_IDLE, set_over, NULL);
  run_until_no_task_is_left ();

  assert_said ("other");
}

static gpointer
be_ready_always (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over && cothread_sleep (0, error))
    ;
  return NULL;
}

static gpointer
yield_for_fifty_milliseconds (gpointer elapsed_us, GError **error)
{
  gint64 before_us = g_get_monotonic_time ();

  g_assert_true (cothread_yield_for (50 * MS, error));
  *(gint64 *) elapsed_us = g_get_monotonic_time () - before_us;
  is_over = TRUE;
  return NULL;
}

/* The end of each slice is told by the processor's counter or by an alarm, which
 * may be late: only with the real clock. */
static void
test_a_yield_for_a_time_is_never_too_short_however_slices_end (void)
{
  gint64 elapsed_us = 0;

  use_default_time_slice ();
  is_over = FALSE;
  start ("yielder", yield_for_fifty_milliseconds, &elapsed_us);
  start ("ready", be_ready_always, NULL);
  run_until_no_task_is_left ();

  g_assert_cmpint (elapsed_us, >=, 50 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/wait/yield/lets-all-who-are-ready-run-first", test_a_yielder_lets_all_who_are_ready_run_first);
  behaviour_add_virtual ("/wait/yield/alone-goes-on", test_yielding_alone_goes_on);
  behaviour_add_virtual ("/wait/yield/for-a-time-ends-then-although-others-are-ready", test_a_yield_for_a_time_ends_then_although_others_are_ready);
  behaviour_add_virtual ("/wait/yield/for-a-time-ends-when-nothing-else-is-ready", test_a_yield_for_a_time_ends_when_nothing_else_is_ready);
  behaviour_add ("/wait/yield/for-a-time-is-never-too-short-however-slices-end", test_a_yield_for_a_time_is_never_too_short_however_slices_end);
  behaviour_add_virtual ("/wait/checkpoint/does-not-suspend-while-the-slice-lasts", test_a_checkpoint_does_not_suspend_while_the_slice_lasts);
  behaviour_add_virtual ("/wait/checkpoint/lets-everybody-run-when-the-slice-is-used-up", test_a_checkpoint_lets_everybody_run_when_the_slice_is_used_up);
  return g_test_run ();
}
