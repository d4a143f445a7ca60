/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-task.h"

#include <structmember.h>

#define DEFAULT_STACK_BYTES ((gsize) 1024 * 1024)
#define MIN_STACK_BYTES ((gsize) 64 * 1024)
#define MAX_NAMES 4096

PyTypeObject *py_task_type;

/* Set from Python: report_hook (task, exception). */
static PyObject *report_hook;

static PyTask *first_task; /* with the GIL held */

const char *py_language;

/* Their handles, from when somebody asks for one until one comes or goes. */
static GHashTable *by_handle;

static void
add_to_all (PyTask *self)
{
  if (G_UNLIKELY (by_handle != NULL))
    g_clear_pointer (&by_handle, g_hash_table_unref);
  self->next = first_task;
  if (first_task != NULL)
    first_task->previous = self;
  first_task = self;
}

static void
remove_from_all (PyTask *self)
{
  if (G_UNLIKELY (by_handle != NULL))
    g_clear_pointer (&by_handle, g_hash_table_unref);
  if (self->previous != NULL)
    self->previous->next = self->next;
  else if (first_task == self)
    first_task = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  self->previous = self->next = NULL;
}

PyTask *
py_task_find (CothreadTask *handle)
{
  if (by_handle == NULL)
    {
      by_handle = g_hash_table_new (NULL, NULL);
      for (PyTask *task = first_task; task != NULL; task = task->next)
        g_hash_table_insert (by_handle, task->handle, task);
    }
  return g_hash_table_lookup (by_handle, handle);
}

/* ---- names ---- */

static GHashTable *names; /* PyCodeObject (a reference) -> char */

static char *
name_from_code (PyCodeObject *code)
{
  const char *function = PyUnicode_AsUTF8 (code->co_qualname);
  const char *file = PyUnicode_AsUTF8 (code->co_filename);
  g_autofree char *base = file != NULL ? g_path_get_basename (file) : NULL;

  PyErr_Clear ();
  return g_strdup_printf ("%s (%s:%d)", function != NULL ? function : "?", base != NULL ? base : "?", code->co_firstlineno);
}

/* Static text for what most programs spawn; a program that makes code without
 * end gets a copy each time instead, in *copy. */
static const char *
find_name (PyObject *function, char **copy)
{
  PyObject *code;
  char *name;

  if (PyMethod_Check (function))
    function = PyMethod_GET_FUNCTION (function);
  if (!PyFunction_Check (function))
    return Py_TYPE (function)->tp_name;
  code = PyFunction_GET_CODE (function);
  name = g_hash_table_lookup (names, code);
  if (G_LIKELY (name != NULL))
    return name;
  name = name_from_code ((PyCodeObject *) code);
  if (g_hash_table_size (names) < MAX_NAMES)
    g_hash_table_insert (names, Py_NewRef (code), name);
  else
    *copy = name;
  return name;
}

/* ---- running ---- */

static void
report (PyTask *self)
{
  PyObject *exception = self->exception;
  PyObject *type, *value, *traceback, *outcome;

  PyErr_Fetch (&type, &value, &traceback);
  self->was_seen = TRUE;
  outcome = report_hook != NULL ? PyObject_CallFunctionObjArgs (report_hook, self, exception, NULL) : NULL;
  if (outcome == NULL)
    PyErr_WriteUnraisable ((PyObject *) self);
  Py_XDECREF (outcome);
  PyErr_Restore (type, value, traceback);
}

/* Nobody has to be told that somebody cancelled a task or that it wanted to end. */
static gboolean
is_failure (PyObject *exception)
{
  return exception != NULL && !PyErr_GivenExceptionMatches (exception, py_exc_cancelled) &&
         !PyErr_GivenExceptionMatches (exception, PyExc_SystemExit);
}

static void
keep_exception (PyTask *self)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  PyErr_NormalizeException (&type, &value, &traceback);
  if (traceback != NULL)
    PyException_SetTraceback (value, traceback);
  Py_XDECREF (type);
  Py_XDECREF (traceback);
  self->exception = value;
  if (PyErr_GivenExceptionMatches (value, PyExc_KeyboardInterrupt) && py_interrupt_main (value))
    self->was_seen = TRUE;
  else if (self->reports_at_once && is_failure (value))
    report (self);
}

/* The interpreter's cache of look-ups keeps names, so they are made once. */
static PyObject *
get_attribute (PyObject *object, PyObject **interned, const char *name)
{
  if (*interned == NULL)
    *interned = PyUnicode_InternFromString (name);
  return *interned != NULL ? PyObject_GetAttr (object, *interned) : NULL;
}

/* For those who wait for the task in other languages: a GLib.Error as it is, and
 * any other exception with its class and text. */
static void
tell_others (PyObject *exception, GError **error)
{
  static PyObject *domain_name, *code_name, *message_name;
  PyObject *domain, *code, *message, *text;
  const char *words;

  if (PyErr_GivenExceptionMatches (exception, PyExc_SystemExit))
    return;
  domain = get_attribute (exception, &domain_name, "domain");
  code = domain != NULL ? get_attribute (exception, &code_name, "code") : NULL;
  message = code != NULL ? get_attribute (exception, &message_name, "message") : NULL;
  text = NULL;
  if (message != NULL && PyUnicode_Check (domain) && PyLong_Check (code) && PyUnicode_Check (message) &&
      PyUnicode_AsUTF8 (domain) != NULL && PyUnicode_AsUTF8 (message) != NULL)
    g_set_error_literal (error, g_quark_from_string (PyUnicode_AsUTF8 (domain)), (gint) PyLong_AsLong (code),
                         PyUnicode_AsUTF8 (message));
  else
    {
      PyErr_Clear ();
      text = PyObject_Str (exception);
      words = text != NULL ? PyUnicode_AsUTF8 (text) : NULL;
      g_set_error (error, G_IO_ERROR,
                   PyErr_GivenExceptionMatches (exception, py_exc_cancelled) ? G_IO_ERROR_CANCELLED : G_IO_ERROR_FAILED,
                   "%s: %s", Py_TYPE (exception)->tp_name, words != NULL ? words : "");
    }
  PyErr_Clear ();
  Py_XDECREF (domain);
  Py_XDECREF (code);
  Py_XDECREF (message);
  Py_XDECREF (text);
}

static void
drop_function (PyTask *self)
{
  Py_CLEAR (self->function);
  Py_CLEAR (self->args);
  Py_CLEAR (self->kwargs);
}

static gpointer
run_task (gpointer data, GError **error)
{
  PyTask *self = data;
  _Alignas (16) char chunk[PY_STACK_CHUNK_BYTES];

  self->is_running = TRUE;
  if (py_stack_begin (self->stack, chunk, self->stack_bytes))
    {
      self->result = PyObject_Call (self->function, self->args, self->kwargs);
      if (self->result == NULL)
        {
          keep_exception (self);
          tell_others (self->exception, error);
        }
      drop_function (self);
    }
  self->is_finished = TRUE;
  py_stack_finish (g_steal_pointer (&self->stack));
  return NULL;
}

/* On the task's stack; also for one that was cancelled before it began. */
static void
task_ended (gpointer data)
{
  PyTask *self = data;
  PyLock lock = py_lock ();

  if (!self->is_running)
    {
      /* Without a handle it could not be spawned: there is no `end` hook to come. */
      if (self->handle != NULL)
        py_stack_discard (g_steal_pointer (&self->stack));
      drop_function (self);
      self->exception = PyObject_CallFunction (py_exc_cancelled, "s", "The task was cancelled before it began");
      self->is_finished = TRUE;
    }
  remove_from_all (self);
  Py_DECREF (self);
  py_unlock_lazily (lock);
}

/* ---- spawning ---- */

static PyTask *
new_task (PyObject *function, PyObject *args, PyObject *kwargs)
{
  PyThreadState *state = PyThreadState_Get ();
  PyTask *self;
  PyObject *context = NULL;

  if (!PyCallable_Check (function))
    {
      PyErr_Format (PyExc_TypeError, "A task needs something to call, not %.100s", Py_TYPE (function)->tp_name);
      return NULL;
    }
  /* A thread that has no context yet has no context variables either. */
  if (state->context != NULL && (context = PyContext_CopyCurrent ()) == NULL)
    return NULL;
  self = (PyTask *) py_task_type->tp_alloc (py_task_type, 0);
  if (self == NULL)
    {
      Py_XDECREF (context);
      return NULL;
    }
  self->owner = py_this_thread ();
  self->function = Py_NewRef (function);
  self->args = Py_NewRef (args);
  self->kwargs = Py_XNewRef (kwargs);
  self->stack = py_stack_new ((PyObject *) self, context);
  return self;
}

static gboolean
start_task (PyTask *self, CothreadScheduler *scheduler)
{
  g_autofree char *copy = NULL;
  GError *error = NULL;
  CothreadSpawnOptions options = {
    .scheduler = scheduler,
    .name = self->name != NULL ? PyUnicode_AsUTF8 (self->name) : NULL,
    .stack_bytes = self->stack_bytes,
    .user_data_destroy = task_ended,
    .switch_state = self->stack,
    .language = py_language,
  };

  if (options.name == NULL)
    {
      options.function = find_name (self->function, &copy);
      if (copy != NULL || !PyFunction_Check (PyMethod_Check (self->function) ? PyMethod_GET_FUNCTION (self->function) : self->function))
        options.name = options.function;
    }
  self->handle = cothread_spawn_full (run_task, Py_NewRef (self), &options, &error);
  if (self->handle != NULL)
    {
      add_to_all (self);
      return TRUE;
    }
  self->was_seen = TRUE;
  py_raise_gerror (error);
  return FALSE;
}

static PyObject *
spawn_with (PyObject *function, PyObject *args, PyObject *kwargs, PyObject *name, gsize stack_bytes, gboolean reports_at_once)
{
  CothreadScheduler *scheduler = py_scheduler_ensure ();
  PyTask *self = scheduler != NULL ? new_task (function, args, kwargs) : NULL;

  if (self == NULL)
    return NULL;
  self->name = Py_XNewRef (name);
  self->stack_bytes = stack_bytes;
  self->reports_at_once = reports_at_once;
  if (!start_task (self, scheduler))
    Py_CLEAR (self);
  return (PyObject *) self;
}

static PyObject *
spawn (G_GNUC_UNUSED PyObject *module, PyObject *args, PyObject *kwargs)
{
  PyObject *rest, *task;

  if (PyTuple_GET_SIZE (args) < 1)
    {
      PyErr_SetString (PyExc_TypeError, "spawn() needs a function to call");
      return NULL;
    }
  rest = PyTuple_GetSlice (args, 1, PyTuple_GET_SIZE (args));
  if (rest == NULL)
    return NULL;
  task = spawn_with (PyTuple_GET_ITEM (args, 0), rest, kwargs, NULL, DEFAULT_STACK_BYTES, FALSE);
  Py_DECREF (rest);
  return task;
}

static PyObject *
spawn_task (G_GNUC_UNUSED PyObject *module, PyObject *args, PyObject *kwargs)
{
  static char *names_of_args[] = { "function", "args", "kwargs", "name", "stack_size", "report", NULL };
  PyObject *function, *call_args, *call_kwargs = Py_None, *name = Py_None;
  Py_ssize_t stack_size = 0;
  int reports_at_once = 0;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "OO!|OOnp", names_of_args, &function, &PyTuple_Type, &call_args,
                                    &call_kwargs, &name, &stack_size, &reports_at_once))
    return NULL;
  if (call_kwargs != Py_None && !PyDict_Check (call_kwargs))
    return PyErr_Format (PyExc_TypeError, "kwargs has to be a dictionary or None");
  if (name != Py_None && !PyUnicode_Check (name))
    return PyErr_Format (PyExc_TypeError, "The name of a task is a string or None");
  if (stack_size < 0)
    return PyErr_Format (PyExc_ValueError, "A stack size cannot be negative");
  return spawn_with (function, call_args, call_kwargs == Py_None ? NULL : call_kwargs, name == Py_None ? NULL : name,
                     stack_size == 0 ? DEFAULT_STACK_BYTES : MAX ((gsize) stack_size, MIN_STACK_BYTES), reports_at_once);
}

/* ---- methods ---- */

PyObject *
py_task_take_result (PyTask *self)
{
  if (self->exception != NULL)
    {
      self->was_seen = TRUE;
      PyErr_SetObject ((PyObject *) Py_TYPE (self->exception), self->exception);
      return NULL;
    }
  if (self->result == NULL) /* there was no memory to run it */
    return PyErr_NoMemory ();
  return Py_NewRef (self->result);
}

static PyObject *
task_wait (PyTask *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  GError *error = NULL;
  PyWait wait;
  gboolean success;
  PyObject *timeout;
  PyObject *result;

  if (!py_timeout_argument ("wait", args, n_args, keywords, &timeout))
    return NULL;
  if (!py_check_owner (self->owner))
    return NULL;
  /* What has happened already costs a task that is not cancelled nothing. */
  if (self->is_finished && (cothread_task_self () == NULL || !cothread_task_is_cancelled (cothread_task_self ())))
    return py_timeout_parse (timeout, &(gint64) { 0 }) ? py_task_take_result (self) : NULL;
  if (cothread_task_self () == self->handle)
    return PyErr_Format (py_exc_wrong_context, "A task cannot wait for itself");
  if (!py_wait_begin (&wait, timeout))
    return NULL;
  Py_INCREF (self);
  success = cothread_task_join (self->handle, wait.timeout_us, NULL, &error);
  /* A task that was cancelled before it began fails for the library, too. */
  if (!success && self->is_finished && !(cothread_task_self () != NULL && cothread_task_is_cancelled (cothread_task_self ())))
    {
      g_clear_error (&error);
      success = TRUE;
    }
  success = py_wait_end (&wait, success, error);
  if (success)
    py_interrupt_forget (self->exception);
  result = success ? py_task_take_result (self) : NULL;
  Py_DECREF (self);
  return result;
}

static PyObject *
task_cancel (PyTask *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_task_cancel (self->handle);
  Py_RETURN_NONE;
}

static PyObject *
task_get_frame (PyTask *self, G_GNUC_UNUSED PyObject *unused)
{
  PyObject *frame = NULL;

  if (!py_check_owner (self->owner))
    return NULL;
  if (self->is_running && self->stack != NULL && cothread_task_self () != self->handle &&
      cothread_task_get_state (self->handle) != COTHREAD_TASK_RUNNING)
    frame = py_stack_get_frame (self->stack);
  return frame != NULL ? frame : Py_NewRef (Py_None);
}

static PyObject *
task_repr (PyTask *self)
{
  static const char *const states[] = { "ready", "running", "yielding", "waiting", "finished" };
  g_autofree char *reason = self->handle != NULL ? cothread_task_dup_wait_reason (self->handle) : NULL;

  if (self->handle == NULL)
    return PyUnicode_FromString ("<Task not spawned>");
  return PyUnicode_FromFormat ("<Task %llu %s, %s%s%s>", (unsigned long long) cothread_task_get_id (self->handle),
                               cothread_task_get_name (self->handle), states[cothread_task_get_state (self->handle)],
                               reason != NULL ? " for " : "", reason != NULL ? reason : "");
}

static PyObject *
task_get_name (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  return PyUnicode_FromString (cothread_task_get_name (self->handle));
}

static PyObject *
task_get_id (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  return PyLong_FromUnsignedLongLong (cothread_task_get_id (self->handle));
}

static PyObject *
task_get_done (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  return PyBool_FromLong (self->is_finished);
}

static PyObject *
task_get_cancelled (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  return PyBool_FromLong (cothread_task_is_cancelled (self->handle));
}

static PyObject *
task_get_exception (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  if (self->exception == NULL)
    Py_RETURN_NONE;
  self->was_seen = TRUE;
  return Py_NewRef (self->exception);
}

static PyObject *
task_get_switches (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  return PyLong_FromUnsignedLongLong (cothread_task_get_switches (self->handle));
}

static PyObject *
task_get_wait_reason (PyTask *self, G_GNUC_UNUSED gpointer closure)
{
  g_autofree char *reason = cothread_task_dup_wait_reason (self->handle);

  return reason != NULL ? PyUnicode_FromString (reason) : Py_NewRef (Py_None);
}

static int
task_bool (PyTask *self)
{
  return self->is_finished;
}

static int
task_traverse (PyTask *self, visitproc visit, void *arg)
{
  Py_VISIT (Py_TYPE (self));
  Py_VISIT (self->function);
  Py_VISIT (self->args);
  Py_VISIT (self->kwargs);
  Py_VISIT (self->result);
  Py_VISIT (self->exception);
  return 0;
}

static int
task_clear (PyTask *self)
{
  drop_function (self);
  Py_CLEAR (self->result);
  Py_CLEAR (self->exception);
  return 0;
}

static void
task_finalize (PyTask *self)
{
  if (!self->was_seen && is_failure (self->exception))
    report (self);
}

static void
task_dealloc (PyTask *self)
{
  PyTypeObject *type = Py_TYPE (self);

  if (PyObject_CallFinalizerFromDealloc ((PyObject *) self) < 0)
    return;
  PyObject_GC_UnTrack (self);
  if (self->weakrefs != NULL)
    PyObject_ClearWeakRefs ((PyObject *) self);
  task_clear (self);
  py_stack_free (g_steal_pointer (&self->stack));
  Py_CLEAR (self->name);
  g_clear_pointer (&self->handle, cothread_task_unref);
  type->tp_free (self);
  Py_DECREF (type);
}

static PyMethodDef task_methods[] = {
  { "wait", (PyCFunction) (void (*) (void)) task_wait, METH_FASTCALL | METH_KEYWORDS,
    "wait($self, /, timeout=None)\n--\n\nWaits until the task has returned; gives its result, or raises the exception it ended with.\n\n"
    "Any number of tasks may wait for one. Raises TimedOut when the timeout, in seconds, passes first." },
  { "cancel", (PyCFunction) task_cancel, METH_NOARGS,
    "cancel($self, /)\n--\n\nCancels the task: its present wait, and each that it begins from now on, raises Cancelled." },
  { "get_frame", (PyCFunction) task_get_frame, METH_NOARGS,
    "get_frame($self, /)\n--\n\nThe frame in which the task waits, for traceback.print_stack(); None if it runs or has not begun." },
  { NULL, NULL, 0, NULL },
};

static PyGetSetDef task_getset[] = {
  { "name", (getter) task_get_name, NULL, "The name it was spawned with, or its function with file and line.", NULL },
  { "id", (getter) task_get_id, NULL, "A number that no other task of the thread ever had.", NULL },
  { "done", (getter) task_get_done, NULL, "Whether the task has returned.", NULL },
  { "cancelled", (getter) task_get_cancelled, NULL, "Whether the task was cancelled before it returned.", NULL },
  { "exception", (getter) task_get_exception, NULL, "The exception it ended with, or None.", NULL },
  { "switches", (getter) task_get_switches, NULL, "How many times the task was resumed.", NULL },
  { "wait_reason", (getter) task_get_wait_reason, NULL, "What the task waits for, as text; None if it does not wait.", NULL },
  { NULL, NULL, NULL, NULL, NULL },
};

static PyMemberDef task_members[] = {
  { "__weaklistoffset__", T_PYSSIZET, offsetof (PyTask, weakrefs), READONLY, NULL },
  { NULL, 0, 0, 0, NULL },
};

static PyType_Slot task_slots[] = {
  { Py_tp_doc, (void *) "A cooperative thread that runs a function. Made by spawn(). It is true when it has finished." },
  { Py_tp_dealloc, task_dealloc },
  { Py_tp_traverse, task_traverse },
  { Py_tp_clear, task_clear },
  { Py_tp_finalize, task_finalize },
  { Py_tp_repr, task_repr },
  { Py_tp_methods, task_methods },
  { Py_tp_getset, task_getset },
  { Py_tp_members, task_members },
  { Py_nb_bool, task_bool },
  { Py_am_await, py_await },
  { 0, NULL },
};

static PyType_Spec task_spec = {
  .name = "_cothread.Task",
  .basicsize = sizeof (PyTask),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
  .slots = task_slots,
};

/* ---- functions ---- */

static PyObject *
current_task (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  return Py_NewRef (py_thread.task != NULL ? py_thread.task : Py_None);
}

static PyObject *
list_tasks (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  PyObject *list = PyList_New (0);

  for (PyTask *task = first_task; list != NULL && task != NULL; task = task->next)
    if (task->owner == py_this_thread () && PyList_Append (list, (PyObject *) task) < 0)
      Py_CLEAR (list);
  if (list != NULL && PyList_Reverse (list) < 0)
    Py_CLEAR (list);
  return list;
}

void
py_tasks_forget (void)
{
  first_task = NULL;
  g_clear_pointer (&by_handle, g_hash_table_unref);
}

static PyObject *
set_report_hook (G_GNUC_UNUSED PyObject *module, PyObject *hook)
{
  Py_XSETREF (report_hook, hook != Py_None ? Py_NewRef (hook) : NULL);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
  { "spawn", (PyCFunction) (void (*) (void)) spawn, METH_VARARGS | METH_KEYWORDS,
    "spawn(function, /, *args, **kwargs)\n--\n\nRuns function(*args, **kwargs) in a task of its own and returns the Task.\n\n"
    "It begins at the caller's next wait, or when the main loop runs; tasks begin in the order they were spawned." },
  { "spawn_task", (PyCFunction) (void (*) (void)) spawn_task, METH_VARARGS | METH_KEYWORDS,
    "spawn_task(function, args, kwargs=None, name=None, stack_size=0, report=False)\n--\n\n"
    "spawn() with options: a name, how many bytes of stack (0: 1 MiB), and whether a failure is reported at once\n"
    "instead of when nobody can ask for it any more." },
  { "current_task", current_task, METH_NOARGS,
    "current_task()\n--\n\nThe Task that is running; None outside, or in a task that is not Python's." },
  { "tasks", list_tasks, METH_NOARGS, "tasks()\n--\n\nThe tasks of this thread that have not ended, oldest first." },
  { "set_report_hook", set_report_hook, METH_O,
    "set_report_hook(hook, /)\n--\n\nhook(task, exception) is called for each failure that nobody waited for." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_task_setup (PyObject *module)
{
  names = g_hash_table_new (NULL, NULL);
  py_task_type = (PyTypeObject *) PyType_FromSpec (&task_spec);
  return py_task_type != NULL && PyModule_AddObjectRef (module, "Task", (PyObject *) py_task_type) == 0 &&
         PyModule_AddFunctions (module, functions) == 0;
}
