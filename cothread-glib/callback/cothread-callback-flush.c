/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "callback/cothread-reply-private.h"
#include "loop/cothread-wait-async.h"
#include "loop/cothread-wait-private.h"

/* Entries leave the queue from its front, whatever becomes of them: so what was
 * posted before a flush is gone when as many have left as had left by then and
 * as waited then. Only the scheduler's thread can count that, so a flush from
 * elsewhere goes there by mail. */

typedef struct
{
  CtLink link; /* under the queue's lock, as the next two */
  gboolean is_abandoned; /* its mail is still under way */
  gboolean is_closed;
  guint64 target;
  CothreadMail mail;
  guint ref_count; /* atomic: the waiter's, and the queue's or the mail's */
  CothreadCallbackQueue *queue; /* referenced */
  CothreadReply *reply;
} Flush;

static void
flush_unref (Flush *self)
{
  if (__atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  cothread_reply_unref (self->reply);
  g_object_unref (self->queue);
  g_free (self);
}

/* Takes the queue's reference. */
static void
answer (Flush *self)
{
  cothread_reply_answer (self->reply);
  flush_unref (self);
}

static void
set_next_flush_locked (CothreadCallbackQueue *queue)
{
  queue->next_flush = G_MAXUINT64;
  if (ct_link_is_linked (&queue->flushes))
    queue->next_flush = CT_CONTAINER_OF (queue->flushes.next, Flush, link)->target;
}

typedef enum
{
  ENTER_WAITING,
  ENTER_COMPLETE,
  ENTER_CLOSED,
  ENTER_ABANDONED,
} Enter;

static Enter
enter_locked (CothreadCallbackQueue *queue, Flush *self)
{
  guint waiting;

  if (self->is_abandoned)
    return ENTER_ABANDONED;
  if (queue->drainer == NULL)
    return ENTER_CLOSED;
  waiting = cothread_callback_queue_waiting (queue);
  if (waiting == 0)
    return ENTER_COMPLETE;
  self->target = cothread_callback_queue_n_left (queue) + waiting;
  ct_link_insert_before (&queue->flushes, &self->link);
  set_next_flush_locked (queue);
  return ENTER_WAITING;
}

/* On the scheduler's thread; if that is shut down, anywhere. */
static void
deliver (CothreadMail *mail)
{
  Flush *self = CT_CONTAINER_OF (mail, Flush, mail);
  CothreadCallbackQueue *queue = self->queue;
  Enter entered = ENTER_CLOSED;

  pthread_mutex_lock (&queue->lock);
  if (cothread_scheduler_is_own_thread (queue->scheduler))
    entered = enter_locked (queue, self);
  self->is_closed = entered == ENTER_CLOSED;
  pthread_mutex_unlock (&queue->lock);
  if (entered != ENTER_WAITING)
    answer (self);
}

/* What has left since the last look may be all that somebody waits for. */
void
cothread_callback_queue_complete_flushes (CothreadCallbackQueue *queue)
{
  pthread_mutex_lock (&queue->lock);
  while (ct_link_is_linked (&queue->flushes))
    {
      Flush *flush = CT_CONTAINER_OF (queue->flushes.next, Flush, link);

      if (cothread_callback_queue_n_left (queue) < flush->target)
        break;
      ct_link_unlink (&flush->link);
      answer (flush);
    }
  set_next_flush_locked (queue);
  pthread_mutex_unlock (&queue->lock);
}

void
cothread_callback_queue_fail_flushes (CothreadCallbackQueue *queue)
{
  pthread_mutex_lock (&queue->lock);
  while (ct_link_is_linked (&queue->flushes))
    {
      Flush *flush = CT_CONTAINER_OF (queue->flushes.next, Flush, link);

      ct_link_unlink (&flush->link);
      flush->is_closed = TRUE;
      answer (flush);
    }
  set_next_flush_locked (queue);
  pthread_mutex_unlock (&queue->lock);
}

/* The waiter has had enough. */
static void
give_up (Flush *self)
{
  CothreadCallbackQueue *queue = self->queue;
  gboolean was_linked;

  pthread_mutex_lock (&queue->lock);
  was_linked = ct_link_is_linked (&self->link);
  ct_link_unlink (&self->link);
  self->is_abandoned = TRUE;
  pthread_mutex_unlock (&queue->lock);
  if (was_linked)
    flush_unref (self);
}

/**
 * cothread_callback_queue_flush:
 * @self: a callback queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until every entry that was posted before, by whomever, has left the
 * queue: its callback was called (and has returned, unless it waits or runs a
 * main loop), or it was dropped.
 *
 * For any thread: a task suspends, whichever scheduler it belongs to; plain
 * `main()` of a thread with a scheduler runs its main context meanwhile; a
 * thread without a scheduler blocks. A paused queue keeps the caller waiting.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, with %COTHREAD_ERROR_CLOSED if the queue is
 * closed, now or meanwhile, and like cothread_sleep(): inside a callback that
 * must not wait with %COTHREAD_ERROR_WRONG_CONTEXT.
 *
 * Returns: whether everything has left the queue
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_flush (CothreadCallbackQueue *self, gint64 timeout_us, GError **error)
{
  Flush *flush;
  gboolean is_over, is_closed;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (cothread_callback_queue_is_closed (self) || cothread_callback_queue_is_of_parent (self))
    {
      cothread_callback_queue_set_closed_error (self, error);
      return FALSE;
    }
  flush = g_new0 (Flush, 1);
  flush->ref_count = 2;
  ct_link_init (&flush->link);
  flush->mail.deliver = deliver;
  flush->queue = g_object_ref (self);
  flush->reply = cothread_reply_new ();
  if (cothread_scheduler_is_own_thread (self->scheduler))
    deliver (&flush->mail);
  else
    cothread_scheduler_post_mail (self->scheduler, &flush->mail);

  is_over = cothread_reply_wait (flush->reply, timeout_us, NULL, "callback queue to be flushed", self, error);
  is_closed = is_over && flush->is_closed;
  if (!is_over)
    give_up (flush);
  flush_unref (flush);
  if (is_closed)
    g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Callback queue %s was closed", self->name);
  return is_over && !is_closed;
}

typedef struct
{
  CothreadCallbackQueue *queue; /* referenced */
  gint64 timeout_us;
} FlushErrand;

static void
errand_free (gpointer data)
{
  FlushErrand *self = data;

  g_object_unref (self->queue);
  g_free (self);
}

static gpointer
flush_in_task (gpointer data, GError **error)
{
  FlushErrand *self = data;

  return GINT_TO_POINTER (cothread_callback_queue_flush (self->queue, self->timeout_us, error));
}

/**
 * cothread_callback_queue_flush_async:
 * @self: a callback queue
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits until every entry that was posted before has left the queue, as
 * cothread_callback_queue_flush() does, but calls back instead of waiting. A task
 * waits for it, which begins when the tasks have their turn; what is posted until
 * then counts as well. To be called in a thread that has a scheduler or can have
 * one; the callback comes in the caller's thread-default context.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_flush_async (CothreadCallbackQueue *self, gint64 timeout_us, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  CothreadSpawnOptions options = { .function = "flush", .user_data_destroy = errand_free };
  g_autoptr (GTask) result = NULL;
  FlushErrand *errand;

  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  result = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (result, cothread_callback_queue_flush_async);
  errand = g_new (FlushErrand, 1);
  *errand = (FlushErrand) { g_object_ref (self), timeout_us };
  cothread_spawn_task_for (result, COTHREAD_RETURN_BOOLEAN, flush_in_task, errand, &options);
}

/**
 * cothread_callback_queue_flush_finish:
 * @self: a callback queue
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_callback_queue_flush_async() began. Fails like
 * cothread_callback_queue_flush(), and like cothread_spawn_full().
 *
 * Returns: whether everything has left the queue
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_flush_finish (CothreadCallbackQueue *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, cothread_callback_queue_flush_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
