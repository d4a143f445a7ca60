/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-threaded-event-queue.h"
#include "io/cothread-thread-stream.h"
#include "loop/cothread-wait-async.h"

/**
 * CothreadThreadStream: (skip)
 *
 * Results that a thread makes and a task takes, one after another, through a
 * bounded queue: who makes them faster than they are taken waits.
 *
 * ```c
 * g_autoptr (CothreadThreadStream) rows = cothread_thread_stream_new ("rows", 100, query, database, NULL, row_free, error);
 * Row *row;
 *
 * while (rows != NULL && cothread_thread_stream_next (rows, COTHREAD_FOREVER, (gpointer *) &row, &failure))
 *   ...
 * ```
 *
 * Since: 0.1
 */
struct _CothreadThreadStream
{
  guint ref_count; /* atomic: the taker's, the thread's, and those of waits */
  CothreadThreadedEventQueue *results;
  CothreadThreadStreamFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
  GDestroyNotify result_destroy;
  GError *error;    /* the thread's, until it is over */
  gboolean is_over; /* atomic: the thread, and not its taker, closes the queue next */
};

static void
stream_unref (CothreadThreadStream *self)
{
  if (__atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  g_object_unref (self->results);
  g_clear_error (&self->error);
  g_free (self);
}

static gpointer
run (gpointer data)
{
  CothreadThreadStream *self = data;

  self->func (self, self->user_data, &self->error);
  if (self->user_data_destroy != NULL)
    self->user_data_destroy (self->user_data);
  __atomic_store_n (&self->is_over, TRUE, __ATOMIC_RELEASE);
  cothread_threaded_event_queue_close (self->results);
  stream_unref (self);
  return NULL;
}

/**
 * cothread_thread_stream_new: (skip)
 * @name: the thread's
 * @max_length: how many results may wait to be taken, at least 1
 * @func: makes the results, in a thread
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data, in that thread, or at
 *   once on failure
 * @result_destroy: (nullable): frees a result that nobody took
 * @error: return location for a #GError
 *
 * Starts a thread whose results can be taken one by one. May be called in any
 * thread; never suspends.
 *
 * Fails with %G_THREAD_ERROR_AGAIN if the system has no more threads.
 *
 * Returns: (transfer full): the stream, or %NULL
 *
 * Since: 0.1
 */
CothreadThreadStream *
cothread_thread_stream_new (const char *name, guint max_length, CothreadThreadStreamFunc func, gpointer user_data,
                            GDestroyNotify user_data_destroy, GDestroyNotify result_destroy, GError **error)
{
  CothreadThreadStream *self;
  GThread *thread;

  g_return_val_if_fail (max_length > 0, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  self = g_new0 (CothreadThreadStream, 1);
  self->ref_count = 2;
  self->results = cothread_threaded_event_queue_new (max_length, result_destroy);
  self->func = func;
  self->user_data = user_data;
  self->user_data_destroy = user_data_destroy;
  self->result_destroy = result_destroy;
  thread = g_thread_try_new (name, run, self, error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return self;
    }
  if (user_data_destroy != NULL)
    user_data_destroy (user_data);
  stream_unref (self);
  stream_unref (self);
  return NULL;
}

/**
 * cothread_thread_stream_free: (skip)
 * @self: (nullable) (transfer full): a stream
 *
 * Takes no more results. What nobody took is freed; the thread's next
 * cothread_thread_stream_send() fails, one that waits too; a task that waits for
 * the next result is told that there is none. Does not wait for the thread, and
 * never suspends.
 *
 * Since: 0.1
 */
void
cothread_thread_stream_free (CothreadThreadStream *self)
{
  if (self == NULL)
    return;
  cothread_threaded_event_queue_close (self->results);
  cothread_threaded_event_queue_reset (self->results);
  stream_unref (self);
}

/**
 * cothread_thread_stream_send: (skip)
 * @self: a stream
 * @result: (transfer full): a result; freed on failure
 * @error: return location for a #GError
 *
 * To be called by the stream's thread: hands over a result, waiting while there
 * is no room for it (it blocks its thread). Fails with %COTHREAD_ERROR_CLOSED if
 * the stream was freed: nobody wants any more.
 *
 * ```c
 * static gboolean
 * query (CothreadThreadStream *rows, gpointer database, GError **error)
 * {
 *   Row *row;
 *
 *   while ((row = database_step (database, error)) != NULL)
 *     if (!cothread_thread_stream_send (rows, row, error))
 *       return FALSE;
 *   return *error == NULL;
 * }
 * ```
 *
 * Returns: whether the result was handed over
 *
 * Since: 0.1
 */
gboolean
cothread_thread_stream_send (CothreadThreadStream *self, gpointer result, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (cothread_threaded_event_queue_send (self->results, result, COTHREAD_FOREVER, NULL, error))
    return TRUE;
  if (self->result_destroy != NULL)
    self->result_destroy (result);
  return FALSE;
}

/**
 * cothread_thread_stream_next: (skip)
 * @self: a stream
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @result: (out) (transfer full): the result
 * @error: return location for a #GError
 *
 * Takes the next result, suspending the calling task until there is one. Several
 * tasks may take results of one stream; each gets others.
 *
 * Fails with the thread's own error, after its last result, with
 * %G_IO_ERROR_TIMED_OUT, and like cothread_sleep().
 *
 * Returns: whether there was one; %FALSE without an error at the end
 *
 * Since: 0.1
 */
gboolean
cothread_thread_stream_next (CothreadThreadStream *self, gint64 timeout_us, gpointer *result, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean came;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (result != NULL, FALSE);

  /* Another task may free it meanwhile. */
  __atomic_fetch_add (&self->ref_count, 1, __ATOMIC_RELAXED);
  came = cothread_threaded_event_queue_wait (self->results, timeout_us, NULL, result, &failure);
  if (!came && !g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (!came && __atomic_load_n (&self->is_over, __ATOMIC_ACQUIRE) && self->error != NULL)
    g_propagate_error (error, g_error_copy (self->error));
  stream_unref (self);
  return came;
}

/* Somebody takes a result with a callback: what the task is told, and what it
 * brings. */
typedef struct
{
  CothreadThreadStream *stream; /* referenced */
  gint64 timeout_us;
  gboolean is_there;
  gpointer result; /* if it is there */
} Errand;

static void
errand_free (gpointer data)
{
  Errand *self = data;

  if (self->is_there && self->stream->result_destroy != NULL)
    self->stream->result_destroy (self->result);
  stream_unref (self->stream);
  g_free (self);
}

static gpointer
take_next (gpointer data, GError **error)
{
  Errand *self = data;

  self->is_there = cothread_thread_stream_next (self->stream, self->timeout_us, &self->result, error);
  return NULL;
}

/**
 * cothread_thread_stream_next_async: (skip)
 * @self: a stream
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Takes the next result, as cothread_thread_stream_next() does, but calls back
 * instead of waiting. A task waits for it. To be called in a thread that has a
 * scheduler or can have one; the callback comes in the caller's thread-default
 * context.
 *
 * Since: 0.1
 */
void
cothread_thread_stream_next_async (CothreadThreadStream *self, gint64 timeout_us, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  CothreadSpawnOptions options = { .function = "thread stream" };
  g_autoptr (GTask) answer = NULL;
  Errand *errand;

  g_return_if_fail (self != NULL);
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  __atomic_fetch_add (&self->ref_count, 1, __ATOMIC_RELAXED);
  errand = g_new0 (Errand, 1);
  errand->stream = self;
  errand->timeout_us = timeout_us;
  answer = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (answer, cothread_thread_stream_next_async);
  g_task_set_task_data (answer, errand, errand_free);
  cothread_spawn_task_for (answer, COTHREAD_RETURN_POINTER, take_next, errand, &options);
}

/**
 * cothread_thread_stream_next_finish: (skip)
 * @self: the stream
 * @answer: what the callback was given
 * @result: (out) (transfer full): the result
 * @error: return location for a #GError
 *
 * Ends what cothread_thread_stream_next_async() began. Fails like
 * cothread_thread_stream_next(), and like cothread_spawn_full().
 *
 * Returns: whether there was one; %FALSE without an error at the end
 *
 * Since: 0.1
 */
gboolean
cothread_thread_stream_next_finish (CothreadThreadStream *self, GAsyncResult *answer, gpointer *result, GError **error)
{
  g_autoptr (GError) failure = NULL;
  Errand *errand;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (result != NULL, FALSE);
  g_return_val_if_fail (g_task_is_valid (answer, NULL), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (answer, cothread_thread_stream_next_async), FALSE);

  g_task_propagate_pointer (G_TASK (answer), &failure);
  errand = g_task_get_task_data (G_TASK (answer));
  if (failure == NULL && errand->is_there)
    {
      errand->is_there = FALSE;
      *result = errand->result;
      return TRUE;
    }
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
