/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-sources-private.h"

/**
 * CothreadEventQueue:
 *
 * Items on their way from some tasks to others, first in, first out.
 *
 * A queue belongs to the thread that made it. It may have a bound; a full queue
 * refuses further items.
 *
 * Since: 0.1
 */
struct _CothreadEventQueue
{
  GObject parent_instance;

  gsize owner;
  GQueue items;
  guint max_length; /* 0: none */
  GDestroyNotify item_destroy;
  gboolean is_closed;
  guint n_aborted;
  CothreadWaiters waiters;
};

G_DEFINE_FINAL_TYPE (CothreadEventQueue, cothread_event_queue, G_TYPE_OBJECT)

static void
destroy_item (CothreadEventQueue *self, gpointer item)
{
  if (self->item_destroy != NULL)
    self->item_destroy (item);
}

static void
destroy_items (CothreadEventQueue *self)
{
  GQueue items = self->items;

  /* A destroy notify may signal this very queue. */
  g_queue_init (&self->items);
  while (!g_queue_is_empty (&items))
    destroy_item (self, g_queue_pop_head (&items));
}

static void
cothread_event_queue_finalize (GObject *object)
{
  destroy_items (COTHREAD_EVENT_QUEUE (object));
  G_OBJECT_CLASS (cothread_event_queue_parent_class)->finalize (object);
}

static void
cothread_event_queue_class_init (CothreadEventQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_event_queue_finalize;
}

static void
cothread_event_queue_init (CothreadEventQueue *self)
{
  self->owner = cothread_thread_id ();
  g_queue_init (&self->items);
  cothread_waiters_init (&self->waiters);
}

/**
 * cothread_event_queue_new: (skip)
 * @max_length: the bound, or 0 for none
 * @item_destroy: (nullable): frees items that nobody takes
 *
 * Makes an empty queue of the calling thread.
 *
 * Returns: (transfer full): a new queue
 *
 * Since: 0.1
 */
CothreadEventQueue *
cothread_event_queue_new (guint max_length, GDestroyNotify item_destroy)
{
  CothreadEventQueue *self = g_object_new (COTHREAD_TYPE_EVENT_QUEUE, NULL);

  self->max_length = max_length;
  self->item_destroy = item_destroy;
  return self;
}

/**
 * cothread_event_queue_signal: (skip)
 * @self: a queue
 * @item: (transfer full): the item
 *
 * Puts an item at the end and wakes the first waiting task. Never suspends.
 * Signalling a closed queue is a critical.
 *
 * Returns: %FALSE if the queue is full or closed; the item then stays with the
 *   caller
 *
 * Since: 0.1
 */
gboolean
cothread_event_queue_signal (CothreadEventQueue *self, gpointer item)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), FALSE);
  g_return_val_if_fail (self->owner == cothread_thread_id (), FALSE);
  g_return_val_if_fail (!self->is_closed, FALSE);

  if (self->n_aborted > 0)
    {
      self->n_aborted--;
      destroy_item (self, item);
      return TRUE;
    }
  if (self->max_length > 0 && self->items.length >= self->max_length)
    return FALSE;
  g_queue_push_tail (&self->items, item);
  cothread_waiters_wake_one (&self->waiters);
  return TRUE;
}

CothreadWaiters *
cothread_event_queue_get_waiters (CothreadEventQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), NULL);
  g_return_val_if_fail (self->owner == cothread_thread_id (), NULL);
  return &self->waiters;
}

gboolean
cothread_event_queue_is_ready (CothreadEventQueue *self)
{
  return !g_queue_is_empty (&self->items) || self->is_closed;
}

GDestroyNotify
cothread_event_queue_get_item_destroy (CothreadEventQueue *self)
{
  return self->item_destroy;
}

gboolean
cothread_event_queue_take (CothreadEventQueue *self, gpointer *item, GError **error)
{
  gpointer taken;

  if (g_queue_is_empty (&self->items))
    {
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The queue is closed");
      return FALSE;
    }
  taken = g_queue_pop_head (&self->items);
  if (item != NULL)
    *item = taken;
  else
    destroy_item (self, taken);
  return TRUE;
}

static gboolean
wait_for_item (CothreadEventQueue *self, gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;
  CtWaiter waiter;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  cothread_waiters_begin (&self->waiters, &waiter, core->current);
  while (!cothread_event_queue_is_ready (self))
    {
      cothread_waiters_queue (&self->waiters, &waiter);
      if (!cothread_wait_on (core, &waiter, deadline_us, "event queue", self, error))
        {
          /* Given an item, and then interrupted in the same turn: for the next. */
          if (core->current->fired != NULL && cothread_event_queue_is_ready (self))
            cothread_waiters_wake_one (&self->waiters);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * cothread_event_queue_wait: (skip)
 * @self: a queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @item: (out) (optional) (transfer full): the item; freed if %NULL
 * @error: return location for a #GError
 *
 * Takes the first item, waiting for one if there is none; does not suspend if
 * there is.
 *
 * Fails with %COTHREAD_ERROR_CLOSED when the queue is closed and empty, with
 * %G_IO_ERROR_TIMED_OUT, and like cothread_sleep().
 *
 * Returns: %TRUE if there was an item
 *
 * Since: 0.1
 */
gboolean
cothread_event_queue_wait (CothreadEventQueue *self, gint64 timeout_us, gpointer *item, GError **error)
{
  gboolean success;

  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), FALSE);
  g_return_val_if_fail (self->owner == cothread_thread_id (), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (cothread_event_queue_is_ready (self))
    return cothread_wait_for_ready (error) && cothread_event_queue_take (self, item, error);
  g_object_ref (self);
  success = wait_for_item (self, timeout_us, error) && cothread_event_queue_take (self, item, error);
  g_object_unref (self);
  return success;
}

/**
 * cothread_event_queue_close:
 * @self: a queue
 *
 * Ends the queue: what is in it can still be taken; then every wait fails with
 * %COTHREAD_ERROR_CLOSED. Wakes all waiting tasks.
 *
 * Since: 0.1
 */
void
cothread_event_queue_close (CothreadEventQueue *self)
{
  g_return_if_fail (COTHREAD_IS_EVENT_QUEUE (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  self->is_closed = TRUE;
  cothread_waiters_wake_all (&self->waiters);
}

/**
 * cothread_event_queue_is_closed:
 * @self: a queue
 *
 * Returns: whether cothread_event_queue_close() was called
 *
 * Since: 0.1
 */
gboolean
cothread_event_queue_is_closed (CothreadEventQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), TRUE);
  return self->is_closed;
}

/**
 * cothread_event_queue_get_length:
 * @self: a queue
 *
 * Returns: how many items are in the queue
 *
 * Since: 0.1
 */
guint
cothread_event_queue_get_length (CothreadEventQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), 0);
  return self->items.length;
}

/**
 * cothread_event_queue_foreach: (skip)
 * @self: a queue
 * @func: called with each item
 * @user_data: passed to @func
 *
 * For language bindings, whose garbage collectors want to know what a queue
 * holds: every item, first to last. @func must not touch the queue. Never waits;
 * for the thread that uses the queue.
 *
 * Since: 0.1
 */
void
cothread_event_queue_foreach (CothreadEventQueue *self, GFunc func, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_EVENT_QUEUE (self));
  g_return_if_fail (func != NULL);

  g_queue_foreach (&self->items, func, user_data);
}

/**
 * cothread_event_queue_get_max_length:
 * @self: a queue
 *
 * Returns: the bound, or 0 if there is none
 *
 * Since: 0.1
 */
guint
cothread_event_queue_get_max_length (CothreadEventQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT_QUEUE (self), 0);
  return self->max_length;
}

/**
 * cothread_event_queue_reset:
 * @self: a queue
 *
 * Frees every item in the queue.
 *
 * Since: 0.1
 */
void
cothread_event_queue_reset (CothreadEventQueue *self)
{
  g_return_if_fail (COTHREAD_IS_EVENT_QUEUE (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  destroy_items (self);
}

/**
 * cothread_event_queue_abort_wait:
 * @self: a queue
 *
 * Gives up one wait that the caller would have made: frees the first item, or
 * else the next that comes.
 *
 * Since: 0.1
 */
void
cothread_event_queue_abort_wait (CothreadEventQueue *self)
{
  g_return_if_fail (COTHREAD_IS_EVENT_QUEUE (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  if (!g_queue_is_empty (&self->items))
    destroy_item (self, g_queue_pop_head (&self->items));
  else
    self->n_aborted++;
}
