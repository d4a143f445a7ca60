/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* A wakeup ties one suspension to every queue it stands on, and fires exactly
 * once. Cancellation has a file of its own. */

static CtLink bell;
static CtLink gong;

typedef struct
{
  CtWake wake;
  gint which;     /* registration that woke it, -1: none */
  guint n_wakeups;
} Outcome;

/* Of the last wait_for_either(); a task may still be unwound after its test. */
static Outcome outcome;

static void
wait_for_either (TestTask *self)
{
  CtWaiter waiters[2] = { { .task = &self->task, .next = &waiters[1] }, { .task = &self->task } };

  ct_link_insert_before (&bell, &waiters[0].link);
  ct_link_insert_before (&gong, &waiters[1].link);
  outcome.wake = ct_scheduler_wait (self->fixture->scheduler, &waiters[0], core_deadline (self->fixture, 1000));
  outcome.n_wakeups++;
  outcome.which = self->task.fired != NULL ? (gint) (self->task.fired - waiters) : -1;
  g_assert_false (ct_link_is_linked (&waiters[0].link));
  g_assert_false (ct_link_is_linked (&waiters[1].link));
}

static TestTask *
begin_to_wait_for_either (CoreFixture *f)
{
  TestTask *task = core_spawn (f, "either", wait_for_either, NULL);

  outcome = (Outcome) { .which = -2 };
  core_turn (f);
  return task;
}

static void
test_firing_wakes_the_task_and_says_by_which_registration (CoreFixture *f)
{
  begin_to_wait_for_either (f);
  core_fire_first (&gong);
  core_turn (f);

  g_assert_cmpint (outcome.wake, ==, CT_WAKE_NORMAL);
  g_assert_cmpint (outcome.which, ==, 1);
}

static void
test_the_losing_registrations_are_undone_when_one_fires (CoreFixture *f)
{
  begin_to_wait_for_either (f);

  core_fire_first (&bell);

  g_assert_false (ct_link_is_linked (&bell));
  g_assert_false (ct_link_is_linked (&gong));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
}

static void
test_all_registrations_are_undone_by_a_timeout (CoreFixture *f)
{
  begin_to_wait_for_either (f);
  core_pass (f, 1000);

  g_assert_cmpint (outcome.wake, ==, CT_WAKE_TIMEOUT);
  g_assert_cmpint (outcome.which, ==, -1);
  g_assert_false (ct_link_is_linked (&bell));
  g_assert_false (ct_link_is_linked (&gong));
}

static void
test_firing_twice_wakes_once (CoreFixture *f)
{
  TestTask *task = begin_to_wait_for_either (f);

  g_assert_true (ct_task_fire (&task->task, CT_WAKE_NORMAL, NULL));
  g_assert_false (ct_task_fire (&task->task, CT_WAKE_NORMAL, NULL));
  core_turn (f);

  g_assert_cmpuint (outcome.n_wakeups, ==, 1);
  g_assert_true (task->is_finished);
}

static void
test_the_first_of_two_firings_gives_the_reason (CoreFixture *f)
{
  TestTask *task = begin_to_wait_for_either (f);
  CtWaiter *first = CT_CONTAINER_OF (bell.next, CtWaiter, link);

  ct_task_fire (&task->task, CT_WAKE_NORMAL, first);
  ct_task_fire (&task->task, CT_WAKE_TIMEOUT, NULL);
  core_turn (f);

  g_assert_cmpint (outcome.wake, ==, CT_WAKE_NORMAL);
  g_assert_cmpint (outcome.which, ==, 0);
}

static void
test_a_deadline_that_passes_after_the_firing_does_not_count (CoreFixture *f)
{
  begin_to_wait_for_either (f);
  core_fire_first (&bell);
  core_pass (f, 5000);

  g_assert_cmpint (outcome.wake, ==, CT_WAKE_NORMAL);
  g_assert_cmpuint (outcome.n_wakeups, ==, 1);
}

static void
sleep_for_as_long_then_fire_the_bell (TestTask *self)
{
  core_sleep (self, 1000);
  core_say (self, core_fire_first (&bell) ? "fired" : "came-too-late");
}

static void
test_a_firing_after_the_timeout_in_the_same_tick_comes_too_late (CoreFixture *f)
{
  core_spawn (f, "waker", sleep_for_as_long_then_fire_the_bell, NULL);
  begin_to_wait_for_either (f);
  core_pass (f, 1000);

  core_assert_said (f, "waker-came-too-late");
  g_assert_cmpint (outcome.wake, ==, CT_WAKE_TIMEOUT);
}

static void
test_a_firing_is_not_lost_when_another_waiter_timed_out (CoreFixture *f)
{
  core_spawn (f, "waker", sleep_for_as_long_then_fire_the_bell, NULL);
  begin_to_wait_for_either (f);
  core_spawn (f, "patient", core_wait_on_data, &bell);
  core_turn (f);

  core_pass (f, 1000);

  core_assert_said (f, "waker-fired patient");
}

static void
fire_and_say_whether_that_did_anything (TestTask *self)
{
  TestTask *other = self->data;

  core_say (self, ct_task_fire (&other->task, CT_WAKE_NORMAL, NULL) ? "fired" : "refused");
}

static void
test_a_task_that_has_not_started_cannot_be_woken (CoreFixture *f)
{
  TestTask *other = core_spawn (f, "other", core_just_say, NULL);

  g_assert_false (ct_task_fire (&other->task, CT_WAKE_NORMAL, NULL));
  core_turn (f);
  core_assert_said (f, "other");
}

static void
test_a_running_task_cannot_be_woken (CoreFixture *f)
{
  TestTask *self = core_spawn (f, "self", fire_and_say_whether_that_did_anything, NULL);

  self->data = self;
  core_turn (f);

  core_assert_said (f, "self-refused");
}

static void
test_a_yielding_task_cannot_be_woken (CoreFixture *f)
{
  TestTask *yielder = core_spawn (f, "yielder", core_yield_for_ever, NULL);

  core_spawn (f, "other", fire_and_say_whether_that_did_anything, yielder);
  f->slice_us = 0;
  core_turn (f);
  core_turn (f);

  core_assert_said (f, "other-refused");
}

static void
test_a_finished_task_cannot_be_woken (CoreFixture *f)
{
  TestTask *other = core_spawn (f, "other", core_just_say, NULL);

  core_turn (f);
  g_assert_true (other->is_finished);

  g_assert_false (ct_task_fire (&other->task, CT_WAKE_NORMAL, NULL));
}

static void
wait_for_a_bell_registered_twice (TestTask *self)
{
  CtWaiter waiters[2] = { { .task = &self->task, .next = &waiters[1] }, { .task = &self->task } };

  ct_link_insert_before (&bell, &waiters[0].link);
  ct_link_insert_before (&bell, &waiters[1].link);
  ct_scheduler_wait (self->fixture->scheduler, &waiters[0], CT_TIME_NEVER);
  core_say (self, NULL);
}

static void
test_a_task_may_stand_on_one_list_twice (CoreFixture *f)
{
  core_spawn (f, "twice", wait_for_a_bell_registered_twice, NULL);
  core_spawn (f, "behind", core_wait_on_data, &bell);
  core_turn (f);

  g_assert_true (core_fire_first (&bell));
  g_assert_true (core_fire_first (&bell));
  core_turn (f);

  core_assert_said (f, "twice behind");
}

static void
test_a_wait_without_a_deadline_sets_no_timer (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);
  core_turn (f);

  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
  g_assert_cmpint (f->timeout_us, ==, -1);
}

static void
wait_again_and_again (TestTask *self)
{
  for (gint i = 0; i < 1000; i++)
    {
      if (core_wait (self, &bell, 10 + i % 7) == CT_WAKE_NORMAL)
        core_say (self, NULL);
      g_assert_cmpuint (self->fixture->scheduler->timers.length, ==, 0);
    }
}

static void
test_a_thousand_waits_that_time_out_leave_nothing_behind (CoreFixture *f)
{
  TestTask *task = core_spawn (f, "a", wait_again_and_again, NULL);

  core_run (f);

  core_assert_said (f, "");
  g_assert_true (task->is_finished);
  g_assert_false (ct_link_is_linked (&bell));
}

static void
test_a_waiting_task_can_be_woken_by_the_very_next_one (CoreFixture *f)
{
  TestTask *waiter = core_spawn (f, "waiter", wait_for_a_bell_registered_twice, NULL);

  core_spawn (f, "waker", fire_and_say_whether_that_did_anything, waiter);
  core_turn (f);

  core_assert_said (f, "waker-fired waiter");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  ct_link_init (&gong);
  core_test_add ("/core/wait/firing-wakes-and-says-by-which-registration", test_firing_wakes_the_task_and_says_by_which_registration);
  core_test_add ("/core/wait/the-losing-registrations-are-undone-when-one-fires", test_the_losing_registrations_are_undone_when_one_fires);
  core_test_add ("/core/wait/all-registrations-are-undone-by-a-timeout", test_all_registrations_are_undone_by_a_timeout);
  core_test_add ("/core/wait/firing-twice-wakes-once", test_firing_twice_wakes_once);
  core_test_add ("/core/wait/the-first-of-two-firings-gives-the-reason", test_the_first_of_two_firings_gives_the_reason);
  core_test_add ("/core/wait/a-deadline-that-passes-after-the-firing-does-not-count", test_a_deadline_that_passes_after_the_firing_does_not_count);
  core_test_add ("/core/wait/a-firing-after-the-timeout-in-the-same-tick-comes-too-late",
                 test_a_firing_after_the_timeout_in_the_same_tick_comes_too_late);
  core_test_add ("/core/wait/a-firing-is-not-lost-when-another-waiter-timed-out", test_a_firing_is_not_lost_when_another_waiter_timed_out);
  core_test_add ("/core/wait/a-task-that-has-not-started-cannot-be-woken", test_a_task_that_has_not_started_cannot_be_woken);
  core_test_add ("/core/wait/a-running-task-cannot-be-woken", test_a_running_task_cannot_be_woken);
  core_test_add ("/core/wait/a-yielding-task-cannot-be-woken", test_a_yielding_task_cannot_be_woken);
  core_test_add ("/core/wait/a-finished-task-cannot-be-woken", test_a_finished_task_cannot_be_woken);
  core_test_add ("/core/wait/a-task-may-stand-on-one-list-twice", test_a_task_may_stand_on_one_list_twice);
  core_test_add ("/core/wait/without-a-deadline-sets-no-timer", test_a_wait_without_a_deadline_sets_no_timer);
  core_test_add ("/core/wait/a-thousand-that-time-out-leave-nothing-behind", test_a_thousand_waits_that_time_out_leave_nothing_behind);
  core_test_add ("/core/wait/can-be-ended-by-the-very-next-task", test_a_waiting_task_can_be_woken_by_the_very_next_one);
  return g_test_run ();
}
