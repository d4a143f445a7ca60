/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-callback.h"

/* Python callables on the library's callback queue, each in a callback task, so
 * that it may wait. */

#define CALLBACK_STACK_BYTES ((gsize) 1024 * 1024)

static CothreadCallbackQueue *main_queue; /* a reference; changed with the GIL held */

typedef struct
{
  PyObject *function;
  PyObject *args;
} Callback;

static void
call (gpointer data)
{
  Callback *self = data;
  PyLock lock = py_lock ();
  PyObject *result = PyObject_CallObject (self->function, self->args);

  if (result == NULL && PyErr_ExceptionMatches (PyExc_KeyboardInterrupt))
    {
      PyObject *type, *value, *traceback;

      PyErr_Fetch (&type, &value, &traceback);
      PyErr_NormalizeException (&type, &value, &traceback);
      if (py_interrupt_main (value))
        {
          Py_XDECREF (type);
          Py_XDECREF (value);
          Py_XDECREF (traceback);
        }
      else
        PyErr_Restore (type, value, traceback);
    }
  if (PyErr_Occurred ())
    PyErr_WriteUnraisable (self->function);
  Py_XDECREF (result);
  Py_CLEAR (self->function);
  Py_CLEAR (self->args);
  py_unlock_lazily (lock);
}

static void
callback_free (gpointer data)
{
  Callback *self = data;

  /* What was called has dropped them; what was not is dropped here, in whatever
   * thread. */
  if (self->function != NULL && Py_IsInitialized ())
    {
      PyGILState_STATE state = PyGILState_Ensure ();

      Py_CLEAR (self->function);
      Py_CLEAR (self->args);
      PyGILState_Release (state);
    }
  g_free (self);
}

static PyObject *
callback (G_GNUC_UNUSED PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
  GError *error = NULL;
  Callback *self;
  PyObject *rest;
  gboolean was_accepted;
  CothreadCallbackQueue *queue = main_queue;

  if (n_args < 1 || !PyCallable_Check (args[0]))
    return PyErr_Format (PyExc_TypeError, "callback() needs something to call");
  if (queue == NULL)
    return PyErr_Format (py_exc_closed, "The callback queue is closed");
  rest = PyTuple_New (n_args - 1);
  if (rest == NULL)
    return NULL;
  for (Py_ssize_t i = 1; i < n_args; i++)
    PyTuple_SET_ITEM (rest, i - 1, Py_NewRef (args[i]));
  self = g_new (Callback, 1);
  self->function = Py_NewRef (args[0]);
  self->args = rest;
  g_object_ref (queue);
  if (cothread_callback_queue_get_overflow (queue) == COTHREAD_OVERFLOW_BLOCK && cothread_task_self () == NULL)
    {
      Py_BEGIN_ALLOW_THREADS
      was_accepted = cothread_callback_queue_post_full (queue, COTHREAD_CALLBACK_MAY_WAIT, call, self, callback_free, &error);
      Py_END_ALLOW_THREADS
    }
  else
    was_accepted = cothread_callback_queue_post_full (queue, COTHREAD_CALLBACK_MAY_WAIT, call, self, callback_free, &error);
  g_object_unref (queue);
  if (was_accepted)
    Py_RETURN_NONE;
  py_raise_gerror (error);
  return NULL;
}

void
py_callback_set_scheduler (CothreadScheduler *scheduler)
{
  g_clear_object (&main_queue);
  if (scheduler == NULL)
    return;
  main_queue = g_object_ref (cothread_scheduler_get_callback_queue (scheduler));
  cothread_callback_queue_set_stack_size (main_queue, CALLBACK_STACK_BYTES);
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
