/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* A task that runs a main loop is not suspended inside one of its handlers,
 * whatever the handler does: GLib keeps a record of what it is dispatching that
 * belongs to the stack. */

static CothreadEvent *signalled;

static gboolean
wait_for_what_is_ready (gpointer loop)
{
  guint64 before = own_switches ();

  g_assert_true (cothread_task_is_cancelled (cothread_task_self ()));
  cothread_event_wait (signalled, COTHREAD_FOREVER, NULL);
  g_assert_cmpuint (own_switches (), ==, before);
  say ("handler");
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_a_loop_cancelled (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);

  cothread_task_cancel (cothread_task_self ());
  add_source (G_PRIORITY_HIGH, wait_for_what_is_ready, loop);
  g_main_loop_run (loop);
  say ("closed");
  return NULL;
}

static void
test_a_cancelled_task_is_not_suspended_by_a_wait_for_what_is_ready (void)
{
  signalled = cothread_event_new (FALSE);
  cothread_event_signal (signalled);
  start ("modal", run_a_loop_cancelled, NULL);
  start ("other", say_own_name, NULL);
  settle ();

  assert_said ("handler closed other");
  g_clear_object (&signalled);
}

static gpointer
park (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gboolean
check_depth (gpointer depth)
{
  *(gint *) depth = g_main_depth ();
  return G_SOURCE_REMOVE;
}

static gpointer
iterate_and_park (G_GNUC_UNUSED gpointer unused, GError **error)
{
  gint depth = 0;

  add_source (G_PRIORITY_HIGH, check_depth, &depth);
  while (depth == 0)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpint (depth, ==, g_main_depth () + 1);
  return park (NULL, error);
}

static void
test_the_depth_of_dispatches_is_right_wherever_tasks_are_parked (void)
{
  gint depth = 0;

  start ("parked", park, NULL);
  start ("iterating", iterate_and_park, NULL);
  start ("iterating", iterate_and_park, NULL);
  settle ();
  add_source (G_PRIORITY_DEFAULT, check_depth, &depth);
  settle ();

  g_assert_cmpint (g_main_depth (), ==, 0);
  g_assert_cmpint (depth, ==, 1);
}

static gboolean
sleep_in_handler (gpointer was_refused)
{
  g_autoptr (GError) error = NULL;

  cothread_sleep (20 * MS, &error);
  *(gboolean *) was_refused = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  return G_SOURCE_REMOVE;
}

/* As some synchronous calls of GIO do. */
static gpointer
run_a_context_of_its_own (gpointer was_refused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, sleep_in_handler, was_refused, NULL);
  g_source_attach (source, context);
  g_main_context_iteration (context, FALSE);
  return NULL;
}

static void
wait_in_a_context_of_the_tasks_own (gpointer was_refused)
{
  start ("synchronous", run_a_context_of_its_own, was_refused);
  run_until_no_task_is_left ();
}

/* Asking for the depth of dispatches at each wait would cost a quarter of a
 * yield; when the turn ends with the task suspended in there it is noticed. */
static void
test_a_wait_in_a_handler_of_a_tasks_own_context_is_refused_or_reported (void)
{
  gboolean was_refused = FALSE;
  guint n_complaints = count_complaints (wait_in_a_context_of_the_tasks_own, &was_refused);

  g_assert_true (was_refused || n_complaints > 0);
  assert_scheduler_works ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/source/depth/a-cancelled-task-is-not-suspended-by-a-wait-for-what-is-ready",
                          test_a_cancelled_task_is_not_suspended_by_a_wait_for_what_is_ready);
  behaviour_add_isolated ("/source/depth/is-right-wherever-tasks-are-parked", test_the_depth_of_dispatches_is_right_wherever_tasks_are_parked);
  behaviour_add_isolated ("/source/depth/a-wait-in-a-handler-of-a-tasks-own-context-is-refused-or-reported",
                          test_a_wait_in_a_handler_of_a_tasks_own_context_is_refused_or_reported);
  return g_test_run ();
}
