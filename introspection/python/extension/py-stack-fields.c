/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-stack.h"

#if !PY_STACK_HAS_THREAD_STATES

#include "py-stack-private.h"

/* Python 3.11: one thread state, whose fields are put away and taken out again.
 * PyGObject's closures ask for the thread's own state (PyGILState_Ensure), so a
 * second one cannot be swapped in. */

static void
set_base (PyThreadState *state)
{
  state->cframe = &state->root_cframe;
  state->cframe->use_tracing = state->c_tracefunc != NULL || state->c_profilefunc != NULL ? 255 : 0;
  state->exc_info = &state->exc_state;
  state->exc_state = (_PyErr_StackItem) { NULL, NULL };
  state->curexc_type = state->curexc_value = state->curexc_traceback = NULL;
  state->context = NULL;
  state->context_ver++;
  state->datastack_chunk = NULL;
  state->datastack_top = state->datastack_limit = NULL;
  state->recursion_remaining = state->recursion_limit;
  state->tracing = 0;
  state->trash_delete_nesting = 0;
}

/* A task in C that ran no Python has nothing to put away. */
static gboolean
is_base (const PyThreadState *state)
{
  return state->datastack_chunk == NULL && state->context == NULL && state->exc_state.exc_value == NULL;
}

static void
save (PyThreadState *state, PyStack *stack)
{
  stack->cframe = state->cframe;
  stack->exc_info = state->exc_info;
  stack->exc_state = state->exc_state;
  stack->curexc_type = state->curexc_type;
  stack->curexc_value = state->curexc_value;
  stack->curexc_traceback = state->curexc_traceback;
  stack->context = state->context;
  stack->chunk = state->datastack_chunk;
  stack->chunk_top = state->datastack_top;
  stack->chunk_limit = state->datastack_limit;
  stack->recursion_depth = state->recursion_limit - state->recursion_remaining;
  stack->tracing = state->tracing;
  stack->trash_delete_nesting = state->trash_delete_nesting;
}

static void
restore (PyThreadState *state, const PyStack *stack)
{
  state->cframe = stack->cframe;
  state->exc_info = stack->exc_info;
  state->exc_state = stack->exc_state;
  state->curexc_type = stack->curexc_type;
  state->curexc_value = stack->curexc_value;
  state->curexc_traceback = stack->curexc_traceback;
  state->context = stack->context;
  state->context_ver++; /* what context variables have cached is another stack's */
  state->datastack_chunk = stack->chunk;
  state->datastack_top = stack->chunk_top;
  state->datastack_limit = stack->chunk_limit;
  state->recursion_remaining = state->recursion_limit - stack->recursion_depth;
  state->tracing = stack->tracing;
  state->trash_delete_nesting = stack->trash_delete_nesting;
}

static inline gboolean
is_lock_held (const PyThreadState *state)
{
  return _PyThreadState_UncheckedGet () == state;
}

/* Makes the lock what the stack that runs from now on believes. */
static inline void
set_lock (PyThreadState *state, gboolean should_hold)
{
  py_thread.lock_is_lazy = FALSE;
  if (G_LIKELY (is_lock_held (state) == should_hold))
    return;
  if (should_hold)
    PyEval_RestoreThread (state);
  else
    PyEval_SaveThread ();
}

static void
on_start (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();

  py_stack_enter (*slot);
  if (state == NULL)
    return;
  set_base (state);
  if (*slot == NULL)
    {
      set_lock (state, FALSE);
      /* Of its stack nothing is known but what is usual. */
      state->recursion_remaining = MIN (state->recursion_remaining, PY_FOREIGN_RECURSION_LIMIT);
    }
  else
    py_thread.lock_is_lazy = is_lock_held (state);
}

static void
on_suspend (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();
  PyStack *stack = *slot;
  gboolean holds_lock;

  if (state == NULL)
    return;
  holds_lock = is_lock_held (state) && !py_thread.lock_is_lazy;
  if (stack == NULL)
    {
      if (is_base (state) && !holds_lock && py_thread.deadline_us == PY_NO_DEADLINE)
        return;
      stack = *slot = g_new0 (PyStack, 1);
    }
  stack->holds_lock = holds_lock;
  py_stack_leave (stack);
  save (state, stack);
}

static void
on_resume (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();
  PyStack *stack = *slot;

  if (state == NULL)
    return;
  py_stack_enter (stack);
  if (stack == NULL)
    {
      set_base (state);
      set_lock (state, FALSE);
      return;
    }
  restore (state, stack);
  set_lock (state, stack->holds_lock);
  if (!stack->is_for_good)
    g_clear_pointer (slot, g_free);
}

static void
free_chunks (_PyStackChunk *chunk)
{
  PyObjectArenaAllocator allocator;

  PyObject_GetArenaAllocator (&allocator);
  while (chunk != NULL)
    {
      _PyStackChunk *previous = chunk->previous;

      allocator.free (allocator.ctx, chunk, chunk->size);
      chunk = previous;
    }
}

static void
on_end (gpointer *slot, G_GNUC_UNUSED gpointer user_data)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();
  PyStack *stack = *slot;

  *slot = NULL;
  py_stack_enter (NULL);
  g_free (stack);
  if (state == NULL)
    return;
  if (state->context != NULL)
    {
      py_lock ();
      Py_CLEAR (state->context);
    }
  free_chunks (state->datastack_chunk);
  set_base (state);
  py_thread.lock_is_lazy = is_lock_held (state);
}

const CothreadSwitchHooks py_stack_hooks = { on_start, on_suspend, on_resume, on_end, { 0 } };

gboolean
py_stack_begin (PyStack *stack, void *chunk_memory, gsize stack_bytes)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();
  _PyStackChunk *chunk = chunk_memory;

  set_lock (state, TRUE);
  /* The interpreter never frees the first chunk of a stack. */
  chunk->previous = NULL;
  chunk->size = PY_STACK_CHUNK_BYTES;
  chunk->top = 0;
  state->datastack_chunk = chunk;
  state->datastack_top = &chunk->data[1];
  state->datastack_limit = (PyObject **) (void *) ((char *) chunk_memory + PY_STACK_CHUNK_BYTES);
  state->context = g_steal_pointer (&stack->context);
  state->context_ver++;
  state->recursion_remaining = MIN (state->recursion_remaining, (gint) MIN (stack_bytes / PY_STACK_BYTES_PER_CALL, G_MAXINT));
  return TRUE;
}

void
py_stack_finish (G_GNUC_UNUSED PyStack *stack)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();

  Py_CLEAR (state->context);
  Py_CLEAR (state->exc_state.exc_value);
  set_base (state);
  py_thread.lock_is_lazy = TRUE;
}

PyObject *
py_stack_get_frame (PyStack *stack)
{
  PyThreadState *state = PyThreadState_Get ();
  _PyCFrame *current = state->cframe;
  PyObject *frame;

  if (stack->cframe == NULL)
    return NULL;
  state->cframe = stack->cframe;
  frame = (PyObject *) PyThreadState_GetFrame (state);
  state->cframe = current;
  return frame;
}

gboolean
py_lock_is_held (void)
{
  PyThreadState *state = PyGILState_GetThisThreadState ();

  return state != NULL && is_lock_held (state);
}

void
py_lock_take (void)
{
  PyEval_RestoreThread (PyGILState_GetThisThreadState ());
}

#endif
