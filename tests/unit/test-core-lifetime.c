/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <fenv.h>

/* Schedulers and tasks come and go. */

static CtLink bell;

static void
test_a_new_scheduler_leaves_main_running (CoreFixture *f)
{
  g_assert_true (f->scheduler->current == &f->scheduler->main);
  g_assert_true (ct_scheduler_is_on_thread_stack (f->scheduler));
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
  g_assert_null (f->scheduler->frame);
}

static void
test_a_scheduler_with_live_tasks_is_not_freed (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);
  core_turn (f);

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*n_live == 0*");
  ct_scheduler_free (f->scheduler);
  g_test_assert_expected_messages ();

  core_fire_first (&bell);
  core_turn (f);
  core_assert_said (f, "a");
}

static void
test_freeing_no_scheduler_is_harmless (G_GNUC_UNUSED CoreFixture *f)
{
  ct_scheduler_free (NULL);
}

static void
note_its_stack (TestTask *self)
{
  *(CtStack **) self->data = self->task.stack;
  g_assert_true (core_is_on_stack_of (self));
}

static void
test_a_task_gets_its_stack_at_its_first_switch_and_gives_it_back_at_its_end (CoreFixture *f)
{
  CtStack *stack = NULL;
  TestTask *task = core_spawn (f, "a", note_its_stack, &stack);

  g_assert_null (task->task.stack);
  core_turn (f);

  g_assert_nonnull (stack);
  g_assert_null (task->task.stack);
  g_assert_true (task->is_finished);
}

static void
test_a_finished_tasks_stack_goes_to_the_next_one (CoreFixture *f)
{
  CtStack *first = NULL, *second = NULL;

  core_spawn (f, "first", note_its_stack, &first);
  core_turn (f);
  core_spawn (f, "second", note_its_stack, &second);
  core_turn (f);

  g_assert_true (first == second);
}

static void
test_a_stack_that_is_too_big_leaves_no_trace_of_the_task (CoreFixture *f)
{
  static const CtTaskClass no_class;
  g_autoptr (GError) error = NULL;
  CtTask task = { 0 };

  g_assert_false (ct_scheduler_spawn (f->scheduler, &task, &no_class, G_MAXSIZE, &error));

  g_assert_nonnull (error);
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
  g_assert_cmpuint (f->scheduler->ready.length, ==, 0);
}

static void
suspend_once (TestTask *self)
{
  core_sleep (self, 0);
}

static void
test_thousands_of_tasks_in_turn_need_one_stack (CoreFixture *f)
{
  CtStackPoolStatistics statistics;

  for (guint i = 0; i < 5000; i++)
    {
      core_spawn (f, "a", suspend_once, NULL);
      core_turn (f);
    }

  ct_stack_pool_get_statistics (f->scheduler->pool, &statistics);
  g_assert_cmpuint (f->scheduler->n_finished, ==, 5000);
  g_assert_cmpuint (statistics.regions, ==, 2);
  g_assert_cmpuint (statistics.warm, ==, 1);
}

static guint n_released;

static void
suspend_in_a_class_of_its_own (CtTask *task)
{
  ct_scheduler_wait (task->scheduler, NULL, 0);
}

static void
note_who_releases (CtTask *task)
{
  n_released++;
  g_assert_true (task->scheduler->current == &task->scheduler->main);
  g_assert_true (task->scheduler->is_reaping);
}

/* It happens on the stack of whoever runs next, who has nothing to do with it. */
static void
test_a_finished_task_is_released_on_nobodys_behalf (CoreFixture *f)
{
  static const CtTaskClass noting_class = { suspend_in_a_class_of_its_own, note_who_releases };
  CtTask tasks[3] = { 0 };

  n_released = 0;
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    g_assert_true (ct_scheduler_spawn (f->scheduler, &tasks[i], &noting_class, CT_STACK_DEFAULT_BYTES, NULL));
  core_spawn (f, "other", suspend_once, NULL);
  core_turn (f);

  g_assert_cmpuint (n_released, ==, 3);
  g_assert_false (f->scheduler->is_reaping);
  g_assert_true (f->scheduler->current == &f->scheduler->main);
}

static gint64
never_asked (G_GNUC_UNUSED gpointer data)
{
  return 1;
}

static void
test_two_schedulers_of_one_thread_do_not_mix (CoreFixture *f)
{
  CtClock clock = { never_asked, NULL, TRUE };
  CtScheduler *other = ct_scheduler_new (clock, ct_poller_poll_new (), CT_STACK_GUARD_MPROTECT, NULL);

  core_spawn (f, "a", core_just_say, NULL);
  ct_scheduler_poll (other, NULL, 0, ct_scheduler_now (other), -1, 0, NULL);
  core_assert_said (f, "");
  ct_scheduler_free (other);
  core_turn (f);

  core_assert_said (f, "a");
}

static void
round_towards_zero_and_suspend (TestTask *self)
{
  fesetround (FE_TOWARDZERO);
  core_sleep (self, 1000);
}

static void
note_rounding (TestTask *self)
{
  *(int *) self->data = fegetround ();
}

/* Whoever happens to run before a new task must not decide how it computes. */
static void
test_a_new_task_computes_like_its_spawner_not_like_who_ran_before (CoreFixture *f)
{
  int rounding = -1;

  core_spawn (f, "before", round_towards_zero_and_suspend, NULL);
  core_spawn (f, "new", note_rounding, &rounding);
  core_turn (f);

  g_assert_cmpint (rounding, ==, FE_TONEAREST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/lifetime/a-new-scheduler-leaves-main-running", test_a_new_scheduler_leaves_main_running);
  core_test_add ("/core/lifetime/a-scheduler-with-live-tasks-is-not-freed", test_a_scheduler_with_live_tasks_is_not_freed);
  core_test_add ("/core/lifetime/freeing-no-scheduler-is-harmless", test_freeing_no_scheduler_is_harmless);
  core_test_add ("/core/lifetime/a-finished-tasks-stack-goes-to-the-next-one", test_a_finished_tasks_stack_goes_to_the_next_one);
  core_test_add ("/core/lifetime/a-stack-that-is-too-big-leaves-no-trace-of-the-task", test_a_stack_that_is_too_big_leaves_no_trace_of_the_task);
  core_test_add ("/core/lifetime/thousands-of-tasks-in-turn-need-one-stack", test_thousands_of_tasks_in_turn_need_one_stack);
  core_test_add ("/core/lifetime/two-schedulers-of-one-thread-do-not-mix", test_two_schedulers_of_one_thread_do_not_mix);
  core_test_add ("/core/lifetime/a-finished-task-is-released-on-nobodys-behalf", test_a_finished_task_is_released_on_nobodys_behalf);
  core_test_add ("/core/lifetime/a-task-gets-its-stack-at-its-first-switch-and-gives-it-back-at-its-end",
                 test_a_task_gets_its_stack_at_its_first_switch_and_gives_it_back_at_its_end);
  core_test_add ("/core/lifetime/a-new-task-computes-like-its-spawner-not-like-who-ran-before",
                 test_a_new_task_computes_like_its_spawner_not_like_who_ran_before);
  return g_test_run ();
}
