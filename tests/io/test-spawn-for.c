/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* A GTask that a task works for: an _async() function of one's own. */

static const char *stack_of_thread;

typedef struct
{
  gint64 delay_us;
  const char *failure;
} Work;

static gpointer
do_work (gpointer data, GError **error)
{
  const Work *work = data;

  if (!cothread_sleep (work->delay_us, error))
    return NULL;
  if (work->failure != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, work->failure);
      return NULL;
    }
  return GSIZE_TO_POINTER (42);
}

static gpointer
make_text (G_GNUC_UNUSED gpointer data, GError **error)
{
  return cothread_sleep (0, error) ? g_strdup ("text") : NULL;
}

static void
say_error (GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);
  char here;

  g_assert_cmpint (ABS (&here - stack_of_thread), <, 1 << 20);
  if (error != NULL)
    say (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled" : "%s", error->message);
}

static void
int_came (G_GNUC_UNUSED GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  GError *error = NULL;
  gssize number = g_task_propagate_int (G_TASK (result), &error);

  say ("%" G_GSSIZE_FORMAT, number);
  say_error (&error);
}

static void
boolean_came (G_GNUC_UNUSED GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  GError *error = NULL;

  say (g_task_propagate_boolean (G_TASK (result), &error) ? "true" : "false");
  say_error (&error);
}

static void
text_came (G_GNUC_UNUSED GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  GError *error = NULL;
  g_autofree char *text = g_task_propagate_pointer (G_TASK (result), &error);

  say ("%s", text);
  say_error (&error);
}

static void
run (CothreadReturnKind kind, Work *work, GCancellable *cancellable, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) result = g_task_new (NULL, cancellable, callback, NULL);

  cothread_spawn_task_for (result, kind, do_work, work, &(CothreadSpawnOptions) { .name = "work" });
}

static void
finish_all (void)
{
  run_until_no_task_is_left ();
  settle ();
}

static void
test_each_kind_of_result (void)
{
  Work work = { 0 };
  g_autoptr (GTask) text = g_task_new (NULL, NULL, text_came, NULL);

  run (COTHREAD_RETURN_INT, &work, NULL, int_came);
  run (COTHREAD_RETURN_BOOLEAN, &work, NULL, boolean_came);
  cothread_spawn_task_for (text, COTHREAD_RETURN_POINTER, make_text, NULL, &(CothreadSpawnOptions) { .result_destroy = g_free });
  finish_all ();
  assert_said ("42 true text");
}

static void
forget (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  say ("forgotten");
}

static void
count_free (gpointer text)
{
  say ("freed");
  g_free (text);
}

static void
test_a_result_that_nobody_takes_is_freed (void)
{
  GTask *result = g_task_new (NULL, NULL, forget, NULL);

  cothread_spawn_task_for (result, COTHREAD_RETURN_POINTER, make_text, NULL,
                           &(CothreadSpawnOptions) { .result_destroy = count_free });
  g_object_unref (result);
  finish_all ();
  assert_said ("forgotten freed");
}

static void
test_a_failure_reaches_the_caller (void)
{
  Work work = { .failure = "broken" };

  run (COTHREAD_RETURN_INT, &work, NULL, int_came);
  finish_all ();
  assert_said ("-1 broken");
}

static void
test_cancelled_while_it_works (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { .delay_us = COTHREAD_FOREVER };

  run (COTHREAD_RETURN_BOOLEAN, &work, cancellable, boolean_came);
  settle ();
  g_cancellable_cancel (cancellable);
  assert_said ("");
  finish_all ();
  assert_said ("false cancelled");
}

static void
test_cancelled_before (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { 0 };

  g_cancellable_cancel (cancellable);
  run (COTHREAD_RETURN_BOOLEAN, &work, cancellable, boolean_came);
  finish_all ();
  assert_said ("false cancelled");
}

static gpointer
ignore_cancellation (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, NULL));
  return GINT_TO_POINTER (TRUE);
}

static void
test_what_was_done_in_spite_of_a_cancellation_is_not_lost (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) result = g_task_new (NULL, cancellable, boolean_came, NULL);

  cothread_spawn_task_for (result, COTHREAD_RETURN_BOOLEAN, ignore_cancellation, NULL, NULL);
  settle ();
  g_cancellable_cancel (cancellable);
  finish_all ();
  assert_said ("true");
}

static gpointer
never (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_assert_not_reached ();
}

static void
free_data (G_GNUC_UNUSED gpointer data)
{
  say ("freed");
}

static void
invalid_came (G_GNUC_UNUSED GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_task_propagate_int (G_TASK (result), &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  say ("invalid");
}

static void
test_a_task_that_cannot_be_spawned_is_a_failure (void)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, invalid_came, NULL);

  cothread_spawn_task_for (result, COTHREAD_RETURN_INT, never, NULL,
                           &(CothreadSpawnOptions) { .stack_bytes = G_MAXSIZE / 2, .user_data_destroy = free_data });
  assert_said ("freed");
  settle ();
  assert_said ("invalid");
}

static void
test_the_end_of_the_scheduler_cancels (void)
{
  Work work = { .delay_us = COTHREAD_FOREVER };

  run (COTHREAD_RETURN_BOOLEAN, &work, NULL, boolean_came);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  settle ();
  assert_said ("false cancelled");
}

static void
say_context (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer context)
{
  g_assert_cmpint (g_task_propagate_int (G_TASK (result), NULL), ==, 42);
  say (g_main_context_get_thread_default () == context ? "same" : "other");
}

static void
test_the_callback_comes_in_the_callers_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  Work work = { 0 };
  GTask *result;

  g_main_context_push_thread_default (context);
  result = g_task_new (NULL, NULL, say_context, context);
  cothread_spawn_task_for (result, COTHREAD_RETURN_INT, do_work, &work, &(CothreadSpawnOptions) { .scheduler = scheduler });
  g_object_unref (result);
  g_main_context_pop_thread_default (context);
  run_until_no_task_is_left ();
  assert_said ("");
  g_main_context_push_thread_default (context);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  assert_said ("same");
}

int
main (int argc, char **argv)
{
  char here;

  stack_of_thread = &here;
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/spawn-for/" path, test)
  ADD ("each-kind-of-result", test_each_kind_of_result);
  ADD ("a-result-that-nobody-takes-is-freed", test_a_result_that_nobody_takes_is_freed);
  ADD ("a-failure-reaches-the-caller", test_a_failure_reaches_the_caller);
  ADD ("cancelled-while-it-works", test_cancelled_while_it_works);
  ADD ("cancelled-before", test_cancelled_before);
  ADD ("what-was-done-in-spite-of-a-cancellation-is-not-lost", test_what_was_done_in_spite_of_a_cancellation_is_not_lost);
  ADD ("a-task-that-cannot-be-spawned-is-a-failure", test_a_task_that_cannot_be_spawned_is_a_failure);
  ADD ("the-end-of-the-scheduler-cancels", test_the_end_of_the_scheduler_cancels);
  ADD ("the-callback-comes-in-the-callers-context", test_the_callback_comes_in_the_callers_context);
  return g_test_run ();
}
