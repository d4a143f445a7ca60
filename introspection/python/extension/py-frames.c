/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-frames.h"
#include "py-task.h"

/* Where Python code stands, for the library's dumps and lists. */

#define MAX_LINES 200

static PyCall *first_call; /* with the GIL held */

void
py_call_begin (PyCall *call)
{
  *call = (PyCall) { .handle = cothread_task_self (), .outer = py_thread.call, .next = first_call };
  if (first_call != NULL)
    first_call->previous = call;
  first_call = call;
  py_thread.call = call;
  /* One comparison where the same task runs callback after callback. */
  if (call->handle != NULL && cothread_task_get_language (call->handle) != py_language)
    cothread_task_set_language (call->handle, py_language);
}

void
py_call_end (PyCall *call)
{
  py_thread.call = call->outer;
  if (call->previous != NULL)
    call->previous->next = call->next;
  else
    first_call = call->next;
  if (call->next != NULL)
    call->next->previous = call->previous;
}

void
py_calls_forget (void)
{
  first_call = NULL;
  py_thread.call = NULL;
}

static void
add_line (GStrvBuilder *lines, PyFrameObject *frame)
{
  PyCodeObject *code = PyFrame_GetCode (frame);
  const char *file = PyUnicode_AsUTF8 (code->co_filename), *function = PyUnicode_AsUTF8 (code->co_qualname);
  g_autofree char *line = g_strdup_printf ("File \"%s\", line %d, in %s", file != NULL ? file : "?",
                                           PyFrame_GetLineNumber (frame), function != NULL ? function : "?");

  PyErr_Clear ();
  Py_DECREF (code);
  g_strv_builder_add (lines, line);
}

/* Takes the frame; innermost first, as the library has it. */
static char **
lines_of (PyObject *frame)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();

  for (guint i = 0; frame != NULL; i++)
    {
      PyObject *outer = i < MAX_LINES ? (PyObject *) PyFrame_GetBack ((PyFrameObject *) frame) : NULL;

      add_line (lines, (PyFrameObject *) frame);
      Py_SETREF (frame, outer);
    }
  return g_strv_builder_end (lines);
}

static PyObject *
find_frame (CothreadTask *handle)
{
  PyTask *task = py_task_find (handle);
  PyCall *call = first_call;

  if (handle == cothread_task_self ())
    return (PyObject *) PyThreadState_GetFrame (PyThreadState_Get ());
  if (task != NULL)
    return task->is_running && task->stack != NULL ? py_stack_get_frame (task->stack) : NULL;
  while (call != NULL && call->handle != handle)
    call = call->next;
  return call != NULL && call->stack != NULL ? py_stack_get_frame (call->stack) : NULL;
}

/* From within the library, wherever somebody asks it. */
static char **
tell_frames (CothreadTask *handle, G_GNUC_UNUSED gpointer user_data)
{
  PyObject *type, *value, *traceback;
  char **lines;
  PyLock lock;
  int collects;

  if (!Py_IsInitialized () || PyGILState_GetThisThreadState () == NULL)
    return NULL;
  lock = py_lock ();
  /* Frames are made of what the interpreter has; a collection at this moment
   * could run anything. */
  collects = PyGC_Disable ();
  PyErr_Fetch (&type, &value, &traceback);
  lines = lines_of (find_frame (handle));
  PyErr_Restore (type, value, traceback);
  if (collects)
    PyGC_Enable ();
  py_unlock (lock);
  return lines;
}

gboolean
py_frames_setup (void)
{
  py_language = g_intern_static_string ("Python");
  cothread_monitor_set_frames_hook (py_language, tell_frames, NULL);
  return TRUE;
}
