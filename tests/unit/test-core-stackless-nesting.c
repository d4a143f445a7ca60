/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Stackless tasks among nested main loops. */

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
poll_then_finish (TestTask *self)
{
  core_say (self, "polls");
  core_turn (self->fixture);
  g_assert_true (self->fixture->scheduler->current == &self->task);
  core_say (self, "polled");
  ct_task_finish_stackless (&self->task);
}

static void
test_a_step_may_run_a_main_loop (CoreFixture *f)
{
  core_spawn_stackless (f, "dialog", poll_then_finish, NULL);
  core_spawn (f, "a", say_where, NULL);
  core_spawn_stackless (f, "js", finish_at_once, NULL);
  core_spawn_stackless (f, "inner-dialog", poll_then_finish, NULL);
  core_spawn (f, "b", say_where, NULL);

  core_turn (f);

  core_assert_said (f, "dialog-polls a js inner-dialog-polls b inner-dialog-polled dialog-polled");
}

static void
poll_once (TestTask *self)
{
  core_say (self, "polls");
  core_turn (self->fixture);
  core_say (self, "polled");
}

static void
test_under_a_loop_on_a_tasks_stack_a_step_still_runs_on_the_threads_own (CoreFixture *f)
{
  core_spawn (f, "opener", poll_once, NULL);
  core_spawn_stackless (f, "js", finish_at_once, NULL);
  core_spawn (f, "a", say_where, NULL);
  core_spawn (f, "inner-opener", poll_once, NULL);
  core_spawn_stackless (f, "js2", finish_at_once, NULL);

  core_turn (f);

  core_assert_said (f, "opener-polls js a inner-opener-polls js2 inner-opener-polled opener-polled");
}

static void
call_on_thread_stack_then_finish (TestTask *self)
{
  ct_scheduler_call_on_thread_stack (self->fixture->scheduler, (void (*) (gpointer)) finish_at_once, self);
}

static void
test_a_step_that_asks_for_the_threads_stack_is_there_already (CoreFixture *f)
{
  core_spawn_stackless (f, "js", call_on_thread_stack_then_finish, NULL);

  core_turn (f);

  core_assert_said (f, "js");
}

static guint n_told;

static void
count_the_telling (CtTask *task)
{
  g_assert_true (task->scheduler->current == task);
  n_told++;
}

static void
run_step (CtTask *task)
{
  TestTask *self = (TestTask *) task;

  self->body (self);
}

static void
note_the_end (CtTask *task)
{
  ((TestTask *) task)->is_finished = TRUE;
}

static const CtTaskClass told_class = { run_step, note_the_end, count_the_telling };

static void
poll_twice_then_finish (TestTask *self)
{
  g_assert_cmpuint (n_told, ==, 0);
  core_turn (self->fixture);
  core_turn (self->fixture);
  core_say (self, "polled");
  ct_task_finish_stackless (&self->task);
}

/* It will not return before that loop ends, and others may take its place. */
static void
test_a_step_that_polls_is_told_each_time_before_anybody_runs (CoreFixture *f)
{
  TestTask *dialog = core_spawn_stackless (f, "dialog", poll_twice_then_finish, NULL);

  n_told = 0;
  dialog->task.klass = &told_class;
  core_spawn (f, "a", say_where, NULL);
  core_turn (f);

  core_assert_said (f, "a dialog-polled");
  g_assert_cmpuint (n_told, ==, 2);
}

static void
test_a_poll_from_another_task_does_not_tell_it (CoreFixture *f)
{
  TestTask *js = core_spawn_stackless (f, "js", finish_at_once, NULL);

  n_told = 0;
  js->task.klass = &told_class;
  core_spawn (f, "opener", poll_once, NULL);
  core_turn (f);

  g_assert_true (js->is_finished);
  g_assert_cmpuint (n_told, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/stackless-nesting/a-step-may-run-a-main-loop", test_a_step_may_run_a_main_loop);
  core_test_add ("/core/stackless-nesting/under-a-loop-on-a-tasks-stack-still-on-the-threads-own",
                 test_under_a_loop_on_a_tasks_stack_a_step_still_runs_on_the_threads_own);
  core_test_add ("/core/stackless-nesting/a-step-that-asks-for-the-threads-stack-is-there-already",
                 test_a_step_that_asks_for_the_threads_stack_is_there_already);
  core_test_add ("/core/stackless-nesting/a-step-that-polls-is-told-each-time-before-anybody-runs",
                 test_a_step_that_polls_is_told_each_time_before_anybody_runs);
  core_test_add ("/core/stackless-nesting/a-poll-from-another-task-does-not-tell-it", test_a_poll_from_another_task_does_not_tell_it);
  return g_test_run ();
}
