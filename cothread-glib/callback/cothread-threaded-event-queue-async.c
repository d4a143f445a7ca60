/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-threaded-event-queue-private.h"
#include "loop/cothread-wait-async.h"

/* Whoever waits for what threads do waits as a task: its place in line is under
 * a lock, and the answer may come in any thread. */
typedef struct
{
  CothreadThreadedEventQueue *queue; /* referenced */
  gpointer item;
  gint64 timeout_us;
} Errand;

static void
errand_free (gpointer data)
{
  Errand *self = data;

  g_object_unref (self->queue);
  g_free (self);
}

static void
run_errand (CothreadThreadedEventQueue *queue, gpointer tag, CothreadReturnKind kind, CothreadTaskFunc func, gpointer item,
            gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) result = g_task_new (queue, cancellable, callback, user_data);
  CothreadSpawnOptions options = {
    .function = "threaded event queue",
    .user_data_destroy = errand_free,
    .result_destroy = cothread_threaded_event_queue_get_item_destroy (queue),
  };
  Errand *self = g_new (Errand, 1);

  *self = (Errand) { g_object_ref (queue), item, timeout_us };
  g_task_set_source_tag (result, tag);
  cothread_spawn_task_for (result, kind, func, self, &options);
}

static gpointer
take (gpointer data, GError **error)
{
  Errand *self = data;
  gpointer item = NULL;

  cothread_threaded_event_queue_wait (self->queue, self->timeout_us, NULL, &item, error);
  return item;
}

/**
 * cothread_threaded_event_queue_wait_async: (skip)
 * @self: a queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Takes the first item, as cothread_threaded_event_queue_wait() does, but calls
 * back instead of waiting. A task waits for it, and stands in line when the tasks
 * have had their turn. To be called in a thread that has a scheduler or can have
 * one; the callback comes in the caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_threaded_event_queue_wait_async (CothreadThreadedEventQueue *self, gint64 timeout_us, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self));
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_errand (self, cothread_threaded_event_queue_wait_async, COTHREAD_RETURN_POINTER, take, NULL, timeout_us, cancellable,
              callback, user_data);
}

/**
 * cothread_threaded_event_queue_wait_finish: (skip)
 * @self: a queue
 * @result: what the callback was given
 * @item: (out) (optional) (transfer full): the item; freed if %NULL
 * @error: return location for a #GError
 *
 * Ends what cothread_threaded_event_queue_wait_async() began. Fails like
 * cothread_threaded_event_queue_wait(), and like cothread_spawn_full(). An item
 * that nobody takes is freed with @result.
 *
 * Returns: whether there was an item
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_wait_finish (CothreadThreadedEventQueue *self, GAsyncResult *result, gpointer *item,
                                           GError **error)
{
  GDestroyNotify item_destroy;
  GError *failure = NULL;
  gpointer taken;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, cothread_threaded_event_queue_wait_async), FALSE);

  taken = g_task_propagate_pointer (G_TASK (result), &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  item_destroy = cothread_threaded_event_queue_get_item_destroy (self);
  if (item != NULL)
    *item = taken;
  else if (item_destroy != NULL)
    item_destroy (taken);
  return TRUE;
}

static gpointer
give (gpointer data, GError **error)
{
  Errand *self = data;

  return GINT_TO_POINTER (cothread_threaded_event_queue_send (self->queue, self->item, self->timeout_us, NULL, error));
}

/**
 * cothread_threaded_event_queue_send_async: (skip)
 * @self: a queue
 * @item: (transfer full): the item
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Hands over an item, waiting for room where there is none, as
 * cothread_threaded_event_queue_send() does, but calls back instead of waiting;
 * see cothread_threaded_event_queue_wait_async().
 *
 * Since: 0.1
 */
void
cothread_threaded_event_queue_send_async (CothreadThreadedEventQueue *self, gpointer item, gint64 timeout_us,
                                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self));
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_errand (self, cothread_threaded_event_queue_send_async, COTHREAD_RETURN_BOOLEAN, give, item, timeout_us, cancellable,
              callback, user_data);
}

/**
 * cothread_threaded_event_queue_send_finish: (skip)
 * @self: a queue
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_threaded_event_queue_send_async() began. Fails like
 * cothread_threaded_event_queue_send(), and like cothread_spawn_full().
 *
 * Returns: whether the item is in the queue or with somebody; otherwise it stays
 *   with the caller
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_send_finish (CothreadThreadedEventQueue *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, cothread_threaded_event_queue_send_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
