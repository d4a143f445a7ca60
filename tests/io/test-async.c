/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* Every wait calls back too: _async() and _finish(). */

static const char *stack_of_thread; /* an address on it */

/* What every callback can expect, whoever completed it. */
static void
assert_own_stack (void)
{
  g_autoptr (GError) error = NULL;
  char here;

  g_assert_cmpint (ABS (&here - stack_of_thread), <, 1 << 20);
  g_assert_false (cothread_sleep (0, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static void
say_answer (const char *what, gboolean success, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  assert_own_stack ();
  g_assert_true (success == (error == NULL));
  if (error == NULL)
    say ("%s:ok", what);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("%s:timeout", what);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s:cancelled", what);
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
    say ("%s:closed", what);
  else
    say ("%s:%s", what, error->message);
}

#define DEFINE_CALLBACK(type, TYPE, wait) \
  static void type##_came (GObject *source, GAsyncResult *result, gpointer name) \
  { \
    GError *error = NULL; \
    gboolean success = cothread_##type##_##wait##_finish ((TYPE *) source, result, &error); \
    say_answer (name, success, &error); \
  }

DEFINE_CALLBACK (event, CothreadEvent, wait)
DEFINE_CALLBACK (pulse, CothreadPulse, wait)
DEFINE_CALLBACK (semaphore, CothreadSemaphore, acquire)

static void
sleep_over (GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  gboolean success = cothread_sleep_finish (result, &error);

  g_assert_null (source);
  say_answer (name, success, &error);
}

static void
join_over (GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  gboolean success = cothread_join_finish (result, &error);

  g_assert_null (source);
  say_answer (name, success, &error);
}

static void
fd_ready (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  GIOCondition condition = cothread_wait_fd_finish (result, &error);

  say_answer (name, condition == G_IO_IN, &error);
}

static void
item_came (GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  g_autofree char *item = NULL;
  gboolean success = cothread_event_queue_wait_finish (COTHREAD_EVENT_QUEUE (source), result, (gpointer *) &item, &error);

  say_answer (name, success, &error);
  if (success)
    say ("%s", item);
}

static void
test_a_signal_that_was_there_is_taken_at_once (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal (event);
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "event");
  g_assert_false (cothread_event_is_signalled (event));
  assert_said (""); /* always later, never from inside the call */
  settle ();
  assert_said ("event:ok");
  g_assert_cmpuint (live_tasks (), ==, 0);
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    say ("%s", own_name ());
  return NULL;
}

static void
test_callbacks_and_tasks_stand_in_one_line (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "first");
  start ("second", wait_for_event, event);
  settle ();
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "third");
  g_assert_cmpuint (live_tasks (), ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      cothread_event_signal (event);
      settle ();
    }
  assert_said ("first:ok second third:ok");
}

static void
test_a_signal_taken_by_another_leaves_the_place_in_line (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "first");
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "second");
  cothread_event_signal (event);
  g_assert_true (cothread_event_wait (event, 0, NULL)); /* before the first runs */
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();
  assert_said ("first:ok");
  cothread_event_signal (event);
  settle ();
  assert_said ("second:ok");
}

static void
value_came (GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  gpointer value = NULL;
  gboolean success = cothread_event_wait_value_finish (COTHREAD_EVENT (source), result, &value, &error);

  say_answer (name, success, &error);
  say ("%s", (const char *) value);
  g_free (value);
}

static void
count_free (gpointer value)
{
  say ("freed");
  g_free (value);
}

static void
test_a_value_is_given_or_freed (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, value_came, "event");
  cothread_event_signal_value (event, g_strdup ("value"), count_free);
  settle ();
  assert_said ("event:ok value");
  cothread_event_signal_value (event, g_strdup ("value"), count_free);
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "event");
  settle ();
  assert_said ("freed event:ok");
  cothread_event_signal_value (event, g_strdup ("value"), count_free);
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, NULL, NULL); /* nobody cares */
  settle ();
  assert_said ("freed");
}

static void
test_an_error_is_signalled (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "event");
  cothread_event_signal_error (event, error);
  settle ();
  assert_said ("event:busy");
}

static void
test_time_passes (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();
  g_autoptr (CothreadSemaphore) semaphore = cothread_semaphore_new (0, 0);
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, g_free);
  gint ends[2];

  make_pipe (ends);
  cothread_sleep_async (1 * MS, NULL, sleep_over, "sleep");
  cothread_event_wait_async (event, 2 * MS, NULL, event_came, "event");
  cothread_pulse_wait_async (pulse, 3 * MS, NULL, pulse_came, "pulse");
  cothread_semaphore_acquire_async (semaphore, 4 * MS, NULL, semaphore_came, "semaphore");
  cothread_event_queue_wait_async (queue, 5 * MS, NULL, item_came, "queue");
  cothread_wait_fd_async (ends[0], G_IO_IN, 6 * MS, NULL, fd_ready, "fd");
  run_until_no_task_is_left ();
  settle ();
  assert_said ("sleep:ok event:timeout pulse:timeout semaphore:timeout queue:timeout fd:timeout");
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
test_what_is_waited_for_comes (void)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();
  g_autoptr (CothreadSemaphore) semaphore = cothread_semaphore_new (0, 1);
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, g_free);
  gint ends[2];

  make_pipe (ends);
  cothread_pulse_wait_async (pulse, COTHREAD_FOREVER, NULL, pulse_came, "pulse");
  cothread_semaphore_acquire_async (semaphore, COTHREAD_FOREVER, NULL, semaphore_came, "semaphore");
  cothread_event_queue_wait_async (queue, COTHREAD_FOREVER, NULL, item_came, "queue");
  cothread_wait_fd_async (ends[0], G_IO_IN, COTHREAD_FOREVER, NULL, fd_ready, "fd");
  settle ();
  assert_said ("");
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 1);
  cothread_semaphore_release (semaphore);
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 0); /* handed over */
  g_assert_true (cothread_event_queue_signal (queue, g_strdup ("item")));
  settle ();
  assert_said ("pulse:ok semaphore:ok queue:ok item");
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  run_until_no_task_is_left ();
  settle ();
  assert_said ("fd:ok");
  cothread_wait_fd_async (ends[0], G_IO_IN, 0, NULL, fd_ready, "again");
  run_until_no_task_is_left ();
  settle ();
  assert_said ("again:ok");
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
test_a_queue_drains_and_closes (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, g_free);

  cothread_event_queue_signal (queue, g_strdup ("last"));
  cothread_event_queue_wait_async (queue, COTHREAD_FOREVER, NULL, item_came, "a");
  cothread_event_queue_wait_async (queue, COTHREAD_FOREVER, NULL, item_came, "b");
  cothread_event_queue_close (queue);
  settle ();
  assert_said ("a:ok last b:closed");
}

static gpointer
return_text (gpointer text, GError **error)
{
  if (!cothread_sleep (0, error))
    return NULL;
  if (text == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no text");
  return text;
}

static void
test_a_task_is_joined (void)
{
  g_autoptr (CothreadTask) good = spawn ("good", return_text, "text");
  g_autoptr (CothreadTask) bad = spawn ("bad", return_text, NULL);
  gpointer value = NULL;

  cothread_join_async (good, COTHREAD_FOREVER, NULL, join_over, "good");
  cothread_join_async (bad, COTHREAD_FOREVER, NULL, join_over, "bad");
  settle ();
  assert_said ("good:ok bad:no text");
  cothread_join_async (good, COTHREAD_FOREVER, NULL, join_over, "again");
  g_assert_true (cothread_task_join (good, 0, &value, NULL));
  g_assert_cmpstr (value, ==, "text");
  settle ();
  assert_said ("again:ok");
}

static void
test_a_handle_may_be_dropped_while_it_is_joined (void)
{
  CothreadTask *task = spawn ("task", return_text, "text");

  cothread_join_async (task, COTHREAD_FOREVER, NULL, join_over, "join");
  cothread_task_unref (task);
  settle ();
  assert_said ("join:ok");
}

static void
test_cancelled_before (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  g_cancellable_cancel (cancellable);
  cothread_event_signal (event);
  cothread_event_wait_async (event, COTHREAD_FOREVER, cancellable, event_came, "event");
  cothread_sleep_async (0, cancellable, sleep_over, "sleep");
  g_assert_true (cothread_event_is_signalled (event)); /* nothing was taken */
  settle ();
  assert_said ("event:cancelled sleep:cancelled");
}

static void
test_cancelled_while_it_waits (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadSemaphore) semaphore = cothread_semaphore_new (0, 0);

  cothread_event_wait_async (event, COTHREAD_FOREVER, cancellable, event_came, "event");
  cothread_semaphore_acquire_async (semaphore, COTHREAD_FOREVER, cancellable, semaphore_came, "semaphore");
  settle ();
  g_cancellable_cancel (cancellable);
  assert_said ("");
  settle ();
  assert_said ("event:cancelled semaphore:cancelled");
  cothread_semaphore_release (semaphore);
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
}

/* What was taken belongs to the caller: a cancellation comes too late. */
static void
test_cancelled_after_it_came (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CothreadSemaphore) semaphore = cothread_semaphore_new (0, 0);

  cothread_semaphore_acquire_async (semaphore, COTHREAD_FOREVER, cancellable, semaphore_came, "semaphore");
  cothread_semaphore_release (semaphore);
  g_cancellable_cancel (cancellable);
  settle ();
  assert_said ("semaphore:ok");
  cothread_semaphore_release (semaphore);
  cothread_semaphore_acquire_async (semaphore, COTHREAD_FOREVER, NULL, semaphore_came, "semaphore");
  settle ();
  assert_said ("semaphore:ok");
}

static gpointer
cancel_from_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancelled_by_another_thread (void)
{
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
      GThread *thread = g_thread_new ("canceller", cancel_from_thread, cancellable);

      cothread_event_wait_async (event, COTHREAD_FOREVER, cancellable, event_came, "event");
      run_until_no_task_is_left ();
      settle ();
      assert_said ("event:cancelled");
      g_thread_join (thread);
    }
}

static void
cancel_another (GObject *source, GAsyncResult *result, gpointer cancellable)
{
  g_assert_true (cothread_event_wait_finish (COTHREAD_EVENT (source), result, NULL));
  g_cancellable_cancel (cancellable);
}

/* The handlers of one cancellable run while another wait with it ends. */
static void
test_a_callback_cancels_its_own_cancellable (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, cancellable, cancel_another, cancellable);
  cothread_event_wait_async (event, COTHREAD_FOREVER, cancellable, event_came, "other");
  cothread_event_signal (event);
  settle ();
  assert_said ("other:cancelled");
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
run_nested_loop (GObject *source, GAsyncResult *result, gpointer name)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  g_assert_true (cothread_event_wait_finish (COTHREAD_EVENT (source), result, NULL));
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "inner");
  cothread_event_signal (event);
  add_source (G_PRIORITY_LOW, quit, loop);
  g_main_loop_run (loop);
  say ("%s", (const char *) name);
}

static void
test_a_callback_runs_a_nested_loop (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, run_nested_loop, "outer");
  start ("task", wait_for_event, event);
  settle ();
  cothread_event_signal (event);
  settle ();
  assert_said ("task inner:ok outer");
}

static gpointer
begin_in_task (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadPulse) pulse = cothread_pulse_new ();

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "event");
  cothread_event_signal (event);
  cothread_pulse_wait_async (pulse, 0, NULL, pulse_came, "pulse");
  return NULL;
}

/* GTask itself would call back on the stack of whoever completes it. */
static void
test_begun_in_a_task_it_calls_back_on_the_threads_stack (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("task", begin_in_task, event);
  run_until_no_task_is_left ();
  settle ();
  assert_said ("event:ok pulse:timeout");
}

static void
say_context (GObject *source, GAsyncResult *result, gpointer context)
{
  g_assert_true (cothread_event_wait_finish (COTHREAD_EVENT (source), result, NULL));
  say (g_main_context_get_thread_default () == context ? "same" : "other");
}

static void
test_the_callback_comes_in_the_callers_context (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, say_context, context);
  g_main_context_pop_thread_default (context);
  cothread_event_signal (event);
  settle ();
  assert_said ("");
  g_main_context_push_thread_default (context);
  while (g_main_context_iteration (context, FALSE))
    ;
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  assert_said ("same");
}

static void
test_an_object_may_be_dropped_while_it_is_waited_for (void)
{
  CothreadEvent *event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, 10 * MS, NULL, event_came, "event");
  g_object_unref (event);
  run_until_no_task_is_left ();
  settle ();
  assert_said ("event:timeout");
}

static void
test_the_end_of_the_scheduler_cancels (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, event_came, "event");
  cothread_sleep_async (COTHREAD_FOREVER, NULL, sleep_over, "sleep");
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  assert_said ("");
  settle ();
  assert_said ("event:cancelled sleep:cancelled");
}

static void
forget (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, gpointer n)
{
  (*(guint *) n)++;
}

static void
finish_wrongly (G_GNUC_UNUSED GObject *source, GAsyncResult *result, G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  expect_critical ("*self->kind == kind*");
  g_assert_false (cothread_sleep_finish (result, &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_true (cothread_join_finish (result, &error));
  expect_critical ("*is_finished*");
  g_assert_false (cothread_join_finish (result, &error));
  g_test_assert_expected_messages ();
  say ("done");
}

static void
test_the_finish_of_another_wait_is_a_critical (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", return_text, "text");

  cothread_join_async (task, COTHREAD_FOREVER, NULL, finish_wrongly, NULL);
  settle ();
  assert_said ("done");
}

static void
test_many_wait_at_once (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);
  guint n = 0;

  for (guint i = 0; i < 10000; i++)
    cothread_event_wait_async (event, COTHREAD_FOREVER, NULL, forget, &n);
  g_assert_cmpuint (live_tasks (), ==, 10000);
  cothread_event_signal (event);
  while (n < 10000)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (live_tasks (), ==, 0);
}

int
main (int argc, char **argv)
{
  char here;

  stack_of_thread = &here;
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/async/" path, test)
  ADD ("a-signal-that-was-there-is-taken-at-once", test_a_signal_that_was_there_is_taken_at_once);
  ADD ("callbacks-and-tasks-stand-in-one-line", test_callbacks_and_tasks_stand_in_one_line);
  ADD ("a-signal-taken-by-another-leaves-the-place-in-line", test_a_signal_taken_by_another_leaves_the_place_in_line);
  ADD ("a-value-is-given-or-freed", test_a_value_is_given_or_freed);
  ADD ("an-error-is-signalled", test_an_error_is_signalled);
  ADD ("time-passes", test_time_passes);
  ADD ("what-is-waited-for-comes", test_what_is_waited_for_comes);
  ADD ("a-queue-drains-and-closes", test_a_queue_drains_and_closes);
  ADD ("a-task-is-joined", test_a_task_is_joined);
  ADD ("a-handle-may-be-dropped-while-it-is-joined", test_a_handle_may_be_dropped_while_it_is_joined);
  ADD ("cancelled-before", test_cancelled_before);
  ADD ("cancelled-while-it-waits", test_cancelled_while_it_waits);
  ADD ("cancelled-after-it-came", test_cancelled_after_it_came);
  ADD ("cancelled-by-another-thread", test_cancelled_by_another_thread);
  ADD ("a-callback-cancels-its-own-cancellable", test_a_callback_cancels_its_own_cancellable);
  ADD ("a-callback-runs-a-nested-loop", test_a_callback_runs_a_nested_loop);
  ADD ("begun-in-a-task-it-calls-back-on-the-threads-stack", test_begun_in_a_task_it_calls_back_on_the_threads_stack);
  ADD ("the-callback-comes-in-the-callers-context", test_the_callback_comes_in_the_callers_context);
  ADD ("an-object-may-be-dropped-while-it-is-waited-for", test_an_object_may_be_dropped_while_it_is_waited_for);
  ADD ("the-end-of-the-scheduler-cancels", test_the_end_of_the_scheduler_cancels);
  ADD ("the-finish-of-another-wait-is-a-critical", test_the_finish_of_another_wait_is_a_critical);
  ADD ("many-wait-at-once", test_many_wait_at_once);
  return g_test_run ();
}
