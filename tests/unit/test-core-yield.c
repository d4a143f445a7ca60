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
  return g_test_run ();
}
