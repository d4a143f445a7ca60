/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <unistd.h>

/* Yielders let all others run first; and those who only ever yield starve
 * nobody. */

static CtLink bell;
static CtLink ping;
static CtLink pong;

static void
yield_once (TestTask *self)
{
  core_say (self, "begins");
  core_yield (self);
  core_say (self, "goes-on");
}

static void
suspend_twice (TestTask *self)
{
  for (guint i = 0; i < 2; i++)
    {
      core_sleep (self, 0);
      core_say (self, NULL);
    }
}

static void
test_a_yielder_runs_when_nothing_else_is_ready (CoreFixture *f)
{
  core_spawn (f, "yielder", yield_once, NULL);
  core_spawn (f, "busy", suspend_twice, NULL);

  core_turn (f);

  core_assert_said (f, "yielder-begins busy busy yielder-goes-on");
}

static void
test_yielders_go_on_in_the_order_they_yielded (CoreFixture *f)
{
  core_spawn (f, "a", yield_once, NULL);
  core_spawn (f, "b", yield_once, NULL);
  core_spawn (f, "c", yield_once, NULL);

  core_turn (f);

  core_assert_said (f, "a-begins b-begins c-begins a-goes-on b-goes-on c-goes-on");
}

static void
test_yielding_alone_goes_on_in_the_same_turn (CoreFixture *f)
{
  core_spawn (f, "a", yield_once, NULL);

  core_turn (f);

  core_assert_said (f, "a-begins a-goes-on");
}

static void
yield_for_data (TestTask *self)
{
  self->wake = ct_scheduler_yield_until (self->fixture->scheduler, core_deadline (self->fixture, GPOINTER_TO_INT (self->data)));
  core_say (self, self->wake == CT_WAKE_TIMEOUT ? "timed-out" : "went-on");
}

/* ---- yields inside a slice that is known not to be used up ---- */

static gboolean stop;

/* The quick ways need a slice that has an alarm set, which a virtual clock's has
 * not. */
static void
know_that_the_slice_goes_on (CoreFixture *f)
{
  static guint never;

  f->scheduler->slice.word = &never;
  f->scheduler->slice.seen = never;
}

static void
take_time_for_real (CoreFixture *f)
{
  f->scheduler->clock.is_virtual = FALSE;
  f->scheduler->ticks_counter.alarm.is_unavailable = TRUE;
}

static void
yield_until_stopped (TestTask *self)
{
  know_that_the_slice_goes_on (self->fixture);
  while (!stop)
    {
      self->fixture->now_us += 10;
      core_yield (self);
    }
}

static void
sleep_and_stop (TestTask *self)
{
  core_sleep (self, 300);
  core_say (self, "woke");
  stop = TRUE;
}

static void
test_a_timer_in_the_slice_expires_while_others_only_yield (CoreFixture *f)
{
  take_time_for_real (f);
  for (guint n = 1; n <= 3; n++)
    {
      stop = FALSE;
      core_spawn (f, "sleeper", sleep_and_stop, NULL);
      for (guint i = 0; i < n; i++)
        core_spawn (f, "yielder", yield_until_stopped, NULL);
      f->slice_us = 2000;

      core_turn (f);

      core_assert_said (f, "sleeper-woke");
      g_assert_cmpuint (f->scheduler->n_live, ==, 0);
    }
}

static void
yield_ten_times (TestTask *self)
{
  know_that_the_slice_goes_on (self->fixture);
  for (guint i = 0; i < 10; i++)
    {
      core_yield (self);
      ct_scheduler_check (self->fixture->scheduler);
    }
}

static void
test_every_tick_and_switch_of_yielders_is_counted (CoreFixture *f)
{
  for (guint n = 1; n <= 3; n++)
    {
      guint64 ticks = f->scheduler->n_ticks, switches = f->scheduler->n_switches;

      for (guint i = 0; i < n; i++)
        core_spawn (f, "yielder", yield_ten_times, NULL);

      core_turn (f);

      g_assert_cmpuint (f->scheduler->n_ticks - ticks, ==, 11);
      g_assert_cmpuint (f->scheduler->n_switches - switches, ==, 11 * n);
      g_assert_cmpuint (f->scheduler->n_live, ==, 0);
    }
}

static void
yield_to_a_newcomer (TestTask *self)
{
  know_that_the_slice_goes_on (self->fixture);
  core_yield (self);
  core_spawn (self->fixture, "newcomer", core_just_say, NULL);
  core_yield (self);
  core_say (self, "goes-on");
}

static void
test_who_became_ready_runs_before_yielders_go_on (CoreFixture *f)
{
  core_spawn (f, "a", yield_to_a_newcomer, NULL);
  core_turn (f);
  core_assert_said (f, "newcomer a-goes-on");

  core_spawn (f, "a", yield_to_a_newcomer, NULL);
  core_spawn (f, "b", yield_to_a_newcomer, NULL);
  core_turn (f);
  core_assert_said (f, "newcomer newcomer a-goes-on b-goes-on");
}

/* One that is cancelled while it yields is told so. */
static void
yield_and_tell (TestTask *self)
{
  know_that_the_slice_goes_on (self->fixture);
  core_yield (self);
  core_yield (self);
  core_say (self, self->wake == CT_WAKE_CANCELLED ? "cancelled" : "went-on");
}

static void
cancel_data (TestTask *self)
{
  know_that_the_slice_goes_on (self->fixture);
  core_yield (self);
  ct_task_cancel (self->data);
  core_yield (self);
  core_say (self, "went-on");
}

static void
test_a_yielder_that_is_cancelled_is_told (CoreFixture *f)
{
  TestTask *victim = core_spawn (f, "victim", yield_and_tell, NULL);

  core_spawn (f, "killer", cancel_data, &victim->task);

  core_turn (f);

  core_assert_said (f, "victim-cancelled killer-went-on");
}

static void
test_a_yielder_with_a_deadline_goes_on_when_nothing_else_is_ready (CoreFixture *f)
{
  core_spawn (f, "yielder", yield_for_data, GINT_TO_POINTER (1000));
  core_spawn (f, "busy", suspend_twice, NULL);

  core_turn (f);

  core_assert_said (f, "busy busy yielder-went-on");
  g_assert_cmpint (f->scheduler->timers.length, ==, 0);
}

/* Two tasks that keep each other awake: something else is always ready. */
static void
play_ping (TestTask *self)
{
  while (self->wake != CT_WAKE_CANCELLED)
    {
      self->fixture->now_us += 10;
      core_fire_first (&pong);
      core_wait (self, &ping, -1);
    }
}

static void
play_pong (TestTask *self)
{
  while (self->wake != CT_WAKE_CANCELLED)
    {
      core_fire_first (&ping);
      core_wait (self, &pong, -1);
    }
}

static void
begin_a_game_that_never_ends (CoreFixture *f)
{
  core_spawn (f, "ping", play_ping, NULL);
  core_spawn (f, "pong", play_pong, NULL);
}

static void
test_a_yielder_with_a_deadline_goes_on_at_the_deadline_while_others_are_ready (CoreFixture *f)
{
  begin_a_game_that_never_ends (f);
  core_spawn (f, "yielder", yield_for_data, GINT_TO_POINTER (500));
  f->slice_us = 400;

  core_turn (f);
  core_assert_said (f, "");
  core_turn (f);
  core_assert_said (f, "yielder-timed-out");
}

static void
test_a_yield_until_a_past_deadline_suspends_once (CoreFixture *f)
{
  core_spawn (f, "yielder", yield_for_data, GINT_TO_POINTER (0));
  core_spawn (f, "other", core_just_say, NULL);

  core_turn (f);

  core_assert_said (f, "other yielder-timed-out");
}

static void
test_a_yielder_waits_at_most_one_turn_for_tasks_that_never_rest (CoreFixture *f)
{
  begin_a_game_that_never_ends (f);
  core_spawn (f, "yielder", yield_once, NULL);
  f->slice_us = 400;

  core_turn (f);
  core_assert_said (f, "yielder-begins");
  core_turn (f);
  core_assert_said (f, "yielder-goes-on");
}

static void
yield_for_ever_and_take_time (TestTask *self)
{
  while (core_yield (self) != CT_WAKE_CANCELLED)
    self->fixture->now_us += 10;
}

static void
begin_yielders_that_never_end (CoreFixture *f)
{
  core_spawn (f, "y", yield_for_ever_and_take_time, NULL);
  core_spawn (f, "z", yield_for_ever_and_take_time, NULL);
  f->slice_us = 1000;
}

static void
sleep_then_say (TestTask *self)
{
  core_sleep (self, 505);
  core_say (self, NULL);
  g_assert_cmpint (self->fixture->now_us, <, 1000000 + 505 + 30);
}

static void
test_endless_yielders_do_not_starve_a_timer (CoreFixture *f)
{
  begin_yielders_that_never_end (f);
  core_spawn (f, "timed", sleep_then_say, NULL);

  core_turn (f);

  core_assert_said (f, "timed");
}

static void
test_endless_yielders_do_not_starve_what_becomes_ready (CoreFixture *f)
{
  begin_yielders_that_never_end (f);
  core_spawn (f, "woken", core_wait_on_data, &bell);
  core_turn (f);

  core_fire_first (&bell);
  core_turn (f);

  core_assert_said (f, "woken");
}

static void
read_a_byte (TestTask *self)
{
  char byte;
  int fd = GPOINTER_TO_INT (self->data);

  core_wait_fd (self, fd, G_IO_IN, -1);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  core_say (self, NULL);
}

static void
test_endless_yielders_do_not_starve_a_descriptor (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  begin_yielders_that_never_end (f);
  core_spawn (f, "reader", read_a_byte, GINT_TO_POINTER (fds[0]));
  core_turn (f);

  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  core_turn (f);

  core_assert_said (f, "reader");
  close (fds[0]);
  close (fds[1]);
}

static void
test_endless_yielders_let_the_turn_end_and_are_work_that_is_left (CoreFixture *f)
{
  begin_yielders_that_never_end (f);

  core_turn (f);

  g_assert_cmpint (f->now_us, <=, 1000000 + 1000 + 10);
  g_assert_cmpint (f->timeout_us, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  ct_link_init (&ping);
  ct_link_init (&pong);
  core_test_add ("/core/yield/runs-when-nothing-else-is-ready", test_a_yielder_runs_when_nothing_else_is_ready);
  core_test_add ("/core/yield/yielders-go-on-in-the-order-they-yielded", test_yielders_go_on_in_the_order_they_yielded);
  core_test_add ("/core/yield/alone-goes-on-in-the-same-turn", test_yielding_alone_goes_on_in_the_same_turn);
  core_test_add ("/core/yield/with-a-deadline-goes-on-when-nothing-else-is-ready", test_a_yielder_with_a_deadline_goes_on_when_nothing_else_is_ready);
  core_test_add ("/core/yield/with-a-deadline-goes-on-then-while-others-are-ready",
                 test_a_yielder_with_a_deadline_goes_on_at_the_deadline_while_others_are_ready);
  core_test_add ("/core/yield/until-a-past-deadline-suspends-once", test_a_yield_until_a_past_deadline_suspends_once);
  core_test_add ("/core/yield/waits-at-most-one-turn-for-tasks-that-never-rest", test_a_yielder_waits_at_most_one_turn_for_tasks_that_never_rest);
  core_test_add ("/core/yield/endless-yielders-do-not-starve-a-timer", test_endless_yielders_do_not_starve_a_timer);
  core_test_add ("/core/yield/endless-yielders-do-not-starve-what-becomes-ready", test_endless_yielders_do_not_starve_what_becomes_ready);
  core_test_add ("/core/yield/endless-yielders-do-not-starve-a-descriptor", test_endless_yielders_do_not_starve_a_descriptor);
  core_test_add ("/core/yield/endless-yielders-let-the-turn-end-and-are-work-that-is-left",
                 test_endless_yielders_let_the_turn_end_and_are_work_that_is_left);
  core_test_add ("/core/yield/in-a-slice/a-timer-expires", test_a_timer_in_the_slice_expires_while_others_only_yield);
  core_test_add ("/core/yield/in-a-slice/ticks-and-switches-are-counted", test_every_tick_and_switch_of_yielders_is_counted);
  core_test_add ("/core/yield/in-a-slice/who-became-ready-runs-first", test_who_became_ready_runs_before_yielders_go_on);
  core_test_add ("/core/yield/in-a-slice/a-cancelled-one-is-told", test_a_yielder_that_is_cancelled_is_told);
  return g_test_run ();
}
