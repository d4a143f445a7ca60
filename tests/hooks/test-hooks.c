/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../behaviour/behaviour.h"
#include "fake-interpreter.h"

/* cothread_scheduler_set_switch_hooks(): every stack keeps the interpreter that
 * it left, whatever the way control takes. */

static guint n_done;

static void
set_hooks (void)
{
  fake = (FakeInterpreter) { 0 };
  fake_counts = (FakeCounts) { 0 };
  n_done = 0;
  g_assert_true (cothread_scheduler_set_switch_hooks (cothread_scheduler_get_default (), &fake_hooks, &fake));
}

static void
assert_balanced (void)
{
  g_assert_cmpuint (fake_counts.start, ==, fake_counts.end);
  g_assert_cmpuint (fake_counts.suspend, ==, fake_counts.resume);
}

static void
wait_in_every_way (gpointer data)
{
  gint number = GPOINTER_TO_INT (data);
  guint depth = fake.depth;

  fake.exception = number;
  fake.is_locked = number % 2;
  for (guint i = 0; i < 20; i++)
    {
      switch ((guint) (number + (gint) i) % 3)
        {
        case 0:
          cothread_yield (NULL);
          break;
        case 1:
          cothread_sleep (0, NULL);
          break;
        default:
          cothread_sleep (MS, NULL);
        }
      g_assert_cmpint (fake.exception, ==, number);
      g_assert_cmpint (fake.is_locked, ==, number % 2);
      g_assert_cmpuint (fake.depth, ==, depth);
    }
}

static gpointer
interpreter_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  g_assert_null (fake.frame);
  g_assert_cmpuint (fake.depth, ==, 0);
  fake_call ((guint) GPOINTER_TO_INT (data), wait_in_every_way, data);
  g_assert_null (fake.frame);
  n_done++;
  return NULL;
}

static void
test_frames_survive_waits_among_other_tasks (void)
{
  guint n = 10;

  set_hooks ();
  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%u", i);

      start (name, interpreter_task, GUINT_TO_POINTER (i));
    }

  run_until_no_task_is_left ();

  g_assert_cmpuint (fake_counts.start, ==, n);
  assert_balanced ();
  g_assert_cmpuint (fake.depth, ==, 0);
  /* In the order in which their sleeps ended, which is not the point here. */
  g_assert_cmpuint (n_done, ==, n);
}

static void
wait_in_main (gpointer data)
{
  fake.exception = -1;
  cothread_task_join (data, COTHREAD_FOREVER, NULL, NULL);
  cothread_sleep (MS, NULL);
  g_assert_cmpint (fake.exception, ==, -1);
}

static void
test_frames_of_main_are_put_away_while_it_waits (void)
{
  g_autoptr (CothreadTask) task = NULL;

  set_hooks ();
  start ("other", interpreter_task, GINT_TO_POINTER (3));
  task = spawn ("task", interpreter_task, GINT_TO_POINTER (2));

  fake_call (5, wait_in_main, task);

  run_until_no_task_is_left ();
  g_assert_cmpuint (n_done, ==, 2);
  assert_balanced ();
}

static void
note (gpointer data)
{
  gint *depth_seen = data;

  *depth_seen = (gint) fake.depth;
  fake_call (3, wait_in_every_way, GINT_TO_POINTER (0)); /* which is refused there */
}

static void
call_thread_stack (gpointer data)
{
  guint depth = fake.depth;

  cothread_call_on_thread_stack (note, data);
  g_assert_cmpuint (fake.depth, ==, depth);
}

static gpointer
thread_stack_caller (gpointer data, G_GNUC_UNUSED GError **error)
{
  fake_call (4, call_thread_stack, data);
  return NULL;
}

static void
test_a_thread_stack_call_finds_the_threads_own_frames (void)
{
  gint depth_seen = -1;

  set_hooks ();
  start ("caller", thread_stack_caller, &depth_seen);
  fake.depth = 7; /* what main is in */

  settle ();

  g_assert_cmpint (depth_seen, ==, 7);
  g_assert_cmpuint (fake.depth, ==, 7);
  assert_balanced ();
}

static void
run_loop (gpointer data)
{
  g_main_loop_run (data);
}

static gpointer
loop_opener (gpointer data, G_GNUC_UNUSED GError **error)
{
  fake_call (6, run_loop, data);
  say ("closed");
  return NULL;
}

static gpointer
loop_closer (gpointer data, GError **error)
{
  cothread_sleep (20 * MS, error);
  g_main_loop_quit (data);
  return NULL;
}

static void
test_frames_survive_a_loop_that_a_task_runs (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);

  set_hooks ();
  start ("opener", loop_opener, loop);
  start ("busy", interpreter_task, GINT_TO_POINTER (4));
  start ("closer", loop_closer, loop);

  run_until_no_task_is_left ();

  assert_said ("closed");
  g_assert_cmpuint (n_done, ==, 1);
  assert_balanced ();
}

static gpointer
yields_in_vain (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_yield (NULL);
  say ("%u", fake_counts.suspend + fake_counts.resume);
  return NULL;
}

static void
test_a_wait_that_switches_nowhere_calls_nothing (void)
{
  set_hooks ();
  start ("alone", yields_in_vain, NULL);

  settle ();

  assert_said ("1"); /* main, which was left for the task */
}

static gpointer
yield_thrice (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 3; i++)
    cothread_yield (NULL);
  return NULL;
}

static void
test_tasks_are_switched_to_directly (void)
{
  set_hooks ();
  start ("a", yield_thrice, NULL);
  start ("b", yield_thrice, NULL);

  settle ();

  /* Main was left once; each yield is one way out and one way in. */
  g_assert_cmpuint (fake_counts.suspend, ==, 1 + 6);
  assert_balanced ();
}

static gpointer
older_task (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  fake_call (2, wait_in_every_way, GINT_TO_POINTER (1));
  say ("older");
  return NULL;
}

static void
test_hooks_reach_tasks_that_wait_already (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  start ("older", older_task, event);
  settle ();

  set_hooks ();
  start ("newer", interpreter_task, GINT_TO_POINTER (5));
  cothread_event_signal (event);
  run_until_no_task_is_left ();

  assert_said ("older");
  g_assert_cmpuint (n_done, ==, 1);
}

static gpointer
hook_setter (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  set_hooks ();
  fake_call (3, wait_in_every_way, GINT_TO_POINTER (2));
  say ("setter");
  return NULL;
}

static void
test_hooks_may_be_set_inside_a_task (void)
{
  start ("setter", hook_setter, NULL);
  settle ();
  start ("other", interpreter_task, GINT_TO_POINTER (3));

  run_until_no_task_is_left ();

  assert_said ("setter");
  g_assert_cmpuint (n_done, ==, 1);
}

static void
say_depth (gpointer data)
{
  say ("%s:%s", (const char *) data, fake.depth == G_MAXUINT ? "none" : "own");
}

static gpointer
return_at_once (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static void
test_user_data_are_freed_inside_the_hooks (void)
{
  CothreadSpawnOptions options = { .user_data_destroy = say_depth };

  set_hooks ();
  for (guint i = 0; i < 2; i++)
    {
      CothreadTask *task = cothread_spawn_full (return_at_once, (gpointer) (i == 0 ? "ran" : "cancelled"), &options, NULL);

      if (i == 1)
        cothread_task_cancel (task);
      cothread_task_unref (task);
    }

  run_until_no_task_is_left ();

  assert_said ("ran:own cancelled:own");
  g_assert_cmpuint (fake_counts.start, ==, 2);
  assert_balanced ();
}

static void
test_the_spawner_gives_the_first_state (void)
{
  CothreadSpawnOptions options = { .switch_state = &options };

  set_hooks ();
  fake_given_state = &options;
  cothread_task_unref (cothread_spawn_full (return_at_once, NULL, &options, NULL));

  run_until_no_task_is_left ();

  g_assert_null (fake_given_state);
  assert_balanced ();
}

static gpointer
clean_up_when_cancelled (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  g_assert_cmpuint (fake.depth, ==, 0);
  fake_call (2, say_depth, (gpointer) "unwound");
  return NULL;
}

static void
test_shutdown_unwinds_inside_the_hooks (void)
{
  set_hooks ();
  start ("parked", clean_up_when_cancelled, NULL);
  settle ();

  cothread_scheduler_shutdown (cothread_scheduler_get_default ());

  assert_said ("unwound:own");
  assert_balanced ();
}

static void
other_hook (G_GNUC_UNUSED gpointer *state, G_GNUC_UNUSED gpointer user_data)
{
  g_assert_not_reached ();
}

static void
test_a_second_language_is_refused (void)
{
  static const CothreadSwitchHooks others = { other_hook, other_hook, other_hook, other_hook, { 0 } };
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  set_hooks ();

  g_assert_true (cothread_scheduler_set_switch_hooks (scheduler, &fake_hooks, &fake));
  g_assert_false (cothread_scheduler_set_switch_hooks (scheduler, &fake_hooks, NULL));
  g_assert_false (cothread_scheduler_set_switch_hooks (scheduler, &others, &fake));
}

static void
test_incomplete_hooks_are_a_critical (void)
{
  CothreadSwitchHooks incomplete = fake_hooks;

  incomplete.resume = NULL;
  expect_critical ("*resume != NULL*");
  g_assert_false (cothread_scheduler_set_switch_hooks (cothread_scheduler_get_default (), &incomplete, NULL));
  g_test_assert_expected_messages ();
}

static void
test_a_scheduler_that_is_shut_down_takes_no_hooks (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);

  cothread_scheduler_shutdown (scheduler);

  g_assert_false (cothread_scheduler_set_switch_hooks (scheduler, &fake_hooks, &fake));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/hooks/frames-survive-waits-among-other-tasks", test_frames_survive_waits_among_other_tasks);
  behaviour_add ("/hooks/frames-of-main-are-put-away-while-it-waits", test_frames_of_main_are_put_away_while_it_waits);
  behaviour_add ("/hooks/a-thread-stack-call-finds-the-threads-own-frames", test_a_thread_stack_call_finds_the_threads_own_frames);
  behaviour_add ("/hooks/frames-survive-a-loop-that-a-task-runs", test_frames_survive_a_loop_that_a_task_runs);
  behaviour_add ("/hooks/a-wait-that-switches-nowhere-calls-nothing", test_a_wait_that_switches_nowhere_calls_nothing);
  behaviour_add ("/hooks/tasks-are-switched-to-directly", test_tasks_are_switched_to_directly);
  behaviour_add ("/hooks/reach-tasks-that-wait-already", test_hooks_reach_tasks_that_wait_already);
  behaviour_add ("/hooks/may-be-set-inside-a-task", test_hooks_may_be_set_inside_a_task);
  behaviour_add ("/hooks/user-data-are-freed-inside-the-hooks", test_user_data_are_freed_inside_the_hooks);
  behaviour_add ("/hooks/the-spawner-gives-the-first-state", test_the_spawner_gives_the_first_state);
  behaviour_add ("/hooks/shutdown-unwinds-inside-the-hooks", test_shutdown_unwinds_inside_the_hooks);
  behaviour_add ("/hooks/a-second-language-is-refused", test_a_second_language_is_refused);
  behaviour_add ("/hooks/incomplete-hooks-are-a-critical", test_incomplete_hooks_are_a_critical);
  behaviour_add ("/hooks/a-scheduler-that-is-shut-down-takes-no-hooks", test_a_scheduler_that_is_shut_down_takes_no_hooks);
  return g_test_run ();
}
