/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* ct_scheduler_call_on_thread_stack(): a native task runs one function on the
 * thread's own stack. */

static void
note_where (gpointer data)
{
  TestTask *caller = data;

  g_assert_true (core_is_on_thread_stack ());
  g_assert_false (core_is_on_stack_of (caller));
  g_assert_true (ct_scheduler_is_on_thread_stack (caller->fixture->scheduler));
  core_say (caller, "called");
}

static void
call (TestTask *self)
{
  CtScheduler *scheduler = self->fixture->scheduler;

  g_assert_true (core_is_on_stack_of (self));
  g_assert_false (ct_scheduler_is_on_thread_stack (scheduler));
  ct_scheduler_call_on_thread_stack (scheduler, note_where, self);
  g_assert_true (scheduler->current == &self->task);
  g_assert_true (core_is_on_stack_of (self));
  g_assert_cmpint (self->task.state, ==, CT_TASK_RUNNING);
  core_say (self, "returned");
}

static void
test_the_function_runs_on_the_threads_own_stack (CoreFixture *f)
{
  core_spawn (f, "a", call, NULL);

  core_turn (f);

  core_assert_said (f, "a-called a-returned");
}

static void
test_no_other_task_runs_meanwhile (CoreFixture *f)
{
  core_spawn (f, "a", call, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "a-called a-returned b");
}

static void
call_a_hundred_times (TestTask *self)
{
  for (guint i = 0; i < 100; i++)
    {
      ct_scheduler_call_on_thread_stack (self->fixture->scheduler, note_where, self);
      core_sleep (self, 0);
    }
}

static void
test_calls_and_suspensions_may_alternate (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", call_a_hundred_times, NULL);
  TestTask *b = core_spawn (f, "b", call_a_hundred_times, NULL);

  core_run (f);

  g_assert_true (a->is_finished && b->is_finished);
}

static void
say_so (gpointer data)
{
  *(gboolean *) data = core_is_on_thread_stack ();
}

static void
test_called_from_the_threads_own_stack_it_just_calls (CoreFixture *f)
{
  gboolean was_there = FALSE;

  ct_scheduler_call_on_thread_stack (f->scheduler, say_so, &was_there);

  g_assert_true (was_there);
  g_assert_true (f->scheduler->current == &f->scheduler->main);
}

static void
check_that_one_call_is_counted (gpointer data)
{
  g_assert_cmpuint (((CtScheduler *) data)->thread_stack_calls, ==, 1);
}

static void
call_and_look_at_the_count (TestTask *self)
{
  CtScheduler *scheduler = self->fixture->scheduler;

  ct_scheduler_call_on_thread_stack (scheduler, check_that_one_call_is_counted, scheduler);
  g_assert_cmpuint (scheduler->thread_stack_calls, ==, 0);
}

static void
test_the_calls_in_progress_are_counted (CoreFixture *f)
{
  core_spawn (f, "a", call_and_look_at_the_count, NULL);

  core_turn (f);
}

static void
spawn_and_wake (gpointer data)
{
  TestTask *caller = data;

  core_spawn (caller->fixture, "child", core_just_say, NULL);
  core_fire_first (caller->data);
}

static void
call_that_spawns_and_wakes (TestTask *self)
{
  ct_scheduler_call_on_thread_stack (self->fixture->scheduler, spawn_and_wake, self);
  core_say (self, NULL);
}

static void
test_the_function_may_spawn_and_wake_tasks (CoreFixture *f)
{
  static CtLink bell;

  ct_link_init (&bell);
  core_spawn (f, "waiter", core_wait_on_data, &bell);
  core_spawn (f, "caller", call_that_spawns_and_wakes, &bell);

  core_turn (f);

  core_assert_said (f, "caller child waiter");
}

/* ---- with a main loop inside ---- */

static void
poll_there (gpointer data)
{
  TestTask *caller = data;

  core_say (caller, "polls");
  core_turn (caller->fixture);
  core_say (caller, "polled");
}

static void
call_a_loop (TestTask *self)
{
  ct_scheduler_call_on_thread_stack (self->fixture->scheduler, poll_there, self);
  core_say (self, "returned");
}

static void
test_a_loop_inside_runs_the_others_and_does_not_resume_the_caller (CoreFixture *f)
{
  core_spawn (f, "caller", call_a_loop, NULL);
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "caller-polls a b caller-polled caller-returned");
}

static void
cancel_the_other (TestTask *self)
{
  TestTask *other = self->data;

  ct_task_cancel (&other->task);
  core_say (self, NULL);
}

static void
test_the_caller_is_not_resumed_by_a_cancellation (CoreFixture *f)
{
  TestTask *caller = core_spawn (f, "caller", call_a_loop, NULL);

  core_spawn (f, "canceller", cancel_the_other, caller);
  core_turn (f);

  core_assert_said (f, "caller-polls canceller caller-polled caller-returned");
}

static void
test_calls_of_two_tasks_nest (CoreFixture *f)
{
  core_spawn (f, "a", call_a_loop, NULL);
  core_spawn (f, "b", call_a_loop, NULL);
  core_spawn (f, "c", call, NULL);

  core_turn (f);

  core_assert_said (f, "a-polls b-polls c-called c-returned b-polled b-returned a-polled a-returned");
}

static void
poll_from_the_task (TestTask *self)
{
  core_say (self, "polls");
  core_turn (self->fixture);
  core_say (self, "polled");
}

static void
test_under_a_loop_on_a_tasks_stack_it_is_still_the_threads_own (CoreFixture *f)
{
  core_spawn (f, "opener", poll_from_the_task, NULL);
  core_spawn (f, "a", call, NULL);

  core_turn (f);

  core_assert_said (f, "opener-polls a-called a-returned opener-polled");
}

static void
test_loops_on_both_kinds_of_stack_may_alternate (CoreFixture *f)
{
  core_spawn (f, "a", poll_from_the_task, NULL);
  core_spawn (f, "b", call_a_loop, NULL);
  core_spawn (f, "c", poll_from_the_task, NULL);
  core_spawn (f, "d", call_a_loop, NULL);
  core_spawn (f, "e", call, NULL);

  core_turn (f);

  core_assert_said (f, "a-polls b-polls c-polls d-polls e-called e-returned d-polled d-returned "
                       "c-polled b-polled b-returned a-polled");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/thread-stack/the-function-runs-there", test_the_function_runs_on_the_threads_own_stack);
  core_test_add ("/core/thread-stack/no-other-task-runs-meanwhile", test_no_other_task_runs_meanwhile);
  core_test_add ("/core/thread-stack/calls-and-suspensions-may-alternate", test_calls_and_suspensions_may_alternate);
  core_test_add ("/core/thread-stack/from-the-threads-own-stack-it-just-calls", test_called_from_the_threads_own_stack_it_just_calls);
  core_test_add ("/core/thread-stack/the-calls-in-progress-are-counted", test_the_calls_in_progress_are_counted);
  core_test_add ("/core/thread-stack/the-function-may-spawn-and-wake-tasks", test_the_function_may_spawn_and_wake_tasks);
  core_test_add ("/core/thread-stack/a-loop-inside-runs-the-others-and-does-not-resume-the-caller",
                 test_a_loop_inside_runs_the_others_and_does_not_resume_the_caller);
  core_test_add ("/core/thread-stack/the-caller-is-not-resumed-by-a-cancellation", test_the_caller_is_not_resumed_by_a_cancellation);
  core_test_add ("/core/thread-stack/calls-of-two-tasks-nest", test_calls_of_two_tasks_nest);
  core_test_add ("/core/thread-stack/under-a-loop-on-a-tasks-stack-it-is-still-the-threads-own",
                 test_under_a_loop_on_a_tasks_stack_it_is_still_the_threads_own);
  core_test_add ("/core/thread-stack/loops-on-both-kinds-of-stack-may-alternate", test_loops_on_both_kinds_of_stack_may_alternate);
  return g_test_run ();
}
