/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-call.h"
#include "callback/cothread-callback-queue-private.h"
#include "callback/cothread-reply-private.h"
#include "loop/cothread-wait-private.h"

/* A call is an entry whose destroy notify brings the answer: it comes when the
 * function has returned, and also when the entry was dropped. */

typedef enum
{
  CALL_QUEUED,
  CALL_RUNNING,
  CALL_ABANDONED, /* the function is not called any more */
  CALL_OVER,
} CallState;

typedef struct
{
  guint ref_count; /* atomic: the caller's, the entry's, the mail's, the handler's */
  CothreadCallbackQueue *queue; /* referenced */
  CothreadTaskFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
  GDestroyNotify result_destroy;

  pthread_mutex_t lock;
  CallState state;      /* under the lock, as the next two */
  gboolean is_mail_out; /* at most once */
  GTask *answer;        /* of the asynchronous form, until it is given */
  CothreadMail cancel_mail;
  gulong handler;

  /* The scheduler's thread, until the answer is given; then the caller. */
  CothreadTask *task; /* while it runs */
  gpointer result;
  GError *error;
  CothreadReply *reply; /* of the synchronous form */
} Call;

static void
call_unref (gpointer data)
{
  Call *self = data;

  if (__atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  if (self->result != NULL && self->result_destroy != NULL)
    self->result_destroy (self->result);
  g_clear_error (&self->error);
  cothread_reply_unref (self->reply);
  pthread_mutex_destroy (&self->lock);
  g_object_unref (self->queue);
  g_free (self);
}

static Call *
call_ref (Call *self)
{
  __atomic_fetch_add (&self->ref_count, 1, __ATOMIC_RELAXED);
  return self;
}

/* From one state to another, if it is in the first. */
static gboolean
change (Call *self, CallState from, CallState to)
{
  gboolean is_changed;

  pthread_mutex_lock (&self->lock);
  is_changed = self->state == from;
  if (is_changed)
    self->state = to;
  pthread_mutex_unlock (&self->lock);
  return is_changed;
}

/* ---- the scheduler's thread ---- */

static void
run (gpointer data)
{
  Call *self = data;

  if (!change (self, CALL_QUEUED, CALL_RUNNING))
    return;
  self->task = cothread_task_self ();
  self->result = self->func (self->user_data, &self->error);
  self->task = NULL;
  if (self->error != NULL && self->result != NULL)
    {
      if (self->result_destroy != NULL)
        self->result_destroy (self->result);
      self->result = NULL;
    }
  change (self, CALL_RUNNING, CALL_OVER);
}

static void
return_answer (gpointer data)
{
  Call *self = data;
  GTask *answer;

  pthread_mutex_lock (&self->lock);
  answer = g_steal_pointer (&self->answer);
  pthread_mutex_unlock (&self->lock);
  if (answer == NULL)
    return;
  if (self->handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (answer), self->handler);
  if (self->error != NULL)
    g_task_return_error (answer, g_steal_pointer (&self->error));
  else
    g_task_return_pointer (answer, g_steal_pointer (&self->result), self->result_destroy);
  g_object_unref (answer);
}

/* GTask may call back at once, which must not be on a task's stack. */
static void
give_answer (Call *self)
{
  if (self->reply != NULL)
    cothread_reply_answer (self->reply);
  else
    cothread_call_on_thread_stack (return_answer, self);
}

/* The entry is gone, with or without having run. */
static void
leave (gpointer data)
{
  Call *self = data;

  if (self->user_data_destroy != NULL)
    self->user_data_destroy (self->user_data);
  if (change (self, CALL_QUEUED, CALL_OVER))
    {
      if (cothread_callback_queue_is_closed (self->queue))
        g_set_error (&self->error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Callback queue %s was closed", self->queue->name);
      else
        g_set_error (&self->error, COTHREAD_ERROR, COTHREAD_ERROR_FULL,
                     "Callback queue %s is full: the call was not made", self->queue->name);
    }
  give_answer (self);
  call_unref (self);
}

static void
cancel_running (gpointer data)
{
  Call *self = data;

  if (self->task != NULL)
    cothread_task_cancel (self->task);
}

static void
deliver_cancel (CothreadMail *mail)
{
  Call *self = CT_CONTAINER_OF (mail, Call, cancel_mail);

  /* Where the scheduler is shut down, every call is over or about to be. */
  if (cothread_scheduler_is_own_thread (self->queue->scheduler))
    {
      if (self->reply == NULL && change (self, CALL_QUEUED, CALL_ABANDONED))
        {
          g_set_error_literal (&self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The call was cancelled");
          cothread_call_on_thread_stack (return_answer, self);
        }
      else
        cancel_running (self);
    }
  call_unref (self);
}

/* ---- the caller: any thread ---- */

static void
ask_to_cancel (Call *self)
{
  gboolean must_post;

  pthread_mutex_lock (&self->lock);
  must_post = !self->is_mail_out && self->state != CALL_OVER;
  self->is_mail_out |= must_post;
  pthread_mutex_unlock (&self->lock);
  if (must_post)
    cothread_scheduler_post_mail (self->queue->scheduler, &call_ref (self)->cancel_mail);
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  COTHREAD_IN_HANDLER (data);
  ask_to_cancel (data);
}

static void
forget_call (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  call_unref (data);
}

static Call *
call_new (CothreadCallbackQueue *queue, CothreadTaskFunc func, gpointer user_data,
          GDestroyNotify user_data_destroy, GDestroyNotify result_destroy)
{
  Call *self = g_new0 (Call, 1);

  self->ref_count = 1;
  self->queue = g_object_ref (queue);
  self->func = func;
  self->user_data = user_data;
  self->user_data_destroy = user_data_destroy;
  self->result_destroy = result_destroy;
  self->cancel_mail.deliver = deliver_cancel;
  pthread_mutex_init (&self->lock, NULL);
  return self;
}

static CothreadEntry
entry_for (Call *self)
{
  return cothread_entry (COTHREAD_CALLBACK_MAY_WAIT, run, call_ref (self), leave);
}

static gboolean
call_directly (CothreadTaskFunc func, gpointer user_data, GDestroyNotify user_data_destroy,
               GDestroyNotify result_destroy, gpointer *result, GError **error)
{
  GError *failure = NULL;
  gpointer value = func (user_data, &failure);
  gboolean has_failed = failure != NULL;

  if (user_data_destroy != NULL)
    user_data_destroy (user_data);
  if (!has_failed && result != NULL)
    *result = value;
  else if (value != NULL && result_destroy != NULL)
    result_destroy (value);
  if (has_failed)
    g_propagate_error (error, failure);
  return !has_failed;
}

/* What the wait for room has left of the caller's time. */
static gint64
time_left (gint64 deadline_us)
{
  gint64 left_us = deadline_us - g_get_monotonic_time ();

  return deadline_us == CT_TIME_NEVER ? COTHREAD_FOREVER : MAX (0, left_us);
}

/* The post failed, and the entry with it has said so already: whether that was
 * for want of time. */
static void
explain_failure (Call *self, gint64 deadline_us, GError *failure, GError **error)
{
  if (g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_FULL) && time_left (deadline_us) == 0)
    {
      g_error_free (failure);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Callback queue %s: no room in time", self->queue->name);
    }
  else
    g_propagate_error (error, failure);
}

static gboolean
call_and_wait (Call *self, gint64 timeout_us, GCancellable *cancellable, gpointer *result, GError **error)
{
  gint64 deadline_us = ct_clock_deadline (g_get_monotonic_time (), timeout_us);
  /* A timeout of 0 would mean not even to look for room. */
  CothreadPatience patience = { timeout_us == 0 ? 1 : timeout_us, cancellable, -1 };
  CothreadEntry entry = entry_for (self);
  GError *failure = NULL;

  if (!cothread_callback_queue_post_entry (self->queue, &entry, patience, &failure))
    {
      explain_failure (self, deadline_us, failure, error);
      return FALSE;
    }
  if (!cothread_reply_wait (self->reply, time_left (deadline_us), cancellable, "call in another thread", self->queue, &failure))
    {
      if (!change (self, CALL_QUEUED, CALL_ABANDONED) && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        ask_to_cancel (self);
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  if (result != NULL)
    *result = g_steal_pointer (&self->result);
  return TRUE;
}

/**
 * cothread_callback_queue_call: (skip)
 * @self: a callback queue
 * @func: what to call
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @result_destroy: (nullable): frees a result that nobody takes
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): ends the wait
 * @result: (out) (optional) (transfer full): what the function returned
 * @error: return location for a #GError
 *
 * Calls a function in a task on the scheduler's thread, in its turn among the
 * queue's entries, and waits for its result or error. The function may wait.
 *
 * From another thread; the caller waits as in cothread_callback_queue_flush(): a
 * task of another scheduler suspends, a thread without a scheduler blocks. On
 * the scheduler's own thread it is a plain call, on the caller's stack; timeout
 * and cancellable mean nothing then.
 *
 * Fails with the function's own error; with %G_IO_ERROR_TIMED_OUT and
 * %G_IO_ERROR_CANCELLED; with %COTHREAD_ERROR_CLOSED if the queue is closed, now
 * or before the function was called; with %COTHREAD_ERROR_FULL if the queue is
 * full or drops the call; and like cothread_sleep(). A caller that no longer
 * waits leaves a function that was not called yet uncalled; one that runs goes
 * on to its end, and its task is cancelled if the caller was.
 *
 * The user data are freed on the scheduler's thread when the function has
 * returned or will not be called; in the calling thread if the post failed. A
 * result that nobody takes is freed on either of the two.
 *
 * Returns: whether the function returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_call (CothreadCallbackQueue *self,
                              CothreadTaskFunc func,
                              gpointer user_data,
                              GDestroyNotify user_data_destroy,
                              GDestroyNotify result_destroy,
                              gint64 timeout_us,
                              GCancellable *cancellable,
                              gpointer *result,
                              GError **error)
{
  Call *call;
  gboolean success;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  if (cothread_callback_queue_is_own_thread (self) && !cothread_callback_queue_is_closed (self) &&
      !cothread_callback_queue_is_of_parent (self))
    return call_directly (func, user_data, user_data_destroy, result_destroy, result, error);
  call = call_new (self, func, user_data, user_data_destroy, result_destroy);
  call->reply = cothread_reply_new ();
  success = call_and_wait (call, timeout_us, cancellable, result, error);
  call_unref (call);
  return success;
}

/**
 * cothread_callback_queue_call_async: (skip)
 * @self: a callback queue
 * @func: what to call
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @result_destroy: (nullable): frees a result that nobody takes
 * @cancellable: (nullable): cancels the call
 * @callback: (nullable): called when the function has returned
 * @callback_data: passed to @callback
 *
 * Calls a function in a task on the scheduler's thread, as
 * cothread_callback_queue_call() does, and waits for nothing: @callback is
 * called in the thread-default context of the caller, which may be any thread,
 * the scheduler's own included; there, too, the function is called in its turn.
 *
 * A full queue whose policy is %COTHREAD_OVERFLOW_BLOCK fails the call with
 * %COTHREAD_ERROR_FULL. Cancelling a call whose function was not called yet ends
 * it; one that runs has its task cancelled.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_call_async (CothreadCallbackQueue *self,
                                    CothreadTaskFunc func,
                                    gpointer user_data,
                                    GDestroyNotify user_data_destroy,
                                    GDestroyNotify result_destroy,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer callback_data)
{
  Call *call;
  CothreadEntry entry;
  GTask *answer;
  GError *failure = NULL;

  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (func != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  answer = g_task_new (self, cancellable, callback, callback_data);
  g_task_set_source_tag (answer, cothread_callback_queue_call_async);
  g_task_set_check_cancellable (answer, FALSE); /* the call itself says what became of it */
  call = call_new (self, func, user_data, user_data_destroy, result_destroy);
  COTHREAD_BEFORE_CONNECTING (call);
  if (cancellable != NULL)
    call->handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled), call_ref (call),
                                           forget_call, (GConnectFlags) 0);
  /* Somebody may have cancelled it already, in another thread. */
  pthread_mutex_lock (&call->lock);
  call->answer = g_object_ref (answer);
  pthread_mutex_unlock (&call->lock);
  entry = entry_for (call);
  if (!cothread_callback_queue_post_entry (self, &entry, (CothreadPatience) { 0, NULL, -1 }, &failure))
    g_clear_error (&failure); /* the entry has said so */
  if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
    ask_to_cancel (call);
  call_unref (call);
  g_object_unref (answer);
}

/**
 * cothread_callback_queue_call_finish: (skip)
 * @self: a callback queue
 * @result: what the callback was given
 * @value: (out) (optional) (transfer full): what the function returned
 * @error: return location for a #GError
 *
 * Ends cothread_callback_queue_call_async(); fails like
 * cothread_callback_queue_call().
 *
 * Returns: whether the function returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_call_finish (CothreadCallbackQueue *self, GAsyncResult *result, gpointer *value, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gpointer returned;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, cothread_callback_queue_call_async), FALSE);

  returned = g_task_propagate_pointer (G_TASK (result), &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (value != NULL)
    *value = returned;
  return TRUE;
}
