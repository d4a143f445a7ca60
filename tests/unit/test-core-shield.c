/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* Under a shield a task waits as if it had not been cancelled. */

static CtLink bell;

static const char *
name_of (CtWake wake)
{
  static const char *const names[] = { "normal", "timeout", "interrupt", "cancelled" };

  return names[wake];
}

static void
wait_and_say_why_it_ended (TestTask *self)
{
  core_say (self, name_of (core_wait (self, &bell, 1000)));
}

static void
wait_under_a_shield_and_then_without (TestTask *self)
{
  self->task.shield_depth++;
  wait_and_say_why_it_ended (self);
  self->task.shield_depth--;
  wait_and_say_why_it_ended (self);
}

static void
test_a_shield_keeps_a_cancellation_out_until_it_is_lowered (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_under_a_shield_and_then_without, NULL);

  core_turn (f);
  ct_task_cancel (&a->task);
  core_turn (f);
  core_assert_said (f, "");

  core_fire_first (&bell);
  core_turn (f);
  core_assert_said (f, "a-normal a-cancelled");
}

static void
test_a_timeout_under_a_shield_stays_a_timeout (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_under_a_shield_and_then_without, NULL);

  core_turn (f);
  ct_task_fire (&a->task, CT_WAKE_TIMEOUT, NULL);
  ct_task_cancel (&a->task);
  core_turn (f);

  core_assert_said (f, "a-timeout a-cancelled");
}

static void
wait_under_two_shields (TestTask *self)
{
  self->task.shield_depth += 2;
  wait_and_say_why_it_ended (self);
  self->task.shield_depth--;
  wait_and_say_why_it_ended (self);
  self->task.shield_depth--;
  wait_and_say_why_it_ended (self);
}

static void
test_the_last_of_several_shields_counts (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_under_two_shields, NULL);

  ct_task_cancel (&a->task);
  core_turn (f);
  core_assert_said (f, "");
  core_fire_first (&bell);
  core_turn (f);
  core_fire_first (&bell);
  core_turn (f);

  core_assert_said (f, "a-normal a-normal a-cancelled");
}

static void
wait_then_raise_a_shield_and_wait (TestTask *self)
{
  wait_and_say_why_it_ended (self);
  self->task.shield_depth++;
  wait_and_say_why_it_ended (self);
  self->task.shield_depth--;
}

static void
test_a_cancelled_task_can_wait_while_it_cleans_up (CoreFixture *f)
{
  TestTask *a = core_spawn (f, "a", wait_then_raise_a_shield_and_wait, NULL);

  ct_task_cancel (&a->task);
  core_turn (f);
  core_assert_said (f, "a-cancelled");
  core_fire_first (&bell);
  core_turn (f);

  core_assert_said (f, "a-normal");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ct_link_init (&bell);
  core_test_add ("/core/shield/keeps-it-out-until-lowered", test_a_shield_keeps_a_cancellation_out_until_it_is_lowered);
  core_test_add ("/core/shield/a-timeout-under-a-shield-stays-a-timeout", test_a_timeout_under_a_shield_stays_a_timeout);
  core_test_add ("/core/shield/the-last-of-several-counts", test_the_last_of_several_shields_counts);
  core_test_add ("/core/shield/a-cancelled-task-can-wait-while-it-cleans-up", test_a_cancelled_task_can_wait_while_it_cleans_up);
  return g_test_run ();
}
