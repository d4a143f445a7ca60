/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-signal-private.h"
#include "loop/cothread-sanitizer-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task.h"

/* A handler whose emissions each spawn a task. */
typedef struct
{
  GClosure closure;
  CothreadSignalFunc func;
  CothreadScheduler *scheduler;
  GDestroyNotify user_data_destroy;
} Handler;

typedef struct
{
  CothreadMail mail;
  Handler *handler;
  GArray *values; /* the instance is the first */
} Emission;

static void
emission_free (gpointer data)
{
  Emission *self = data;

  g_array_unref (self->values);
  COTHREAD_BEFORE_UNREF (self->handler);
  g_closure_unref (&self->handler->closure);
  g_free (self);
}

static gpointer
handle (gpointer data, G_GNUC_UNUSED GError **error)
{
  Emission *self = data;
  const GValue *values = (const GValue *) (gpointer) self->values->data;

  self->handler->func (g_value_peek_pointer (&values[0]), values + 1, self->values->len - 1, self->handler->closure.data);
  return NULL;
}

static void
deliver (CothreadMail *mail)
{
  Emission *self = CT_CONTAINER_OF (mail, Emission, mail);
  CothreadSpawnOptions options = {
    .scheduler = self->handler->scheduler,
    .function = "signal handler",
    .user_data_destroy = emission_free,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (CothreadTask) task = NULL;

  if (self->handler->scheduler->is_shut_down)
    {
      emission_free (self);
      return;
    }
  task = cothread_spawn_full (handle, self, &options, &error);
  if (task == NULL)
    g_warning ("A signal is not handled: %s", error->message);
}

static void
marshal (GClosure *closure, G_GNUC_UNUSED GValue *return_value, guint n_values, const GValue *values,
         G_GNUC_UNUSED gpointer hint, G_GNUC_UNUSED gpointer data)
{
  Emission *self;

  COTHREAD_IN_HANDLER (closure);
  self = g_new0 (Emission, 1);
  self->handler = (Handler *) g_closure_ref (closure);
  self->mail.deliver = deliver;
  self->values = cothread_copy_values (values, n_values);
  if (cothread_scheduler_is_own_thread (self->handler->scheduler))
    deliver (&self->mail);
  else
    cothread_scheduler_post_mail (self->handler->scheduler, &self->mail);
}

static void
handler_finalized (G_GNUC_UNUSED gpointer data, GClosure *closure)
{
  Handler *self = (Handler *) closure;

  COTHREAD_IN_FINALIZE (self);
  if (self->user_data_destroy != NULL)
    self->user_data_destroy (closure->data);
  g_object_unref (self->scheduler);
}

/**
 * cothread_connect_task: (skip)
 * @instance: (type GObject.Object): an object
 * @detailed_signal: a signal
 * @func: handles it
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data when the handler is
 *   disconnected and none of its tasks is left, in whatever thread that is
 *
 * Connects a handler to a signal that runs in a task of its own, on the calling
 * thread's scheduler, for each emission. So it may wait; it begins after the
 * emission, holds the object and copies of the arguments, and its emissions
 * may overlap. It returns nothing to the signal.
 *
 * ```c
 * static void
 * on_clicked (gpointer button, const GValue *arguments, guint n_arguments, gpointer self)
 * {
 *   if (cothread_sleep (G_USEC_PER_SEC, NULL))
 *     ...
 * }
 *
 * cothread_connect_task (button, "clicked", on_clicked, self, NULL);
 * ```
 *
 * The signal may be emitted in any thread. After the scheduler was shut down the
 * handler does nothing; an emission that no task can be spawned for is a warning.
 * A signal that the object does not have is a critical. Never suspends.
 *
 * Returns: the handler, for g_signal_handler_disconnect(); 0 after a critical
 *
 * Since: 0.1
 */
gulong
cothread_connect_task (gpointer instance, const char *detailed_signal, CothreadSignalFunc func, gpointer user_data,
                       GDestroyNotify user_data_destroy)
{
  CothreadScheduler *scheduler;
  Handler *self;
  gulong handler;

  g_return_val_if_fail (G_IS_OBJECT (instance), 0);
  g_return_val_if_fail (cothread_has_signal (instance, detailed_signal), 0);
  g_return_val_if_fail (func != NULL, 0);

  scheduler = cothread_scheduler_get_default ();
  if (scheduler == NULL)
    return 0;
  self = (Handler *) g_closure_new_simple (sizeof (Handler), user_data);
  self->func = func;
  self->scheduler = g_object_ref (scheduler);
  self->user_data_destroy = user_data_destroy;
  g_closure_add_finalize_notifier (&self->closure, NULL, handler_finalized);
  g_closure_set_marshal (&self->closure, marshal);
  g_closure_ref (&self->closure);
  g_closure_sink (&self->closure);
  COTHREAD_BEFORE_CONNECTING (self);
  handler = g_signal_connect_closure (instance, detailed_signal, &self->closure, FALSE);
  g_closure_unref (&self->closure);
  return handler;
}
