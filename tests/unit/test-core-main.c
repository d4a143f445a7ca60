/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <poll.h>
#include <unistd.h>

/* The thread's own stack waits by itself, and the scheduler polls. */

static CtLink bell;

static CtWake
main_waits (CoreFixture *f, CtLink *list, gint64 timeout_us)
{
  CtScheduler *scheduler = f->scheduler;
  CtWaiter waiter = { .task = &scheduler->main };
  CtWake wake;

  ct_link_init (&waiter.link);
  if (list != NULL)
    ct_link_insert_before (list, &waiter.link);
  wake = ct_scheduler_wait (scheduler, &waiter, core_deadline (f, timeout_us));
  g_assert_true (scheduler->current == &scheduler->main);
  g_assert_true (core_is_on_thread_stack ());
  g_assert_false (ct_link_is_linked (&waiter.link));
  g_assert_cmpuint (scheduler->main.timer.index, ==, 0);
  ct_scheduler_check (scheduler);
  return wake;
}

static void
fire_the_bell (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
}

static void
test_main_is_woken_by_a_task (CoreFixture *f)
{
  core_spawn (f, "a", fire_the_bell, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "a");
}

static void
sleep_and_say (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
}

static void
test_tasks_run_while_main_sleeps (CoreFixture *f)
{
  core_spawn (f, "late", sleep_and_say, GINT_TO_POINTER (2000));
  core_spawn (f, "early", sleep_and_say, GINT_TO_POINTER (1000));
  core_spawn (f, "too-late", sleep_and_say, GINT_TO_POINTER (9000));

  g_assert_cmpint (main_waits (f, NULL, 5000), ==, CT_WAKE_TIMEOUT);

  core_assert_said (f, "early late");
  g_assert_cmpint (f->now_us, ==, 1000000 + 5000);
}

static void
test_a_timeout_of_nothing_lets_the_ready_tasks_run_once (CoreFixture *f)
{
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  g_assert_cmpint (main_waits (f, NULL, 0), ==, CT_WAKE_TIMEOUT);

  core_assert_said (f, "a b");
}

static void
fire_twice_and_spawn (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
  core_fire_first (&bell);
  core_spawn (self->fixture, "spawned-later", core_just_say, NULL);
}

static void
test_main_takes_its_place_in_the_order (CoreFixture *f)
{
  core_spawn (f, "a", fire_twice_and_spawn, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  main_waits (f, &bell, -1);

  core_assert_said (f, "a b");
}

static void
suspend_three_times (TestTask *self)
{
  for (guint i = 0; i < 3; i++)
    {
      core_say (self, NULL);
      core_sleep (self, 0);
    }
}

static void
test_main_yields_until_nothing_else_is_ready (CoreFixture *f)
{
  core_spawn (f, "a", suspend_three_times, NULL);

  g_assert_cmpint (ct_scheduler_yield (f->scheduler), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "a a a");
}

static void
send_byte (TestTask *self)
{
  core_sleep (self, 500);
  g_assert_cmpint (write (GPOINTER_TO_INT (self->data), "x", 1), ==, 1);
}

static void
test_main_waits_for_a_descriptor (CoreFixture *f)
{
  TestTask main_task = { .fixture = f };
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  core_spawn (f, "writer", send_byte, GINT_TO_POINTER (fds[1]));

  g_assert_cmphex (core_wait_fd (&main_task, fds[0], POLLIN, -1), ==, POLLIN);

  g_assert_cmpint (f->now_us, ==, 1000000 + 500);
  close (fds[0]);
  close (fds[1]);
}

/* A failure shows as time that passes. */
static void
yield_for_ever_and_take_time (TestTask *self)
{
  while (core_yield (self) != CT_WAKE_CANCELLED)
    {
      self->fixture->now_us += 10;
      g_assert_cmpint (self->fixture->now_us, <, 1000000 + 100000);
    }
}

static void
test_endless_yielders_do_not_starve_mains_timer (CoreFixture *f)
{
  core_spawn (f, "y", yield_for_ever_and_take_time, NULL);
  core_spawn (f, "z", yield_for_ever_and_take_time, NULL);

  g_assert_cmpint (main_waits (f, NULL, 5005), ==, CT_WAKE_TIMEOUT);

  g_assert_cmpint (f->now_us, <, 1000000 + 5005 + 30);
}

static void
poll_once_then_fire_the_bell (TestTask *self)
{
  core_say (self, "polls");
  core_turn (self->fixture);
  core_say (self, "polled");
  core_fire_first (&bell);
}

static void
test_a_task_may_run_a_loop_while_main_waits_by_itself (CoreFixture *f)
{
  core_spawn (f, "opener", poll_once_then_fire_the_bell, NULL);
  core_spawn (f, "a", core_just_say, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "opener-polls a opener-polled");
}

static void
note_where (gpointer data)
{
  core_say (data, core_is_on_thread_stack () ? "on-thread-stack" : "elsewhere");
}

static void
call_on_thread_stack (TestTask *self)
{
  ct_scheduler_call_on_thread_stack (self->fixture->scheduler, note_where, self);
  core_fire_first (&bell);
}

static void
say_where_and_finish (TestTask *self)
{
  note_where (self);
  ct_task_finish_stackless (&self->task);
}

static void
test_the_stack_of_a_waiting_main_serves_requests (CoreFixture *f)
{
  core_spawn_stackless (f, "js", say_where_and_finish, NULL);
  core_spawn (f, "a", call_on_thread_stack, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "js-on-thread-stack a-on-thread-stack");
}

/* The turns of a scheduler that polls by itself have an end, too. */
static void
test_endless_yielders_do_not_starve_mains_descriptor (CoreFixture *f)
{
  TestTask main_task = { .fixture = f };
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  core_spawn (f, "y", yield_for_ever_and_take_time, NULL);
  core_spawn (f, "z", yield_for_ever_and_take_time, NULL);

  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  g_assert_cmphex (core_wait_fd (&main_task, fds[0], POLLIN, -1), ==, POLLIN);

  g_assert_cmpint (f->now_us, <, 1000000 + 2 * f->scheduler->slice_us);
  close (fds[0]);
  close (fds[1]);
}

static void
suspend_for_ever_and_take_time (TestTask *self)
{
  while (core_sleep (self, 0) != CT_WAKE_CANCELLED)
    {
      self->fixture->now_us += 10;
      g_assert_cmpint (self->fixture->now_us, <, 1000000 + 100000);
    }
}

static void
yield_then_fire_the_bell (TestTask *self)
{
  core_yield (self);
  core_fire_first (&bell);
}

static void
test_a_yielder_waits_at_most_one_turn_for_tasks_that_never_rest (CoreFixture *f)
{
  core_spawn (f, "restless", suspend_for_ever_and_take_time, NULL);
  core_spawn (f, "yielder", yield_then_fire_the_bell, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  g_assert_cmpint (f->now_us, <, 1000000 + 2 * f->scheduler->slice_us);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/main/is-woken-by-a-task", test_main_is_woken_by_a_task);
  core_test_add ("/core/main/tasks-run-while-it-sleeps", test_tasks_run_while_main_sleeps);
  core_test_add ("/core/main/a-timeout-of-nothing-lets-the-ready-tasks-run-once", test_a_timeout_of_nothing_lets_the_ready_tasks_run_once);
  core_test_add ("/core/main/takes-its-place-in-the-order", test_main_takes_its_place_in_the_order);
  core_test_add ("/core/main/yields-until-nothing-else-is-ready", test_main_yields_until_nothing_else_is_ready);
  core_test_add ("/core/main/waits-for-a-descriptor", test_main_waits_for_a_descriptor);
  core_test_add ("/core/main/endless-yielders-do-not-starve-its-timer", test_endless_yielders_do_not_starve_mains_timer);
  core_test_add ("/core/main/a-task-may-run-a-loop-while-it-waits-by-itself", test_a_task_may_run_a_loop_while_main_waits_by_itself);
  core_test_add ("/core/main/the-stack-of-a-waiting-one-serves-requests", test_the_stack_of_a_waiting_main_serves_requests);
  core_test_add ("/core/main/endless-yielders-do-not-starve-its-descriptor", test_endless_yielders_do_not_starve_mains_descriptor);
  core_test_add ("/core/main/a-yielder-waits-at-most-one-turn-for-tasks-that-never-rest",
                 test_a_yielder_waits_at_most_one_turn_for_tasks_that_never_rest);
  return g_test_run ();
}
