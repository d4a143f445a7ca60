/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* The marks at which a queue tells that it grows long, and short again. A poster
 * only notes that the high one was reached; the drainer tells. */

static guint above_high_watermark;
static guint below_low_watermark;

void
cothread_callback_queue_add_watermark_signals (CothreadCallbackQueueClass *klass)
{
  /**
   * CothreadCallbackQueue::above-high-watermark:
   * @self: the queue
   *
   * As many entries wait as #CothreadCallbackQueue:high-watermark says, for the
   * first time since the queue was last as short as
   * #CothreadCallbackQueue:low-watermark. Emitted on the scheduler's thread and
   * on its own stack, before the next entry runs there; by then the queue may
   * be longer. What callbacks that may wait have made good by then is not told
   * of, and closing the queue emits nothing.
   *
   * Since: 0.1
   */
  above_high_watermark = g_signal_new ("above-high-watermark", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * CothreadCallbackQueue::below-low-watermark:
   * @self: the queue
   *
   * After it was above its high watermark, the queue is as short as
   * #CothreadCallbackQueue:low-watermark says, or shorter. Emitted like
   * #CothreadCallbackQueue::above-high-watermark.
   *
   * Since: 0.1
   */
  below_low_watermark = g_signal_new ("below-low-watermark", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                      NULL, NULL, NULL, G_TYPE_NONE, 0);
}

void
cothread_callback_queue_reached_high (CothreadCallbackQueue *self)
{
  __atomic_store_n (&self->is_above, TRUE, __ATOMIC_SEQ_CST);
  g_signal_emit (self, above_high_watermark, 0);
}

void
cothread_callback_queue_reached_low (CothreadCallbackQueue *self)
{
  __atomic_store_n (&self->is_above, FALSE, __ATOMIC_SEQ_CST);
  g_signal_emit (self, below_low_watermark, 0);
}

/**
 * cothread_callback_queue_get_low_watermark: (get-property low-watermark)
 * @self: a callback queue
 *
 * Returns: the low watermark
 *
 * Since: 0.1
 */
guint
cothread_callback_queue_get_low_watermark (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return self->low_watermark;
}

/**
 * cothread_callback_queue_set_low_watermark: (set-property low-watermark)
 * @self: a callback queue
 * @length: how many entries; 0: the queue is empty
 *
 * Sets the low watermark. One that is not below the high one counts as the next
 * below that.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_low_watermark (CothreadCallbackQueue *self, guint length)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  if (length == self->low_watermark)
    return;
  self->low_watermark = length;
  cothread_callback_queue_nudge (self); /* it may be reached */
  g_object_notify (G_OBJECT (self), "low-watermark");
}

/**
 * cothread_callback_queue_get_high_watermark: (get-property high-watermark)
 * @self: a callback queue
 *
 * Returns: the high watermark; 0: none
 *
 * Since: 0.1
 */
guint
cothread_callback_queue_get_high_watermark (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return __atomic_load_n (&self->high_watermark, __ATOMIC_RELAXED);
}

/**
 * cothread_callback_queue_set_high_watermark: (set-property high-watermark)
 * @self: a callback queue
 * @length: how many entries; 0: none
 *
 * Sets the high watermark. If that many wait already, it is reached now.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_high_watermark (CothreadCallbackQueue *self, guint length)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  if (length == self->high_watermark)
    return;
  __atomic_store_n (&self->high_watermark, length, __ATOMIC_SEQ_CST);
  if (length == 0)
    __atomic_store_n (&self->is_above, FALSE, __ATOMIC_SEQ_CST);
  else if (!self->is_above && cothread_callback_queue_waiting (self) >= length)
    cothread_callback_queue_add_errand (self, COTHREAD_ERRAND_WATERMARK);
  cothread_callback_queue_nudge (self);
  g_object_notify (G_OBJECT (self), "high-watermark");
}
