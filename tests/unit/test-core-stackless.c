/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Tasks without a stack: the scheduler calls each step of theirs on the
 * thread's own stack. */

static CtLink bell;

static void
finish_at_once (TestTask *self)
{
  g_assert_true (core_is_on_thread_stack ());
  g_assert_true (self->fixture->scheduler->current == &self->task);
  core_say (self, NULL);
  ct_task_finish_stackless (&self->task);
}

static void
say_where (TestTask *self)
{
  g_assert_true (core_is_on_stack_of (self));
  core_say (self, NULL);
}

static void
test_a_step_runs_on_the_threads_own_stack (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", finish_at_once, NULL);

  core_assert_said (f, "");
  core_turn (f);

  core_assert_said (f, "js");
  g_assert_true (js->is_finished);
  g_assert_true (f->scheduler->current == &f->scheduler->main);
}

static void
test_both_kinds_of_tasks_run_in_one_order (CoreFixture *f)
{
  core_spawn (f, "a", say_where, NULL);
  core_spawn_stackless (f, "js1", finish_at_once, NULL);
  core_spawn_stackless (f, "js2", finish_at_once, NULL);
  core_spawn (f, "b", say_where, NULL);
  core_spawn_stackless (f, "js3", finish_at_once, NULL);
  core_spawn (f, "c", say_where, NULL);

  core_turn (f);

  core_assert_said (f, "a js1 js2 b js3 c");
}

static void
park_and_finish_when_woken (TestTask *self)
{
  static const char *const why[] = { "normal", "timeout", "interrupt", "cancelled" };

  if (self->step++ == 0)
    {
      core_park (self, &bell, 1000);
      return;
    }
  g_assert_true (core_is_on_thread_stack ());
  g_assert_false (ct_link_is_linked (&self->waiter.link));
  g_assert_true (self->task.fired == (self->task.wake == CT_WAKE_NORMAL ? &self->waiter : NULL));
  core_say (self, why[self->task.wake]);
  ct_task_finish_stackless (&self->task);
}

static void
test_a_parked_task_is_resumed_when_fired (CoreFixture *f)
{
  core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);
  core_turn (f);
  core_assert_said (f, "");

  core_fire_first (&bell);
  core_turn (f);

  core_assert_said (f, "js-normal");
}

static void
test_a_parked_task_is_resumed_by_its_deadline (CoreFixture *f)
{
  core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);
  core_turn (f);
  g_assert_cmpint (f->timeout_us, ==, 1000);

  core_pass (f, 1000);

  core_assert_said (f, "js-timeout");
}

static void
test_a_parked_task_is_resumed_by_its_cancellation (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);

  core_turn (f);
  ct_task_cancel (&js->task);
  core_turn (f);

  core_assert_said (f, "js-cancelled");
}

static void
test_parked_and_suspended_tasks_wake_in_the_order_they_began_to_wait (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);
  core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);
  core_spawn (f, "b", core_wait_on_data, &bell);
  core_turn (f);

  while (core_fire_first (&bell))
    ;
  core_turn (f);

  core_assert_said (f, "a js-normal b");
}

static void
park_with_a_firing_on_the_way (TestTask *self)
{
  if (self->step++ == 0)
    {
      core_park (self, &bell, -1);
      g_assert_true (core_fire_first (&bell));
      return;
    }
  core_say (self, NULL);
  ct_task_finish_stackless (&self->task);
}

static void
test_a_task_may_be_fired_before_its_step_returns (CoreFixture *f)
{
  core_spawn_stackless (f, "js", park_with_a_firing_on_the_way, NULL);

  core_turn (f);

  core_assert_said (f, "js");
}

static void
take_a_hundred_microseconds (TestTask *self)
{
  self->fixture->now_us += 100;
  finish_at_once (self);
}

static void
test_the_slice_ends_between_two_steps (CoreFixture *f)
{
  static const char *const names[] = { "a", "b", "c", "d" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    core_spawn_stackless (f, names[i], take_a_hundred_microseconds, NULL);
  f->slice_us = 150;

  core_turn (f);
  core_assert_said (f, "a b");
  g_assert_cmpint (f->timeout_us, ==, 0);
  core_turn (f);
  core_assert_said (f, "c d");
}

static void
requeue_three_times (TestTask *self)
{
  core_say (self, NULL);
  if (self->step++ < 3)
    ct_task_requeue (&self->task);
  else
    ct_task_finish_stackless (&self->task);
}

static void
test_a_requeued_task_runs_again_in_the_next_tick (CoreFixture *f)
{
  core_spawn_stackless (f, "js", requeue_three_times, NULL);
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn_stackless (f, "other", requeue_three_times, NULL);

  core_turn (f);

  core_assert_said (f, "js a other js other js other js other");
}

static void
test_a_requeued_task_is_work_that_is_left (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", requeue_three_times, NULL);

  f->slice_us = 0;
  core_turn (f);

  core_assert_said (f, "js");
  g_assert_cmpint (f->timeout_us, ==, 0);
  ct_task_finish_stackless (&js->task);
  core_turn (f);
  core_assert_said (f, "");
}

static void
cancel_itself_then_park (TestTask *self)
{
  ct_task_cancel (&self->task);
  self->body = park_and_finish_when_woken;
  park_and_finish_when_woken (self);
}

/* Sticky: as for a native task, every wait from now on. */
static void
test_a_cancelled_task_that_parks_is_resumed_as_cancelled (CoreFixture *f)
{
  TestTask *before = core_spawn_stackless (f, "before", park_and_finish_when_woken, NULL);

  ct_task_cancel (&before->task);
  core_spawn_stackless (f, "during", cancel_itself_then_park, NULL);
  core_turn (f);

  core_assert_said (f, "before-cancelled during-cancelled");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/stackless/a-step-runs-on-the-threads-own-stack", test_a_step_runs_on_the_threads_own_stack);
  core_test_add ("/core/stackless/both-kinds-of-tasks-run-in-one-order", test_both_kinds_of_tasks_run_in_one_order);
  core_test_add ("/core/stackless/a-parked-one-is-resumed-when-fired", test_a_parked_task_is_resumed_when_fired);
  core_test_add ("/core/stackless/a-parked-one-is-resumed-by-its-deadline", test_a_parked_task_is_resumed_by_its_deadline);
  core_test_add ("/core/stackless/a-parked-one-is-resumed-by-its-cancellation", test_a_parked_task_is_resumed_by_its_cancellation);
  core_test_add ("/core/stackless/parked-and-suspended-ones-wake-in-the-order-they-began-to-wait",
                 test_parked_and_suspended_tasks_wake_in_the_order_they_began_to_wait);
  core_test_add ("/core/stackless/may-be-fired-before-its-step-returns", test_a_task_may_be_fired_before_its_step_returns);
  core_test_add ("/core/stackless/the-slice-ends-between-two-steps", test_the_slice_ends_between_two_steps);
  core_test_add ("/core/stackless/a-requeued-one-runs-again-in-the-next-tick", test_a_requeued_task_runs_again_in_the_next_tick);
  core_test_add ("/core/stackless/a-requeued-one-is-work-that-is-left", test_a_requeued_task_is_work_that_is_left);
  core_test_add ("/core/stackless/a-cancelled-one-that-parks-is-resumed-as-cancelled", test_a_cancelled_task_that_parks_is_resumed_as_cancelled);
  return g_test_run ();
}
