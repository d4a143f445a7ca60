/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <string.h>

/* What a task has called on the thread's own stack, and what it should have. */

static gboolean
wait_there (G_GNUC_UNUSED gpointer unused, GError **error)
{
  return cothread_sleep (0, error);
}

static gboolean
fail_there (gpointer message, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, message);
  return FALSE;
}

static gboolean
succeed_there (gpointer stack, G_GNUC_UNUSED GError **error)
{
  int here;
  gint64 distance = (char *) &here - (char *) stack;

  g_assert_true (ABS (distance) > 65536); /* not on the caller's stack */
  return TRUE;
}

static gpointer
call (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  g_autoptr (GError) failure = NULL;
  int here;

  g_assert_true (cothread_call_on_thread_stack_full (succeed_there, &here, NULL));
  g_assert_false (cothread_call_on_thread_stack_full (wait_there, NULL, &refusal));
  g_assert_error (refusal, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  g_assert_nonnull (strstr (refusal->message, "_async"));
  g_assert_false (cothread_call_on_thread_stack_full (fail_there, (gpointer) "busy", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_false (cothread_call_on_thread_stack_full (fail_there, (gpointer) "busy", NULL));
  cothread_sleep (0, error);
  say ("done");
  return NULL;
}

static void
test_a_call_hands_back_its_error_and_cannot_wait (void)
{
  start ("caller", call, NULL);
  run_until_no_task_is_left ();
  assert_said ("done");
}

static gpointer
emit_on_own_stack (gpointer object, G_GNUC_UNUSED GError **error)
{
  g_signal_emit_by_name (object, "cancelled");
  return NULL;
}

static void
cancel_it (gpointer object)
{
  g_signal_emit_by_name (object, "cancelled");
}

static gpointer
emit_on_thread_stack (gpointer object, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (cancel_it, object);
  return NULL;
}

static void
test_a_watched_signal_warns_of_the_task_that_emits_it_on_its_own_stack (void)
{
  g_autoptr (GCancellable) object = g_cancellable_new ();

  g_assert_cmpuint (cothread_debug_watch_signal (G_OBJECT (object), "no-such-signal", "Toy"), ==, 0);
  g_assert_cmpuint (cothread_debug_watch_signal (G_OBJECT (object), "cancelled", "Toy"), !=, 0);
  cancel_it (object);
  start ("careful", emit_on_thread_stack, object);
  settle ();
  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "Task careless emits GCancellable::cancelled*handler in Toy*");
  start ("careless", emit_on_own_stack, object);
  settle ();
  g_test_assert_expected_messages ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/thread-stack/a-call-hands-back-its-error-and-cannot-wait", test_a_call_hands_back_its_error_and_cannot_wait);
  behaviour_add ("/thread-stack/a-watched-signal-warns-of-the-task-that-emits-it-on-its-own-stack",
                 test_a_watched_signal_warns_of_the_task_that_emits_it_on_its_own_stack);
  return g_test_run ();
}
