/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-reply-private.h"
#include "loop/cothread-wait-private.h"

static void
fire (CothreadReply *self)
{
  if (self->home != NULL && cothread_scheduler_is_own_thread (self->home))
    ct_task_fire (self->task, CT_WAKE_NORMAL, &self->waiter);
}

/* Usually on the waiter's thread, which alone sets `home`. If that scheduler is
 * shut down, in the thread that answers, which holds the lock. */
static void
deliver (CothreadMail *mail)
{
  CothreadReply *self = CT_CONTAINER_OF (mail, CothreadReply, mail);

  fire (self);
  cothread_reply_unref (self);
}

CothreadReply *
cothread_reply_new (void)
{
  CothreadReply *self = g_new0 (CothreadReply, 1);
  pthread_condattr_t attributes;

  self->ref_count = 1;
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC); /* as g_get_monotonic_time() */
  pthread_cond_init (&self->cond, &attributes);
  pthread_condattr_destroy (&attributes);
  self->mail.deliver = deliver;
  return self;
}

CothreadReply *
cothread_reply_ref (CothreadReply *self)
{
  __atomic_fetch_add (&self->ref_count, 1, __ATOMIC_RELAXED);
  return self;
}

void
cothread_reply_unref (CothreadReply *self)
{
  if (self == NULL || __atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  pthread_cond_destroy (&self->cond);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* Under the lock. The mail is under way at most once: what woke the waiter is
 * the end of its wait. */
static void
wake_locked (CothreadReply *self)
{
  pthread_cond_broadcast (&self->cond);
  if (self->home == NULL || self->is_told)
    return;
  self->is_told = TRUE;
  if (cothread_scheduler_is_own_thread (self->home))
    fire (self);
  else
    cothread_scheduler_post_mail (self->home, &cothread_reply_ref (self)->mail);
}

void
cothread_reply_answer (CothreadReply *self)
{
  pthread_mutex_lock (&self->lock);
  self->is_answered = TRUE;
  wake_locked (self);
  pthread_mutex_unlock (&self->lock);
}

/* Any thread. */
static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  CothreadReply *self = data;

  COTHREAD_IN_HANDLER (self);
  pthread_mutex_lock (&self->lock);
  self->is_cancelled = TRUE;
  wake_locked (self);
  pthread_mutex_unlock (&self->lock);
}

static void
forget_reply (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  cothread_reply_unref (data);
}

static gboolean
is_over_locked (const CothreadReply *self)
{
  return self->is_answered || self->is_cancelled;
}

static gboolean
block (CothreadReply *self, gint64 timeout_us, GError **error)
{
  gint64 deadline_us = ct_clock_deadline (g_get_monotonic_time (), timeout_us);
  struct timespec deadline = { deadline_us / G_USEC_PER_SEC, deadline_us % G_USEC_PER_SEC * 1000 };
  gboolean is_in_time = TRUE;

  pthread_mutex_lock (&self->lock);
  while (is_in_time && !is_over_locked (self))
    {
      if (deadline_us == CT_TIME_NEVER)
        pthread_cond_wait (&self->cond, &self->lock);
      else
        is_in_time = pthread_cond_timedwait (&self->cond, &self->lock, &deadline) == 0;
    }
  pthread_mutex_unlock (&self->lock);
  return is_in_time || cothread_wait_result (CT_WAKE_TIMEOUT, error);
}

static gboolean
suspend (CothreadReply *self, gint64 timeout_us, const char *reason, gconstpointer object, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;
  gboolean is_over, was_woken;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  is_over = is_over_locked (self);
  if (!is_over)
    {
      self->task = core->current;
      self->waiter = (CtWaiter) { .task = core->current };
      ct_link_init (&self->waiter.link);
      self->home = g_object_ref (core->owner);
    }
  pthread_mutex_unlock (&self->lock);
  if (is_over)
    return cothread_wait_for_ready (error);
  was_woken = cothread_wait_on (core, &self->waiter, deadline_us, reason, object, error);
  pthread_mutex_lock (&self->lock);
  g_clear_object (&self->home);
  pthread_mutex_unlock (&self->lock);
  return was_woken;
}

/* An answer that came just before the waiter was told of something else counts. */
static gboolean
conclude (CothreadReply *self, gboolean was_woken, GError *failure, GError **error)
{
  gboolean is_answered;

  pthread_mutex_lock (&self->lock);
  is_answered = self->is_answered;
  pthread_mutex_unlock (&self->lock);
  if (is_answered)
    {
      g_clear_error (&failure);
      return TRUE;
    }
  if (!was_woken)
    g_propagate_error (error, failure);
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The wait was cancelled");
  return FALSE;
}

gboolean
cothread_reply_wait (CothreadReply *self, gint64 timeout_us, GCancellable *cancellable,
                     const char *reason, gconstpointer object, GError **error)
{
  GError *failure = NULL;
  gulong handler = 0;
  gboolean was_woken;

  if (cancellable != NULL)
    {
      COTHREAD_BEFORE_CONNECTING (self);
      handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled), cothread_reply_ref (self),
                                       forget_reply, (GConnectFlags) 0);
      if (g_cancellable_is_cancelled (cancellable))
        on_cancelled (cancellable, self);
    }
  was_woken = cothread_registry_peek () != NULL ? suspend (self, timeout_us, reason, object, &failure)
                                               : block (self, timeout_us, &failure);
  /* g_cancellable_disconnect() would wait for the handlers of others, too. */
  if (handler != 0)
    g_signal_handler_disconnect (cancellable, handler);
  return conclude (self, was_woken, failure, error);
}
