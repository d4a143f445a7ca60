/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "sync/cothread-sources-private.h"

/* The _async() forms of the waits for events, queues and pulses. */

static void
stand_in_line (CothreadAsyncWait *wait, CothreadWaiters *waiters)
{
  /* Woken in vain it keeps its place. */
  if (wait->waiter.sequence == 0)
    cothread_waiters_begin (waiters, &wait->waiter, NULL);
  cothread_waiters_queue (waiters, &wait->waiter);
}

static gboolean
take_signal (CothreadAsyncWait *wait, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadEvent *self = wait->object;

  if (!cothread_event_is_signalled (self))
    {
      stand_in_line (wait, cothread_event_get_waiters (self));
      return FALSE;
    }
  wait->value_destroy = cothread_event_get_value_destroy (self);
  cothread_event_take (self, &wait->value, &wait->failure);
  return TRUE;
}

static gboolean
take_item (CothreadAsyncWait *wait, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadEventQueue *self = wait->object;

  if (!cothread_event_queue_is_ready (self))
    {
      stand_in_line (wait, cothread_event_queue_get_waiters (self));
      return FALSE;
    }
  wait->value_destroy = cothread_event_queue_get_item_destroy (self);
  cothread_event_queue_take (self, &wait->value, &wait->failure);
  return TRUE;
}

static gboolean
take_pulse (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  if (fired != NULL)
    return TRUE;
  stand_in_line (wait, cothread_pulse_get_waiters (wait->object));
  return FALSE;
}

static const CothreadAsyncWaitKind event_kind = { "event", "event", take_signal, NULL, NULL };
static const CothreadAsyncWaitKind event_queue_kind = { "event queue", "event queue", take_item, NULL, NULL };
static const CothreadAsyncWaitKind pulse_kind = { "pulse", "pulse", take_pulse, NULL, NULL };

/**
 * cothread_event_wait_async:
 * @self: an event
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits until the event is signalled, as cothread_event_wait() does, standing in
 * the same line, but calls back instead of suspending a task. The signal is
 * taken before the callback comes, in the caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_event_wait_async (CothreadEvent *self, gint64 timeout_us, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  if (cothread_event_get_waiters (self) == NULL)
    return; /* it has complained */
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&event_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_event_wait_finish:
 * @self: an event
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_event_wait_async() began. Fails like cothread_event_wait(),
 * and with %COTHREAD_ERROR_WRONG_CONTEXT in a thread without a scheduler.
 *
 * Returns: %TRUE if the event was signalled
 *
 * Since: 0.1
 */
gboolean
cothread_event_wait_finish (CothreadEvent *self, GAsyncResult *result, GError **error)
{
  return cothread_event_wait_value_finish (self, result, NULL, error);
}

/**
 * cothread_event_wait_value_finish: (skip)
 * @self: an event
 * @result: what the callback was given
 * @value: (out) (optional): the value it was signalled with; the caller's if
 *   the event resets by itself, else the event's
 * @error: return location for a #GError
 *
 * Ends what cothread_event_wait_async() began, and takes the value. A value that
 * nobody takes is freed with @result.
 *
 * Returns: %TRUE if the event was signalled
 *
 * Since: 0.1
 */
gboolean
cothread_event_wait_value_finish (CothreadEvent *self, GAsyncResult *result, gpointer *value, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT (self), FALSE);

  return cothread_async_wait_finish (&event_kind, self, result, value, error);
}

/**
 * cothread_event_queue_wait_async: (skip)
 * @self: a queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Takes the first item, as cothread_event_queue_wait() does, standing in the
 * same line, but calls back instead of suspending a task. The item leaves the
 * queue before the callback comes, in the caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_event_queue_wait_async (CothreadEventQueue *self, gint64 timeout_us, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  if (cothread_event_queue_get_waiters (self) == NULL)
    return; /* it has complained */
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&event_queue_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_event_queue_wait_finish: (skip)
 * @self: a queue
 * @result: what the callback was given
 * @item: (out) (optional) (transfer full): the item; freed if %NULL
 * @error: return location for a #GError
 *
 * Ends what cothread_event_queue_wait_async() began. Fails like
 * cothread_event_queue_wait(), and with %COTHREAD_ERROR_WRONG_CONTEXT in a
 * thread without a scheduler.
 *
 * Returns: %TRUE if there was an item
 *
 * Since: 0.1
 */
gboolean
cothread_event_queue_wait_finish (CothreadEventQueue *self, GAsyncResult *result, gpointer *item, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), FALSE);

  return cothread_async_wait_finish (&event_queue_kind, self, result, item, error);
}

/**
 * cothread_pulse_wait_async:
 * @self: a pulse
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits for the next pulse, as cothread_pulse_wait() does, standing in the same
 * line, but calls back instead of suspending a task. The callback comes in the
 * caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_pulse_wait_async (CothreadPulse *self, gint64 timeout_us, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  if (cothread_pulse_get_waiters (self) == NULL)
    return; /* it has complained */
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&pulse_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_pulse_wait_finish:
 * @self: a pulse
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_pulse_wait_async() began. Fails like cothread_pulse_wait(),
 * and with %COTHREAD_ERROR_WRONG_CONTEXT in a thread without a scheduler.
 *
 * Returns: %TRUE if the pulse came
 *
 * Since: 0.1
 */
gboolean
cothread_pulse_wait_finish (CothreadPulse *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_PULSE (self), FALSE);

  return cothread_async_wait_finish (&pulse_kind, self, result, NULL, error);
}
