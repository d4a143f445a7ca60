/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-sanitizer-private.h"
#include "loop/cothread-wait-private.h"

typedef struct
{
  GObjectClass parent_class;
} CothreadAsyncWaitClass;

static GType cothread_async_wait_get_type (void);
static void async_result_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CothreadAsyncWait, cothread_async_wait, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, async_result_init))

static gpointer
get_user_data (GAsyncResult *result)
{
  return ((CothreadAsyncWait *) result)->user_data;
}

static GObject *
get_source_object (GAsyncResult *result)
{
  CothreadAsyncWait *self = (CothreadAsyncWait *) result;

  return self->source != NULL ? g_object_ref (self->source) : NULL;
}

static gboolean
is_tagged (GAsyncResult *result, gpointer tag)
{
  return ((CothreadAsyncWait *) result)->kind == tag;
}

static void
async_result_init (GAsyncResultIface *iface)
{
  iface->get_user_data = get_user_data;
  iface->get_source_object = get_source_object;
  iface->is_tagged = is_tagged;
}

static void
cothread_async_wait_finalize (GObject *object)
{
  CothreadAsyncWait *self = (CothreadAsyncWait *) object;

  if (self->value_destroy != NULL)
    self->value_destroy (self->value);
  g_clear_error (&self->failure);
  g_clear_object (&self->source);
  g_clear_object (&self->cancellable);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (cothread_async_wait_parent_class)->finalize (object);
}

static void
cothread_async_wait_class_init (CothreadAsyncWaitClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_async_wait_finalize;
}

static void
cothread_async_wait_init (CothreadAsyncWait *self)
{
  self->context = g_main_context_ref_thread_default ();
}

static void
forget_cancellable (gpointer own, G_GNUC_UNUSED GClosure *closure)
{
  COTHREAD_IN_FINALIZE (own);
  g_object_unref (own);
}

/* Any thread. The task's own cancellable knows the way to its thread. */
static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer own)
{
  g_cancellable_cancel (own);
}

gulong
cothread_task_follow_cancellable (CothreadTask *task, GCancellable *cancellable)
{
  GCancellable *own;
  gulong handler;

  if (cancellable == NULL)
    return 0;
  own = cothread_task_get_cancellable (task);
  handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled), g_object_ref (own),
                                   forget_cancellable, (GConnectFlags) 0);
  COTHREAD_BEFORE_UNREF (own);
  if (g_cancellable_is_cancelled (cancellable))
    cothread_task_cancel (task);
  return handler;
}

static gboolean
call_back (gpointer data)
{
  CothreadAsyncWait *self = data;

  if (self->callback != NULL)
    self->callback (self->source, G_ASYNC_RESULT (self), self->user_data);
  return G_SOURCE_REMOVE;
}

static void
call_back_in_context (CothreadAsyncWait *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "cothread answer");
  g_source_set_callback (source, call_back, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->context);
}

/* The callback may do anything, so everything else is over by then. */
static void
give_answer (CothreadAsyncWait *self)
{
  gboolean is_here = self->scheduler != NULL && !self->scheduler->is_shut_down && self->context == self->scheduler->context;

  if (self->kind->end != NULL && self->scheduler != NULL)
    self->kind->end (self);
  self->scheduler = NULL;
  if (self->object_unref != NULL)
    self->object_unref (self->object);
  if (is_here)
    call_back (self);
  else
    call_back_in_context (self);
  g_object_unref (self);
}

static void
park (CothreadAsyncWait *self)
{
  CtTask *task = &self->task->core;

  for (CtWaiter *waiter = &self->waiter; waiter != NULL; waiter = waiter->next)
    waiter->task = task;
  task->wait_reason = self->kind->reason;
  task->wait_object = self->object;
  ct_task_park (task, &self->waiter, self->deadline_us);
}

/* Whether the wait is over. */
static gboolean
take_wake (CothreadAsyncWait *self, CtWake wake)
{
  if (wake == CT_WAKE_NORMAL)
    return self->kind->look (self, self->task->core.fired);
  cothread_wait_result (wake, &self->failure);
  if (self->kind->give_up == NULL || self->kind->give_up (self, wake))
    return TRUE;
  self->deadline_us = CT_TIME_NEVER;
  self->task->core.shield_depth = 1;
  return self->kind->look (self, NULL);
}

static void
step (CothreadTask *task, gpointer data)
{
  CothreadAsyncWait *self = data;

  if (!self->is_over && !take_wake (self, (CtWake) task->core.wake))
    {
      park (self);
      return;
    }
  if (self->cancelled_handler != 0)
    g_signal_handler_disconnect (self->cancellable, self->cancelled_handler);
  task->core.shield_depth = 0;
  ct_task_finish_stackless (&task->core);
  /* The scheduler's current task while the callback runs. */
  give_answer (self);
  cothread_task_unref (task);
}

static CothreadScheduler *
find_scheduler (GError **error)
{
  CothreadScheduler *scheduler = cothread_scheduler_ensure (error);

  if (scheduler == NULL || !scheduler->is_shut_down)
    return scheduler;
  g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler is shut down");
  return NULL;
}

/* Whether the wait is over before it began. */
static gboolean
take_beginning (CothreadAsyncWait *self)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    {
      cothread_wait_result (CT_WAKE_CANCELLED, &self->failure);
      if (self->kind->give_up == NULL || self->kind->give_up (self, CT_WAKE_CANCELLED))
        return TRUE;
    }
  return self->kind->look (self, NULL);
}

void
cothread_async_wait (const CothreadAsyncWaitKind *kind, gpointer source, gint64 timeout_us,
                     gpointer object, GDestroyNotify object_unref,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  cothread_async_wait_with_value (kind, source, timeout_us, object, object_unref, NULL, NULL, cancellable, callback, user_data);
}

void
cothread_async_wait_with_value (const CothreadAsyncWaitKind *kind, gpointer source, gint64 timeout_us,
                                gpointer object, GDestroyNotify object_unref,
                                gpointer value, GDestroyNotify value_destroy,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  CothreadAsyncWait *self = g_object_new (cothread_async_wait_get_type (), NULL);

  self->kind = kind;
  self->source = source != NULL ? g_object_ref (source) : NULL;
  self->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  self->callback = callback;
  self->user_data = user_data;
  self->object = object;
  self->object_unref = object_unref;
  self->value = value;
  self->value_destroy = value_destroy;
  ct_link_init (&self->waiter.link);
  self->scheduler = find_scheduler (&self->failure);
  if (self->scheduler == NULL)
    {
      give_answer (self);
      return;
    }
  cothread_deadline_from_timeout (self->scheduler->core, timeout_us, &self->deadline_us);
  self->is_over = take_beginning (self);
  self->task = cothread_task_new_stackless (self->scheduler, kind->name, step, self);
  if (self->is_over)
    return; /* its one step answers, in the order of all that is ready */
  /* It stands in line from now on, not from its first step. */
  ct_queue_remove (&self->scheduler->core->ready, &self->task->core.link);
  park (self);
  self->cancelled_handler = cothread_task_follow_cancellable (self->task, cancellable);
}

gpointer
cothread_async_wait_peek (const CothreadAsyncWaitKind *kind, GAsyncResult *result)
{
  CothreadAsyncWait *self = (CothreadAsyncWait *) result;

  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), NULL);
  g_return_val_if_fail (G_OBJECT_TYPE (result) == cothread_async_wait_get_type (), NULL);
  g_return_val_if_fail (self->kind == kind, NULL);
  return self->value;
}

gboolean
cothread_async_wait_finish (const CothreadAsyncWaitKind *kind, gpointer source, GAsyncResult *result,
                            gpointer *value, GError **error)
{
  CothreadAsyncWait *self = (CothreadAsyncWait *) result;

  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);
  g_return_val_if_fail (G_OBJECT_TYPE (result) == cothread_async_wait_get_type (), FALSE);
  g_return_val_if_fail (self->kind == kind, FALSE);
  g_return_val_if_fail (self->source == source, FALSE);
  g_return_val_if_fail (!self->is_finished, FALSE);

  self->is_finished = TRUE;
  if (self->failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->failure));
      return FALSE;
    }
  if (value != NULL)
    *value = self->value;
  else if (self->value_destroy != NULL)
    self->value_destroy (self->value);
  self->value_destroy = NULL;
  return TRUE;
}
