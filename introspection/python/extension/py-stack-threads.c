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

/* The interpreter shall refuse what is deeper than this stack allows. */
static void
protect (PyThreadState *state, gsize stack_bytes, gsize max_calls)
{
#if PY_STACK_HAS_PROTECTION
  char *here = __builtin_frame_address (0);

  (void) max_calls;
  if (PyUnstable_ThreadState_SetStackProtection (state, here - stack_bytes, stack_bytes) < 0)
    PyErr_Clear ();
#else
  (void) stack_bytes;
  if ((gsize) state->c_recursion_remaining > max_calls)
    state->c_recursion_remaining = (int) max_calls;
#endif
}

/* A stack of which nobody told us: a task in C, which may call Python, too. */
static PyStack *
adopt (gpointer *slot)
{
  PyStack *stack = py_stack_new (NULL, NULL);

  stack->thread_state = new_state ();
  if (stack->thread_state != NULL)
    protect (stack->thread_state, PY_FOREIGN_STACK_BYTES, PY_FOREIGN_RECURSION_LIMIT);
  return *slot = stack;
}

static void
hand_lock (PyStack *stack)
{
  if (G_LIKELY (stack->thread_state != NULL))
    set_lock (stack->thread_state, stack->holds_lock);
}

static void
on_start (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  py_stack_enter (*slot);
  if (*slot == NULL)
    hand_lock (adopt (slot));
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
  py_stack_leave (stack);
}

static void
on_resume (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyStack *stack = *slot;

  if (stack == NULL)
    stack = adopt (slot);
  py_stack_enter (stack);
  hand_lock (stack);
  if (!stack->is_for_good)
    g_clear_pointer (slot, g_free);
}

static void
on_end (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyStack *stack = *slot;
  PyThreadState *state = stack != NULL ? g_steal_pointer (&stack->thread_state) : NULL;

  *slot = NULL;
  py_stack_enter (NULL);
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
  protect (state, stack_bytes - PY_STACK_ENTRY_BYTES, stack_bytes / PY_STACK_BYTES_PER_CALL);
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

PyObject *
py_stack_get_frame (PyStack *stack)
{
  return stack->thread_state != NULL ? (PyObject *) PyThreadState_GetFrame (stack->thread_state) : NULL;
}

gboolean
py_lock_is_held (void)
{
  return attached_state () != NULL;
}

void
py_lock_take (void)
{
  PyEval_RestoreThread (PyGILState_GetThisThreadState ());
}

#endif
