/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-stack-private.h"

/* What does not depend on how the interpreter's state is carried along. */

__thread PyThread py_thread = { .deadline_us = PY_NO_DEADLINE };

void
py_stack_enter (PyStack *stack)
{
  py_thread.deadline_us = stack != NULL ? stack->deadline_us : PY_NO_DEADLINE;
  py_thread.task = stack != NULL ? stack->task : NULL;
  py_thread.call = stack != NULL ? stack->call : NULL;
  if (py_thread.call != NULL)
    py_thread.call->stack = NULL;
}

void
py_stack_leave (PyStack *stack)
{
  stack->deadline_us = py_thread.deadline_us;
  stack->call = py_thread.call;
  if (stack->call != NULL)
    stack->call->stack = stack;
}

PyStack *
py_stack_new (PyObject *task, PyObject *context)
{
  PyStack *stack = g_new0 (PyStack, 1);

  stack->task = task;
  stack->is_for_good = TRUE;
  stack->deadline_us = PY_NO_DEADLINE;
  stack->context = context;
  return stack;
}

void
py_stack_discard (PyStack *stack)
{
  Py_CLEAR (stack->context);
}

void
py_stack_free (PyStack *stack)
{
  if (stack == NULL)
    return;
  py_stack_discard (stack);
  g_free (stack);
}

PyLock
py_lock (void)
{
  if (!py_lock_is_held ())
    {
      py_lock_take ();
      return PY_LOCK_WAS_FREE;
    }
  if (!py_thread.lock_is_lazy)
    return PY_LOCK_WAS_HELD;
  py_thread.lock_is_lazy = FALSE;
  return PY_LOCK_WAS_LAZY;
}

void
py_unlock (PyLock lock)
{
  py_unlock_lazily (lock);
  if (lock == PY_LOCK_WAS_FREE)
    py_lock_drop_lazy ();
}

void
py_unlock_lazily (PyLock lock)
{
  if (lock != PY_LOCK_WAS_HELD)
    py_thread.lock_is_lazy = TRUE;
}

void
py_lock_drop_lazy (void)
{
  if (!py_thread.lock_is_lazy)
    return;
  py_thread.lock_is_lazy = FALSE;
  if (py_lock_is_held ())
    PyEval_SaveThread ();
}
