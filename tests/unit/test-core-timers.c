/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Deadlines: who wakes when, and after whom. */

static void
sleep_for_data (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
}

static void
test_timers_wake_by_deadline_not_by_the_order_they_were_set (CoreFixture *f)
{
  core_spawn (f, "late", sleep_for_data, GINT_TO_POINTER (300));
  core_spawn (f, "early", sleep_for_data, GINT_TO_POINTER (100));
  core_spawn (f, "middle", sleep_for_data, GINT_TO_POINTER (200));
  core_turn (f);

  core_pass (f, 300);

  core_assert_said (f, "early middle late");
}

static void
test_equal_deadlines_wake_in_the_order_they_were_set (CoreFixture *f)
{
  static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    core_spawn (f, names[i], sleep_for_data, GINT_TO_POINTER (100));
  core_turn (f);

  core_pass (f, 100);

  core_assert_said (f, "a b c d e f g h i j");
}

static void
test_a_timer_does_not_wake_before_its_deadline (CoreFixture *f)
{
  core_spawn (f, "a", sleep_for_data, GINT_TO_POINTER (100));
  core_turn (f);

  core_pass (f, 99);
  core_assert_said (f, "");
  core_pass (f, 1);
  core_assert_said (f, "a");
}

static void
test_a_timeout_of_nothing_suspends_once (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", sleep_for_data, GINT_TO_POINTER (0));

  core_spawn (f, "other", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "other a");
  g_assert_cmpint (a->wake, ==, CT_WAKE_TIMEOUT);
}

static void
wait_until_the_past (TestTask *self)
{
  self->wake = ct_scheduler_wait (self->fixture->scheduler, NULL, self->fixture->now_us - 1000);
  core_say (self, NULL);
}

static void
test_a_deadline_in_the_past_suspends_once (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_until_the_past, NULL);

  core_spawn (f, "other", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "other a");
  g_assert_cmpint (a->wake, ==, CT_WAKE_TIMEOUT);
}

static void
set_a_timer_that_never_comes (TestTask *self)
{
  core_say (self, "begins");
  core_sleep (self, -1);
}

static void
test_a_negative_timeout_is_never (CoreFixture *f)
{
  core_spawn (f, "a", set_a_timer_that_never_comes, NULL);

  core_turn (f);
  core_pass (f, G_MAXINT64 / 2);

  core_assert_said (f, "a-begins");
  g_assert_cmpint (f->timeout_us, ==, -1);
}

static void
test_a_deadline_beyond_the_end_of_time_is_never (CoreFixture *f)
{
  g_assert_cmpint (ct_clock_deadline (f->now_us, G_MAXINT64), ==, CT_TIME_NEVER);
  g_assert_cmpint (ct_clock_deadline (f->now_us, G_MAXINT64 - f->now_us), ==, G_MAXINT64);
  g_assert_cmpint (ct_clock_deadline (f->now_us, G_MAXINT64 - f->now_us - 1), ==, G_MAXINT64 - 1);
  g_assert_cmpint (ct_clock_deadline (f->now_us, 0), ==, f->now_us);
}

static void
test_three_thousand_timers_wake_in_order (CoreFixture *f)
{
  gint64 last_us = 0;

  for (guint i = 0; i < 3000; i++)
    core_spawn (f, "a", sleep_for_data, GINT_TO_POINTER (1 + (i * 7919) % 3000));
  core_turn (f);

  for (guint i = 0; i < 3000; i++)
    {
      g_assert_cmpint (f->timeout_us, ==, 1);
      core_pass (f, f->timeout_us);
      g_assert_cmpint (f->now_us, >, last_us);
      g_assert_cmpuint (f->scheduler->n_finished, ==, i + 1);
      last_us = f->now_us;
    }
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/timers/wake-by-deadline-not-by-the-order-they-were-set", test_timers_wake_by_deadline_not_by_the_order_they_were_set);
  core_test_add ("/core/timers/equal-deadlines-wake-in-the-order-they-were-set", test_equal_deadlines_wake_in_the_order_they_were_set);
  core_test_add ("/core/timers/a-timer-does-not-wake-before-its-deadline", test_a_timer_does_not_wake_before_its_deadline);
  core_test_add ("/core/timers/a-timeout-of-nothing-suspends-once", test_a_timeout_of_nothing_suspends_once);
  core_test_add ("/core/timers/a-deadline-in-the-past-suspends-once", test_a_deadline_in_the_past_suspends_once);
  core_test_add ("/core/timers/a-negative-timeout-is-never", test_a_negative_timeout_is_never);
  core_test_add ("/core/timers/a-deadline-beyond-the-end-of-time-is-never", test_a_deadline_beyond_the_end_of_time_is_never);
  core_test_add ("/core/timers/three-thousand-wake-in-order", test_three_thousand_timers_wake_in_order);
  return g_test_run ();
}
