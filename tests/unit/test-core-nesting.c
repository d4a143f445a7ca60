/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* A main loop that a task runs polls from that task's stack (switches 5 and
 * 6): a modal dialog opened by a task. */

static CtLink bell;

static void
poll_once (TestTask *self)
{
  core_say (self, "polls");
  core_turn (self->fixture);
  g_assert_true (self->fixture->scheduler->current == &self->task);
  core_say (self, "returns");
}

static void
test_other_tasks_run_while_a_task_polls (CoreFixture *f)
{
  core_spawn (f, "opener", poll_once, NULL);
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "opener-polls a b opener-returns");
}

static void
poll_until_the_other_has_finished (TestTask *self)
{
  TestTask *other = self->data;

  core_say (self, "polls");
  while (!other->is_finished)
    core_turn (self->fixture);
  core_say (self, "returns");
}

static void
suspend_five_times (TestTask *self)
{
  for (guint i = 0; i < 5; i++)
    {
      core_say (self, NULL);
      core_sleep (self, 0);
    }
}

static void
test_a_task_that_suspends_goes_on_in_the_nested_loop (CoreFixture *f)
{
  TestTask *other = core_spawn (f, "other", suspend_five_times, NULL);

  core_spawn (f, "opener", poll_until_the_other_has_finished, other);
  f->slice_us = 0;
  for (guint i = 0; i < 3; i++)
    core_turn (f);

  core_assert_said (f, "other opener-polls other other other other opener-returns");
}

static void
fire_and_cancel_the_other (TestTask *self)
{
  TestTask *other = self->data;

  core_say (self, ct_task_fire (&other->task, CT_WAKE_NORMAL, NULL) ? "fired" : "refused");
}

static void
test_the_opener_is_not_resumed_by_its_own_loop (CoreFixture *f)
{
  TestTask *opener = core_spawn (f, "opener", poll_once, NULL);

  core_spawn (f, "other", fire_and_cancel_the_other, opener);
  core_turn (f);

  core_assert_said (f, "opener-polls other-refused opener-returns");
}

static void
poll_then_wait (TestTask *self)
{
  poll_once (self);
  core_say (self, core_wait (self, &bell, -1) == CT_WAKE_CANCELLED ? "cancelled" : "woken");
}

static void
cancel_the_other (TestTask *self)
{
  TestTask *other = self->data;

  ct_task_cancel (&other->task);
  core_say (self, NULL);
}

static void
test_a_cancellation_of_the_opener_reaches_its_next_wait (CoreFixture *f)
{
  TestTask *opener = core_spawn (f, "opener", poll_then_wait, NULL);

  core_spawn (f, "canceller", cancel_the_other, opener);
  core_turn (f);

  core_assert_said (f, "opener-polls canceller opener-returns opener-cancelled");
}

static void
test_nested_loops_end_last_in_first_out (CoreFixture *f)
{
  core_spawn (f, "a", poll_once, NULL);
  core_spawn (f, "b", poll_once, NULL);
  core_spawn (f, "c", poll_once, NULL);
  core_spawn (f, "leaf", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "a-polls b-polls c-polls leaf c-returns b-returns a-returns");
  g_assert_null (f->scheduler->frame);
}

static void
open_loops_to_depth (TestTask *self)
{
  CoreFixture *f = self->fixture;
  gint depth = GPOINTER_TO_INT (self->data);

  if (depth > 0)
    core_spawn (f, "deeper", open_loops_to_depth, GINT_TO_POINTER (depth - 1));
  core_turn (f);
  g_assert_true (f->scheduler->current == &self->task);
  core_sleep (self, 10);
}

static void
test_fifty_loops_can_be_open_at_once (CoreFixture *f)
{
  core_spawn (f, "top", open_loops_to_depth, GINT_TO_POINTER (50));

  core_run (f);

  g_assert_cmpuint (f->scheduler->n_finished, ==, 51);
}

static void
take_a_hundred_microseconds (TestTask *self)
{
  self->fixture->now_us += 100;
  core_say (self, NULL);
}

static void
poll_with_a_short_slice (TestTask *self)
{
  CoreFixture *f = self->fixture;
  gint64 outer_slice = f->slice_us;

  f->slice_us = 150;
  core_turn (f);
  f->slice_us = outer_slice;
  core_say (self, "returns");
  g_assert_cmpint (f->timeout_us, ==, 0);
}

static void
test_the_inner_turn_has_its_own_slice_and_the_outer_one_keeps_its (CoreFixture *f)
{
  static const char *const names[] = { "a", "b", "c", "d", "e" };

  core_spawn (f, "opener", poll_with_a_short_slice, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    core_spawn (f, names[i], take_a_hundred_microseconds, NULL);
  f->slice_us = 350;

  core_turn (f);

  core_assert_said (f, "a b opener-returns c d");
  core_turn (f);
  core_assert_said (f, "e");
}

static void
test_the_inner_turn_runs_at_least_one_task_although_the_outer_slice_is_used_up (CoreFixture *f)
{
  core_spawn (f, "opener", poll_once, NULL);
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);
  f->slice_us = 0;

  core_turn (f);

  core_assert_said (f, "opener-polls a opener-returns");
}

static void
sleep_and_say (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
}

static void
run_a_loop_until_the_bell_is_waited_for_no_more (TestTask *self)
{
  while (ct_link_is_linked (&bell))
    {
      core_turn (self->fixture);
      self->fixture->now_us += MAX (0, self->fixture->timeout_us);
    }
  core_say (self, "closes");
}

static void
wait_for_the_bell_a_while (TestTask *self)
{
  core_wait (self, &bell, 5000);
  core_say (self, NULL);
}

static void
test_timers_and_waits_go_on_under_a_nested_loop (CoreFixture *f)
{
  core_spawn (f, "timed", sleep_and_say, GINT_TO_POINTER (1000));
  core_spawn (f, "timed-later", sleep_and_say, GINT_TO_POINTER (2000));
  core_spawn (f, "waiter", wait_for_the_bell_a_while, NULL);
  core_turn (f);

  core_spawn (f, "dialog", run_a_loop_until_the_bell_is_waited_for_no_more, NULL);
  core_turn (f);

  core_assert_said (f, "timed timed-later waiter dialog-closes");
}

static void
test_a_task_that_finishes_in_a_nested_loop_is_let_go_there (CoreFixture *f)
{
  TestTask *short_lived = core_spawn (f, "short-lived", core_just_say, NULL);

  core_spawn (f, "opener", poll_until_the_other_has_finished, short_lived);
  core_turn (f);

  core_assert_said (f, "short-lived opener-polls opener-returns");
}

static void
spawn_and_poll (TestTask *self)
{
  TestTask *child = core_spawn (self->fixture, "child", core_just_say, NULL);

  core_turn (self->fixture);
  g_assert_true (child->is_finished);
}

static void
test_a_task_spawned_by_the_opener_runs_in_its_loop (CoreFixture *f)
{
  core_spawn (f, "opener", spawn_and_poll, NULL);

  core_turn (f);

  core_assert_said (f, "child");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/nesting/other-tasks-run-while-a-task-polls", test_other_tasks_run_while_a_task_polls);
  core_test_add ("/core/nesting/a-task-that-suspends-goes-on-in-the-nested-loop", test_a_task_that_suspends_goes_on_in_the_nested_loop);
  core_test_add ("/core/nesting/the-opener-is-not-resumed-by-its-own-loop", test_the_opener_is_not_resumed_by_its_own_loop);
  core_test_add ("/core/nesting/a-cancellation-of-the-opener-reaches-its-next-wait", test_a_cancellation_of_the_opener_reaches_its_next_wait);
  core_test_add ("/core/nesting/loops-end-last-in-first-out", test_nested_loops_end_last_in_first_out);
  core_test_add ("/core/nesting/fifty-loops-can-be-open-at-once", test_fifty_loops_can_be_open_at_once);
  core_test_add ("/core/nesting/the-inner-turn-has-its-own-slice-and-the-outer-keeps-its", test_the_inner_turn_has_its_own_slice_and_the_outer_one_keeps_its);
  core_test_add ("/core/nesting/the-inner-turn-runs-at-least-one-task", test_the_inner_turn_runs_at_least_one_task_although_the_outer_slice_is_used_up);
  core_test_add ("/core/nesting/timers-and-waits-go-on", test_timers_and_waits_go_on_under_a_nested_loop);
  core_test_add ("/core/nesting/a-task-that-finishes-there-is-let-go-there", test_a_task_that_finishes_in_a_nested_loop_is_let_go_there);
  core_test_add ("/core/nesting/a-task-spawned-by-the-opener-runs-in-its-loop", test_a_task_spawned_by_the_opener_runs_in_its_loop);
  return g_test_run ();
}
