/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Who runs when: spawning, ready tasks, timers. Yielders have a file of their
 * own. */

static CtLink bell;

static void
test_a_spawned_task_does_not_run_before_its_spawner_suspends (CoreFixture *f)
{
  core_spawn (f, "a", core_just_say, NULL);

  core_assert_said (f, "");
  core_turn (f);
  core_assert_said (f, "a");
}

static void
spawn_one_and_suspend (TestTask *self)
{
  core_spawn (self->fixture, "child", core_just_say, NULL);
  core_say (self, "spawned");
  core_sleep (self, 0);
  core_say (self, "resumed");
}

static void
test_a_spawning_task_runs_on_until_it_suspends (CoreFixture *f)
{
  core_spawn (f, "parent", spawn_one_and_suspend, NULL);

  core_run (f);

  core_assert_said (f, "parent-spawned child parent-resumed");
}

static void
test_tasks_start_in_the_order_they_were_spawned (CoreFixture *f)
{
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);
  core_spawn (f, "c", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "a b c");
}

static void
spawn_three (TestTask *self)
{
  core_spawn (self->fixture, "a", core_just_say, NULL);
  core_spawn (self->fixture, "b", core_just_say, NULL);
  core_spawn (self->fixture, "c", core_just_say, NULL);
  core_say (self, NULL);
}

static void
test_tasks_spawned_by_a_task_start_with_none_in_between (CoreFixture *f)
{
  core_spawn (f, "parent", spawn_three, NULL);
  core_spawn (f, "other", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "parent other a b c");
}

static void
fire_the_bell (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
}

static void
test_a_task_that_becomes_ready_during_a_tick_runs_in_the_next (CoreFixture *f)
{
  guint64 ticks;

  core_spawn (f, "woken", core_wait_on_data, &bell);
  core_turn (f);
  core_spawn (f, "waker", fire_the_bell, NULL);
  core_spawn (f, "same-tick", core_just_say, NULL);
  ticks = f->scheduler->n_ticks;

  core_turn (f);

  core_assert_said (f, "waker same-tick woken");
  g_assert_cmpuint (f->scheduler->n_ticks, ==, ticks + 2);
}

static void
wait_twice (TestTask *self)
{
  for (guint i = 0; i < 2; i++)
    {
      core_wait (self, &bell, -1);
      core_say (self, NULL);
    }
}

static void
fire_the_bell_twice (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
  core_fire_first (&bell);
}

static void
test_waiters_wake_in_the_order_they_began_to_wait (CoreFixture *f)
{
  core_spawn (f, "a", wait_twice, NULL);
  core_spawn (f, "b", wait_twice, NULL);
  core_turn (f);

  core_spawn (f, "first", fire_the_bell_twice, NULL);
  core_turn (f);
  core_assert_said (f, "first a b");

  core_spawn (f, "second", fire_the_bell_twice, NULL);
  core_turn (f);
  core_assert_said (f, "second a b");
}

static void
test_a_woken_task_goes_to_the_end_of_the_ready_queue (CoreFixture *f)
{
  core_spawn (f, "woken", core_wait_on_data, &bell);
  core_turn (f);
  core_spawn (f, "ready", core_just_say, NULL);

  core_fire_first (&bell);
  core_spawn (f, "later", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "ready woken later");
}

static void
sleep_for_data (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
}

static void
test_tasks_woken_by_a_timer_come_after_the_ready_ones (CoreFixture *f)
{
  core_spawn (f, "timed", sleep_for_data, GINT_TO_POINTER (100));
  core_spawn (f, "woken", core_wait_on_data, &bell);
  core_turn (f);
  f->now_us += 100;

  core_fire_first (&bell);
  core_spawn (f, "spawned", core_just_say, NULL);
  core_turn (f);

  core_assert_said (f, "woken spawned timed");
}

static void
suspend_three_times_for_nothing (TestTask *self)
{
  for (guint i = 0; i < 3; i++)
    {
      core_say (self, NULL);
      core_sleep (self, 0);
    }
}

static void
test_tasks_that_suspend_for_nothing_take_turns (CoreFixture *f)
{
  core_spawn (f, "a", suspend_three_times_for_nothing, NULL);
  core_spawn (f, "b", suspend_three_times_for_nothing, NULL);

  core_turn (f);

  core_assert_said (f, "a b a b a b");
}

static void
test_live_tasks_are_the_running_ready_yielding_and_waiting_ones (CoreFixture *f)
{
  core_spawn (f, "waiting", core_wait_on_data, &bell);
  core_spawn (f, "sleeping", sleep_for_data, GINT_TO_POINTER (100));
  core_turn (f);
  core_spawn (f, "ready", core_just_say, NULL);
  g_assert_cmpuint (f->scheduler->n_live, ==, 3);
  g_assert_cmpuint (f->scheduler->ready.length, ==, 1);

  core_turn (f);

  g_assert_cmpuint (f->scheduler->n_live, ==, 2);
  g_assert_cmpuint (f->scheduler->n_spawned, ==, 3);
  g_assert_cmpuint (f->scheduler->n_finished, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/order/a-spawned-task-does-not-run-before-its-spawner-suspends", test_a_spawned_task_does_not_run_before_its_spawner_suspends);
  core_test_add ("/core/order/a-spawning-task-runs-on-until-it-suspends", test_a_spawning_task_runs_on_until_it_suspends);
  core_test_add ("/core/order/tasks-start-in-the-order-they-were-spawned", test_tasks_start_in_the_order_they_were_spawned);
  core_test_add ("/core/order/tasks-spawned-by-a-task-start-with-none-in-between", test_tasks_spawned_by_a_task_start_with_none_in_between);
  core_test_add ("/core/order/what-becomes-ready-during-a-tick-runs-in-the-next", test_a_task_that_becomes_ready_during_a_tick_runs_in_the_next);
  core_test_add ("/core/order/waiters-wake-in-the-order-they-began-to-wait", test_waiters_wake_in_the_order_they_began_to_wait);
  core_test_add ("/core/order/a-woken-task-goes-to-the-end-of-the-ready-queue", test_a_woken_task_goes_to_the_end_of_the_ready_queue);
  core_test_add ("/core/order/tasks-woken-by-a-timer-come-after-the-ready-ones", test_tasks_woken_by_a_timer_come_after_the_ready_ones);
  core_test_add ("/core/order/tasks-that-suspend-for-nothing-take-turns", test_tasks_that_suspend_for_nothing_take_turns);
  core_test_add ("/core/order/live-tasks-are-the-running-ready-yielding-and-waiting-ones",
                 test_live_tasks_are_the_running_ready_yielding_and_waiting_ones);
  return g_test_run ();
}
