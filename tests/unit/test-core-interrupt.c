/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Switch 3: an interrupt takes main out of whatever it waits for. */

static CtLink bell;
static CtLink gong;

static CtWake
main_waits_for_either (CoreFixture *f, gint64 timeout_us)
{
  CtTask *main_task = &f->scheduler->main;
  CtWaiter waiters[2] = { { .task = main_task, .next = &waiters[1] }, { .task = main_task } };
  CtWake wake;

  ct_link_insert_before (&bell, &waiters[0].link);
  ct_link_insert_before (&gong, &waiters[1].link);
  wake = ct_scheduler_wait (f->scheduler, &waiters[0], core_deadline (f, timeout_us));
  g_assert_true (f->scheduler->current == main_task);
  g_assert_false (ct_link_is_linked (&waiters[0].link));
  g_assert_false (ct_link_is_linked (&waiters[1].link));
  ct_scheduler_check (f->scheduler);
  return wake;
}

static void
interrupt (TestTask *self)
{
  core_say (self, NULL);
  ct_scheduler_interrupt (self->fixture->scheduler);
}

static void
test_a_waiting_main_is_resumed_and_told_why (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
}

static void
test_all_registrations_of_main_are_undone (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);

  main_waits_for_either (f, 5000);

  g_assert_false (ct_link_is_linked (&bell));
  g_assert_false (ct_link_is_linked (&gong));
  g_assert_cmpuint (f->scheduler->timers.length, ==, 0);
  g_assert_false (core_fire_first (&bell));
}

static void
fire_the_bell_then_interrupt (TestTask *self)
{
  g_assert_true (core_fire_first (&bell));
  ct_scheduler_interrupt (self->fixture->scheduler);
}

static void
test_a_main_that_is_ready_already_is_taken_off_the_queue (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", fire_the_bell_then_interrupt, NULL);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
}

static void
interrupt_then_suspend (TestTask *self)
{
  g_assert_true (core_fire_first (&bell));
  core_sleep (self, 0);
  ct_scheduler_interrupt (self->fixture->scheduler);
}

static void
test_a_main_that_this_tick_has_yet_to_run_is_taken_out (CoreFixture *f)
{
  /* Main becomes ready behind the task, so both stand in one tick. */
  core_spawn (f, "ctrl-c", interrupt_then_suspend, NULL);
  core_spawn (f, "other", core_just_say, NULL);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_NORMAL);
  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
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
test_the_tasks_go_on_afterwards (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);
  core_spawn (f, "a", suspend_three_times, NULL);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
  core_assert_said (f, "ctrl-c");
  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_TIMEOUT);

  core_assert_said (f, "a a a");
}

static void
test_an_interrupt_before_the_wait_ends_it_at_once (CoreFixture *f)
{
  core_spawn (f, "a", core_just_say, NULL);
  ct_scheduler_interrupt (f->scheduler);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
  g_assert_cmpint (f->now_us, ==, 1000000);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_TIMEOUT);
  core_assert_said (f, "a");
}

static void
test_two_interrupts_at_once_are_one (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);
  ct_scheduler_interrupt (f->scheduler);
  ct_scheduler_interrupt (f->scheduler);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
  core_assert_said (f, "ctrl-c");
  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_TIMEOUT);
}

static void
test_a_yielding_main_is_resumed_too (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);
  core_spawn (f, "a", suspend_three_times, NULL);

  g_assert_cmpint (ct_scheduler_yield (f->scheduler), ==, CT_WAKE_INTERRUPT);

  g_assert_false (ct_link_is_linked (&f->scheduler->timed_yielders));
}

/* ---- while main polls, or drives a loop ---- */

static void
test_a_polling_main_is_told_by_the_poll (CoreFixture *f)
{
  core_spawn (f, "ctrl-c", interrupt, NULL);

  g_assert_false (core_turn (f));
  g_assert_true (core_turn (f));
}

static void
test_an_interrupt_is_work (CoreFixture *f)
{
  ct_scheduler_interrupt (f->scheduler);

  g_assert_true (ct_scheduler_has_work (f->scheduler));
  g_assert_false (core_turn (f));
  g_assert_false (ct_scheduler_has_work (f->scheduler));
}

static guint n_interrupted;

static void
drive (gpointer data)
{
  CoreFixture *f = data;

  n_interrupted += !core_turn (f);
  f->now_us += MAX (0, f->timeout_us);
}

static void
test_a_driving_main_is_told_by_its_wait_and_not_by_the_poll (CoreFixture *f)
{
  n_interrupted = 0;
  f->scheduler->drive = drive;
  f->scheduler->owner = f;
  core_spawn (f, "ctrl-c", interrupt, NULL);

  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_INTERRUPT);
  g_assert_cmpint (main_waits_for_either (f, 5000), ==, CT_WAKE_TIMEOUT);

  g_assert_cmpuint (n_interrupted, ==, 0);
}

/* ---- under a main loop that a task runs ---- */

static gboolean inner_went_well;

static void
poll_and_note_the_result (TestTask *self)
{
  inner_went_well = core_turn (self->fixture);
  core_say (self, "returns");
}

static void
test_an_interrupt_under_a_nested_loop_is_told_to_the_outermost (CoreFixture *f)
{
  core_spawn (f, "opener", poll_and_note_the_result, NULL);
  core_spawn (f, "interrupter", interrupt, NULL);

  g_assert_false (core_turn (f));

  core_assert_said (f, "interrupter opener-returns");
  g_assert_true (inner_went_well);
  g_assert_true (core_turn (f));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  ct_link_init (&gong);
  core_test_add ("/core/interrupt/a-waiting-main-is-resumed-and-told-why", test_a_waiting_main_is_resumed_and_told_why);
  core_test_add ("/core/interrupt/all-registrations-of-main-are-undone", test_all_registrations_of_main_are_undone);
  core_test_add ("/core/interrupt/a-main-that-is-ready-already-is-taken-off-the-queue", test_a_main_that_is_ready_already_is_taken_off_the_queue);
  core_test_add ("/core/interrupt/a-main-that-this-tick-has-yet-to-run-is-taken-out", test_a_main_that_this_tick_has_yet_to_run_is_taken_out);
  core_test_add ("/core/interrupt/the-tasks-go-on-afterwards", test_the_tasks_go_on_afterwards);
  core_test_add ("/core/interrupt/before-the-wait-ends-it-at-once", test_an_interrupt_before_the_wait_ends_it_at_once);
  core_test_add ("/core/interrupt/two-at-once-are-one", test_two_interrupts_at_once_are_one);
  core_test_add ("/core/interrupt/a-yielding-main-is-resumed-too", test_a_yielding_main_is_resumed_too);
  core_test_add ("/core/interrupt/a-polling-main-is-told-by-the-poll", test_a_polling_main_is_told_by_the_poll);
  core_test_add ("/core/interrupt/is-work", test_an_interrupt_is_work);
  core_test_add ("/core/interrupt/a-driving-main-is-told-by-its-wait-and-not-by-the-poll", test_a_driving_main_is_told_by_its_wait_and_not_by_the_poll);
  core_test_add ("/core/interrupt/under-a-nested-loop-is-told-to-the-outermost", test_an_interrupt_under_a_nested_loop_is_told_to_the_outermost);
  return g_test_run ();
}
