/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* The rules that the owner of a queue sets. */

/**
 * cothread_callback_queue_get_max_length: (get-property max-length)
 * @self: a callback queue
 *
 * For any thread.
 *
 * Returns: how many entries may wait; 0: any number
 *
 * Since: 0.1
 */
guint
cothread_callback_queue_get_max_length (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return __atomic_load_n (&self->max_length, __ATOMIC_RELAXED);
}

/* Posters that wait look anew at the bound and the policy. */
static void
rules_changed (CothreadCallbackQueue *self, const char *property)
{
  cothread_callback_queue_announce_room (self, G_MAXUINT);
  g_object_notify (G_OBJECT (self), property);
}

/**
 * cothread_callback_queue_set_max_length: (set-property max-length)
 * @self: a callback queue
 * @max_length: how many entries may wait; 0: any number
 *
 * Sets the bound, on the scheduler's thread. Posters that wait for room follow
 * it; lowering it below the present length drops nothing.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_max_length (CothreadCallbackQueue *self, guint max_length)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  if (max_length == self->max_length)
    return;
  __atomic_store_n (&self->max_length, max_length, __ATOMIC_SEQ_CST);
  rules_changed (self, "max-length");
}

/**
 * cothread_callback_queue_get_overflow: (get-property overflow)
 * @self: a callback queue
 *
 * Returns: what happens to a post when the queue is full
 *
 * Since: 0.1
 */
CothreadOverflowPolicy
cothread_callback_queue_get_overflow (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), COTHREAD_OVERFLOW_FAIL);
  return __atomic_load_n (&self->overflow, __ATOMIC_RELAXED);
}

/**
 * cothread_callback_queue_set_overflow: (set-property overflow)
 * @self: a callback queue
 * @overflow: what happens to a post when the queue is full
 *
 * Sets the policy, on the scheduler's thread; posters that wait for room at the
 * moment follow it too.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_overflow (CothreadCallbackQueue *self, CothreadOverflowPolicy overflow)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));
  g_return_if_fail (overflow <= COTHREAD_OVERFLOW_COALESCE);

  if (overflow == self->overflow)
    return;
  __atomic_store_n (&self->overflow, overflow, __ATOMIC_SEQ_CST);
  rules_changed (self, "overflow");
}

/**
 * cothread_callback_queue_get_block_timeout: (get-property block-timeout)
 * @self: a callback queue
 *
 * Returns: how long a poster waits for room, in microseconds; -1: for ever
 *
 * Since: 0.1
 */
gint64
cothread_callback_queue_get_block_timeout (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return __atomic_load_n (&self->block_timeout_us, __ATOMIC_RELAXED);
}

/**
 * cothread_callback_queue_set_block_timeout: (set-property block-timeout)
 * @self: a callback queue
 * @timeout_us: microseconds; -1: for ever
 *
 * Sets how long a poster waits for room, from the next post on.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_block_timeout (CothreadCallbackQueue *self, gint64 timeout_us)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));
  g_return_if_fail (timeout_us >= -1);

  if (timeout_us == self->block_timeout_us)
    return;
  __atomic_store_n (&self->block_timeout_us, timeout_us, __ATOMIC_RELAXED);
  g_object_notify (G_OBJECT (self), "block-timeout");
}

static void
sort_in (CothreadCallbackQueue *self)
{
  CtLink *head = &self->scheduler->callback_queues, *position = head->next;

  while (position != head && CT_CONTAINER_OF (position, CothreadCallbackQueue, link)->priority <= self->priority)
    position = position->next;
  ct_link_insert_before (position, &self->link);
}

void
cothread_callback_queue_enlist (CothreadCallbackQueue *self)
{
  sort_in (self);
}

/**
 * cothread_callback_queue_get_priority: (get-property priority)
 * @self: a callback queue
 *
 * Returns: how urgent the queue is; less is more urgent
 *
 * Since: 0.1
 */
int
cothread_callback_queue_get_priority (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return self->priority;
}

/**
 * cothread_callback_queue_set_priority: (set-property priority)
 * @self: a callback queue
 * @priority: how urgent the queue is; less is more urgent
 *
 * Sets the priority among the queues of one scheduler.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_set_priority (CothreadCallbackQueue *self, int priority)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  if (priority == self->priority)
    return;
  self->priority = priority;
  if (ct_link_is_linked (&self->link))
    {
      ct_link_unlink (&self->link);
      sort_in (self);
    }
  g_object_notify (G_OBJECT (self), "priority");
}
