/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* While main waits it drives the main loop around the scheduler. */

static CtLink bell;

static CtWake
main_waits (CoreFixture *f, CtLink *list, gint64 timeout_us)
{
  CtWaiter waiter = { .task = &f->scheduler->main };
  CtWake wake;

  ct_link_init (&waiter.link);
  if (list != NULL)
    ct_link_insert_before (list, &waiter.link);
  wake = ct_scheduler_wait (f->scheduler, &waiter, core_deadline (f, timeout_us));
  g_assert_true (f->scheduler->current == &f->scheduler->main);
  g_assert_false (ct_link_is_linked (&waiter.link));
  g_assert_cmpuint (f->scheduler->main.timer.index, ==, 0);
  ct_scheduler_check (f->scheduler);
  return wake;
}

static void
fire_the_bell (TestTask *self)
{
  core_say (self, NULL);
  core_fire_first (&bell);
}

static void
sleep_and_say (TestTask *self)
{
  core_sleep (self, GPOINTER_TO_INT (self->data));
  core_say (self, NULL);
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

static guint n_driven;

static void
drive (gpointer data)
{
  CoreFixture *f = data;

  n_driven++;
  g_assert_true (f->scheduler->current == &f->scheduler->main);
  core_turn (f);
  if (f->timeout_us > 0)
    f->now_us += f->timeout_us;
}

static void
begin_to_drive (CoreFixture *f)
{
  n_driven = 0;
  f->scheduler->drive = drive;
  f->scheduler->owner = f;
}

static void
test_main_drives_the_loop_until_it_is_woken (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "late", sleep_and_say, GINT_TO_POINTER (1000));
  core_spawn (f, "too-late", sleep_and_say, GINT_TO_POINTER (3000));

  g_assert_cmpint (main_waits (f, NULL, 2000), ==, CT_WAKE_TIMEOUT);

  core_assert_said (f, "late");
  g_assert_cmpuint (n_driven, ==, 3);
}

static void
suspend_for_ever (TestTask *self)
{
  while (core_sleep (self, 0) != CT_WAKE_CANCELLED)
    core_say (self, NULL);
}

static void
test_the_turn_that_wakes_main_ends_after_the_tick (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "restless", suspend_for_ever, NULL);
  core_spawn (f, "waker", fire_the_bell, NULL);
  core_spawn (f, "same-tick", core_just_say, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "waker same-tick");
  g_assert_cmpuint (n_driven, ==, 1);
}

static void
test_main_yields_while_it_drives (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "a", suspend_three_times, NULL);

  g_assert_cmpint (ct_scheduler_yield (f->scheduler), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "a a a");
}

static void
fire_the_bell_and_suspend (TestTask *self)
{
  core_fire_first (&bell);
  core_sleep (self, 0);
  core_say (self, NULL);
}

static void
test_what_the_turn_left_is_run_by_the_next (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "waker", fire_the_bell_and_suspend, NULL);

  main_waits (f, &bell, -1);
  core_assert_said (f, "");
  g_assert_cmpint (f->timeout_us, ==, 0);

  main_waits (f, NULL, 100);
  core_assert_said (f, "waker");
}

static void
test_main_may_wait_by_itself_after_it_drove (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "waker", fire_the_bell, NULL);
  main_waits (f, &bell, -1);
  f->scheduler->drive = NULL;
  core_spawn (f, "again", fire_the_bell, NULL);

  g_assert_cmpint (main_waits (f, &bell, -1), ==, CT_WAKE_NORMAL);

  core_assert_said (f, "waker again");
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
test_a_timeout_of_nothing_lets_the_ready_tasks_run_once (CoreFixture *f)
{
  begin_to_drive (f);
  core_spawn (f, "a", core_just_say, NULL);
  core_spawn (f, "b", core_just_say, NULL);

  g_assert_cmpint (main_waits (f, NULL, 0), ==, CT_WAKE_TIMEOUT);

  core_assert_said (f, "a b");
}

static void
test_main_yields_at_most_one_turn_to_tasks_that_never_rest (CoreFixture *f)
{
  begin_to_drive (f);
  f->slice_us = 2000;
  core_spawn (f, "restless", suspend_for_ever_and_take_time, NULL);

  g_assert_cmpint (ct_scheduler_yield (f->scheduler), ==, CT_WAKE_NORMAL);

  g_assert_cmpint (f->now_us, <, 1000000 + 2 * 2000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/drive/goes-on-until-main-is-woken", test_main_drives_the_loop_until_it_is_woken);
  core_test_add ("/core/drive/the-turn-that-wakes-main-ends-after-the-tick", test_the_turn_that_wakes_main_ends_after_the_tick);
  core_test_add ("/core/drive/what-that-turn-left-is-run-by-the-next", test_what_the_turn_left_is_run_by_the_next);
  core_test_add ("/core/drive/main-may-wait-by-itself-afterwards", test_main_may_wait_by_itself_after_it_drove);
  core_test_add ("/core/drive/main-yields", test_main_yields_while_it_drives);
  core_test_add ("/core/drive/main-yields-at-most-one-turn-to-tasks-that-never-rest",
                 test_main_yields_at_most_one_turn_to_tasks_that_never_rest);
  core_test_add ("/core/drive/a-timeout-of-nothing-lets-the-ready-tasks-run-once", test_a_timeout_of_nothing_lets_the_ready_tasks_run_once);
  return g_test_run ();
}
