/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* The _async forms of waits for threads, servers and signals. */

typedef struct
{
  gboolean is_over;
  gboolean success;
  gpointer value;
  GError *error;
} Answer;

static void
await_answer (Answer *answer)
{
  gint64 deadline_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  while (!answer->is_over && g_get_monotonic_time () < deadline_us)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_true (answer->is_over);
  g_assert_true (answer->success == (answer->error == NULL));
}

#define DEFINE_CALLBACK(name, call) \
  static void name (GObject *source, GAsyncResult *result, gpointer data) \
  { \
    Answer *answer = data; \
    answer->success = call; \
    answer->is_over = TRUE; \
    (void) source; \
  }

DEFINE_CALLBACK (item_came, cothread_threaded_event_queue_wait_finish (COTHREAD_THREADED_EVENT_QUEUE (source), result,
                                                                       &answer->value, &answer->error))
DEFINE_CALLBACK (item_went, cothread_threaded_event_queue_send_finish (COTHREAD_THREADED_EVENT_QUEUE (source), result,
                                                                       &answer->error))
DEFINE_CALLBACK (flushed, cothread_callback_queue_flush_finish (COTHREAD_CALLBACK_QUEUE (source), result, &answer->error))
DEFINE_CALLBACK (server_over, cothread_server_wait_finish (COTHREAD_SERVER (source), result, &answer->error))
DEFINE_CALLBACK (notified, cothread_wait_notify_finish (result, &answer->error))
DEFINE_CALLBACK (signal_came, cothread_wait_signal_finish_plain (result, &answer->error))

static guint n_freed;

static void
free_item (gpointer item)
{
  n_freed++;
  g_free (item);
}

static gpointer
send_item (gpointer queue)
{
  g_assert_true (cothread_threaded_event_queue_signal (queue, g_strdup ("item")));
  g_object_unref (queue);
  return NULL;
}

static void
test_an_item_of_a_thread (void)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, free_item);
  g_autofree char *item = NULL;
  Answer answer = { FALSE };
  GThread *thread;

  cothread_threaded_event_queue_wait_async (queue, COTHREAD_FOREVER, NULL, item_came, &answer);
  thread = g_thread_new ("sender", send_item, g_object_ref (queue));
  await_answer (&answer);
  g_thread_join (thread);
  g_assert_true (answer.success);
  item = answer.value;
  g_assert_cmpstr (item, ==, "item");
}

static void
test_an_item_is_not_lost_to_a_cancelled_wait (void)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, free_item);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Answer answer = { FALSE };

  n_freed = 0;
  cothread_threaded_event_queue_wait_async (queue, COTHREAD_FOREVER, cancellable, item_came, &answer);
  settle ();
  g_cancellable_cancel (cancellable);
  await_answer (&answer);
  g_assert_error (answer.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&answer.error);
  cothread_threaded_event_queue_signal (queue, g_strdup ("item"));
  g_assert_cmpuint (cothread_threaded_event_queue_get_length (queue), ==, 1);
  g_clear_object (&queue);
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
take_nothing (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, gpointer data)
{
  ((Answer *) data)->success = ((Answer *) data)->is_over = TRUE;
}

static void
test_an_item_that_nobody_takes_is_freed (void)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, free_item);
  Answer answer = { FALSE };

  n_freed = 0;
  cothread_threaded_event_queue_signal (queue, g_strdup ("item"));
  cothread_threaded_event_queue_wait_async (queue, COTHREAD_FOREVER, NULL, take_nothing, &answer);
  await_answer (&answer);
  settle ();
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
test_room_for_an_item (void)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (1, NULL);
  Answer first = { FALSE }, second = { FALSE }, third = { FALSE };
  gpointer item;

  cothread_threaded_event_queue_send_async (queue, "1", COTHREAD_FOREVER, NULL, item_went, &first);
  cothread_threaded_event_queue_send_async (queue, "2", COTHREAD_FOREVER, NULL, item_went, &second);
  await_answer (&first);
  settle ();
  g_assert_false (second.is_over);
  g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, &item, NULL));
  g_assert_cmpstr (item, ==, "1");
  await_answer (&second);
  g_assert_true (second.success);
  cothread_threaded_event_queue_close (queue);
  cothread_threaded_event_queue_send_async (queue, "3", COTHREAD_FOREVER, NULL, item_went, &third);
  await_answer (&third);
  g_assert_error (third.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&third.error);
}

static void
count (gpointer n)
{
  ++*(guint *) n;
}

static void
test_a_queue_of_callbacks_that_is_empty_at_last (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  g_autoptr (GError) error = NULL;
  Answer answer = { FALSE }, closed = { FALSE };
  guint n = 0;

  for (guint i = 0; i < 10; i++)
    g_assert_true (cothread_callback_queue_post (queue, count, &n, NULL, &error));
  cothread_callback_queue_flush_async (queue, COTHREAD_FOREVER, NULL, flushed, &answer);
  await_answer (&answer);
  g_assert_true (answer.success);
  g_assert_cmpuint (n, ==, 10);
  cothread_callback_queue_close (queue);
  cothread_callback_queue_flush_async (queue, COTHREAD_FOREVER, NULL, flushed, &closed);
  await_answer (&closed);
  g_assert_error (closed.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&closed.error);
}

static void
serve_nobody (G_GNUC_UNUSED GSocketConnection *connection, G_GNUC_UNUSED gpointer unused)
{
}

static void
test_the_end_of_a_server (void)
{
  CothreadServer *server = cothread_server_new (1, serve_nobody, NULL, NULL);
  g_autoptr (GError) error = NULL;
  Answer in_time = { FALSE }, answer = { FALSE };

  g_assert_cmpuint (g_socket_listener_add_any_inet_port (cothread_server_get_listener (server), NULL, &error), !=, 0);
  g_assert_true (cothread_server_start (server, &error));
  cothread_server_wait_async (server, 1000, NULL, server_over, &in_time);
  cothread_server_wait_async (server, COTHREAD_FOREVER, NULL, server_over, &answer);
  await_answer (&in_time);
  g_assert_error (in_time.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&in_time.error);
  g_assert_false (answer.is_over);
  cothread_server_stop (server);
  g_object_unref (server);
  await_answer (&answer);
  g_assert_true (answer.success);
}

static void
test_a_signal_and_a_property (void)
{
  g_autoptr (GCancellable) signaller = g_cancellable_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  Answer signal = { FALSE }, property = { FALSE }, other = { FALSE };

  cothread_wait_signal_async (G_OBJECT (signaller), "cancelled", COTHREAD_FOREVER, NULL, signal_came, &signal);
  cothread_wait_notify_async (G_OBJECT (client), "timeout", COTHREAD_FOREVER, NULL, notified, &property);
  cothread_wait_notify_async (G_OBJECT (client), "protocol", 1000, NULL, notified, &other);
  settle ();
  g_assert_false (signal.is_over || property.is_over);
  g_cancellable_cancel (signaller);
  g_socket_client_set_timeout (client, 7);
  await_answer (&signal);
  await_answer (&property);
  await_answer (&other);
  g_assert_true (signal.success && property.success);
  g_assert_error (other.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&other.error);
}

static gboolean
make_three (CothreadThreadStream *stream, G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 3; i++)
    if (!cothread_thread_stream_send (stream, g_strdup_printf ("%u", i), error))
      return FALSE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no more");
  return FALSE;
}

static CothreadThreadStream *stream;

DEFINE_CALLBACK (result_came, cothread_thread_stream_next_finish (stream, result, &answer->value, &answer->error))

static void
test_the_results_of_a_thread (void)
{
  g_autoptr (GError) error = NULL;

  n_freed = 0;
  stream = cothread_thread_stream_new ("three", 1, make_three, NULL, NULL, free_item, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *expected = g_strdup_printf ("%u", i);
      Answer answer = { FALSE };

      cothread_thread_stream_next_async (stream, COTHREAD_FOREVER, NULL, i == 1 ? take_nothing : result_came, &answer);
      await_answer (&answer);
      g_assert_true (answer.success == (i < 3));
      if (i == 0 || i == 2)
        g_assert_cmpstr (answer.value, ==, expected);
      if (i == 3)
        g_assert_cmpstr (answer.error->message, ==, "no more");
      g_clear_error (&answer.error);
      g_free (answer.value);
    }
  settle ();
  g_assert_cmpuint (n_freed, ==, 1);
  cothread_thread_stream_free (stream);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/async-others/" #name, test_##name)
  ADD (an_item_of_a_thread);
  ADD (an_item_is_not_lost_to_a_cancelled_wait);
  ADD (an_item_that_nobody_takes_is_freed);
  ADD (room_for_an_item);
  ADD (a_queue_of_callbacks_that_is_empty_at_last);
  ADD (the_end_of_a_server);
  ADD (a_signal_and_a_property);
  ADD (the_results_of_a_thread);
  return g_test_run ();
}
