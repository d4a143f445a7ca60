/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-foreign.h"

/* Tasks of other languages: for Python they are numbers, as in
 * Scheduler.list_task_infos(). */

static CothreadTask *
find_task (unsigned long long id)
{
  CothreadScheduler *scheduler = py_scheduler_ensure ();
  g_autoptr (GPtrArray) tasks = NULL;

  if (scheduler == NULL)
    return NULL;
  tasks = cothread_scheduler_list_tasks (scheduler);
  for (guint i = 0; i < tasks->len; i++)
    if (cothread_task_get_id (tasks->pdata[i]) == id)
      return cothread_task_ref (tasks->pdata[i]);
  return PyErr_Format (PyExc_LookupError, "No task of this thread has the number %llu, or it has ended", id), NULL;
}

static PyObject *
join_task (G_GNUC_UNUSED PyObject *module, PyObject *args)
{
  unsigned long long id;
  PyObject *timeout = NULL;
  GError *error = NULL;
  g_autoptr (CothreadTask) task = NULL;
  gboolean success;
  PyWait wait;

  if (!PyArg_ParseTuple (args, "K|O:join_task", &id, &timeout))
    return NULL;
  task = find_task (id);
  if (task == NULL)
    return NULL;
  if (cothread_task_self () == task)
    return PyErr_Format (py_exc_wrong_context, "A task cannot wait for itself");
  if (!py_wait_begin (&wait, timeout))
    return NULL;
  success = cothread_task_join (task, wait.timeout_us, NULL, &error);
  if (!success && cothread_task_is_finished (task) && !(cothread_task_self () != NULL && cothread_task_is_cancelled (cothread_task_self ())))
    {
      /* Its own failure, and no matter of our wait. */
      g_autoptr (GError) failure = error;

      return py_wait_end (&wait, TRUE, NULL) ?
        Py_BuildValue ("(sis)", g_quark_to_string (failure->domain), failure->code, failure->message) : NULL;
    }
  return py_wait_end (&wait, success, error) ? Py_NewRef (Py_None) : NULL;
}

static PyObject *
cancel_task (G_GNUC_UNUSED PyObject *module, PyObject *args)
{
  unsigned long long id;
  g_autoptr (CothreadTask) task = NULL;

  if (!PyArg_ParseTuple (args, "K:cancel_task", &id))
    return NULL;
  task = find_task (id);
  if (task == NULL)
    return NULL;
  cothread_task_cancel (task);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
  { "join_task", join_task, METH_VARARGS,
    "join_task(id, timeout=None, /)\n--\n\nWaits for a task of whatever language. None, or what it failed with: (domain, code, message)." },
  { "cancel_task", cancel_task, METH_VARARGS, "cancel_task(id, /)\n--\n\nCancels a task of whatever language." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_foreign_setup (PyObject *module)
{
  return PyModule_AddFunctions (module, functions) == 0;
}
