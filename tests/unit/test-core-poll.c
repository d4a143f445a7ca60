/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* What a turn is: how long it lasts, and how long the loop may sleep then. */

static CtLink bell;

static void
sleep_for_data (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
}

/* ---- the timeout ---- */

static void
test_without_tasks_the_loop_may_sleep_for_ever (CoreFixture *f)
{
  core_turn (f);

  g_assert_cmpint (f->timeout_us, ==, -1);
  g_assert_false (ct_scheduler_has_work (f->scheduler));
}

static void
test_with_tasks_that_wait_without_deadline_the_loop_may_sleep_for_ever (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);

  core_turn (f);

  g_assert_cmpint (f->timeout_us, ==, -1);
}

static void
test_the_loop_may_sleep_until_the_nearest_deadline_to_the_microsecond (CoreFixture *f)
{
  core_spawn (f, "late", sleep_for_data, GINT_TO_POINTER (70003));
  core_spawn (f, "early", sleep_for_data, GINT_TO_POINTER (50001));

  core_turn (f);
  g_assert_cmpint (f->timeout_us, ==, 50001);

  core_pass (f, 50000);
  g_assert_cmpint (f->timeout_us, ==, 1);

  core_pass (f, 1);
  g_assert_cmpint (f->timeout_us, ==, 20002);
}

static void
take_time_past_the_deadline (TestTask *self)
{
  self->fixture->now_us += 500;
  ct_slice_end_now (&self->fixture->scheduler->slice);
}

static void
test_with_a_deadline_that_has_passed_the_loop_does_not_sleep (CoreFixture *f)
{
  core_spawn (f, "timed", sleep_for_data, GINT_TO_POINTER (100));
  core_spawn (f, "slow", take_time_past_the_deadline, NULL);

  core_turn (f);

  core_assert_said (f, "");
  g_assert_cmpint (f->timeout_us, ==, 0);
}

static void
test_after_the_last_wakeup_the_loop_may_sleep_for_ever_again (CoreFixture *f)
{
  core_spawn (f, "a", sleep_for_data, GINT_TO_POINTER (100));

  core_turn (f);
  core_pass (f, 100);

  g_assert_cmpint (f->timeout_us, ==, -1);
}

static void
test_a_task_woken_between_turns_is_work (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);
  core_turn (f);
  g_assert_false (ct_scheduler_has_work (f->scheduler));

  core_fire_first (&bell);

  g_assert_true (ct_scheduler_has_work (f->scheduler));
}

/* ---- the slice ---- */

static void
take_a_hundred_microseconds (TestTask *self)
{
  self->fixture->now_us += 100;
  core_say (self, NULL);
}

static void
spawn_five_slow_tasks (CoreFixture *f)
{
  static const char *const names[] = { "a", "b", "c", "d", "e" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    core_spawn (f, names[i], take_a_hundred_microseconds, NULL);
}

static void
test_a_turn_ends_when_its_slice_is_used_up_with_work_left (CoreFixture *f)
{
  spawn_five_slow_tasks (f);
  f->slice_us = 250;

  core_turn (f);

  core_assert_said (f, "a b c");
  g_assert_cmpint (f->timeout_us, ==, 0);
  g_assert_true (ct_scheduler_has_work (f->scheduler));
}

static void
test_the_next_turn_goes_on_where_the_last_one_ended (CoreFixture *f)
{
  spawn_five_slow_tasks (f);
  f->slice_us = 250;

  core_turn (f);
  core_spawn (f, "new", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "a b c d e new");
}

static void
test_a_turn_runs_at_least_one_task_however_short_its_slice (CoreFixture *f)
{
  spawn_five_slow_tasks (f);
  f->slice_us = 0;

  core_turn (f);
  core_assert_said (f, "a");
  core_turn (f);
  core_assert_said (f, "b");
}

static void
test_a_turn_ends_at_its_slice_also_between_suspensions_of_one_task (CoreFixture *f)
{
  core_spawn (f, "a", core_yield_for_ever, NULL);
  f->slice_us = 0;

  core_turn (f);

  g_assert_cmpint (f->timeout_us, ==, 0);
}

static void
test_a_turn_with_an_endless_slice_runs_all_there_is (CoreFixture *f)
{
  spawn_five_slow_tasks (f);
  f->slice_us = -1;

  core_turn (f);

  core_assert_said (f, "a b c d e");
}

static void
test_a_slice_that_is_not_used_up_does_not_prolong_the_turn (CoreFixture *f)
{
  spawn_five_slow_tasks (f);
  f->slice_us = 1000000;

  core_turn (f);

  core_assert_said (f, "a b c d e");
  g_assert_cmpint (f->timeout_us, ==, -1);
}

static void
take_time_and_end_the_turn (TestTask *self)
{
  core_say (self, NULL);
  ct_slice_end_now (&self->fixture->scheduler->slice);
}

static void
test_a_task_can_end_the_turn (CoreFixture *f)
{
  core_spawn (f, "ends", take_time_and_end_the_turn, NULL);
  spawn_five_slow_tasks (f);

  core_turn (f);

  core_assert_said (f, "ends");
  g_assert_cmpint (f->timeout_us, ==, 0);
}

static void
test_a_deadline_that_passes_during_the_turn_wakes_in_the_same_turn (CoreFixture *f)
{
  core_spawn (f, "timed", sleep_for_data, GINT_TO_POINTER (250));
  spawn_five_slow_tasks (f);

  core_turn (f);

  core_assert_said (f, "a b c d e timed");
}

static void
test_an_empty_turn_costs_no_tick (CoreFixture *f)
{
  guint64 before = f->scheduler->n_ticks;

  for (guint i = 0; i < 10; i++)
    core_turn (f);

  g_assert_cmpuint (f->scheduler->n_ticks, ==, before);
  g_assert_cmpuint (f->scheduler->n_switches, ==, 0);
}

/* ---- stacks after a peak ---- */

static guint
count_warm_stacks (CoreFixture *f)
{
  CtStackPoolStatistics statistics;

  ct_stack_pool_get_statistics (f->scheduler->pool, &statistics);
  return statistics.warm;
}

static void
test_stacks_are_given_back_after_a_peak_and_then_the_loop_may_sleep_for_ever (CoreFixture *f)
{
  guint n_turns = 0;

  for (guint i = 0; i < 300; i++)
    core_spawn (f, "a", sleep_for_data, GINT_TO_POINTER (100));
  core_turn (f);
  core_pass (f, 100);
  g_assert_cmpuint (count_warm_stacks (f), ==, 300);

  for (; f->timeout_us >= 0; n_turns++)
    core_pass (f, f->timeout_us);

  g_assert_cmpuint (count_warm_stacks (f), <, 100);
  g_assert_cmpuint (n_turns, <, 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/turn/without-tasks-the-loop-may-sleep-for-ever", test_without_tasks_the_loop_may_sleep_for_ever);
  core_test_add ("/core/turn/with-waits-without-deadline-the-loop-may-sleep-for-ever",
                 test_with_tasks_that_wait_without_deadline_the_loop_may_sleep_for_ever);
  core_test_add ("/core/turn/the-loop-may-sleep-until-the-nearest-deadline-to-the-microsecond",
                 test_the_loop_may_sleep_until_the_nearest_deadline_to_the_microsecond);
  core_test_add ("/core/turn/with-a-deadline-that-has-passed-the-loop-does-not-sleep", test_with_a_deadline_that_has_passed_the_loop_does_not_sleep);
  core_test_add ("/core/turn/after-the-last-wakeup-the-loop-may-sleep-for-ever-again", test_after_the_last_wakeup_the_loop_may_sleep_for_ever_again);
  core_test_add ("/core/turn/a-task-woken-between-turns-is-work", test_a_task_woken_between_turns_is_work);
  core_test_add ("/core/turn/ends-when-its-slice-is-used-up-with-work-left", test_a_turn_ends_when_its_slice_is_used_up_with_work_left);
  core_test_add ("/core/turn/the-next-goes-on-where-the-last-ended", test_the_next_turn_goes_on_where_the_last_one_ended);
  core_test_add ("/core/turn/runs-at-least-one-task-however-short-its-slice", test_a_turn_runs_at_least_one_task_however_short_its_slice);
  core_test_add ("/core/turn/ends-at-its-slice-also-between-suspensions-of-one-task", test_a_turn_ends_at_its_slice_also_between_suspensions_of_one_task);
  core_test_add ("/core/turn/with-an-endless-slice-runs-all-there-is", test_a_turn_with_an_endless_slice_runs_all_there_is);
  core_test_add ("/core/turn/is-not-prolonged-by-a-slice-that-is-not-used-up", test_a_slice_that_is_not_used_up_does_not_prolong_the_turn);
  core_test_add ("/core/turn/can-be-ended-by-a-task", test_a_task_can_end_the_turn);
  core_test_add ("/core/turn/a-deadline-that-passes-during-it-wakes-in-it", test_a_deadline_that_passes_during_the_turn_wakes_in_the_same_turn);
  core_test_add ("/core/turn/an-empty-one-costs-no-tick", test_an_empty_turn_costs_no_tick);
  core_test_add ("/core/turn/stacks-are-given-back-after-a-peak-and-then-the-loop-may-sleep-for-ever",
                 test_stacks_are_given_back_after_a_peak_and_then_the_loop_may_sleep_for_ever);
  return g_test_run ();
}
