/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* A stackless task can be ended wherever it is, by anybody. */

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
test_finishing_a_parked_task_undoes_its_registrations (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);

  core_turn (f);
  ct_task_finish_stackless (&js->task);

  ct_scheduler_check (f->scheduler);
  g_assert_true (js->is_finished);
  g_assert_false (ct_link_is_linked (&bell));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
  core_turn (f);
  core_assert_said (f, "");
}

static void
test_finishing_a_task_that_has_been_fired_takes_it_off_the_ready_queue (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", park_and_finish_when_woken, NULL);

  core_turn (f);
  core_fire_first (&bell);
  ct_task_finish_stackless (&js->task);
  ct_scheduler_check (f->scheduler);
  core_turn (f);

  core_assert_said (f, "");
  g_assert_false (ct_scheduler_has_work (f->scheduler));
}

static void
finish_the_other (TestTask *self)
{
  ct_task_finish_stackless (&((TestTask *) self->data)->task);
  core_say (self, NULL);
}

static void
test_finishing_a_task_that_this_tick_has_yet_to_run_takes_it_out (CoreFixture *f)
{
  TestTask *finisher = core_spawn (f, "finisher", finish_the_other, NULL);
  TestTask *js = core_spawn_stackless (f, "js", finish_at_once, NULL);

  finisher->data = js;
  core_spawn (f, "last", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "finisher last");
  g_assert_true (js->is_finished);
}

static void
finish_while_it_is_parked (TestTask *self)
{
  core_park (self, &bell, 1000);
  ct_task_finish_stackless (&self->task);
}

static void
test_a_task_may_finish_after_it_parked (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", finish_while_it_is_parked, NULL);

  core_turn (f);

  g_assert_true (js->is_finished);
  g_assert_false (ct_link_is_linked (&bell));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
}

static void
test_finishing_a_task_that_has_not_run_yet_takes_it_out (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", finish_at_once, NULL);

  ct_task_finish_stackless (&js->task);
  ct_scheduler_check (f->scheduler);
  core_turn (f);

  core_assert_said (f, "");
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
}

static void
test_finishing_twice_is_refused (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", finish_at_once, NULL);

  core_turn (f);

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*CT_TASK_FINISHED*");
  ct_task_finish_stackless (&js->task);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (f->scheduler->n_finished, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/stackless-finish/a-parked-one-undoes-its-registrations", test_finishing_a_parked_task_undoes_its_registrations);
  core_test_add ("/core/stackless-finish/a-fired-one-takes-it-off-the-ready-queue",
                 test_finishing_a_task_that_has_been_fired_takes_it_off_the_ready_queue);
  core_test_add ("/core/stackless-finish/one-this-tick-has-yet-to-run-takes-it-out", test_finishing_a_task_that_this_tick_has_yet_to_run_takes_it_out);
  core_test_add ("/core/stackless-finish/after-it-parked", test_a_task_may_finish_after_it_parked);
  core_test_add ("/core/stackless-finish/one-that-has-not-run-yet-takes-it-out", test_finishing_a_task_that_has_not_run_yet_takes_it_out);
  core_test_add ("/core/stackless-finish/twice-is-refused", test_finishing_twice_is_refused);
  return g_test_run ();
}
