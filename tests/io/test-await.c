/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Tasks that wait for operations of GIO, and of libraries that behave oddly. */

/* ---- an operation of our own: ends when it is told to, or is cancelled ---- */

typedef struct
{
  GTask *task;
  gulong handler;
  gboolean ignores_cancellation;
} Operation;

static Operation operation;
static const char *stack_of_thread;

static void
operation_end (gboolean success)
{
  g_autoptr (GTask) task = g_steal_pointer (&operation.task);

  g_assert_nonnull (task);
  if (operation.handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), operation.handler);
  operation.handler = 0;
  if (success)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
}

static void
operation_cancelled (G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED gpointer unused)
{
  char here;

  g_assert_cmpint (ABS (&here - stack_of_thread), <, 1 << 20);
  say ("told");
  if (!operation.ignores_cancellation)
    operation_end (FALSE); /* check-cancellable makes it the right error */
}

static void
operate_async (GObject *source, gint unused, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_null (operation.task);
  g_assert_cmpint (unused, ==, 7);
  operation.task = g_task_new (source, cancellable, callback, user_data);
  if (operation.ignores_cancellation)
    g_task_set_check_cancellable (operation.task, FALSE);
  if (cancellable != NULL)
    operation.handler = g_signal_connect (cancellable, "cancelled", G_CALLBACK (operation_cancelled), NULL);
}

static gboolean
operate_finish (GObject *source, GAsyncResult *result, GError **error)
{
  g_assert_true (g_task_is_valid (result, source));
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
say_what_came (gboolean success, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  g_assert_true (success == (error == NULL));
  if (error == NULL)
    say ("ok");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("cancelled");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("timeout");
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT))
    say ("refused");
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED))
    say ("interrupted");
  else
    say ("%s", error->message);
}

static void
operate_for (gint64 timeout_us)
{
  GError *error = NULL;
  g_autoptr (GAsyncResult) result = cothread_await_for (timeout_us, &error, operate_async, NULL, 7);

  say_what_came (result != NULL && operate_finish (NULL, result, &error), &error);
}

static gpointer
operate (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  operate_for (COTHREAD_FOREVER);
  return NULL;
}

static void
test_an_answer_is_waited_for (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", operate, NULL);
  g_autofree char *reason = NULL;

  settle ();
  assert_said ("");
  reason = cothread_task_dup_wait_reason (task);
  g_assert_cmpstr (reason, ==, "operate_async");
  operation_end (TRUE);
  settle ();
  assert_said ("ok");
}

static void
test_a_failure_comes_as_it_is (void)
{
  start ("task", operate, NULL);
  settle ();
  operation_end (FALSE);
  settle ();
  assert_said ("broken");
}

static gpointer
operate_when_cancelled (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  guint64 switches;

  cothread_task_cancel (cothread_task_self ());
  switches = own_switches ();
  operate_for (COTHREAD_FOREVER);
  g_assert_cmpuint (own_switches (), ==, switches + 1); /* others ran */
  g_assert_null (operation.task);
  return NULL;
}

static void
test_a_cancelled_task_starts_nothing (void)
{
  start ("task", operate_when_cancelled, NULL);
  settle ();
  assert_said ("cancelled");
}

static void
test_cancelling_the_task_cancels_the_operation (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", operate, NULL);

  settle ();
  cothread_task_cancel (task);
  assert_said ("told");
  settle ();
  assert_said ("cancelled");
}

static gpointer
cancel_task (gpointer task, G_GNUC_UNUSED GError **error)
{
  cothread_task_cancel (task);
  return NULL;
}

static void
test_another_task_cancels_on_the_threads_stack (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", operate, NULL);

  settle ();
  start ("canceller", cancel_task, task);
  settle ();
  assert_said ("told cancelled");
}

static gpointer
cancel_in_thread (gpointer task)
{
  g_cancellable_cancel (task);
  return NULL;
}

static void
test_cancelled_from_another_thread (void)
{
  g_autoptr (CothreadTask) task = NULL;
  GThread *thread;

  operation.ignores_cancellation = TRUE; /* "told" would be said there */
  task = spawn ("task", operate, NULL);
  settle ();
  g_signal_handler_disconnect (g_task_get_cancellable (operation.task), operation.handler);
  operation.handler = 0;
  thread = g_thread_new ("canceller", cancel_in_thread, cothread_task_get_cancellable (task));
  g_thread_join (thread);
  settle ();
  assert_said ("");
  operation_end (FALSE);
  settle ();
  assert_said ("broken");
  operation.ignores_cancellation = FALSE;
}

/* What it works on may be on the task's stack. */
static void
test_a_late_answer_is_waited_for (void)
{
  g_autoptr (CothreadTask) task = NULL;

  operation.ignores_cancellation = TRUE;
  task = spawn ("task", operate, NULL);
  settle ();
  cothread_task_cancel (task);
  settle ();
  assert_said ("told");
  g_assert_false (cothread_task_is_finished (task));
  cothread_task_cancel (task);
  settle ();
  g_assert_false (cothread_task_is_finished (task));
  operation_end (TRUE);
  settle ();
  assert_said ("ok"); /* and not lost */
  operation.ignores_cancellation = FALSE;
}

static void
test_cancelled_after_the_answer (void)
{
  g_autoptr (CothreadTask) task = NULL;

  operation.ignores_cancellation = TRUE; /* a GTask looks at its cancellable again */
  task = spawn ("task", operate, NULL);
  settle ();
  operation_end (TRUE);
  cothread_task_cancel (task);
  settle ();
  assert_said ("ok");
  operation.ignores_cancellation = FALSE;
}

static gpointer
operate_shielded (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  cothread_shield_begin ();
  operate_for (COTHREAD_FOREVER);
  operate_for (COTHREAD_FOREVER);
  cothread_shield_end ();
  g_assert_false (cothread_sleep (0, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

/* Neither one that came before it began, nor one that comes meanwhile. */
static void
test_a_shielded_operation_is_not_cancelled (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", operate_shielded, NULL);

  cothread_task_get_cancellable (task);
  settle ();
  cothread_task_cancel (task);
  settle ();
  assert_said ("");
  operation_end (TRUE);
  settle ();
  operation_end (TRUE);
  settle ();
  assert_said ("ok ok");
}

static gpointer
operate_briefly (G_GNUC_UNUSED gpointer unused, GError **error)
{
  operate_for (20 * MS);
  g_assert_true (cothread_sleep (0, error)); /* the task is not cancelled */
  return NULL;
}

static void
test_a_timeout_cancels_the_operation_alone (void)
{
  start ("task", operate_briefly, NULL);
  run_until_no_task_is_left ();
  assert_said ("told timeout");
}

static gboolean
end_well (G_GNUC_UNUSED gpointer unused)
{
  operation_end (TRUE);
  return G_SOURCE_REMOVE;
}

static void
end_when_told (G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED gpointer unused)
{
  add_source (G_PRIORITY_DEFAULT, end_well, NULL);
}

static void
test_what_was_done_in_spite_of_a_timeout_is_not_lost (void)
{
  operation.ignores_cancellation = TRUE;
  start ("task", operate_briefly, NULL);
  while (operation.task == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_signal_connect (g_task_get_cancellable (operation.task), "cancelled", G_CALLBACK (end_when_told), NULL);
  run_until_no_task_is_left ();
  assert_said ("told ok");
  operation.ignores_cancellation = FALSE;
}

static void
test_main_waits_for_an_answer (void)
{
  add_source (G_PRIORITY_DEFAULT, end_well, NULL);
  operate_for (COTHREAD_FOREVER);
  assert_said ("ok");
  operate_for (10 * MS);
  assert_said ("told timeout");
}

static gboolean
interrupt (gpointer scheduler)
{
  cothread_scheduler_interrupt (scheduler);
  return G_SOURCE_REMOVE;
}

static void
test_an_interrupt_of_main_cancels (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (GError) error = NULL;

  add_source (G_PRIORITY_DEFAULT, interrupt, scheduler);
  operate_for (COTHREAD_FOREVER);
  assert_said ("told interrupted");

  /* It did its work all the same: the interrupt is for the next wait. */
  operation.ignores_cancellation = TRUE;
  add_source (G_PRIORITY_DEFAULT, interrupt, scheduler);
  add_source (G_PRIORITY_LOW, end_well, NULL);
  operate_for (COTHREAD_FOREVER);
  assert_said ("told ok");
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  operation.ignores_cancellation = FALSE;
}

static gboolean
operate_in_handler (G_GNUC_UNUSED gpointer unused)
{
  operate_for (COTHREAD_FOREVER);
  g_assert_null (operation.task);
  return G_SOURCE_REMOVE;
}

static void
test_a_handler_cannot_wait_and_starts_nothing (void)
{
  add_source (G_PRIORITY_DEFAULT, operate_in_handler, NULL);
  settle ();
  assert_said ("refused");
}

/* ---- operations that behave oddly ---- */

static void
answer_at_once_async (GObject *source, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (source, cancellable, NULL, NULL);

  g_task_return_boolean (task, TRUE);
  callback (source, G_ASYNC_RESULT (task), user_data);
}

static gpointer
await_what_answers_at_once (G_GNUC_UNUSED gpointer unused, GError **error)
{
  guint64 switches = own_switches ();
  g_autoptr (GAsyncResult) result = cothread_await (error, answer_at_once_async, NULL);

  say_what_came (g_task_propagate_boolean (G_TASK (result), error), error);
  g_assert_cmpuint (own_switches (), ==, switches);
  return NULL;
}

static void
test_an_answer_may_come_before_the_call_returns (void)
{
  start ("task", await_what_answers_at_once, NULL);
  settle ();
  assert_said ("ok");
}

typedef struct
{
  GTask *task;
  GAsyncReadyCallback callback;
  gpointer user_data;
} ThreadCall;

static gpointer
call_back_in_thread (gpointer data)
{
  ThreadCall *call = data;

  g_usleep (1000);
  call->callback (NULL, G_ASYNC_RESULT (call->task), call->user_data);
  g_object_unref (call->task);
  g_free (call);
  return NULL;
}

static void
answer_in_thread_async (GObject *source, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  ThreadCall *call = g_new (ThreadCall, 1);

  *call = (ThreadCall) { g_task_new (source, cancellable, NULL, NULL), callback, user_data };
  g_task_return_boolean (call->task, TRUE);
  g_thread_unref (g_thread_new ("answer", call_back_in_thread, call));
}

static gpointer
await_an_answer_from_a_thread (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, answer_in_thread_async, NULL);

  say_what_came (g_task_propagate_boolean (G_TASK (result), error), error);
  return NULL;
}

static void
test_an_answer_may_come_in_another_thread (void)
{
  for (guint i = 0; i < 20; i++)
    {
      start ("task", await_an_answer_from_a_thread, NULL);
      run_until_no_task_is_left ();
      assert_said ("ok");
    }
}

/* It waits itself before it starts anything. */
static void
wait_first_async (GObject *source, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  answer_at_once_async (source, cancellable, callback, user_data);
  g_assert_true (cothread_sleep (0, NULL));
  say ("slept");
}

static gpointer
await_what_waits_itself (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, wait_first_async, NULL);

  say_what_came (g_task_propagate_boolean (G_TASK (result), error), error);
  return NULL;
}

static void
test_the_function_that_starts_it_may_wait_itself (void)
{
  start ("task", await_what_waits_itself, NULL);
  settle ();
  assert_said ("slept ok");
}

/* ---- GIO ---- */

static gpointer
load_missing (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/nonexistent/file");
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = cothread_await (&error, g_file_load_contents_async, file);
  g_autofree char *contents = NULL;

  g_assert_nonnull (result);
  g_assert_false (g_file_load_contents_finish (file, result, &contents, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  say ("not-found");
  return NULL;
}

static void
test_an_error_of_gio_comes_as_it_is (void)
{
  start ("task", load_missing, NULL);
  run_until_no_task_is_left ();
  assert_said ("not-found");
}

static gpointer
read_into_stack (gpointer stream, GError **error)
{
  char buffer[64];
  g_autoptr (GAsyncResult) result = cothread_await (error, g_input_stream_read_async, G_INPUT_STREAM (stream), buffer,
                                                    sizeof buffer, G_PRIORITY_DEFAULT);
  gssize n = result != NULL ? g_input_stream_read_finish (G_INPUT_STREAM (stream), result, error) : -1;

  say_what_came (n >= 0, error);
  return NULL;
}

static void
test_a_read_into_the_stack_is_cancelled (void)
{
  for (guint i = 0; i < 50; i++)
    {
      gint ends[2];
      g_autoptr (GInputStream) stream = NULL;
      g_autoptr (CothreadTask) task = NULL;

      make_pipe (ends);
      stream = g_unix_input_stream_new (ends[0], TRUE);
      task = spawn ("reader", read_into_stack, stream);
      settle ();
      cothread_task_cancel (task);
      if (i % 2 == 0)
        g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
      run_until_no_task_is_left ();
      assert_said ("cancelled");
      g_close (ends[1], NULL);
    }
}

static gpointer
read_and_drop (gpointer data, GError **error)
{
  GInputStream *stream = g_steal_pointer ((GInputStream **) data); /* ours alone */
  char buffer[64];
  g_autoptr (GAsyncResult) result = cothread_await (error, g_input_stream_read_async, stream, buffer, sizeof buffer,
                                                    G_PRIORITY_DEFAULT);

  g_assert_cmpint (g_input_stream_read_finish (stream, result, error), ==, 1);
  say ("read");
  return NULL;
}

static gpointer
unref_stream (gpointer stream, G_GNUC_UNUSED GError **error)
{
  g_object_unref (stream);
  return NULL;
}

static void
test_the_source_object_is_dropped_while_it_is_awaited (void)
{
  gint ends[2];
  GInputStream *stream, *kept;

  make_pipe (ends);
  stream = kept = g_unix_input_stream_new (ends[0], TRUE);
  g_object_add_weak_pointer (G_OBJECT (kept), (gpointer *) &kept);
  start ("reader", read_and_drop, &stream);
  settle ();
  start ("dropper", unref_stream, kept);
  settle ();
  g_assert_nonnull (kept); /* the operation holds it, and then the result */
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  run_until_no_task_is_left ();
  assert_said ("read");
  settle ();
  g_assert_null (kept);
  g_close (ends[1], NULL);
}

static gpointer
copy_file (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autofree char *dir = g_dir_make_tmp ("cothread-XXXXXX", NULL);
  g_autofree char *from_path = g_build_filename (dir, "from", NULL), *to_path = g_build_filename (dir, "to", NULL);
  g_autoptr (GFile) from = g_file_new_for_path (from_path), to = g_file_new_for_path (to_path);
  g_autoptr (GAsyncResult) result = NULL;
  CothreadAwait await;

  g_assert_true (g_file_set_contents (from_path, "text", -1, NULL));
  if (!cothread_await_begin (&await, "g_file_copy_async", COTHREAD_FOREVER, error))
    return NULL;
  g_file_copy_async (from, to, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT, cothread_await_get_cancellable (&await), NULL, NULL,
                     cothread_await_callback, &await);
  result = cothread_await_end (&await, error);
  g_assert_true (g_file_copy_finish (from, result, error));
  g_assert_true (g_file_test (to_path, G_FILE_TEST_EXISTS));
  say ("copied");
  g_unlink (from_path);
  g_unlink (to_path);
  g_rmdir (dir);
  return NULL;
}

static void
test_an_operation_of_an_odd_shape (void)
{
  start ("copier", copy_file, NULL);
  run_until_no_task_is_left ();
  assert_said ("copied");
}

/* ---- contexts, nesting, the end ---- */

static guint
count_tasks (CothreadScheduler *scheduler)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (scheduler);

  return statistics->tasks;
}

static void
test_the_answer_comes_to_the_schedulers_context (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);
  CothreadSpawnOptions options = { .scheduler = scheduler };

  /* Not the thread's default one. */
  g_assert_true (cothread_scheduler_attach (scheduler, context));
  cothread_task_unref (cothread_spawn_full (load_missing, NULL, &options, NULL));
  while (count_tasks (scheduler) > 0)
    g_main_context_iteration (context, TRUE);
  assert_said ("not-found");
  cothread_scheduler_shutdown (scheduler);
  g_main_context_unref (context);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
  g_autoptr (GSource) source = g_timeout_source_new (20);

  g_source_set_callback (source, quit, loop, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_main_loop_run (loop);
  say ("loop-ended");
  return NULL;
}

static void
test_an_answer_comes_through_a_nested_loop (void)
{
  start ("task", operate, NULL);
  start ("nester", run_loop, NULL);
  add_source (G_PRIORITY_LOW, end_well, NULL);
  run_until_no_task_is_left ();
  assert_said ("ok loop-ended");
}

static void
test_the_end_of_the_scheduler_waits_for_answers (void)
{
  gint ends[2];
  g_autoptr (GInputStream) stream = NULL;
  gint64 before = g_get_monotonic_time ();

  make_pipe (ends);
  stream = g_unix_input_stream_new (ends[0], TRUE);
  start ("reader", read_into_stack, stream);
  start ("task", operate, NULL);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  assert_said ("told cancelled cancelled");
  g_assert_cmpint (g_get_monotonic_time () - before, <, 20 * G_USEC_PER_SEC);
  g_close (ends[1], NULL);
}

static void
shut_down (gpointer unused)
{
  (void) unused;
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

static void
test_who_never_gets_an_answer_is_abandoned (void)
{
  operation.ignores_cancellation = TRUE;
  start ("task", operate, NULL);
  settle ();
  g_assert_cmpuint (count_complaints (shut_down, NULL), ==, 1);
  assert_said ("told");
  operation_end (TRUE); /* far too late, and touches nothing that was freed */
  settle ();
  assert_said ("");
  operation.ignores_cancellation = FALSE;
}

static gpointer
load_self (G_GNUC_UNUSED gpointer n, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/proc/self/cmdline");
  g_autoptr (GAsyncResult) result = cothread_await (error, g_file_load_contents_async, file);
  g_autofree char *contents = NULL;

  g_assert_true (g_file_load_contents_finish (file, result, &contents, NULL, NULL, error));
  g_assert_cmpint (contents[0], !=, '\0');
  (*(guint *) n)++;
  return NULL;
}

static void
test_many_operations_at_once (void)
{
  guint n = 0;

  for (guint i = 0; i < 500; i++)
    start ("loader", load_self, &n);
  run_until_no_task_is_left ();
  g_assert_cmpuint (n, ==, 500);
}

int
main (int argc, char **argv)
{
  char here;

  stack_of_thread = &here;
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/await/" path, test)
  ADD ("an-answer-is-waited-for", test_an_answer_is_waited_for);
  ADD ("a-failure-comes-as-it-is", test_a_failure_comes_as_it_is);
  ADD ("a-cancelled-task-starts-nothing", test_a_cancelled_task_starts_nothing);
  ADD ("cancelling-the-task-cancels-the-operation", test_cancelling_the_task_cancels_the_operation);
  ADD ("another-task-cancels-on-the-threads-stack", test_another_task_cancels_on_the_threads_stack);
  ADD ("cancelled-from-another-thread", test_cancelled_from_another_thread);
  ADD ("a-late-answer-is-waited-for", test_a_late_answer_is_waited_for);
  ADD ("cancelled-after-the-answer", test_cancelled_after_the_answer);
  ADD ("a-shielded-operation-is-not-cancelled", test_a_shielded_operation_is_not_cancelled);
  ADD ("a-timeout-cancels-the-operation-alone", test_a_timeout_cancels_the_operation_alone);
  ADD ("what-was-done-in-spite-of-a-timeout-is-not-lost", test_what_was_done_in_spite_of_a_timeout_is_not_lost);
  ADD ("main-waits-for-an-answer", test_main_waits_for_an_answer);
  ADD ("an-interrupt-of-main-cancels", test_an_interrupt_of_main_cancels);
  ADD ("a-handler-cannot-wait-and-starts-nothing", test_a_handler_cannot_wait_and_starts_nothing);
  ADD ("an-answer-may-come-before-the-call-returns", test_an_answer_may_come_before_the_call_returns);
  ADD ("an-answer-may-come-in-another-thread", test_an_answer_may_come_in_another_thread);
  ADD ("the-function-that-starts-it-may-wait-itself", test_the_function_that_starts_it_may_wait_itself);
  ADD ("an-error-of-gio-comes-as-it-is", test_an_error_of_gio_comes_as_it_is);
  ADD ("a-read-into-the-stack-is-cancelled", test_a_read_into_the_stack_is_cancelled);
  ADD ("the-source-object-is-dropped-while-it-is-awaited", test_the_source_object_is_dropped_while_it_is_awaited);
  ADD ("an-operation-of-an-odd-shape", test_an_operation_of_an_odd_shape);
  ADD ("the-answer-comes-to-the-schedulers-context", test_the_answer_comes_to_the_schedulers_context);
  ADD ("an-answer-comes-through-a-nested-loop", test_an_answer_comes_through_a_nested_loop);
  ADD ("the-end-of-the-scheduler-waits-for-answers", test_the_end_of_the_scheduler_waits_for_answers);
  behaviour_add_isolated ("/io/await/who-never-gets-an-answer-is-abandoned", test_who_never_gets_an_answer_is_abandoned);
  ADD ("many-operations-at-once", test_many_operations_at_once);
  return g_test_run ();
}
