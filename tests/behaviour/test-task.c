/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <string.h>

/* What a task is: when it begins, what it is called, and what can be seen of
 * it from outside. */

static void
test_a_task_does_not_run_before_its_spawner_suspends (void)
{
  start ("task", say_own_name, NULL);
  say ("spawner");
  settle ();

  assert_said ("spawner task");
}

static void
test_tasks_start_in_the_order_they_were_spawned (void)
{
  start ("a", say_own_name, NULL);
  start ("b", say_own_name, NULL);
  start ("c", say_own_name, NULL);
  settle ();

  assert_said ("a b c");
}

static gpointer
spawn_child_and_sleep (G_GNUC_UNUSED gpointer unused, GError **error)
{
  start ("child", say_own_name, NULL);
  say ("parent");
  cothread_sleep (0, error);
  say ("parent-again");
  return NULL;
}

static void
test_a_child_starts_at_its_parents_next_suspension (void)
{
  start ("parent", spawn_child_and_sleep, NULL);
  run_until_no_task_is_left ();

  assert_said ("parent child parent-again");
}

static void
test_a_child_starts_after_all_who_were_ready (void)
{
  start ("parent", spawn_child_and_sleep, NULL);
  start ("sibling", say_own_name, NULL);
  run_until_no_task_is_left ();

  assert_said ("parent sibling child parent-again");
}

static gpointer
touch_stack (gpointer data, G_GNUC_UNUSED GError **error)
{
  gsize bytes = GPOINTER_TO_SIZE (data);
  volatile char *memory = g_alloca (bytes);

  for (gsize i = 0; i < bytes; i += 1024)
    memory[i] = 1;
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_task_may_use_the_stack_it_asked_for (void)
{
  const gsize megabyte = 1024 * 1024;
  CothreadSpawnOptions options = { .name = "deep", .stack_bytes = 8 * megabyte };

  cothread_task_unref (cothread_spawn_full (touch_stack, GSIZE_TO_POINTER (7 * megabyte), &options, NULL));
  settle ();

  assert_said ("deep");
}

static void
test_a_tiny_stack_is_rounded_up_to_what_a_task_needs (void)
{
  CothreadSpawnOptions options = { .name = "tiny", .stack_bytes = 1 };

  cothread_task_unref (cothread_spawn_full (say_own_name, NULL, &options, NULL));
  settle ();

  assert_said ("tiny");
}

static void
test_an_impossible_stack_size_is_an_error (void)
{
  const gsize impossible[] = { G_MAXSIZE, G_MAXSIZE / 2 + 1, (gsize) 1 << 40 };

  for (guint i = 0; i < G_N_ELEMENTS (impossible); i++)
    {
      CothreadSpawnOptions options = { .stack_bytes = impossible[i] };
      g_autoptr (GError) error = NULL;

      g_assert_null (cothread_spawn_full (say_own_name, NULL, &options, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
  g_assert_cmpuint (live_tasks (), ==, 0);
  assert_scheduler_works ();
}

static void
test_a_failure_without_an_error_location_is_a_critical (void)
{
  CothreadSpawnOptions options = { .stack_bytes = G_MAXSIZE };

  expect_critical ("Cannot spawn a task: *");
  g_assert_null (cothread_spawn_full (say_own_name, NULL, &options, NULL));
  g_test_assert_expected_messages ();
}

static void
test_the_name_is_copied (void)
{
  char name[] = "before";
  g_autoptr (CothreadTask) task = spawn (name, say_own_name, NULL);

  strcpy (name, "after");

  g_assert_cmpstr (cothread_task_get_name (task), ==, "before");
  settle ();
  assert_said ("before");
}

static void
test_a_task_without_a_name_is_called_after_its_function (void)
{
  g_autoptr (CothreadTask) task = cothread_spawn (say_own_name, NULL);
  g_autoptr (CothreadTask) nameless = cothread_spawn_full (say_own_name, NULL, NULL, NULL);

  g_assert_cmpstr (cothread_task_get_name (task), ==, "say_own_name");
  g_assert_cmpstr (cothread_task_get_name (nameless), ==, "task");
  settle ();
  assert_said ("say_own_name task");
}

static void
test_no_two_tasks_have_the_same_id (void)
{
  g_autoptr (CothreadTask) a = spawn ("a", say_own_name, NULL);
  g_autoptr (CothreadTask) b = NULL;

  settle ();
  b = spawn ("b", say_own_name, NULL);
  settle ();

  g_assert_cmpuint (cothread_task_get_id (a), !=, cothread_task_get_id (b));
  assert_said ("a b");
}

static gpointer
compare_with_self (gpointer location, G_GNUC_UNUSED GError **error)
{
  CothreadTask *task = *(CothreadTask **) location;

  g_assert_true (cothread_task_self () == task);
  cothread_sleep (0, NULL);
  g_assert_true (cothread_task_self () == task);
  return NULL;
}

static gboolean
say_that_nobody_runs (G_GNUC_UNUSED gpointer unused)
{
  g_assert_null (cothread_task_self ());
  say ("idle");
  return G_SOURCE_REMOVE;
}

static void
test_self_is_the_running_task (void)
{
  CothreadTask *a = NULL, *b = NULL;

  g_assert_null (cothread_task_self ());
  a = spawn ("a", compare_with_self, &a);
  b = spawn ("b", compare_with_self, &b);
  add_source (G_PRIORITY_DEFAULT_IDLE, say_that_nobody_runs, NULL);
  run_until_no_task_is_left ();
  settle ();

  g_assert_null (cothread_task_self ());
  assert_said ("idle");
  cothread_task_unref (a);
  cothread_task_unref (b);
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  g_assert_cmpint (cothread_task_get_state (cothread_task_self ()), ==, COTHREAD_TASK_RUNNING);
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_the_state_follows_the_life_of_a_task (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_for_event, event);

  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_READY);
  settle ();
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_WAITING);
  g_assert_false (cothread_task_is_finished (task));
  cothread_event_signal (event);
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_READY);
  settle ();
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_FINISHED);
  g_assert_true (cothread_task_is_finished (task));
}

static gpointer
yield_once (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_yield (error);
  return NULL;
}

static gpointer
look_at_a_yielder (gpointer yielder, G_GNUC_UNUSED GError **error)
{
  g_assert_cmpint (cothread_task_get_state (yielder), ==, COTHREAD_TASK_YIELDING);
  say ("looked");
  return NULL;
}

static void
test_a_task_that_yields_is_yielding (void)
{
  g_autoptr (CothreadTask) yielder = spawn ("yielder", yield_once, NULL);

  start ("observer", look_at_a_yielder, yielder);
  settle ();

  assert_said ("looked");
}

static gpointer
sleep_twice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (0, error);
  cothread_sleep (0, error);
  return NULL;
}

static void
test_switches_count_how_often_a_task_was_resumed (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_twice, NULL);

  g_assert_cmpuint (cothread_task_get_switches (task), ==, 0);
  run_until_no_task_is_left ();
  g_assert_cmpuint (cothread_task_get_switches (task), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/task/spawn/does-not-run-before-its-spawner-suspends", test_a_task_does_not_run_before_its_spawner_suspends);
  behaviour_add_virtual ("/task/spawn/tasks-start-in-the-order-they-were-spawned", test_tasks_start_in_the_order_they_were_spawned);
  behaviour_add_virtual ("/task/spawn/a-child-starts-at-its-parents-next-suspension", test_a_child_starts_at_its_parents_next_suspension);
  behaviour_add_virtual ("/task/spawn/a-child-starts-after-all-who-were-ready", test_a_child_starts_after_all_who_were_ready);
  behaviour_add_virtual ("/task/stack/a-task-may-use-what-it-asked-for", test_a_task_may_use_the_stack_it_asked_for);
  behaviour_add_virtual ("/task/stack/a-tiny-one-is-rounded-up", test_a_tiny_stack_is_rounded_up_to_what_a_task_needs);
  behaviour_add_virtual ("/task/stack/an-impossible-size-is-an-error", test_an_impossible_stack_size_is_an_error);
  behaviour_add_virtual ("/task/spawn/a-failure-without-an-error-location-is-a-critical", test_a_failure_without_an_error_location_is_a_critical);
  behaviour_add_virtual ("/task/name/is-copied", test_the_name_is_copied);
  behaviour_add_virtual ("/task/name/is-the-functions-unless-given", test_a_task_without_a_name_is_called_after_its_function);
  behaviour_add_virtual ("/task/id/no-two-tasks-have-the-same", test_no_two_tasks_have_the_same_id);
  behaviour_add_virtual ("/task/self/is-the-running-task", test_self_is_the_running_task);
  behaviour_add_virtual ("/task/state/follows-the-life-of-a-task", test_the_state_follows_the_life_of_a_task);
  behaviour_add_virtual ("/task/state/a-task-that-yields-is-yielding", test_a_task_that_yields_is_yielding);
  behaviour_add_virtual ("/task/switches/count-how-often-a-task-was-resumed", test_switches_count_how_often_a_task_was_resumed);
  return g_test_run ();
}
