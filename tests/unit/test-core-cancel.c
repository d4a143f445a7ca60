/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Cancellation is sticky, reaches every wait, outranks a timeout that came in
 * the same turn, and wakes exactly once. */

static CtLink bell;

static const char *
name_of (CtWake wake)
{
  static const char *const names[] = { "normal", "timeout", "interrupt", "cancelled" };

  return names[wake];
}

static void
wait_and_say_why_it_ended (TestTask *self)
{
  core_say (self, name_of (core_wait (self, &bell, 1000)));
}

static TestTask *
begin_to_wait (CoreFixture *f, const char *name)
{
  TestTask *task = core_spawn (f, name, wait_and_say_why_it_ended, NULL);

  core_turn (f);
  return task;
}

static void
test_cancelling_wakes_a_waiting_task_and_undoes_its_registrations (CoreFixture *f)
{
  TestTask *a = begin_to_wait (f, "a");

  ct_task_cancel (&a->task);

  g_assert_false (ct_link_is_linked (&bell));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
  core_turn (f);
  core_assert_said (f, "a-cancelled");
}

/* Each letter is one thing that happens to the waiting task before it runs:
 * f, it is fired; t, its deadline passes; c, it is cancelled. */
static void
do_to (TestTask *task, char what)
{
  if (what == 'f')
    ct_task_fire (&task->task, CT_WAKE_NORMAL, CT_CONTAINER_OF (bell.next, CtWaiter, link));
  else if (what == 't')
    ct_task_fire (&task->task, CT_WAKE_TIMEOUT, NULL);
  else
    ct_task_cancel (&task->task);
}

static void
test_every_order_of_firing_timeout_and_cancellation_wakes_once (CoreFixture *f)
{
  static const struct
  {
    const char *events;
    const char *said;
  } cases[] = {
    { "fc", "a-normal" }, { "cf", "a-cancelled" },
    { "ft", "a-normal" }, { "tf", "a-timeout" },
    { "tc", "a-cancelled" }, { "ct", "a-cancelled" },
    { "ftc", "a-normal" }, { "fct", "a-normal" },
    { "tfc", "a-cancelled" }, { "tcf", "a-cancelled" },
    { "cft", "a-cancelled" }, { "ctf", "a-cancelled" },
    { "ff", "a-normal" }, { "tt", "a-timeout" }, { "cc", "a-cancelled" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestTask *a = begin_to_wait (f, "a");

      g_test_message ("%s", cases[i].events);
      for (const char *event = cases[i].events; *event != '\0'; event++)
        do_to (a, *event);
      ct_scheduler_check (f->scheduler);
      core_turn (f);

      core_assert_said (f, cases[i].said);
      g_assert_true (a->is_finished);
    }
}

static void
sleep_for_as_long_then_cancel_the_other (TestTask *self)
{
  core_sleep (self, 1000);
  ct_task_cancel (&((TestTask *) self->data)->task);
}

static void
test_cancelling_outranks_a_timeout_of_the_same_turn (CoreFixture *f)
{
  TestTask *canceller = core_spawn (f, "canceller", sleep_for_as_long_then_cancel_the_other, NULL);
  TestTask *a;

  core_turn (f);
  a = begin_to_wait (f, "a");
  canceller->data = a;
  core_pass (f, 1000);

  core_assert_said (f, "a-cancelled");
}

static void
wait_twice_and_say_why_it_ended (TestTask *self)
{
  wait_and_say_why_it_ended (self);
  wait_and_say_why_it_ended (self);
}

static void
test_a_cancellation_that_came_after_the_firing_reaches_the_next_wait (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_twice_and_say_why_it_ended, NULL);

  core_turn (f);
  core_fire_first (&bell);
  ct_task_cancel (&a->task);
  core_turn (f);

  core_assert_said (f, "a-normal a-cancelled");
}

static void
wait_thrice_although_cancelled (TestTask *self)
{
  for (guint i = 0; i < 3; i++)
    wait_and_say_why_it_ended (self);
}

static void
suspend_thrice (TestTask *self)
{
  for (guint i = 0; i < 3; i++)
    {
      core_say (self, NULL);
      core_sleep (self, 0);
    }
}

static void
test_a_cancelled_task_suspends_once_at_each_wait (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_thrice_although_cancelled, NULL);

  core_spawn (f, "other", suspend_thrice, NULL);
  ct_task_cancel (&a->task);
  core_turn (f);

  core_assert_said (f, "other a-cancelled other a-cancelled other a-cancelled");
}

static void
test_a_task_cancelled_before_it_starts_still_runs_to_its_first_wait (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_and_say_why_it_ended, NULL);

  ct_task_cancel (&a->task);
  core_turn (f);

  core_assert_said (f, "a-cancelled");
}

static void
test_a_refused_wait_leaves_no_registration (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_thrice_although_cancelled, NULL);

  ct_task_cancel (&a->task);
  f->slice_us = 0;
  core_turn (f);

  g_assert_false (ct_link_is_linked (&bell));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
}

static void
cancel_itself_and_wait (TestTask *self)
{
  ct_task_cancel (&self->task);
  wait_and_say_why_it_ended (self);
}

static void
test_a_task_may_cancel_itself (CoreFixture *f)
{
  core_spawn (f, "a", cancel_itself_and_wait, NULL);

  core_turn (f);

  core_assert_said (f, "a-cancelled");
}

static void
yield_and_say_why_it_ended (TestTask *self)
{
  core_say (self, name_of (core_yield (self)));
}

static void
cancel_the_other (TestTask *self)
{
  TestTask *other = self->data;

  ct_task_cancel (&other->task);
}

static void
test_a_yielding_task_learns_that_it_was_cancelled (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", yield_and_say_why_it_ended, NULL);

  core_spawn (f, "canceller", cancel_the_other, a);
  core_turn (f);

  core_assert_said (f, "a-cancelled");
}

static void
yield_for_a_while_and_say_why_it_ended (TestTask *self)
{
  core_say (self, name_of (ct_scheduler_yield_until (self->fixture->scheduler, core_deadline (self->fixture, 1000))));
}

static void
test_a_task_yielding_with_a_deadline_is_woken_by_its_cancellation (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", yield_for_a_while_and_say_why_it_ended, NULL);

  core_spawn (f, "canceller", cancel_the_other, a);
  core_turn (f);

  core_assert_said (f, "a-cancelled");
  g_assert_false (ct_link_is_linked (&f->scheduler->timed_yielders));
}

static void
test_a_cancelled_task_that_yields_still_lets_others_run (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", yield_and_say_why_it_ended, NULL);
  TestTask *b = core_spawn (f, "b", yield_for_a_while_and_say_why_it_ended, NULL);

  core_spawn (f, "other", core_just_say, NULL);
  ct_task_cancel (&a->task);
  ct_task_cancel (&b->task);
  core_turn (f);

  core_assert_said (f, "other a-cancelled b-cancelled");
}

static void
test_cancelling_a_finished_task_is_harmless (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", core_just_say, NULL);

  core_turn (f);
  ct_task_cancel (&a->task);
  core_turn (f);

  core_assert_said (f, "a");
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/cancel/wakes-a-waiting-task-and-undoes-its-registrations", test_cancelling_wakes_a_waiting_task_and_undoes_its_registrations);
  core_test_add ("/core/cancel/every-order-of-firing-timeout-and-cancellation-wakes-once", test_every_order_of_firing_timeout_and_cancellation_wakes_once);
  core_test_add ("/core/cancel/outranks-a-timeout-of-the-same-turn", test_cancelling_outranks_a_timeout_of_the_same_turn);
  core_test_add ("/core/cancel/after-the-firing-reaches-the-next-wait", test_a_cancellation_that_came_after_the_firing_reaches_the_next_wait);
  core_test_add ("/core/cancel/a-cancelled-task-suspends-once-at-each-wait", test_a_cancelled_task_suspends_once_at_each_wait);
  core_test_add ("/core/cancel/before-the-start-still-runs-to-the-first-wait", test_a_task_cancelled_before_it_starts_still_runs_to_its_first_wait);
  core_test_add ("/core/cancel/a-refused-wait-leaves-no-registration", test_a_refused_wait_leaves_no_registration);
  core_test_add ("/core/cancel/a-task-may-cancel-itself", test_a_task_may_cancel_itself);
  core_test_add ("/core/cancel/a-yielding-task-learns-of-it", test_a_yielding_task_learns_that_it_was_cancelled);
  core_test_add ("/core/cancel/wakes-a-task-yielding-with-a-deadline", test_a_task_yielding_with_a_deadline_is_woken_by_its_cancellation);
  core_test_add ("/core/cancel/a-cancelled-task-that-yields-still-lets-others-run", test_a_cancelled_task_that_yields_still_lets_others_run);
  core_test_add ("/core/cancel/of-a-finished-task-is-harmless", test_cancelling_a_finished_task_is_harmless);
  return g_test_run ();
}
