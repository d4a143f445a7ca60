/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* A main loop that was told that it may sleep is woken when that is no longer
 * true, and at no other time: each wakeup costs it an iteration. */

static CtLink bell;
static guint n_woken;

static void
fire_the_bell (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
}

static void
count_wakeup (gpointer owner)
{
  n_woken++;
  g_assert_nonnull (owner);
}

static void
let_the_loop_sleep (CoreFixture *f)
{
  n_woken = 0;
  f->scheduler->wake_loop = count_wakeup;
  f->scheduler->owner = f;
  core_turn (f);
  f->scheduler->is_loop_asleep = TRUE;
}

static void
test_a_sleeping_loop_is_woken_once_by_tasks_that_become_ready (CoreFixture *f)
{
  core_spawn (f, "a", core_wait_on_data, &bell);
  core_spawn (f, "b", core_wait_on_data, &bell);
  let_the_loop_sleep (f);

  core_fire_first (&bell);
  g_assert_cmpuint (n_woken, ==, 1);
  core_fire_first (&bell);

  g_assert_cmpuint (n_woken, ==, 1);
}

static void
test_a_sleeping_loop_is_woken_by_a_spawn (CoreFixture *f)
{
  let_the_loop_sleep (f);

  core_spawn (f, "a", core_just_say, NULL);

  g_assert_cmpuint (n_woken, ==, 1);
}

static void
test_a_sleeping_loop_is_woken_by_a_cancellation (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", core_wait_on_data, &bell);

  let_the_loop_sleep (f);

  ct_task_cancel (&a->task);

  g_assert_cmpuint (n_woken, ==, 1);
}

static void
test_a_sleeping_loop_is_woken_by_an_interrupt (CoreFixture *f)
{
  let_the_loop_sleep (f);

  ct_scheduler_interrupt (f->scheduler);

  g_assert_cmpuint (n_woken, ==, 1);
  core_turn (f);
}

static void
test_a_loop_that_is_awake_is_not_woken (CoreFixture *f)
{
  let_the_loop_sleep (f);
  f->scheduler->is_loop_asleep = FALSE;

  core_spawn (f, "a", core_just_say, NULL);
  core_turn (f);

  g_assert_cmpuint (n_woken, ==, 0);
}

static void
test_nothing_wakes_the_loop_during_a_turn (CoreFixture *f)
{
  let_the_loop_sleep (f);
  core_spawn (f, "a", core_wait_on_data, &bell);
  f->scheduler->is_loop_asleep = TRUE;
  n_woken = 0;

  core_turn (f);
  core_spawn (f, "b", fire_the_bell, NULL);
  core_turn (f);

  core_assert_said (f, "b a");
  g_assert_cmpuint (n_woken, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/wake-loop/a-sleeping-one-is-woken-once-by-tasks-that-become-ready", test_a_sleeping_loop_is_woken_once_by_tasks_that_become_ready);
  core_test_add ("/core/wake-loop/a-sleeping-one-is-woken-by-a-spawn", test_a_sleeping_loop_is_woken_by_a_spawn);
  core_test_add ("/core/wake-loop/a-sleeping-one-is-woken-by-a-cancellation", test_a_sleeping_loop_is_woken_by_a_cancellation);
  core_test_add ("/core/wake-loop/a-sleeping-one-is-woken-by-an-interrupt", test_a_sleeping_loop_is_woken_by_an_interrupt);
  core_test_add ("/core/wake-loop/one-that-is-awake-is-not-woken", test_a_loop_that_is_awake_is_not_woken);
  core_test_add ("/core/wake-loop/nothing-wakes-it-during-a-turn", test_nothing_wakes_the_loop_during_a_turn);
  return g_test_run ();
}
