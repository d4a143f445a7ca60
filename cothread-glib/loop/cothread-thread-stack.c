/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"

/* Code that must not run on a task's stack, or would not fit there. */

typedef struct
{
  GObject *object;
  guint n_pspecs;
  GParamSpec **pspecs;
  void (*dispatch) (GObject *object, guint n_pspecs, GParamSpec **pspecs);
} Notify;

static void
notify (gpointer data)
{
  Notify *self = data;

  self->dispatch (self->object, self->n_pspecs, self->pspecs);
}

void
cothread_notify_on_thread_stack (GObject *object, guint n_pspecs, GParamSpec **pspecs,
                                 void (*dispatch) (GObject *object, guint n_pspecs, GParamSpec **pspecs))
{
  Notify self = { object, n_pspecs, pspecs, dispatch };

  cothread_call_on_thread_stack (notify, &self);
}

/**
 * cothread_call_on_thread_stack: (skip)
 * @func: what to call
 * @user_data: passed to @func
 *
 * Calls a function on the thread's own stack and returns when it has returned.
 * For code that may end in a JavaScript handler (which refuses to run on any
 * other stack) or that needs a very deep stack.
 *
 * @func must not wait: a wait in it fails with %COTHREAD_ERROR_WRONG_CONTEXT.
 * It may run a nested main loop; all tasks but the calling one go on then.
 * Outside any task this is a plain call.
 *
 * Since: 0.1
 */
void
cothread_call_on_thread_stack (CothreadThreadStackFunc func, gpointer user_data)
{
  CothreadScheduler *self = cothread_running_scheduler;

  g_return_if_fail (func != NULL);

  if (self != NULL && self->core != NULL)
    ct_scheduler_call_on_thread_stack (self->core, func, user_data);
  else
    func (user_data);
}

typedef struct
{
  CothreadThreadStackFallibleFunc func;
  gpointer user_data;
  GError **error;
  gboolean success;
} FallibleCall;

static void
call_fallible (gpointer data)
{
  FallibleCall *self = data;

  self->success = self->func (self->user_data, self->error);
}

/**
 * cothread_call_on_thread_stack_full: (rename-to cothread_call_on_thread_stack)
 * @func: (scope call): what to call
 * @user_data: passed to @func
 * @error: return location for a #GError
 *
 * Like cothread_call_on_thread_stack(), for a function that can fail. A callback
 * that another language passed throws: its exception arrives here.
 *
 * Fails with what @func failed with.
 *
 * Returns: what @func returned
 *
 * Since: 0.1
 */
gboolean
cothread_call_on_thread_stack_full (CothreadThreadStackFallibleFunc func, gpointer user_data, GError **error)
{
  FallibleCall call = { func, user_data, error, FALSE };

  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  cothread_call_on_thread_stack (call_fallible, &call);
  return call.success;
}

/* ---- for debugging ---- */

static void
warn_of_emission (GClosure *closure, G_GNUC_UNUSED GValue *return_value, G_GNUC_UNUSED guint n_values,
                  const GValue *values, gpointer invocation_hint, G_GNUC_UNUSED gpointer marshal_data)
{
  const GSignalInvocationHint *hint = invocation_hint;
  CothreadScheduler *self = cothread_running_scheduler;

  if (self == NULL || self->core == NULL || ct_scheduler_is_on_thread_stack (self->core))
    return;
  g_warning ("Task %s emits %s::%s on its own stack, where the handler in %s cannot run; "
             "emit it in cothread_call_on_thread_stack()",
             cothread_task_get_name ((CothreadTask *) self->core->current), G_OBJECT_TYPE_NAME (g_value_get_object (&values[0])),
             g_signal_name (hint->signal_id), (const char *) closure->data);
}

/**
 * cothread_debug_watch_signal:
 * @object: an object
 * @signal: a signal with its detail, such as `notify::label`
 * @language: whose handler it has, for the text of the warning
 *
 * For those who bind a language whose handlers run on no other stack than the
 * thread's own: from now on a warning names the task that emits the signal
 * on a stack of its own, where that handler would silently not run.
 *
 * The emission itself is not changed.
 *
 * Returns: the number of the handler that looks, or 0 if there is no such signal
 *
 * Since: 0.1
 */
gulong
cothread_debug_watch_signal (GObject *object, const char *signal, const char *language)
{
  GClosure *closure;
  guint id;
  GQuark detail;

  g_return_val_if_fail (G_IS_OBJECT (object), 0);
  g_return_val_if_fail (signal != NULL && language != NULL, 0);

  if (!g_signal_parse_name (signal, G_OBJECT_TYPE (object), &id, &detail, TRUE))
    return 0;
  closure = g_closure_new_simple (sizeof (GClosure), (gpointer) g_intern_string (language));
  g_closure_set_marshal (closure, warn_of_emission);
  return g_signal_connect_closure_by_id (object, id, detail, closure, FALSE);
}
