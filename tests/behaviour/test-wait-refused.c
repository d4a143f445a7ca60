/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "every-wait.h"

#include <gio/gio.h>

/* Where nothing can suspend, every wait fails at once with an error that says
 * what to do, and nothing else happens. */

static void
assert_refused (gboolean success, GError *error)
{
  g_assert_false (success);
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  g_assert_nonnull (strstr (error->message, "pawn a task"));
  g_error_free (error);
}

static void
assert_every_wait_is_refused (void)
{
  GError *error = NULL;
  gboolean success = cothread_sleep (0, &error);

  assert_refused (success, g_steal_pointer (&error));
  success = cothread_sleep_until (0, &error);
  assert_refused (success, g_steal_pointer (&error));
  success = cothread_yield (&error);
  assert_refused (success, g_steal_pointer (&error));
  success = cothread_yield_for (0, &error);
  assert_refused (success, g_steal_pointer (&error));
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      success = every_wait[i].wait (COTHREAD_FOREVER, &error);
      assert_refused (success, g_steal_pointer (&error));
    }
  say ("refused");
}

/* The place is a function that gets every wait tried somewhere. */
static void
try_at (void (*place) (void))
{
  every_wait_set_up ();
  place ();
  assert_said ("refused");
  assert_scheduler_works ();
  every_wait_tear_down ();
}

static gboolean
wait_in_handler (G_GNUC_UNUSED gpointer unused)
{
  assert_every_wait_is_refused ();
  return G_SOURCE_REMOVE;
}

static void
in_an_idle_handler (void)
{
  add_source (G_PRIORITY_DEFAULT_IDLE, wait_in_handler, NULL);
  settle ();
}

static void
in_an_idle_handler_while_main_waits (void)
{
  add_source (G_PRIORITY_DEFAULT, wait_in_handler, NULL);
  g_assert_true (cothread_sleep (50 * MS, NULL));
}

static void
on_activate (G_GNUC_UNUSED GSimpleAction *button, G_GNUC_UNUSED GVariant *parameter, G_GNUC_UNUSED gpointer unused)
{
  assert_every_wait_is_refused ();
}

static gboolean
click (gpointer button)
{
  g_action_activate (button, NULL);
  return G_SOURCE_REMOVE;
}

static void
in_a_signal_handler_like_a_buttons (void)
{
  g_autoptr (GSimpleAction) button = g_simple_action_new ("button", NULL);

  g_signal_connect (button, "activate", G_CALLBACK (on_activate), NULL);
  add_source (G_PRIORITY_DEFAULT, click, button);
  settle ();
}

static gboolean
wait_and_quit (gpointer loop)
{
  assert_every_wait_is_refused ();
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_nested_loop (gpointer priority, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);

  add_source (GPOINTER_TO_INT (priority), wait_and_quit, loop);
  g_main_loop_run (loop);
  return NULL;
}

static void
in_a_handler_of_a_loop_that_a_task_runs (void)
{
  start ("modal", run_nested_loop, GINT_TO_POINTER (G_PRIORITY_DEFAULT));
  settle ();
}

/* GLib looks at nothing else while such a source is ready. */
static void
in_an_urgent_handler_of_a_loop_that_a_task_runs (void)
{
  start ("modal", run_nested_loop, GINT_TO_POINTER (G_PRIORITY_HIGH));
  settle ();
}

static void
wait_on_thread_stack (G_GNUC_UNUSED gpointer unused)
{
  assert_every_wait_is_refused ();
}

static gpointer
call_on_thread_stack (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_call_on_thread_stack (wait_on_thread_stack, NULL);
  g_assert_true (cothread_sleep (0, error));
  return NULL;
}

static void
in_a_call_on_the_threads_own_stack (void)
{
  start ("caller", call_on_thread_stack, NULL);
  settle ();
}

static void
in_a_callback_that_may_not_wait (void)
{
  CothreadCallbackQueue *callbacks = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  g_assert_true (cothread_callback_queue_post (callbacks, wait_on_thread_stack, NULL, NULL, NULL));
  settle ();
}

static gpointer
change_a_property (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  g_signal_connect (scheduler, "notify::time-slice", G_CALLBACK (wait_on_thread_stack), NULL);
  cothread_scheduler_set_time_slice (scheduler, 3 * MS);
  g_signal_handlers_disconnect_by_func (scheduler, wait_on_thread_stack, NULL);
  return NULL;
}

static void
in_a_notify_handler (void)
{
  start ("changer", change_a_property, NULL);
  settle ();
}

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GError **error)
{
  return data;
}

/* A result's destroy notify runs when its task is over, on whatever stack comes
 * next. */
static void
in_the_destroy_notify_of_a_result (void)
{
  CothreadSpawnOptions options = { .result_destroy = wait_on_thread_stack };

  cothread_task_unref (cothread_spawn_full (return_data, &options, &options, NULL));
  settle ();
}

static gboolean
wait_in_prepare (GSource *source, gint *timeout_ms)
{
  *timeout_ms = -1;
  if (g_source_get_ready_time (source) == -1)
    {
      g_source_set_ready_time (source, G_MAXINT64);
      assert_every_wait_is_refused ();
    }
  return FALSE;
}

static void
in_the_prepare_function_of_a_source_while_main_waits (void)
{
  GSourceFuncs funcs = { .prepare = wait_in_prepare };
  g_autoptr (GSource) source = g_source_new (&funcs, sizeof (GSource));

  g_source_attach (source, g_main_context_get_thread_default ());
  g_assert_true (cothread_sleep (50 * MS, NULL));
  g_source_destroy (source);
}

static gboolean
wait_for_what_is_ready (gpointer signalled)
{
  g_assert_true (cothread_event_wait (signalled, COTHREAD_FOREVER, NULL));
  say ("not-refused");
  return G_SOURCE_REMOVE;
}

static void
test_a_wait_for_what_is_ready_needs_no_suspension (void)
{
  g_autoptr (CothreadEvent) signalled = cothread_event_new (TRUE);

  cothread_event_signal (signalled);
  add_source (G_PRIORITY_DEFAULT, wait_for_what_is_ready, signalled);
  settle ();

  assert_said ("not-refused");
}

static const struct
{
  const char *path;
  void (*place) (void);
} places[] = {
  { "/wait/refused/in-an-idle-handler", in_an_idle_handler },
  { "/wait/refused/in-an-idle-handler-while-main-waits", in_an_idle_handler_while_main_waits },
  { "/wait/refused/in-a-signal-handler-like-a-buttons", in_a_signal_handler_like_a_buttons },
  { "/wait/refused/in-a-handler-of-a-loop-that-a-task-runs", in_a_handler_of_a_loop_that_a_task_runs },
  { "/wait/refused/in-an-urgent-handler-of-a-loop-that-a-task-runs", in_an_urgent_handler_of_a_loop_that_a_task_runs },
  { "/wait/refused/in-a-call-on-the-threads-own-stack", in_a_call_on_the_threads_own_stack },
  { "/wait/refused/in-a-callback-that-may-not-wait", in_a_callback_that_may_not_wait },
  { "/wait/refused/in-a-notify-handler", in_a_notify_handler },
  { "/wait/refused/in-the-destroy-notify-of-a-result", in_the_destroy_notify_of_a_result },
  { "/wait/refused/in-the-prepare-function-of-a-source-while-main-waits", in_the_prepare_function_of_a_source_while_main_waits },
};

static void
test_place (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_str_equal (places[i].path, g_test_get_path ()))
      try_at (places[i].place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    behaviour_add_isolated (places[i].path, test_place);
  behaviour_add_virtual ("/wait/refused/not-for-what-is-ready", test_a_wait_for_what_is_ready_needs_no_suspension);
  return g_test_run ();
}
