/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

#include <poll.h>

/* CothreadThreadedEventQueue: tasks and threads on either side. */

#define LONG_US (60 * G_USEC_PER_SEC)

static gint n_destroyed; /* atomic */

static void
destroy_item (gpointer item)
{
  g_assert_nonnull (item);
  g_atomic_int_inc (&n_destroyed);
}

typedef struct
{
  CallbackFixture *fixture;
  CothreadThreadedEventQueue *queue;
  gint64 timeout_us;
  GCancellable *cancellable;
  guint n; /* items to send, from 1 */
  guint n_taken;
  guint64 sum;
  GError *error;
  gint is_over; /* atomic */
} Side;

static gpointer
send_all (gpointer data)
{
  Side *self = data;

  for (guint i = 1; i <= self->n; i++)
    if (!cothread_threaded_event_queue_send (self->queue, GUINT_TO_POINTER (i), self->timeout_us, self->cancellable, &self->error))
      break;
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (self->fixture->context);
  return NULL;
}

static gpointer
take_all (gpointer data)
{
  Side *self = data;
  gpointer item;

  while (cothread_threaded_event_queue_wait (self->queue, self->timeout_us, self->cancellable, &item, &self->error))
    {
      self->n_taken++;
      self->sum += GPOINTER_TO_UINT (item);
    }
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (self->fixture->context);
  return NULL;
}

static gpointer
send_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  return send_all (data);
}

static gpointer
take_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  return take_all (data);
}

static void
assert_closed (Side *side)
{
  g_assert_error (side->error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&side->error);
}

static void
test_items_come_in_order_without_waiting (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, NULL);
  gpointer item;

  (void) f;
  for (guint i = 1; i <= 3; i++)
    g_assert_true (cothread_threaded_event_queue_signal (queue, GUINT_TO_POINTER (i)));
  g_assert_cmpuint (cothread_threaded_event_queue_get_length (queue), ==, 3);
  for (guint i = 1; i <= 3; i++)
    {
      g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, &item, NULL));
      g_assert_cmpuint (GPOINTER_TO_UINT (item), ==, i);
    }
}

static void
test_a_thread_sends_and_a_task_takes (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (5, NULL);
  Side sender = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 1000 };
  Side taker = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
  g_autoptr (CothreadTask) task = cothread_spawn (take_in_task, &taker);
  GThread *thread = g_thread_new ("sender", send_all, &sender);

  callback_run_until (f, g_atomic_int_get (&sender.is_over));
  g_thread_join (thread);
  cothread_threaded_event_queue_close (queue);
  callback_run_until (f, cothread_task_is_finished (task));

  g_assert_no_error (sender.error);
  assert_closed (&taker);
  g_assert_cmpuint (taker.n_taken, ==, 1000);
  g_assert_cmpuint (taker.sum, ==, 1000 * 1001 / 2);
}

static void
test_a_task_sends_and_a_thread_takes (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (5, NULL);
  Side sender = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 1000 };
  Side taker = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
  GThread *thread = g_thread_new ("taker", take_all, &taker);

  callback_in_task (f, send_in_task, &sender);
  cothread_threaded_event_queue_close (queue);
  g_thread_join (thread);

  g_assert_no_error (sender.error);
  assert_closed (&taker);
  g_assert_cmpuint (taker.n_taken, ==, 1000);
}

static void
test_threads_alone_need_no_loop (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (3, NULL);
  Side senders[3], takers[3];
  GThread *sending[3], *taking[3];
  guint n_taken = 0;

  for (guint i = 0; i < 3; i++)
    {
      senders[i] = (Side) { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 2000 };
      takers[i] = (Side) { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
      sending[i] = g_thread_new ("sender", send_all, &senders[i]);
      taking[i] = g_thread_new ("taker", take_all, &takers[i]);
    }
  for (guint i = 0; i < 3; i++)
    g_thread_join (sending[i]);
  cothread_threaded_event_queue_close (queue);
  for (guint i = 0; i < 3; i++)
    {
      g_thread_join (taking[i]);
      assert_closed (&takers[i]);
      n_taken += takers[i].n_taken;
    }

  g_assert_cmpuint (n_taken, ==, 6000);
}

static void
test_main_runs_its_loop_meanwhile (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, NULL);
  Side sender = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 1 };
  g_autoptr (CothreadTask) task = cothread_spawn (send_in_task, &sender);
  gpointer item = NULL;

  g_assert_true (cothread_threaded_event_queue_wait (queue, LONG_US, NULL, &item, NULL));
  g_assert_cmpuint (GPOINTER_TO_UINT (item), ==, 1);
  callback_run_until (f, cothread_task_is_finished (task));
}

static void
test_a_full_queue_refuses_a_signal (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (1, destroy_item);

  (void) f;
  n_destroyed = 0;
  g_assert_cmpuint (cothread_threaded_event_queue_get_max_length (queue), ==, 1);
  g_assert_true (cothread_threaded_event_queue_signal (queue, &n_destroyed));
  g_assert_false (cothread_threaded_event_queue_signal (queue, &n_destroyed));
  g_assert_cmpint (n_destroyed, ==, 0);
  cothread_threaded_event_queue_reset (queue);
  g_assert_cmpint (n_destroyed, ==, 1);
  g_assert_true (cothread_threaded_event_queue_signal (queue, &n_destroyed));
  g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, NULL, NULL));
  g_assert_cmpint (n_destroyed, ==, 2);
}

static void
test_what_nobody_takes_is_freed_with_the_queue (CallbackFixture *f)
{
  CothreadThreadedEventQueue *queue = cothread_threaded_event_queue_new (0, destroy_item);

  (void) f;
  n_destroyed = 0;
  cothread_threaded_event_queue_signal (queue, &n_destroyed);
  cothread_threaded_event_queue_close (queue);
  g_assert_cmpint (n_destroyed, ==, 0);
  g_object_unref (queue);
  g_assert_cmpint (n_destroyed, ==, 1);
}

static void
test_waits_time_out (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (1, NULL);
  Side taker = { .fixture = f, .queue = queue, .timeout_us = 1000 };
  Side sender = { .fixture = f, .queue = queue, .timeout_us = 1000, .n = 2 };

  callback_in_thread (take_all, &taker);
  g_assert_error (taker.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&taker.error);
  callback_in_task (f, take_in_task, &taker);
  g_assert_error (taker.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&taker.error);
  callback_in_thread (send_all, &sender);
  g_assert_error (sender.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&sender.error);
  callback_in_task (f, send_in_task, &sender);
  g_assert_error (sender.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&sender.error);

  g_assert_cmpuint (cothread_threaded_event_queue_get_length (queue), ==, 1);
}

static void
test_waits_are_cancelled (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (1, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Side taker = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .cancellable = cancellable };
  Side other = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
  GThread *thread = g_thread_new ("taker", take_all, &taker);
  g_autoptr (CothreadTask) task = cothread_spawn (take_in_task, &other);

  callback_run_idle (f);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (taker.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&taker.error);
  cothread_task_cancel (task);
  callback_run_until (f, cothread_task_is_finished (task));
  g_assert_error (other.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&other.error);

  /* An item is not lost on one who has gone. */
  g_assert_true (cothread_threaded_event_queue_signal (queue, queue));
  g_assert_cmpuint (cothread_threaded_event_queue_get_length (queue), ==, 1);
}

static void
test_closing_wakes_everybody_and_lets_the_queue_drain (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (1, NULL);
  Side sender = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 2 };
  Side taker = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
  GThread *thread;
  g_autoptr (CothreadTask) task = NULL;

  thread = g_thread_new ("sender", send_all, &sender);
  callback_poll_until (f, cothread_threaded_event_queue_get_length (queue) == 1);
  cothread_threaded_event_queue_close (queue);
  g_thread_join (thread);
  assert_closed (&sender);
  g_assert_true (cothread_threaded_event_queue_is_closed (queue));
  g_assert_false (cothread_threaded_event_queue_signal (queue, queue));
  callback_in_task (f, take_in_task, &taker);
  assert_closed (&taker);
  g_assert_cmpuint (taker.n_taken, ==, 1);
}

static gboolean
is_readable (int fd)
{
  struct pollfd polled = { fd, POLLIN, 0 };

  return poll (&polled, 1, 0) == 1;
}

static void
test_the_descriptor_is_readable_while_a_wait_would_not_wait (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, NULL);
  int fd;

  (void) f;
  cothread_threaded_event_queue_signal (queue, queue);
  fd = cothread_threaded_event_queue_get_wait_descriptor (queue, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fd, ==, cothread_threaded_event_queue_get_wait_descriptor (queue, NULL));
  g_assert_true (is_readable (fd));
  cothread_threaded_event_queue_signal (queue, queue);
  g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, NULL, NULL));
  g_assert_true (is_readable (fd));
  g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, NULL, NULL));
  g_assert_false (is_readable (fd));
  cothread_threaded_event_queue_signal (queue, queue);
  g_assert_true (is_readable (fd));
  cothread_threaded_event_queue_reset (queue);
  g_assert_false (is_readable (fd));
  cothread_threaded_event_queue_close (queue);
  g_assert_true (is_readable (fd));
}

static void
test_waiters_are_served_in_the_order_they_came (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (0, NULL);
  Side takers[3];
  CothreadTask *tasks[3];

  for (guint i = 0; i < 3; i++)
    {
      takers[i] = (Side) { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER };
      tasks[i] = cothread_spawn (take_in_task, &takers[i]);
    }
  callback_run_idle (f);
  for (guint i = 1; i <= 3; i++)
    g_assert_true (cothread_threaded_event_queue_signal (queue, GUINT_TO_POINTER (i)));
  callback_run_idle (f);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (takers[i].sum, ==, i + 1);
      cothread_task_cancel (tasks[i]);
      callback_run_until (f, cothread_task_is_finished (tasks[i]));
      cothread_task_unref (tasks[i]);
      g_clear_error (&takers[i].error);
    }
}

static void
test_nothing_is_lost_on_those_who_time_out (CallbackFixture *f)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (2, NULL);
  Side sender = { .fixture = f, .queue = queue, .timeout_us = COTHREAD_FOREVER, .n = 3000 };
  GThread *thread = g_thread_new ("sender", send_all, &sender);
  guint64 sum = 0;

  while (sum < 3000 * 3001 / 2)
    {
      gpointer item;

      if (cothread_threaded_event_queue_wait (queue, g_random_int_range (0, 20), NULL, &item, NULL))
        sum += GPOINTER_TO_UINT (item);
    }
  g_thread_join (thread);
  g_assert_cmpuint (sum, ==, 3000 * 3001 / 2);
  g_assert_cmpuint (cothread_threaded_event_queue_get_length (queue), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("threaded-queue", items_come_in_order_without_waiting);
  callback_test_add ("threaded-queue", a_thread_sends_and_a_task_takes);
  callback_test_add ("threaded-queue", a_task_sends_and_a_thread_takes);
  callback_test_add ("threaded-queue", threads_alone_need_no_loop);
  callback_test_add ("threaded-queue", main_runs_its_loop_meanwhile);
  callback_test_add ("threaded-queue", a_full_queue_refuses_a_signal);
  callback_test_add ("threaded-queue", what_nobody_takes_is_freed_with_the_queue);
  callback_test_add ("threaded-queue", waits_time_out);
  callback_test_add ("threaded-queue", waits_are_cancelled);
  callback_test_add ("threaded-queue", closing_wakes_everybody_and_lets_the_queue_drain);
  callback_test_add ("threaded-queue", the_descriptor_is_readable_while_a_wait_would_not_wait);
  callback_test_add ("threaded-queue", waiters_are_served_in_the_order_they_came);
  callback_test_add ("threaded-queue", nothing_is_lost_on_those_who_time_out);
  return g_test_run ();
}
