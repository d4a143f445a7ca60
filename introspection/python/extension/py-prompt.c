/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-sync.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Tasks run while the interactive prompt waits: PyOS_InputHook. */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define SIGNAL_AGAIN_NS (20 * 1000 * 1000)
#define AND_AGAIN_S 1

#define PROMPT_IDLE_US (90 * 1000)

static gint64 last_return_us;
static timer_t again_timer;
static gboolean has_again_timer;

static void
stop_interrupting (void)
{
  if (has_again_timer)
    timer_delete (again_timer); /* that of a parent is not there: no harm */
  has_again_timer = FALSE;
}

/* The first thing that the interpreter does when it runs Python again. */
static int
prompt_has_heard (G_GNUC_UNUSED void *data)
{
  stop_interrupting ();
  return 0;
}

/* The prompt learns of Ctrl-C only from a select() or read() of its own that the
 * signal interrupts. So one that came while tasks ran comes again a little
 * later, when the prompt has gone back to that; where it took longer to, once
 * more, until the prompt asks for tasks again or has raised KeyboardInterrupt.
 * The prompt of 3.13 is written in Python, and looks by itself. */
static void
interrupt_prompt_soon (void)
{
  struct itimerspec times = { .it_value = { .tv_nsec = SIGNAL_AGAIN_NS }, .it_interval = { .tv_sec = AND_AGAIN_S } };
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGINT };

  PyErr_SetInterrupt ();
  event.sigev_notify_thread_id = gettid ();
  stop_interrupting ();
  has_again_timer = timer_create (CLOCK_MONOTONIC, &event, &again_timer) == 0;
  if (has_again_timer)
    timer_settime (again_timer, 0, &times, NULL);
  Py_AddPendingCall (prompt_has_heard, NULL);
}

/* The prompt of 3.13 reads all there is and keeps it. That it has nothing left
 * is seen from the tenth of a second for which it waited itself. */
static gboolean
may_have_read_ahead (void)
{
  PyFrameObject *frame = PyThreadState_GetFrame (PyThreadState_Get ());
  PyCodeObject *code = frame != NULL ? PyFrame_GetCode (frame) : NULL;
  const char *file = code != NULL ? PyUnicode_AsUTF8 (code->co_filename) : NULL;
  gboolean is_python = file != NULL && g_str_has_suffix (file, "_pyrepl/reader.py");

  PyErr_Clear ();
  Py_XDECREF (code);
  Py_XDECREF (frame);
  return is_python && g_get_monotonic_time () - last_return_us < PROMPT_IDLE_US;
}

/* However fast somebody types, each key lets tasks run. */
static void
wait_for_input (void)
{
  gboolean is_brief = may_have_read_ahead ();
  GError *error = NULL;
  PyWait wait;
  gboolean success = py_wait_begin (&wait, NULL);

  if (success)
    {
      success = cothread_yield (&error) &&
                (is_brief || cothread_wait_fd (fileno (stdin), G_IO_IN, COTHREAD_FOREVER, &error) != 0);
      success = py_wait_end (&wait, success, error);
    }
  if (success)
    return;
  if (PyErr_ExceptionMatches (PyExc_KeyboardInterrupt))
    {
      PyErr_Clear ();
      interrupt_prompt_soon ();
    }
  /* A prompt in a handler of the main loop, or without standard input, just waits. */
  else if (PyErr_ExceptionMatches (py_exc_wrong_context) || PyErr_ExceptionMatches (PyExc_OSError) ||
           PyErr_ExceptionMatches (py_exc_interrupted))
    PyErr_Clear ();
  else
    PyErr_WriteUnraisable (NULL);
}

/* Called again and again while Python waits for a line. The module readline
 * calls it between its select() and its look at errno. */
static int
input_hook (void)
{
  gboolean prompt_knows = errno == EINTR;
  PyGILState_STATE state = PyGILState_Ensure ();

  stop_interrupting ();
  if (PyOS_InterruptOccurred ())
    {
      PyErr_SetInterrupt (); /* that was for the prompt */
      if (!prompt_knows)
        interrupt_prompt_soon ();
    }
  else
    wait_for_input ();
  PyGILState_Release (state);
  last_return_us = g_get_monotonic_time ();
  errno = 0;
  return 0;
}

static PyObject *
set_input_hook (G_GNUC_UNUSED PyObject *module, PyObject *enable)
{
  gint is_enabled = PyObject_IsTrue (enable);

  if (is_enabled < 0)
    return NULL;
  if (is_enabled)
    PyOS_InputHook = input_hook;
  else if (PyOS_InputHook == input_hook)
    PyOS_InputHook = NULL;
  Py_RETURN_NONE;
}

static PyObject *
get_input_hook (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  if (PyOS_InputHook == NULL)
    Py_RETURN_NONE;
  return PyBool_FromLong (PyOS_InputHook == input_hook);
}

static PyMethodDef functions[] = {
  { "set_input_hook", set_input_hook, METH_O,
    "set_input_hook(enable, /)\n--\n\nWhether tasks run while the interactive prompt waits for a line." },
  { "get_input_hook", get_input_hook, METH_NOARGS,
    "get_input_hook()\n--\n\nWhether they do; None: nobody has a hook there." },
  { NULL, NULL, 0, NULL },
};

gboolean
py_prompt_setup (PyObject *module)
{
  return PyModule_AddFunctions (module, functions) == 0;
}
