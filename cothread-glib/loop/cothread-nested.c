/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-nested.h"

#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait-private.h"

/* How a handler waits all the same, for those who ask for it. */

/* FALSE with an error where no loop can run either. */
static gboolean
can_iterate (CothreadScheduler *self, GError **error)
{
  const char *why_not = NULL;

  if (self->core->is_reaping)
    why_not = "Cannot run a main loop here: this code frees what a finished task has left. "
              "Spawn a task (cothread_spawn()) and wait in it";
  else if (!cothread_source_can_iterate (self))
    why_not = "Cannot run a main loop here: this code is a source's prepare() or check(). "
              "Spawn a task (cothread_spawn()) and wait in it";
  if (why_not != NULL)
    g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT, why_not);
  return why_not == NULL;
}

/* A shutdown in a handler of the loop, or a fork: it will never return. */
static gboolean
is_lost (const CothreadScheduler *self, const CothreadTask *task)
{
  return self->is_of_parent || task->scheduler == NULL;
}

static gboolean
iterate_until_finished (CothreadScheduler *self, CothreadTask *task, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);

  while (!cothread_task_is_finished (task))
    {
      if (is_lost (self, task))
        {
          g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler ended while a nested main loop ran");
          return FALSE;
        }
      g_main_context_iteration (context, TRUE);
    }
  return TRUE;
}

static gboolean
run_in_task (CothreadScheduler *self, CothreadTaskFunc func, gpointer user_data, gpointer *result, GError **error)
{
  CothreadSpawnOptions options = { .scheduler = self, .function = "cothread_run_nested" };
  g_autoptr (CothreadTask) task = NULL;

  if (self->context == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "No main context drives this scheduler");
      return FALSE;
    }
  if (!can_iterate (self, error))
    return FALSE;
  task = cothread_spawn_full (func, user_data, &options, error);
  if (task == NULL || !iterate_until_finished (self, task, error))
    return FALSE;
  return cothread_task_get_outcome (task, result, error);
}

static gboolean
run_here (CothreadTaskFunc func, gpointer user_data, gpointer *result, GError **error)
{
  GError *failure = NULL;
  gpointer value = func (user_data, &failure);

  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (result != NULL)
    *result = value;
  return TRUE;
}

/**
 * cothread_run_nested: (skip)
 * @func: what to run; it may wait
 * @user_data: passed to @func
 * @result: (out) (optional): what @func returned
 * @error: return location for a #GError
 *
 * Runs a function that waits, and returns when it has returned: also in a place
 * where nothing can be suspended, such as a signal handler or an idle function.
 * There the function runs in a task of its own, and the main loop runs until
 * that task has ended; all other tasks and sources go on meanwhile. Where a wait
 * is possible anyway this is a plain call.
 *
 * Loops end last in, first out: a handler that the nested loop calls, and that
 * runs one of its own, holds this one back. The source whose handler called is
 * not dispatched again until it has returned (unless it can recurse). What the
 * handler works on may have changed, or be gone, when this returns. So the normal
 * way is another: spawn a task, or use an _async() function.
 *
 * Fails with %COTHREAD_ERROR_WRONG_CONTEXT where no main loop can run either: in
 * a source's prepare() or check(), and in what frees what a task has left; with
 * %G_IO_ERROR_NOT_SUPPORTED if no main context drives the scheduler; with
 * %COTHREAD_ERROR_CLOSED if the scheduler is shut down meanwhile and the task does
 * not end; like cothread_spawn_full(); and with the error of @func.
 *
 * Returns: %TRUE if @func returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_run_nested (CothreadTaskFunc func, gpointer user_data, gpointer *result, GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;
  gboolean success;

  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self == NULL)
    self = cothread_scheduler_ensure (error);
  if (self == NULL)
    return FALSE;
  g_object_ref (self); /* a handler of the loop may drop the last one */
  if (cothread_wait_why_not (self->core) != NULL)
    success = run_in_task (self, func, user_data, result, error);
  else
    success = (self->core->current->kind != CT_TASK_MAIN || can_iterate (self, error)) &&
              run_here (func, user_data, result, error);
  g_object_unref (self);
  return success;
}
