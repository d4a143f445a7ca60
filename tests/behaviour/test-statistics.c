/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Where the tasks are: tasks = ready + waiting + running, wherever one looks
 * from. */

static char text[] = "something";

static CothreadStatistics *
look (void)
{
  return cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
}

static void
assert_counts (guint ready, guint waiting, guint running)
{
  g_autoptr (CothreadStatistics) now = look ();

  g_assert_cmpuint (now->ready, ==, ready);
  g_assert_cmpuint (now->waiting, ==, waiting);
  g_assert_cmpuint (now->running, ==, running);
  g_assert_cmpuint (now->tasks, ==, ready + waiting + running);
}

static void
say_counts (void)
{
  g_autoptr (CothreadStatistics) now = look ();

  g_assert_cmpuint (now->tasks, ==, now->ready + now->waiting + now->running);
  say ("%u/%u/%u", now->ready, now->waiting, now->running);
}

static gpointer
say_counts_in_task (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  say_counts ();
  return NULL;
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_a_task_is_ready_then_waits_then_is_ready_then_gone (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  assert_counts (0, 0, 0);
  for (guint i = 0; i < 3; i++)
    start ("task", wait_for_event, event);
  assert_counts (3, 0, 0);
  settle ();
  assert_counts (0, 3, 0);
  cothread_event_signal (event);
  assert_counts (3, 0, 0);
  settle ();
  assert_counts (0, 0, 0);
}

static void
test_the_running_task_is_neither_ready_nor_waiting (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  start ("waiting", wait_for_event, event);
  settle ();
  for (guint i = 0; i < 3; i++)
    start ("task", say_counts_in_task, NULL);
  settle ();

  assert_said ("2/1/1 1/1/1 0/1/1");
}

static gpointer
yield_once (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_yield (error);
  return NULL;
}

static void
test_one_that_yields_counts_as_ready (void)
{
  start ("yielder", yield_once, NULL);
  start ("observer", say_counts_in_task, NULL);
  settle ();

  assert_said ("1/0/1");
}

static gboolean
say_counts_in_handler (G_GNUC_UNUSED gpointer unused)
{
  say_counts ();
  return G_SOURCE_REMOVE;
}

static gpointer
iterate_in_task (gpointer other, G_GNUC_UNUSED GError **error)
{
  if (other != NULL)
    start ("inner", say_counts_in_task, NULL);
  else
    add_source (G_PRIORITY_DEFAULT, say_counts_in_handler, NULL);
  settle ();
  say_counts ();
  return NULL;
}

static void
test_one_that_runs_a_main_loop_is_running (void)
{
  start ("modal", iterate_in_task, NULL);
  settle ();
  assert_said ("0/0/1 0/0/1");
  start ("modal", iterate_in_task, text);
  settle ();

  assert_said ("0/0/2 0/0/1");
}

static void
say_counts_on_thread_stack (gpointer loop_as_well)
{
  say_counts ();
  if (loop_as_well == NULL)
    return;
  start ("inner", say_counts_in_task, NULL);
  settle ();
}

static gpointer
call_on_thread_stack (gpointer loop_as_well, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (say_counts_on_thread_stack, loop_as_well);
  return NULL;
}

static void
test_one_that_calls_on_the_threads_own_stack_is_running (void)
{
  start ("caller", call_on_thread_stack, NULL);
  settle ();
  assert_said ("0/0/1");
  start ("caller", call_on_thread_stack, text);
  settle ();

  assert_said ("0/0/1 0/0/2");
}

static void
say_counts_in_timer (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
  say_counts ();
}

static void
test_the_counts_add_up_in_a_timer (void)
{
  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, say_counts_in_timer, NULL, NULL));
  settle ();

  /* The timer itself, which waits for its function to end, is a task. */
  assert_said ("0/1/1");
}

static void
say_counts_in_notify (G_GNUC_UNUSED gpointer unused)
{
  say_counts ();
}

static void
test_the_counts_add_up_in_a_callback (void)
{
  CothreadCallbackQueue *callbacks = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  cothread_callback_queue_post (callbacks, say_counts_in_notify, NULL, say_counts_in_notify, NULL);
  settle ();

  /* The queue's own task runs it. */
  assert_said ("0/0/1 0/0/1");
}

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GError **error)
{
  return data;
}

static void
test_the_counts_add_up_when_user_data_are_freed (void)
{
  CothreadSpawnOptions options = { .user_data_destroy = say_counts_in_notify };

  cothread_task_unref (cothread_spawn_full (return_data, text, &options, NULL));
  settle ();

  assert_said ("0/0/1");
}

static void
test_the_counts_add_up_when_a_result_is_freed (void)
{
  CothreadSpawnOptions options = { .result_destroy = say_counts_in_notify };

  cothread_task_unref (cothread_spawn_full (return_data, text, &options, NULL));
  settle ();

  assert_said ("0/0/0");
}

static gpointer
say_counts_when_cancelled (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  say_counts ();
  return NULL;
}

static void
test_the_counts_add_up_during_a_shutdown (void)
{
  start ("a", say_counts_when_cancelled, NULL);
  start ("b", say_counts_when_cancelled, NULL);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());

  assert_said ("1/0/1 0/0/1");
}

static gpointer
sleep_for_a_while (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (1000 * G_USEC_PER_SEC, error);
  return NULL;
}

static void
test_pending_deadlines_are_counted (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_for_a_while, NULL);
  g_autoptr (CothreadStatistics) during = NULL;
  g_autoptr (CothreadStatistics) after = NULL;

  settle ();
  during = look ();
  cothread_task_cancel (task);
  settle ();
  after = look ();

  g_assert_cmpuint (during->timers, ==, 1);
  g_assert_cmpuint (after->timers, ==, 0);
}

static void
test_totals_count_every_task_and_every_switch (void)
{
  g_autoptr (CothreadStatistics) before = look ();
  g_autoptr (CothreadStatistics) after = NULL;

  for (guint i = 0; i < 10; i++)
    start ("task", yield_once, NULL);
  settle ();
  after = look ();

  g_assert_cmpuint (after->spawned - before->spawned, ==, 10);
  g_assert_cmpuint (after->finished - before->finished, ==, 10);
  g_assert_cmpuint (after->switches - before->switches, ==, 20);
  g_assert_cmpuint (after->ticks - before->ticks, ==, 2);
  g_assert_cmpuint (after->stack_regions, >, 0);
  g_assert_cmpuint (after->stack_reserved_bytes, >, 0);
  g_assert_cmpuint (after->stacks_pooled, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/statistics/tasks/ready-then-waiting-then-ready-then-gone", test_a_task_is_ready_then_waits_then_is_ready_then_gone);
  behaviour_add_virtual ("/statistics/tasks/the-running-one-is-neither-ready-nor-waiting", test_the_running_task_is_neither_ready_nor_waiting);
  behaviour_add_virtual ("/statistics/tasks/one-that-yields-counts-as-ready", test_one_that_yields_counts_as_ready);
  behaviour_add_virtual ("/statistics/tasks/one-that-runs-a-main-loop-is-running", test_one_that_runs_a_main_loop_is_running);
  behaviour_add_virtual ("/statistics/tasks/one-that-calls-on-the-threads-own-stack-is-running", test_one_that_calls_on_the_threads_own_stack_is_running);
  behaviour_add_virtual ("/statistics/tasks/add-up-in-a-timer", test_the_counts_add_up_in_a_timer);
  behaviour_add_virtual ("/statistics/tasks/add-up-in-a-callback", test_the_counts_add_up_in_a_callback);
  behaviour_add_virtual ("/statistics/tasks/add-up-when-user-data-are-freed", test_the_counts_add_up_when_user_data_are_freed);
  behaviour_add_isolated ("/statistics/tasks/add-up-when-a-result-is-freed", test_the_counts_add_up_when_a_result_is_freed);
  behaviour_add_virtual ("/statistics/tasks/add-up-during-a-shutdown", test_the_counts_add_up_during_a_shutdown);
  behaviour_add_virtual ("/statistics/timers/pending-deadlines-are-counted", test_pending_deadlines_are_counted);
  behaviour_add_virtual ("/statistics/totals/count-every-task-and-every-switch", test_totals_count_every_task_and_every_switch);
  return g_test_run ();
}
