/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-reply-private.h"
#include "callback/cothread-threaded-event-queue-private.h"
#include "loop/cothread-wait-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * CothreadThreadedEventQueue:
 *
 * Items on their way between tasks and threads of any kind, first in, first out.
 *
 * Everything may be called in any thread. Whoever has to wait does so as in
 * cothread_callback_queue_flush(): a task suspends, plain `main()` of a thread
 * with a scheduler runs its main context, a thread without one blocks. They are
 * served in the order in which they began to wait.
 *
 * Items of one thread keep their order. An item is handed straight to the first
 * who waits for one, and so cannot be taken by somebody else meanwhile.
 *
 * Since: 0.1
 */
struct _CothreadThreadedEventQueue
{
  GObject parent_instance;

  guint max_length; /* 0: none */
  GDestroyNotify item_destroy;

  pthread_mutex_t lock; /* for all the rest */
  GQueue items;
  CtLink takers; /* Waits; only while there are no items */
  CtLink givers; /* Waits; only while there is no room */
  gboolean is_closed;
  int fd;        /* readable while a wait would not wait; -1: nobody asked */
  gboolean is_fd_readable;
};

G_DEFINE_FINAL_TYPE (CothreadThreadedEventQueue, cothread_threaded_event_queue, G_TYPE_OBJECT)

/* Somebody who waits, on his own stack. */
typedef struct
{
  CtLink link;
  CothreadReply *reply;
  gpointer item;
  gboolean is_done; /* the item was given, or taken */
} Wait;

static void
destroy_item (CothreadThreadedEventQueue *self, gpointer item)
{
  if (self->item_destroy != NULL)
    self->item_destroy (item);
}

static void
cothread_threaded_event_queue_finalize (GObject *object)
{
  CothreadThreadedEventQueue *self = COTHREAD_THREADED_EVENT_QUEUE (object);

  while (!g_queue_is_empty (&self->items))
    destroy_item (self, g_queue_pop_head (&self->items));
  if (self->fd >= 0)
    close (self->fd);
  pthread_mutex_destroy (&self->lock);
  G_OBJECT_CLASS (cothread_threaded_event_queue_parent_class)->finalize (object);
}

static void
cothread_threaded_event_queue_class_init (CothreadThreadedEventQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_threaded_event_queue_finalize;
}

static void
cothread_threaded_event_queue_init (CothreadThreadedEventQueue *self)
{
  pthread_mutex_init (&self->lock, NULL);
  g_queue_init (&self->items);
  ct_link_init (&self->takers);
  ct_link_init (&self->givers);
  self->fd = -1;
}

/**
 * cothread_threaded_event_queue_new: (skip)
 * @max_length: the bound, or 0 for none
 * @item_destroy: (nullable): frees items that nobody takes, in whichever thread
 *   that becomes certain
 *
 * Makes an empty queue.
 *
 * Returns: (transfer full): a new queue
 *
 * Since: 0.1
 */
CothreadThreadedEventQueue *
cothread_threaded_event_queue_new (guint max_length, GDestroyNotify item_destroy)
{
  CothreadThreadedEventQueue *self = g_object_new (COTHREAD_TYPE_THREADED_EVENT_QUEUE, NULL);

  self->max_length = max_length;
  self->item_destroy = item_destroy;
  return self;
}

GDestroyNotify
cothread_threaded_event_queue_get_item_destroy (CothreadThreadedEventQueue *self)
{
  return self->item_destroy;
}

static void
update_fd_locked (CothreadThreadedEventQueue *self)
{
  gboolean is_readable = self->items.length > 0 || self->is_closed;
  guint64 count = 1;
  gssize done;

  if (self->fd < 0 || is_readable == self->is_fd_readable)
    return;
  self->is_fd_readable = is_readable;
  do
    done = is_readable ? write (self->fd, &count, sizeof count) : read (self->fd, &count, sizeof count);
  while (done < 0 && errno == EINTR);
}

static gboolean
is_full_locked (const CothreadThreadedEventQueue *self)
{
  return self->max_length > 0 && self->items.length >= self->max_length;
}

static void
finish_locked (Wait *wait)
{
  ct_link_unlink (&wait->link);
  wait->is_done = TRUE;
  cothread_reply_answer (wait->reply);
}

/* FALSE: there is no room. */
static gboolean
give_locked (CothreadThreadedEventQueue *self, gpointer item)
{
  if (ct_link_is_linked (&self->takers))
    {
      Wait *taker = CT_CONTAINER_OF (self->takers.next, Wait, link);

      taker->item = item;
      finish_locked (taker);
      return TRUE;
    }
  if (is_full_locked (self))
    return FALSE;
  g_queue_push_tail (&self->items, item);
  update_fd_locked (self);
  return TRUE;
}

/* There may be room for those who wait to give. */
static void
admit_givers_locked (CothreadThreadedEventQueue *self)
{
  while (ct_link_is_linked (&self->givers) && !is_full_locked (self))
    {
      Wait *giver = CT_CONTAINER_OF (self->givers.next, Wait, link);

      g_queue_push_tail (&self->items, giver->item);
      finish_locked (giver);
    }
}

static gpointer
take_locked (CothreadThreadedEventQueue *self)
{
  gpointer item = g_queue_pop_head (&self->items);

  admit_givers_locked (self);
  update_fd_locked (self);
  return item;
}

/* Waits in line, with the lock, which is not held on return. Whether the wait
 * was served; its failure may be that the queue was closed. */
static gboolean
wait_in_line (CothreadThreadedEventQueue *self, CtLink *line, Wait *wait, gint64 timeout_us,
              GCancellable *cancellable, const char *reason, GError **error)
{
  GError *failure = NULL;

  g_object_ref (self);
  wait->reply = cothread_reply_new ();
  ct_link_insert_before (line, &wait->link);
  pthread_mutex_unlock (&self->lock);
  cothread_reply_wait (wait->reply, timeout_us, cancellable, reason, self, &failure);
  pthread_mutex_lock (&self->lock);
  ct_link_unlink (&wait->link);
  pthread_mutex_unlock (&self->lock);
  cothread_reply_unref (wait->reply);
  if (wait->is_done)
    g_clear_error (&failure); /* served after all */
  else if (failure != NULL)
    g_propagate_error (error, failure);
  else
    g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The queue was closed");
  g_object_unref (self);
  return wait->is_done;
}

/**
 * cothread_threaded_event_queue_signal: (skip)
 * @self: a queue
 * @item: (transfer full): the item
 *
 * Hands an item to the first who waits for one, or puts it at the end. Never
 * waits.
 *
 * Returns: %FALSE if the queue is full or closed; the item then stays with the
 *   caller
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_signal (CothreadThreadedEventQueue *self, gpointer item)
{
  gboolean was_given;

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), FALSE);

  pthread_mutex_lock (&self->lock);
  /* Those who wait to give were first. */
  was_given = !self->is_closed && !ct_link_is_linked (&self->givers) && give_locked (self, item);
  pthread_mutex_unlock (&self->lock);
  return was_given;
}

/**
 * cothread_threaded_event_queue_send: (skip)
 * @self: a queue
 * @item: (transfer full): the item
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): ends the wait
 * @error: return location for a #GError
 *
 * Like cothread_threaded_event_queue_signal(), but waits for room where there is
 * none.
 *
 * Fails with %COTHREAD_ERROR_CLOSED if the queue is closed, now or meanwhile,
 * with %G_IO_ERROR_TIMED_OUT and %G_IO_ERROR_CANCELLED, and like
 * cothread_sleep().
 *
 * Returns: whether the item is in the queue or with somebody; otherwise it stays
 *   with the caller
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_send (CothreadThreadedEventQueue *self, gpointer item, gint64 timeout_us,
                                    GCancellable *cancellable, GError **error)
{
  Wait wait = { .item = item };

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (!cothread_wait_for_ready (error))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  if (!self->is_closed && (ct_link_is_linked (&self->givers) || !give_locked (self, item)))
    return wait_in_line (self, &self->givers, &wait, timeout_us, cancellable, "room in the queue", error);
  wait.is_done = !self->is_closed;
  pthread_mutex_unlock (&self->lock);
  if (!wait.is_done)
    g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The queue is closed");
  return wait.is_done;
}

/**
 * cothread_threaded_event_queue_wait: (skip)
 * @self: a queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): ends the wait
 * @item: (out) (optional) (transfer full): the item; freed if %NULL
 * @error: return location for a #GError
 *
 * Takes the first item, waiting for one if there is none.
 *
 * Fails with %COTHREAD_ERROR_CLOSED when the queue is closed and empty, with
 * %G_IO_ERROR_TIMED_OUT and %G_IO_ERROR_CANCELLED, and like cothread_sleep().
 *
 * Returns: whether there was an item
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_wait (CothreadThreadedEventQueue *self, gint64 timeout_us,
                                    GCancellable *cancellable, gpointer *item, GError **error)
{
  Wait wait = { .item = NULL };

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (!cothread_wait_for_ready (error))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  if (self->items.length == 0 && !self->is_closed)
    {
      if (!wait_in_line (self, &self->takers, &wait, timeout_us, cancellable, "threaded event queue", error))
        return FALSE;
    }
  else
    {
      wait.is_done = self->items.length > 0;
      if (wait.is_done)
        wait.item = take_locked (self);
      pthread_mutex_unlock (&self->lock);
    }
  if (!wait.is_done)
    {
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The queue is closed");
      return FALSE;
    }
  if (item != NULL)
    *item = wait.item;
  else
    destroy_item (self, wait.item);
  return TRUE;
}

/**
 * cothread_threaded_event_queue_get_wait_descriptor:
 * @self: a queue
 * @error: return location for a #GError
 *
 * A descriptor for `poll()`, `select()` or any main loop: it is readable while
 * cothread_threaded_event_queue_wait() would not wait, that is, while there are
 * items, or once the queue is closed. It belongs to the queue: it is only to be
 * polled, neither read nor closed. Where several wait, the item may be gone by
 * the time one of them asks: use a timeout of 0.
 *
 * It is made at the first call; until then nothing is paid for it.
 *
 * Fails with an error of %G_IO_ERROR when the system has no descriptor left.
 *
 * Returns: the descriptor, or -1
 *
 * Since: 0.1
 */
int
cothread_threaded_event_queue_get_wait_descriptor (CothreadThreadedEventQueue *self, GError **error)
{
  int fd;

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), -1);

  pthread_mutex_lock (&self->lock);
  if (self->fd < 0)
    self->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  fd = self->fd;
  if (fd < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s", g_strerror (errno));
  update_fd_locked (self);
  pthread_mutex_unlock (&self->lock);
  return fd;
}

/**
 * cothread_threaded_event_queue_close:
 * @self: a queue
 *
 * Ends the queue: what is in it can still be taken; then every wait fails with
 * %COTHREAD_ERROR_CLOSED, as does every further item. Wakes all who wait.
 *
 * Since: 0.1
 */
void
cothread_threaded_event_queue_close (CothreadThreadedEventQueue *self)
{
  g_return_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self));

  pthread_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  while (ct_link_is_linked (&self->takers) || ct_link_is_linked (&self->givers))
    {
      CtLink *link = ct_link_is_linked (&self->takers) ? self->takers.next : self->givers.next;

      ct_link_unlink (link);
      cothread_reply_answer (CT_CONTAINER_OF (link, Wait, link)->reply);
    }
  update_fd_locked (self);
  pthread_mutex_unlock (&self->lock);
}

/**
 * cothread_threaded_event_queue_is_closed:
 * @self: a queue
 *
 * Returns: whether cothread_threaded_event_queue_close() was called
 *
 * Since: 0.1
 */
gboolean
cothread_threaded_event_queue_is_closed (CothreadThreadedEventQueue *self)
{
  gboolean is_closed;

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), TRUE);

  pthread_mutex_lock (&self->lock);
  is_closed = self->is_closed;
  pthread_mutex_unlock (&self->lock);
  return is_closed;
}

/**
 * cothread_threaded_event_queue_get_length:
 * @self: a queue
 *
 * Returns: how many items are in the queue
 *
 * Since: 0.1
 */
guint
cothread_threaded_event_queue_get_length (CothreadThreadedEventQueue *self)
{
  guint length;

  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), 0);

  pthread_mutex_lock (&self->lock);
  length = self->items.length;
  pthread_mutex_unlock (&self->lock);
  return length;
}

/**
 * cothread_threaded_event_queue_get_max_length:
 * @self: a queue
 *
 * Returns: the bound, or 0 if there is none
 *
 * Since: 0.1
 */
guint
cothread_threaded_event_queue_get_max_length (CothreadThreadedEventQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self), 0);
  return self->max_length;
}

/**
 * cothread_threaded_event_queue_reset:
 * @self: a queue
 *
 * Frees every item in the queue; those who wait for room have it then.
 *
 * Since: 0.1
 */
void
cothread_threaded_event_queue_reset (CothreadThreadedEventQueue *self)
{
  GQueue items;

  g_return_if_fail (COTHREAD_IS_THREADED_EVENT_QUEUE (self));

  pthread_mutex_lock (&self->lock);
  items = self->items;
  g_queue_init (&self->items);
  admit_givers_locked (self);
  update_fd_locked (self);
  pthread_mutex_unlock (&self->lock);
  /* Without the lock: a destroy notify may signal this very queue. */
  while (!g_queue_is_empty (&items))
    destroy_item (self, g_queue_pop_head (&items));
}
