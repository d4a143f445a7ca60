/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-sync.h"

/* poll_list(): several descriptors at once; poll_scheduler(): the main context
 * for somebody else's poll. */

static gboolean
fill_fd (GPollFD *fd, PyObject *object)
{
  PyObject *pair = PySequence_Tuple (object);
  long events = 0;

  fd->fd = -1;
  if (pair != NULL && PyTuple_GET_SIZE (pair) != 2)
    PyErr_SetString (PyExc_TypeError, "poll_list() takes pairs of a descriptor and events");
  else if (pair != NULL)
    {
      events = PyLong_AsLong (PyTuple_GET_ITEM (pair, 1));
      fd->fd = PyErr_Occurred () ? -1 : PyObject_AsFileDescriptor (PyTuple_GET_ITEM (pair, 0));
      fd->events = (gushort) events;
    }
  Py_XDECREF (pair);
  return fd->fd >= 0;
}

static PyObject *
list_of (const GPollFD *fds, gint n, gboolean is_result)
{
  PyObject *list = PyList_New (0);

  for (gint i = 0; list != NULL && i < n; i++)
    {
      PyObject *pair;
      gint flags = is_result ? fds[i].revents : fds[i].events;

      if (flags == 0)
        continue;
      pair = Py_BuildValue ("(ii)", fds[i].fd, flags);
      if (pair == NULL || PyList_Append (list, pair) < 0)
        Py_CLEAR (list);
      Py_XDECREF (pair);
    }
  return list;
}

static PyObject *
wait_for_fds (PyObject *objects, PyObject *timeout)
{
  guint n = (guint) PyTuple_GET_SIZE (objects);
  g_autofree GPollFD *fds = g_new0 (GPollFD, n + 1);
  GError *error = NULL;
  gint n_ready;
  PyWait wait;

  for (guint i = 0; i < n; i++)
    if (!fill_fd (&fds[i], PyTuple_GET_ITEM (objects, i)))
      return NULL;
  if (!py_wait_begin (&wait, timeout))
    return NULL;
  n_ready = cothread_poll_list (fds, n, wait.timeout_us, &error);
  return py_wait_end (&wait, n_ready >= 0, error) ? list_of (fds, (gint) n, TRUE) : NULL;
}

static PyObject *
poll_list (G_GNUC_UNUSED PyObject *module, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { "events", "timeout", NULL };
  PyObject *events, *timeout = NULL, *objects, *result;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "O|O:poll_list", names, &events, &timeout))
    return NULL;
  objects = PySequence_Tuple (events);
  if (objects == NULL)
    return NULL;
  result = wait_for_fds (objects, timeout);
  Py_DECREF (objects);
  return result;
}

/* ---- the main context under another loop ---- */

static gint
query (GMainContext *context, GArray *fds, gint *timeout_ms)
{
  gint priority, n;

  g_main_context_prepare (context, &priority);
  while ((n = g_main_context_query (context, priority, timeout_ms, (GPollFD *) (gpointer) fds->data, (gint) fds->len)) > (gint) fds->len)
    g_array_set_size (fds, (guint) n);
  return n;
}

static PyObject *
poll_scheduler (G_GNUC_UNUSED PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GArray) fds = g_array_new (FALSE, TRUE, sizeof (GPollFD));
  gint timeout_ms = 0, n = 0;
  gboolean is_owner;

  if (n_args > 1)
    return PyErr_Format (PyExc_TypeError, "poll_scheduler() takes one argument, what the last poll found");
  if (n_args == 1 && !PySequence_Check (args[0]))
    return PyErr_Format (PyExc_TypeError, "poll_scheduler() takes a list of (descriptor, events)");
  if (py_scheduler_ensure () == NULL)
    return NULL;
  if (cothread_task_self () != NULL || g_main_depth () > 0)
    return PyErr_Format (py_exc_wrong_context, "poll_scheduler() is for a loop of the program's own, not for tasks and callbacks");
  context = g_main_context_ref_thread_default ();
  Py_BEGIN_ALLOW_THREADS
  is_owner = g_main_context_acquire (context);
  if (is_owner)
    {
      /* It asks the descriptors itself, so what the caller's poll found is found again. */
      g_main_context_iteration (context, FALSE);
      n = query (context, fds, &timeout_ms);
      g_main_context_release (context);
    }
  Py_END_ALLOW_THREADS
  if (!is_owner)
    return PyErr_Format (py_exc_wrong_context, "Another thread runs this main context");
  return Py_BuildValue ("(NN)", list_of ((const GPollFD *) (gconstpointer) fds->data, n, FALSE),
                        timeout_ms < 0 ? Py_NewRef (Py_None) : PyFloat_FromDouble (timeout_ms / 1000.0));
}

static PyMethodDef functions[] = {
  { "poll_list", (PyCFunction) (void (*) (void)) poll_list, METH_VARARGS | METH_KEYWORDS,
    "poll_list(events, timeout=None)\n--\n\nWaits until one of several (descriptor, events) is ready; returns a list of (descriptor, what happened)." },
  { "poll_scheduler", (PyCFunction) (void (*) (void)) poll_scheduler, METH_FASTCALL,
    "poll_scheduler(ready=(), /)\n--\n\nFor a program with a loop of its own: runs what is ready without waiting, and returns what to poll,\n"
    "a list of (descriptor, events), and for how many seconds (None: for ever)." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_poll_setup (PyObject *module)
{
  return PyModule_AddFunctions (module, functions) == 0;
}
