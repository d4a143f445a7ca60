/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-sync.h"
#include "py-task.h"

/* wait_any(): the first of several things. */

#define MAX_ITEMS 4096

/* An Event, Pulse, EventQueue or Task, or a tuple (fd, condition). */
static gboolean
fill_item (CothreadWaitItem *item, PyObject *object)
{
  PySync *sync = (PySync *) object;

  if (PyTuple_Check (object) && PyTuple_GET_SIZE (object) == 2)
    {
      long condition = PyLong_AsLong (PyTuple_GET_ITEM (object, 1));

      item->kind = COTHREAD_WAIT_DESCRIPTOR;
      item->condition = (GIOCondition) condition;
      item->fd = PyErr_Occurred () ? -1 : PyObject_AsFileDescriptor (PyTuple_GET_ITEM (object, 0));
      return item->fd >= 0;
    }
  if (Py_IS_TYPE (object, py_task_type))
    {
      PyTask *task = (PyTask *) object;

      if (!py_check_owner (task->owner))
        return FALSE;
      if (task->handle == cothread_task_self ())
        {
          PyErr_SetString (py_exc_wrong_context, "A task cannot wait for itself");
          return FALSE;
        }
      item->kind = COTHREAD_WAIT_TASK;
      item->object = task->handle;
      return TRUE;
    }
  if (PyObject_TypeCheck (object, py_event_type))
    item->kind = COTHREAD_WAIT_EVENT;
  else if (PyObject_TypeCheck (object, py_pulse_type))
    item->kind = COTHREAD_WAIT_PULSE;
  else if (PyObject_TypeCheck (object, py_event_queue_type))
    item->kind = COTHREAD_WAIT_EVENT_QUEUE;
  else
    {
      PyErr_Format (PyExc_TypeError, "wait_any() waits for events, pulses, queues, tasks and (fd, condition), not %.100s",
                    Py_TYPE (object)->tp_name);
      return FALSE;
    }
  item->object = sync->object;
  return py_check_owner (sync->owner);
}

static PyObject *
value_of (PyObject *object, const CothreadWaitItem *item)
{
  switch (item->kind)
    {
    case COTHREAD_WAIT_EVENT:
    case COTHREAD_WAIT_EVENT_QUEUE:
      return py_value_take (item->value, ((PySync *) object)->is_consuming);
    case COTHREAD_WAIT_TASK:
      return py_task_take_result ((PyTask *) object);
    case COTHREAD_WAIT_DESCRIPTOR:
      return PyLong_FromLong (item->happened);
    case COTHREAD_WAIT_PULSE:
    default:
      return Py_NewRef (Py_None);
    }
}

static PyObject *
wait_for_items (PyObject *objects, PyObject *timeout)
{
  guint n = (guint) PyTuple_GET_SIZE (objects), which = n;
  g_autofree CothreadWaitItem *items = g_new0 (CothreadWaitItem, n + 1);
  GError *error = NULL;
  PyObject *value;
  PyWait wait;
  gboolean success;

  for (guint i = 0; i < n; i++)
    if (!fill_item (&items[i], PyTuple_GET_ITEM (objects, i)))
      return NULL;
  if (!py_wait_begin (&wait, timeout))
    return NULL;
  success = cothread_wait_any (items, n, wait.timeout_us, &which, &error);
  /* A task that was cancelled before it began has its own exception to raise. */
  if (!success && which < n && items[which].kind == COTHREAD_WAIT_TASK)
    {
      g_clear_error (&error);
      success = TRUE;
    }
  if (!py_wait_end (&wait, success, error))
    return NULL;
  value = value_of (PyTuple_GET_ITEM (objects, which), &items[which]);
  return value != NULL ? Py_BuildValue ("(IN)", which, value) : NULL;
}

static PyObject *
wait_any (G_GNUC_UNUSED PyObject *module, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { "waitables", "timeout", NULL };
  PyObject *waitables, *timeout = NULL, *objects, *result;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "O|O:wait_any", names, &waitables, &timeout))
    return NULL;
  objects = PySequence_Tuple (waitables); /* ours, whatever happens to the list meanwhile */
  if (objects == NULL)
    return NULL;
  if (PyTuple_GET_SIZE (objects) > MAX_ITEMS)
    result = PyErr_Format (PyExc_ValueError, "wait_any() waits for at most %d things", MAX_ITEMS);
  else
    result = wait_for_items (objects, timeout);
  Py_DECREF (objects);
  return result;
}

static PyMethodDef functions[] = {
  { "wait_any", (PyCFunction) (void (*) (void)) wait_any, METH_VARARGS | METH_KEYWORDS,
    "wait_any(waitables, timeout=None)\n--\n\nWaits for the first of several events, pulses, queues, tasks and (fd, condition) tuples;\n"
    "returns its index and its value. From the others nothing is taken." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_wait_any_setup (PyObject *module)
{
  return PyModule_AddFunctions (module, functions) == 0;
}
