/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-stack.h"

#if PY_STACK_HAS_THREAD_STATES

#include "py-stack-private.h"

/* Python 3.12 and later: a thread state for each stack, by public calls. From
 * this version on PyGILState_Ensure() finds the state that was attached last, so
 * a stack that does not hold the lock needs its own attached once all the same. */

#if PY_VERSION_HEX >= 0x030D0000
#define attached_state PyThreadState_GetUnchecked
#else
#define attached_state _PyThreadState_UncheckedGet
#endif

static void
set_lock (PyThreadState *state, gboolean should_hold)
{
  PyThreadState *attached = attached_state ();

  py_thread.lock_is_lazy = FALSE;
  if (attached == state)
    {
      if (!should_hold)
        PyEval_SaveThread ();
      return;
    }
  if (!should_hold && attached == NULL && PyGILState_GetThisThreadState () == state)
    return;
  if (attached != NULL)
    PyThreadState_Swap (state);
  else
    PyEval_RestoreThread (state);
  if (!should_hold)
    PyEval_SaveThread ();
}

static PyThreadState *
new_state (void)
{
  return PyThreadState_New (PyInterpreterState_Main ());
}

/* A stack of which nobody told us. */
static PyStack *
adopt (gpointer *slot)
{
  PyStack *stack = g_new0 (PyStack, 1);

  stack->is_for_good = TRUE;
  stack->deadline_us = PY_NO_DEADLINE;
  stack->thread_state = new_state ();
  return *slot = stack;
}

static void
on_start (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  py_thread.deadline_us = PY_NO_DEADLINE;
  py_thread.task = *slot != NULL ? ((PyStack *) *slot)->task : NULL;
  if (*slot == NULL)
    set_lock (adopt (slot)->thread_state, FALSE);
  else
    py_thread.lock_is_lazy = attached_state () != NULL;
}

static void
on_suspend (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyThreadState *attached = attached_state ();
  PyStack *stack = *slot;

  if (stack == NULL)
    {
      stack = *slot = g_new0 (PyStack, 1);
      stack->thread_state = PyGILState_GetThisThreadState ();
    }
  stack->holds_lock = attached != NULL && !py_thread.lock_is_lazy;
  stack->deadline_us = py_thread.deadline_us;
}

static void
on_resume (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyStack *stack = *slot;

  if (stack == NULL)
    stack = adopt (slot);
  py_thread.deadline_us = stack->deadline_us;
  py_thread.task = stack->task;
  if (stack->thread_state != NULL)
    set_lock (stack->thread_state, stack->holds_lock);
  if (!stack->is_for_good)
    g_clear_pointer (slot, g_free);
}

static void
on_end (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyStack *stack = *slot;
  PyThreadState *state = stack != NULL ? g_steal_pointer (&stack->thread_state) : NULL;

  *slot = NULL;
  py_thread.task = NULL;
  if (stack != NULL && !stack->is_for_good)
    state = NULL; /* it is the thread's */
  g_free (stack);
  if (state == NULL)
    {
      py_thread.lock_is_lazy = attached_state () != NULL;
      return;
    }
  set_lock (state, TRUE);
  PyThreadState_Clear (state);
  PyThreadState_DeleteCurrent ();
}

const CothreadSwitchHooks py_stack_hooks = { on_start, on_suspend, on_resume, on_end, { 0 } };

PyStack *
py_stack_new (PyObject *task, PyObject *context)
{
  PyStack *stack = g_new0 (PyStack, 1);

  stack->task = task;
  stack->is_for_good = TRUE;
  stack->context = context;
  return stack;
}

void
py_stack_free (PyStack *stack)
{
  if (stack == NULL)
    return;
  py_stack_discard (stack);
  g_free (stack);
}

static gboolean
protect (PyThreadState *state, gsize stack_bytes)
{
#if PY_VERSION_HEX >= 0x030E0000
  char *here = __builtin_frame_address (0);

  stack_bytes -= PY_STACK_ENTRY_BYTES;
  return PyUnstable_ThreadState_SetStackProtection (state, here - stack_bytes, stack_bytes) == 0;
#else
  gsize calls = stack_bytes / PY_STACK_BYTES_PER_CALL;

  if ((gsize) state->c_recursion_remaining > calls)
    state->c_recursion_remaining = (int) calls;
  return TRUE;
#endif
}

gboolean
py_stack_begin (PyStack *stack, G_GNUC_UNUSED void *chunk, gsize stack_bytes)
{
  PyThreadState *state = stack->thread_state = new_state ();

  if (state == NULL)
    return FALSE;
  set_lock (state, TRUE);
  if (py_thread.dict != NULL && state->dict == NULL)
    state->dict = Py_NewRef (py_thread.dict); /* threading.local() is the thread's */
  if (stack->context != NULL && PyContext_Enter (stack->context) < 0)
    PyErr_Clear ();
  if (!protect (state, stack_bytes))
    PyErr_Clear ();
  return TRUE;
}

void
py_stack_finish (PyStack *stack)
{
  if (stack->context != NULL && PyContext_Exit (stack->context) < 0)
    PyErr_Clear ();
  Py_CLEAR (stack->context);
  py_thread.lock_is_lazy = TRUE;
}

void
py_stack_discard (PyStack *stack)
{
  Py_CLEAR (stack->context);
}

PyObject *
py_stack_get_frame (PyStack *stack)
{
  return stack->thread_state != NULL ? (PyObject *) PyThreadState_GetFrame (stack->thread_state) : NULL;
}

PyLock
py_lock (void)
{
  if (attached_state () == NULL)
    {
      PyEval_RestoreThread (PyGILState_GetThisThreadState ());
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
  if (attached_state () != NULL)
    PyEval_SaveThread ();
}

#endif
