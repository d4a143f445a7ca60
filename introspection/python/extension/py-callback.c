/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-callback.h"
#include "py-frames.h"

#include <unistd.h>

/* Python callables on the library's callback queue, each in a callback task, so
 * that it may wait. */

#define CALLBACK_STACK_BYTES ((gsize) 1024 * 1024)

static CothreadCallbackQueue *main_queue; /* a reference; changed with the GIL held */
static gboolean is_forgotten;             /* it was the parent's; the child has none yet */

/* An entry is a tuple: what to call, and with what. */

static void
report (PyObject *function)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  if (PyErr_GivenExceptionMatches (value, PyExc_KeyboardInterrupt) && py_interrupt_main (value))
    {
      Py_XDECREF (type);
      Py_XDECREF (value);
      Py_XDECREF (traceback);
      return;
    }
  PyErr_Restore (type, value, traceback);
  /* As with tasks: nobody has to be told of these. */
  if (PyErr_ExceptionMatches (py_exc_cancelled) || PyErr_ExceptionMatches (PyExc_SystemExit))
    PyErr_Clear ();
  else
    PyErr_WriteUnraisable (function);
}

/* In a callback task. */
static void
call (gpointer data)
{
  PyObject *entry = data;
  PyLock lock = py_lock ();
  PyObject *function = PyTuple_GET_ITEM (entry, 0), *result;
  PyCall this_call;

  py_call_begin (&this_call);
  result = PyObject_Vectorcall (function, &PyTuple_GET_ITEM (entry, 1), (size_t) PyTuple_GET_SIZE (entry) - 1, NULL);
  if (G_UNLIKELY (result == NULL))
    report (function);
  Py_XDECREF (result);
  py_call_end (&this_call);
  py_unlock_lazily (lock);
}

/* Right after the call, or wherever an entry is dropped, in whatever thread. */
static void
entry_free (gpointer data)
{
  if (G_UNLIKELY (PyGILState_GetThisThreadState () == NULL))
    {
      PyGILState_STATE state;

      if (!Py_IsInitialized ())
        return;
      state = PyGILState_Ensure ();
      Py_DECREF ((PyObject *) data);
      PyGILState_Release (state);
    }
  else
    {
      PyLock lock = py_lock ();

      Py_DECREF ((PyObject *) data);
      py_unlock (lock);
    }
}

/* The poster may have to wait for room: a thread without the lock, a task as it
 * always waits. */
static gboolean
post_patiently (PyObject *entry, GError **error)
{
  CothreadCallbackQueue *queue = g_object_ref (main_queue);
  PyThreadState *released = cothread_task_self () == NULL ? PyEval_SaveThread () : NULL;
  gboolean was_accepted = cothread_callback_queue_post_full (queue, COTHREAD_CALLBACK_MAY_WAIT, call, entry, entry_free, error);

  if (released != NULL)
    PyEval_RestoreThread (released);
  g_object_unref (queue);
  return was_accepted;
}

static PyObject *
callback (G_GNUC_UNUSED PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
  GError *error = NULL;
  PyObject *entry;
  gboolean was_accepted;

  if (n_args < 1 || !PyCallable_Check (args[0]))
    return PyErr_Format (PyExc_TypeError, "callback() needs something to call");
  if (main_queue == NULL && is_forgotten && getpid () == gettid () && py_scheduler_ensure () == NULL)
    return NULL;
  if (main_queue == NULL)
    return PyErr_Format (py_exc_closed, "The callback queue is closed");
  entry = PyTuple_New (n_args);
  if (entry == NULL)
    return NULL;
  for (Py_ssize_t i = 0; i < n_args; i++)
    PyTuple_SET_ITEM (entry, i, Py_NewRef (args[i]));
  /* The queue holds it: looking at a million of these would only cost the
   * garbage collector time. */
  PyObject_GC_UnTrack (entry);
  if (cothread_callback_queue_get_overflow (main_queue) == COTHREAD_OVERFLOW_BLOCK)
    was_accepted = post_patiently (entry, &error);
  else
    was_accepted = cothread_callback_queue_post_full (main_queue, COTHREAD_CALLBACK_MAY_WAIT, call, entry, entry_free, &error);
  if (was_accepted)
    Py_RETURN_NONE;
  py_raise_gerror (error);
  return NULL;
}

void
py_callback_set_scheduler (CothreadScheduler *scheduler)
{
  g_clear_object (&main_queue);
  is_forgotten = FALSE;
  if (scheduler == NULL)
    return;
  main_queue = g_object_ref (cothread_scheduler_get_callback_queue (scheduler));
  cothread_callback_queue_set_stack_size (main_queue, CALLBACK_STACK_BYTES);
}

void
py_callback_forget (void)
{
  is_forgotten |= main_queue != NULL;
  main_queue = NULL; /* its lock may be held for ever */
}

static PyMethodDef functions[] = {
  { "callback", (PyCFunction) (void (*) (void)) callback, METH_FASTCALL,
    "callback(function, /, *args)\n--\n\nFrom any thread: calls function(*args) in the main thread, from the main loop, in a task of its own.\n\n"
    "Callbacks of one thread begin in order. What one raises is reported. Raises Full or Closed." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_callback_setup (PyObject *module)
{
  return PyModule_AddFunctions (module, functions) == 0;
}
