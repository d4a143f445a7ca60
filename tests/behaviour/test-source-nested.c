/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Nested main loops, such as a modal dialog: tasks go on, whoever opened the
 * loop, and loops end last in, first out. */

static CothreadEvent *go;
static GMainLoop *open_loop;

/* Closes the loop, once it has been through every kind of resumption in it. */
static gpointer
step_through_and_close (G_GNUC_UNUSED gpointer unused, GError **error)
{
  say ("1");
  cothread_event_wait (go, COTHREAD_FOREVER, error);
  say ("2");
  cothread_sleep (MS, error);
  say ("3");
  cothread_yield (error);
  say ("closes");
  g_main_loop_quit (open_loop);
  return NULL;
}

static gboolean
signal_go (G_GNUC_UNUSED gpointer unused)
{
  cothread_event_signal (go);
  return G_SOURCE_REMOVE;
}

static void
signal_go_later (void)
{
  g_autoptr (GSource) source = g_timeout_source_new (20);

  use_default_time_slice ();
  go = cothread_event_new (FALSE);
  g_source_set_callback (source, signal_go, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
run_a_loop (const char *who)
{
  open_loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
  say ("%s:opens", who);
  g_main_loop_run (open_loop);
  say ("%s:closed", who);
  g_clear_pointer (&open_loop, g_main_loop_unref);
}

static gpointer
run_a_loop_in_a_task (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  run_a_loop (own_name ());
  return NULL;
}

static gboolean
run_a_loop_in_a_handler (G_GNUC_UNUSED gpointer unused)
{
  run_a_loop ("handler");
  return G_SOURCE_REMOVE;
}

static void
run_a_loop_in_a_callback (G_GNUC_UNUSED gpointer unused)
{
  run_a_loop ("callback");
}

static gpointer
run_a_loop_on_the_thread_stack (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (run_a_loop_in_a_callback, NULL);
  return NULL;
}

static void
test_other_tasks_go_on_in_a_loop_that_a_task_opened (void)
{
  signal_go_later ();
  start ("modal", run_a_loop_in_a_task, NULL);
  start ("other", step_through_and_close, NULL);
  run_until_no_task_is_left ();

  assert_said ("modal:opens 1 2 3 closes modal:closed");
  g_clear_object (&go);
}

static void
test_tasks_go_on_in_a_loop_that_a_handler_opened (void)
{
  signal_go_later ();
  add_source (G_PRIORITY_HIGH, run_a_loop_in_a_handler, NULL);
  start ("task", step_through_and_close, NULL);
  run_until_no_task_is_left ();

  assert_said ("handler:opens 1 2 3 closes handler:closed");
  g_clear_object (&go);
}

static void
test_tasks_go_on_in_a_loop_that_a_callback_opened (void)
{
  CothreadCallbackQueue *callbacks = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  g_autoptr (CothreadTask) task = spawn ("task", step_through_and_close, NULL);

  signal_go_later ();
  cothread_callback_queue_post (callbacks, run_a_loop_in_a_callback, NULL, NULL, NULL);
  g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL));

  assert_said ("callback:opens 1 2 3 closes callback:closed");
  g_clear_object (&go);
}

static void
test_tasks_go_on_in_a_loop_opened_on_the_threads_own_stack (void)
{
  signal_go_later ();
  start ("caller", run_a_loop_on_the_thread_stack, NULL);
  start ("task", step_through_and_close, NULL);
  run_until_no_task_is_left ();

  assert_said ("callback:opens 1 2 3 closes callback:closed");
  g_clear_object (&go);
}

static void
test_who_waited_before_the_loop_was_opened_goes_on_in_it (void)
{
  signal_go_later ();
  start ("early", step_through_and_close, NULL);
  settle ();
  start ("modal", run_a_loop_in_a_task, NULL);
  run_until_no_task_is_left ();

  assert_said ("1 modal:opens 2 3 closes modal:closed");
  g_clear_object (&go);
}

/* Each opens its loop inside the one before; the first is told to end first. */
static GMainLoop *loops[2];

static gpointer
run_loop (gpointer loop, G_GNUC_UNUSED GError **error)
{
  say ("%s:opens", own_name ());
  g_main_loop_run (loop);
  say ("%s:closed", own_name ());
  return NULL;
}

static gpointer
quit_the_first_then_the_second (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_main_loop_quit (loops[0]);
  say ("quit-first");
  cothread_sleep (20 * MS, error);
  g_main_loop_quit (loops[1]);
  say ("quit-second");
  return NULL;
}

static void
test_loops_end_last_in_first_out (void)
{
  for (guint i = 0; i < 2; i++)
    loops[i] = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
  start ("first", run_loop, loops[0]);
  start ("second", run_loop, loops[1]);
  start ("quitter", quit_the_first_then_the_second, NULL);
  run_until_no_task_is_left ();

  assert_said ("first:opens second:opens quit-first quit-second second:closed first:closed");
  for (guint i = 0; i < 2; i++)
    g_main_loop_unref (loops[i]);
}

static gpointer
cancel_and_close (gpointer task, G_GNUC_UNUSED GError **error)
{
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_RUNNING);
  cothread_task_cancel (task);
  cothread_sleep (MS, error);
  say ("closes");
  g_main_loop_quit (open_loop);
  return NULL;
}

static gpointer
run_a_loop_and_wait (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  run_a_loop (own_name ());
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say ("unwound");
  return NULL;
}

static void
test_the_opener_runs_until_its_loop_ends_although_it_was_cancelled (void)
{
  g_autoptr (CothreadTask) opener = spawn ("modal", run_a_loop_and_wait, NULL);

  start ("canceller", cancel_and_close, opener);
  run_until_no_task_is_left ();

  assert_said ("modal:opens closes modal:closed unwound");
}

static gpointer
join_and_say (gpointer task, GError **error)
{
  cothread_task_join (task, COTHREAD_FOREVER, NULL, error);
  say ("joined");
  return NULL;
}

static void
test_who_joins_the_opener_goes_on_when_its_loop_has_ended (void)
{
  g_autoptr (CothreadTask) opener = spawn ("modal", run_a_loop_in_a_task, NULL);

  signal_go_later ();
  start ("joiner", join_and_say, opener);
  start ("other", step_through_and_close, NULL);
  run_until_no_task_is_left ();

  assert_said ("modal:opens 1 2 3 closes modal:closed joined");
  g_clear_object (&go);
}

/* Main's own time comes while a handler that its loop called runs another loop:
 * main has to wait for that, and nobody else for main. */
static void
test_tasks_go_on_when_main_is_woken_below_the_loop (void)
{
  add_source (G_PRIORITY_DEFAULT_IDLE, run_a_loop_in_a_handler, NULL);
  signal_go_later (); /* when main has slept enough */
  start ("other", step_through_and_close, NULL);
  cothread_sleep (5 * MS, NULL);
  say ("main");
  run_until_no_task_is_left ();

  assert_said ("1 handler:opens 2 3 closes handler:closed main");
  g_clear_object (&go);
}

static gboolean
quit_the_loop (G_GNUC_UNUSED gpointer unused)
{
  g_main_loop_quit (open_loop);
  return G_SOURCE_REMOVE;
}

static gpointer
count_naps (gpointer n_naps, GError **error)
{
  while (cothread_sleep (MS, error))
    ++*(guint *) n_naps;
  return NULL;
}

/* The same, and the loop has nothing to do: it must not spin until it is closed. */
static void
test_a_loop_above_a_woken_main_sleeps (void)
{
  g_autoptr (GSource) source = g_timeout_source_new (200);
  guint n_naps = 0;
  g_autoptr (CothreadStatistics) statistics = NULL;

  use_default_time_slice ();
  add_source (G_PRIORITY_DEFAULT_IDLE, run_a_loop_in_a_handler, NULL);
  g_source_set_callback (source, quit_the_loop, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  start ("napper", count_naps, &n_naps);
  cothread_sleep (5 * MS, NULL);
  ignore_what_was_said ();
  statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  g_assert_cmpuint (n_naps, >=, 10);
  g_assert_cmpuint (statistics->turns, <=, n_naps * 5 + 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/source/nested/other-tasks-go-on-when-a-task-opened-it", test_other_tasks_go_on_in_a_loop_that_a_task_opened);
  behaviour_add ("/source/nested/tasks-go-on-when-a-handler-opened-it", test_tasks_go_on_in_a_loop_that_a_handler_opened);
  behaviour_add ("/source/nested/tasks-go-on-when-a-callback-opened-it", test_tasks_go_on_in_a_loop_that_a_callback_opened);
  behaviour_add ("/source/nested/tasks-go-on-when-it-runs-on-the-threads-own-stack", test_tasks_go_on_in_a_loop_opened_on_the_threads_own_stack);
  behaviour_add ("/source/nested/who-waited-before-goes-on-in-it", test_who_waited_before_the_loop_was_opened_goes_on_in_it);
  behaviour_add ("/source/nested/loops-end-last-in-first-out", test_loops_end_last_in_first_out);
  behaviour_add ("/source/nested/the-opener-runs-until-it-ends-although-cancelled", test_the_opener_runs_until_its_loop_ends_although_it_was_cancelled);
  behaviour_add ("/source/nested/who-joins-the-opener-goes-on-when-it-has-ended", test_who_joins_the_opener_goes_on_when_its_loop_has_ended);
  behaviour_add_isolated ("/source/nested/tasks-go-on-when-main-is-woken-below-it", test_tasks_go_on_when_main_is_woken_below_the_loop);
  behaviour_add_isolated ("/source/nested/it-sleeps-although-main-was-woken-below-it", test_a_loop_above_a_woken_main_sleeps);
  return g_test_run ();
}
