/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-signal-private.h"
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-sanitizer-private.h"
#include "loop/cothread-wait-private.h"

#include <pthread.h>

/* Listens for one emission, which may come on any stack and in any thread, and
 * even while the listener is being disconnected: hence a closure of its own. */
typedef struct
{
  GClosure closure;
  gpointer instance;
  gulong handler;
  gsize thread;
  CothreadScheduler *scheduler; /* used only while somebody waits */

  pthread_mutex_t lock;
  gboolean has_come; /* under the lock */
  GArray *arguments; /* of GValue; under the lock until it has come */
  CtWaiter *waiter;  /* to be fired; the scheduler's thread only */
  CothreadMail mail;
} Listener;

gboolean
cothread_has_signal (gpointer instance, const char *detailed_signal)
{
  guint id;
  GQuark detail;

  return detailed_signal != NULL && g_signal_parse_name (detailed_signal, G_OBJECT_TYPE (instance), &id, &detail, TRUE);
}

GArray *
cothread_copy_values (const GValue *values, guint n_values)
{
  GArray *copies = g_array_sized_new (FALSE, TRUE, sizeof (GValue), n_values);

  g_array_set_clear_func (copies, (GDestroyNotify) g_value_unset);
  g_array_set_size (copies, n_values);
  for (guint i = 0; i < n_values; i++)
    {
      GValue *copy = &g_array_index (copies, GValue, i);

      g_value_init (copy, G_VALUE_TYPE (&values[i]));
      g_value_copy (&values[i], copy);
    }
  return copies;
}

static void
fire (Listener *self)
{
  if (self->waiter != NULL)
    ct_task_fire (self->waiter->task, CT_WAKE_NORMAL, self->waiter);
}

static void
deliver (CothreadMail *mail)
{
  Listener *self = CT_CONTAINER_OF (mail, Listener, mail);

  fire (self);
  COTHREAD_BEFORE_UNREF (self);
  g_closure_unref (&self->closure);
}

static void
hear (GClosure *closure, G_GNUC_UNUSED GValue *return_value, guint n_values, const GValue *values,
      G_GNUC_UNUSED gpointer hint, G_GNUC_UNUSED gpointer data)
{
  Listener *self = (Listener *) closure;
  gboolean is_first;

  COTHREAD_IN_HANDLER (self);
  pthread_mutex_lock (&self->lock);
  is_first = !self->has_come;
  self->has_come = TRUE;
  if (is_first)
    self->arguments = cothread_copy_values (values + 1, n_values - 1);
  pthread_mutex_unlock (&self->lock);
  if (!is_first)
    {
      COTHREAD_BEFORE_UNREF (self); /* by who emits, afterwards */
      return;
    }
  if (self->thread == cothread_thread_id ())
    {
      fire (self);
      return;
    }
  g_closure_ref (closure);
  self->mail.deliver = deliver;
  COTHREAD_BEFORE_UNREF (self);
  cothread_scheduler_post_mail (self->scheduler, &self->mail);
}

static void
listener_finalized (G_GNUC_UNUSED gpointer data, GClosure *closure)
{
  Listener *self = (Listener *) closure;

  COTHREAD_IN_FINALIZE (self);
  g_clear_pointer (&self->arguments, g_array_unref);
  pthread_mutex_destroy (&self->lock);
}

static Listener *
listen (gpointer instance, const char *detailed_signal, CothreadScheduler *scheduler)
{
  GClosure *closure = g_closure_new_simple (sizeof (Listener), NULL);
  Listener *self = (Listener *) closure;

  pthread_mutex_init (&self->lock, NULL);
  self->thread = cothread_thread_id ();
  self->scheduler = scheduler;
  g_closure_add_finalize_notifier (closure, NULL, listener_finalized);
  g_closure_set_marshal (closure, hear);
  g_closure_ref (closure);
  g_closure_sink (closure);
  self->instance = g_object_ref (instance);
  COTHREAD_BEFORE_CONNECTING (self);
  self->handler = g_signal_connect_closure (instance, detailed_signal, closure, FALSE);
  return self;
}

/* Gives the arguments to who wants them. */
static void
listener_free (Listener *self, GArray **arguments)
{
  self->waiter = NULL;
  if (g_signal_handler_is_connected (self->instance, self->handler))
    g_signal_handler_disconnect (self->instance, self->handler);
  g_clear_object (&self->instance);
  if (arguments != NULL)
    *arguments = g_steal_pointer (&self->arguments);
  COTHREAD_BEFORE_UNREF (self);
  g_closure_unref (&self->closure);
}

static gboolean
has_come (Listener *self)
{
  gboolean came;

  pthread_mutex_lock (&self->lock);
  came = self->has_come;
  pthread_mutex_unlock (&self->lock);
  return came;
}

/**
 * cothread_wait_signal: (skip)
 * @instance: (type GObject.Object): an object
 * @detailed_signal: a signal, such as `clicked` or `notify::text`
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @arguments: (out) (optional) (transfer full) (element-type GValue): copies of
 *   the signal's arguments, without the instance
 * @error: return location for a #GError
 *
 * Waits for the next emission of a signal, in any thread. Its other handlers
 * do not wait for the task: it goes on after the emission. What the signal
 * returns is left to them.
 *
 * An emission that comes before the wait began is missed: where one may come
 * while the task is busy, connect a handler that signals a #CothreadEvent.
 *
 * ```c
 * g_autoptr (GArray) arguments = NULL;
 *
 * if (cothread_wait_signal (dialog, "response", COTHREAD_FOREVER, &arguments, error))
 *   response = g_value_get_int (&g_array_index (arguments, GValue, 0));
 * ```
 *
 * The object is held meanwhile. Fails with %G_IO_ERROR_TIMED_OUT, and like
 * cothread_sleep(). A signal that the object does not have is a critical.
 *
 * Returns: whether the signal came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_signal (gpointer instance, const char *detailed_signal, gint64 timeout_us, GArray **arguments, GError **error)
{
  CtScheduler *core;
  Listener *listener;
  CtWaiter waiter;
  gint64 deadline_us;
  gboolean came;

  g_return_val_if_fail (G_IS_OBJECT (instance), FALSE);
  g_return_val_if_fail (cothread_has_signal (instance, detailed_signal), FALSE);

  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  listener = listen (instance, detailed_signal, core->owner);
  waiter = (CtWaiter) { .task = core->current };
  ct_link_init (&waiter.link);
  listener->waiter = &waiter;
  came = cothread_wait_on (core, &waiter, deadline_us, "signal", instance, error);
  listener_free (listener, came ? arguments : NULL);
  return came;
}

/**
 * cothread_wait_notify:
 * @object: an object
 * @property_name: one of its properties
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until a property is notified, which most objects do only when its value
 * changes. Suspends the calling task, and fails, like cothread_wait_signal(). A
 * property that the object does not have is a critical.
 *
 * ```c
 * while (!gtk_window_is_active (window) && cothread_wait_notify (G_OBJECT (window), "is-active", COTHREAD_FOREVER, error))
 *   ;
 * ```
 *
 * Returns: whether it was notified
 *
 * Since: 0.1
 */
gboolean
cothread_wait_notify (GObject *object, const char *property_name, gint64 timeout_us, GError **error)
{
  g_autofree char *signal = NULL;

  g_return_val_if_fail (G_IS_OBJECT (object), FALSE);
  g_return_val_if_fail (property_name != NULL, FALSE);
  g_return_val_if_fail (g_object_class_find_property (G_OBJECT_GET_CLASS (object), property_name) != NULL, FALSE);

  signal = g_strconcat ("notify::", property_name, NULL);
  return cothread_wait_signal (object, signal, timeout_us, NULL, error);
}

static gboolean
take_signal (CothreadAsyncWait *wait, G_GNUC_UNUSED const CtWaiter *fired)
{
  Listener *listener = wait->object;

  if (!has_come (listener))
    {
      listener->waiter = &wait->waiter;
      return FALSE;
    }
  wait->value = g_steal_pointer (&listener->arguments);
  wait->value_destroy = (GDestroyNotify) g_array_unref;
  return TRUE;
}

static void
stop_listening (gpointer listener)
{
  listener_free (listener, NULL);
}

static const CothreadAsyncWaitKind signal_kind = { "signal", "signal", take_signal, NULL, NULL };

/**
 * cothread_wait_signal_async:
 * @instance: an object
 * @detailed_signal: a signal
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits for the next emission of a signal, as cothread_wait_signal() does, but
 * calls back, in the caller's thread-default context, instead of suspending a
 * task. It listens from this call on. The source object of the callback is
 * %NULL.
 *
 * Since: 0.1
 */
void
cothread_wait_signal_async (GObject *instance, const char *detailed_signal, gint64 timeout_us, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  CothreadScheduler *scheduler;
  Listener *listener;

  g_return_if_fail (G_IS_OBJECT (instance));
  g_return_if_fail (cothread_has_signal (instance, detailed_signal));
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  scheduler = cothread_scheduler_get_default ();
  if (scheduler == NULL)
    return;
  listener = listen (instance, detailed_signal, scheduler);
  cothread_async_wait (&signal_kind, NULL, timeout_us, listener, stop_listening, cancellable, callback, user_data);
}

/**
 * cothread_wait_signal_finish: (skip)
 * @result: what the callback was given
 * @arguments: (out) (optional) (transfer full) (element-type GValue): copies of
 *   the signal's arguments, without the instance
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_signal_async() began. Fails with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like cothread_sleep_finish().
 *
 * Returns: whether the signal came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_signal_finish (GAsyncResult *result, GArray **arguments, GError **error)
{
  return cothread_async_wait_finish (&signal_kind, NULL, result, (gpointer *) arguments, error);
}

/**
 * cothread_wait_signal_finish_plain: (rename-to cothread_wait_signal_finish)
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_signal_async() began, without the signal's arguments.
 * Fails like cothread_wait_signal_finish().
 *
 * Returns: whether the signal came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_signal_finish_plain (GAsyncResult *result, GError **error)
{
  return cothread_wait_signal_finish (result, NULL, error);
}

/**
 * cothread_wait_notify_async:
 * @object: an object
 * @property_name: one of its properties
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits until a property is notified, as cothread_wait_notify() does, but calls
 * back, in the caller's thread-default context, instead of suspending a task.
 *
 * Since: 0.1
 */
void
cothread_wait_notify_async (GObject *object, const char *property_name, gint64 timeout_us, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *signal = NULL;

  g_return_if_fail (G_IS_OBJECT (object));
  g_return_if_fail (property_name != NULL);
  g_return_if_fail (g_object_class_find_property (G_OBJECT_GET_CLASS (object), property_name) != NULL);

  signal = g_strconcat ("notify::", property_name, NULL);
  cothread_wait_signal_async (object, signal, timeout_us, cancellable, callback, user_data);
}

/**
 * cothread_wait_notify_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_notify_async() began. Fails with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like cothread_sleep_finish().
 *
 * Returns: whether it was notified
 *
 * Since: 0.1
 */
gboolean
cothread_wait_notify_finish (GAsyncResult *result, GError **error)
{
  return cothread_wait_signal_finish (result, NULL, error);
}
