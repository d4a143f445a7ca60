/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"

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
