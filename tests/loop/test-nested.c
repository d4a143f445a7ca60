/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <sys/wait.h>
#include <unistd.h>

/* Handlers that wait all the same: cothread_run_nested() runs what waits in a
 * task, and the main loop until that has ended. */

static gpointer
sleep_and_answer (gpointer data, GError **error)
{
  g_assert_nonnull (cothread_task_self ());
  say ("begun");
  return cothread_sleep (10 * MS, error) ? data : NULL;
}

static void
run_nested_and_say (void)
{
  g_autoptr (GError) error = NULL;
  gpointer answer = NULL;

  if (cothread_run_nested (sleep_and_answer, (gpointer) "answer", &answer, &error))
    say ("%s", (const char *) answer);
  else
    {
      g_assert_null (answer);
      say ("%s", error->message);
    }
}

static gboolean
handle (G_GNUC_UNUSED gpointer unused)
{
  run_nested_and_say ();
  return G_SOURCE_REMOVE;
}

static gpointer
say_twice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  say ("other");
  cothread_sleep (5 * MS, error);
  say ("other-again");
  return NULL;
}

static void
in_a_handler_it_waits_and_tasks_go_on (void)
{
  add_source (G_PRIORITY_DEFAULT, handle, NULL);
  start ("other", say_twice, NULL);
  g_assert_true (cothread_sleep (100 * MS, NULL));
  assert_said ("other begun other-again answer");
  assert_scheduler_works ();
}

static void
on_thread_stack (G_GNUC_UNUSED gpointer unused)
{
  run_nested_and_say ();
}

static void
in_a_callback (void)
{
  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), on_thread_stack, NULL,
                                NULL, NULL);
  g_assert_true (cothread_sleep (100 * MS, NULL));
  assert_said ("begun answer");
}

static gpointer
call_on_thread_stack (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_call_on_thread_stack (on_thread_stack, NULL);
  say ("back");
  cothread_sleep (0, error);
  return NULL;
}

static void
in_a_call_on_the_threads_own_stack (void)
{
  start ("caller", call_on_thread_stack, NULL);
  start ("other", say_twice, NULL);
  run_until_no_task_is_left ();
  assert_said ("other begun other-again answer back");
}

static gboolean
handle_and_quit (gpointer loop)
{
  run_nested_and_say ();
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);

  add_source (G_PRIORITY_HIGH, handle_and_quit, loop);
  g_main_loop_run (loop);
  say ("closed");
  return NULL;
}

static void
in_a_handler_of_a_loop_that_a_task_runs (void)
{
  start ("modal", run_a_loop, NULL);
  start ("other", say_twice, NULL);
  run_until_no_task_is_left ();
  assert_said ("other begun other-again answer closed");
}

static gpointer
run_nested_here (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  run_nested_and_say ();
  return NULL;
}

static gpointer
sleep_in_main (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_assert_null (cothread_task_self ());
  cothread_sleep (MS, error);
  return NULL;
}

static void
where_a_wait_is_possible_it_is_a_plain_call (void)
{
  guint n_tasks;

  start ("task", run_nested_here, NULL);
  settle ();
  n_tasks = live_tasks ();
  g_assert_cmpuint (n_tasks, ==, 1);
  run_until_no_task_is_left ();
  assert_said ("begun answer");
  g_assert_true (cothread_run_nested (sleep_in_main, NULL, NULL, NULL));
}

static gpointer
fail (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (MS, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  return NULL;
}

static gboolean
handle_a_failure (G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_run_nested (fail, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (cothread_run_nested (fail, NULL, NULL, NULL));
  say ("failed");
  return G_SOURCE_REMOVE;
}

static void
an_error_comes_back (void)
{
  add_source (G_PRIORITY_DEFAULT, handle_a_failure, NULL);
  g_assert_true (cothread_sleep (100 * MS, NULL));
  assert_said ("failed"); /* and nothing was reported as a failure that nobody saw */
}

static gpointer
sleep_ms (gpointer ms, GError **error)
{
  cothread_sleep (GPOINTER_TO_INT (ms) * MS, error);
  return NULL;
}

static gboolean
handle_for_a_while (gpointer ms)
{
  g_assert_true (cothread_run_nested (sleep_ms, ms, NULL, NULL));
  say ("%d", GPOINTER_TO_INT (ms));
  return G_SOURCE_REMOVE;
}

static void
they_end_last_in_first_out (void)
{
  add_source (G_PRIORITY_DEFAULT, handle_for_a_while, GINT_TO_POINTER (10));
  add_source (G_PRIORITY_DEFAULT, handle_for_a_while, GINT_TO_POINTER (30));
  g_assert_true (cothread_sleep (100 * MS, NULL));
  assert_said ("30 10");
}

static void
run_nested_refused (G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_run_nested (sleep_and_answer, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  say ("refused");
}

static gboolean
run_nested_in_prepare (GSource *source, gint *timeout_ms)
{
  *timeout_ms = -1;
  if (g_source_get_ready_time (source) == -1)
    {
      g_source_set_ready_time (source, G_MAXINT64);
      run_nested_refused (NULL);
    }
  return FALSE;
}

static void
not_in_a_prepare_function (void)
{
  GSourceFuncs funcs = { .prepare = run_nested_in_prepare };
  g_autoptr (GSource) source = g_source_new (&funcs, sizeof (GSource));

  g_source_attach (source, g_main_context_get_thread_default ());
  g_test_expect_message ("GLib", G_LOG_LEVEL_WARNING, "*prepare() called recursively*");
  g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
  g_test_assert_expected_messages ();
  g_source_destroy (source);
  assert_said ("refused");
  assert_scheduler_works ();
}

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GError **error)
{
  return data;
}

static void
not_where_what_a_task_has_left_is_freed (void)
{
  CothreadSpawnOptions options = { .result_destroy = run_nested_refused };

  cothread_task_unref (cothread_spawn_full (return_data, &options, &options, NULL));
  settle ();
  assert_said ("refused");
}

static void
run_nested_unattached (gpointer was_refused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_run_nested (sleep_and_answer, NULL, NULL, &error));
  *(gboolean *) was_refused = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static gpointer
run_unattached (gpointer was_refused)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadScheduler) scheduler = NULL;
  gint64 timeout_us;

  g_main_context_push_thread_default (context);
  scheduler = cothread_scheduler_new (NULL);
  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (scheduler), run_nested_unattached, was_refused, NULL, NULL);
  cothread_scheduler_poll (scheduler, NULL, 0, NULL, &timeout_us, NULL);
  cothread_scheduler_shutdown (scheduler);
  g_clear_object (&scheduler);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
not_without_a_main_context (void)
{
  gboolean was_refused = FALSE;

  g_thread_join (g_thread_new ("unattached", run_unattached, &was_refused));
  g_assert_true (was_refused);
}

static gboolean
shut_down (G_GNUC_UNUSED gpointer unused)
{
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return G_SOURCE_REMOVE;
}

static void
a_shutdown_ends_it (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  add_source (G_PRIORITY_DEFAULT, handle, NULL);
  add_source (G_PRIORITY_LOW, shut_down, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  assert_said ("begun The task was cancelled");
}

static gboolean
handle_with_a_fork (gpointer status)
{
  g_autoptr (GError) error = NULL;

  if (cothread_run_nested (sleep_ms, GINT_TO_POINTER (10), NULL, &error))
    return G_SOURCE_REMOVE;
  *(gint *) status = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED) ? 77 : 1;
  _exit (*(gint *) status);
}

static gboolean
fork_once (gpointer child)
{
  *(pid_t *) child = fork ();
  return G_SOURCE_REMOVE;
}

static void
in_the_child_of_a_fork_it_ends (void)
{
  gint status = 0;
  pid_t child = 0;

  add_source (G_PRIORITY_DEFAULT, handle_with_a_fork, &status);
  add_source (G_PRIORITY_LOW, fork_once, &child);
  g_assert_true (cothread_sleep (100 * MS, NULL));
  g_assert_cmpint (child, >, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 77);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/nested/in-a-handler-it-waits-and-tasks-go-on", in_a_handler_it_waits_and_tasks_go_on);
  sync_test_add ("/nested/in-a-callback", in_a_callback);
  sync_test_add ("/nested/in-a-call-on-the-threads-own-stack", in_a_call_on_the_threads_own_stack);
  sync_test_add ("/nested/in-a-handler-of-a-loop-that-a-task-runs", in_a_handler_of_a_loop_that_a_task_runs);
  sync_test_add ("/nested/where-a-wait-is-possible-it-is-a-plain-call", where_a_wait_is_possible_it_is_a_plain_call);
  sync_test_add ("/nested/an-error-comes-back", an_error_comes_back);
  sync_test_add ("/nested/they-end-last-in-first-out", they_end_last_in_first_out);
  sync_test_add ("/nested/not-in-a-prepare-function", not_in_a_prepare_function);
  sync_test_add ("/nested/not-where-what-a-task-has-left-is-freed", not_where_what_a_task_has_left_is_freed);
  sync_test_add ("/nested/not-without-a-main-context", not_without_a_main_context);
  behaviour_add ("/nested/a-shutdown-ends-it", a_shutdown_ends_it);
  sync_test_add ("/nested/in-the-child-of-a-fork-it-ends", in_the_child_of_a_fork_it_ends);
  return g_test_run ();
}
