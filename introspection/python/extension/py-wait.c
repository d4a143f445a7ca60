/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-wait.h"
#include "py-callback.h"
#include "py-frames.h"
#include "py-stack-private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#define MAX_SECONDS 9.0e9 /* 285 years: more is for ever */

PyObject *py_exc_cancelled, *py_exc_timed_out, *py_exc_wrong_context, *py_exc_wrong_thread, *py_exc_closed, *py_exc_full,
  *py_exc_interrupted;

gconstpointer
py_this_thread (void)
{
  return &py_thread;
}

gboolean
py_check_owner (gconstpointer owner)
{
  if (G_LIKELY (owner == &py_thread))
    return TRUE;
  PyErr_SetString (py_exc_wrong_thread,
                   "This object belongs to another thread: use Cothread.callback() to reach it from here");
  return FALSE;
}

/* ---- errors ---- */

static PyObject *
exception_for (const GError *error)
{
  if (error->domain == G_IO_ERROR)
    switch (error->code)
      {
      case G_IO_ERROR_CANCELLED:
        return py_exc_cancelled;
      case G_IO_ERROR_TIMED_OUT:
        return py_exc_timed_out;
      case G_IO_ERROR_NO_SPACE:
        return PyExc_MemoryError;
      case G_IO_ERROR_INVALID_ARGUMENT:
        return PyExc_ValueError;
      default:
        return PyExc_OSError;
      }
  if (error->domain == COTHREAD_ERROR)
    switch (error->code)
      {
      case COTHREAD_ERROR_WRONG_CONTEXT:
        return py_exc_wrong_context;
      case COTHREAD_ERROR_INTERRUPTED:
        return py_exc_interrupted;
      case COTHREAD_ERROR_FULL:
        return py_exc_full;
      case COTHREAD_ERROR_CLOSED:
        return py_exc_closed;
      default:
        break;
      }
  return PyExc_RuntimeError;
}

void
py_raise_gerror (GError *error)
{
  PyErr_SetString (error != NULL ? exception_for (error) : PyExc_RuntimeError,
                   error != NULL ? error->message : "The call was refused; a critical on stderr says why");
  g_clear_error (&error);
}

/* ---- timeouts ---- */

static gint64
microseconds (double seconds)
{
  if (seconds <= 0)
    return 0;
  return seconds >= MAX_SECONDS ? COTHREAD_FOREVER : (gint64) ceil (seconds * G_USEC_PER_SEC);
}

gboolean
py_timeout_parse (PyObject *timeout, gint64 *timeout_us)
{
  gboolean is_deadline = FALSE;
  double seconds;

  if (timeout == NULL || timeout == Py_None)
    {
      *timeout_us = COTHREAD_FOREVER;
      return TRUE;
    }
  if (PyTuple_Check (timeout) && PyTuple_GET_SIZE (timeout) == 1)
    {
      timeout = PyTuple_GET_ITEM (timeout, 0);
      is_deadline = TRUE;
      if (timeout == Py_None)
        {
          *timeout_us = COTHREAD_FOREVER;
          return TRUE;
        }
    }
  if (!PyFloat_Check (timeout) && !PyNumber_Check (timeout))
    {
      PyErr_Format (PyExc_TypeError, "A timeout is None, a number of seconds or a tuple (deadline,), not %.100s",
                    Py_TYPE (timeout)->tp_name);
      return FALSE;
    }
  seconds = PyFloat_AsDouble (timeout);
  if (seconds == -1.0 && PyErr_Occurred ())
    return FALSE;
  if (isnan (seconds))
    {
      PyErr_SetString (PyExc_ValueError, "A timeout cannot be NaN");
      return FALSE;
    }
  if (is_deadline)
    seconds -= (double) g_get_real_time () / G_USEC_PER_SEC;
  *timeout_us = microseconds (seconds);
  return TRUE;
}

/* ---- the thread ---- */

static gboolean
is_main_thread (void)
{
  return getpid () == gettid ();
}

typedef struct
{
  GSource parent;
  gint signal_fds[2]; /* what Python's signal handlers write to during a wait in main */
  gpointer signal_tag;
  PyThread *thread;
} PySource;

/* Before the loop polls: nobody needs the lock that is held lazily. */
static gboolean
source_prepare (GSource *source, gint *timeout_ms)
{
  *timeout_ms = -1;
  if (((PySource *) source)->thread == &py_thread)
    py_lock_drop_lazy ();
  return FALSE;
}

static gboolean
source_check (GSource *source)
{
  PySource *self = (PySource *) source;

  return self->signal_tag != NULL && g_source_query_unix_fd (source, self->signal_tag) != 0;
}

static gboolean
source_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  PySource *self = (PySource *) source;
  char bytes[64];
  PyLock lock;

  while (read (self->signal_fds[0], bytes, sizeof bytes) > 0)
    ;
  lock = py_lock ();
  if (PyErr_CheckSignals () < 0)
    {
      PyObject *type, *value, *traceback;

      PyErr_Fetch (&type, &value, &traceback);
      PyErr_NormalizeException (&type, &value, &traceback);
      if (traceback != NULL)
        PyException_SetTraceback (value, traceback);
      if (!py_interrupt_main (value))
        PyErr_Restore (g_steal_pointer (&type), g_steal_pointer (&value), g_steal_pointer (&traceback));
      if (PyErr_Occurred ())
        PyErr_WriteUnraisable (NULL);
      Py_XDECREF (type);
      Py_XDECREF (value);
      Py_XDECREF (traceback);
    }
  py_unlock (lock);
  return G_SOURCE_CONTINUE;
}

static void
source_finalize (GSource *source)
{
  PySource *self = (PySource *) source;

  for (guint i = 0; i < 2; i++)
    if (self->signal_fds[i] >= 0)
      close (self->signal_fds[i]);
}

static GSourceFuncs source_funcs = { source_prepare, source_check, source_dispatch, source_finalize, NULL, NULL };

static GSource *
attach_source (GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (PySource));
  PySource *self = (PySource *) source;

  self->signal_fds[0] = self->signal_fds[1] = -1;
  self->thread = &py_thread;
  g_source_set_static_name (source, "cothread python");
  g_source_set_priority (source, G_MININT); /* prepared before anything else, in every iteration */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, context);
  return source;
}

/* The library would call it a programmer's error; here it is an exception. */
static gboolean
may_have_scheduler (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  if (cothread_task_self () != NULL)
    return TRUE;
  if (context == NULL)
    context = g_main_context_default ();
  if (g_main_context_is_owner (context))
    return TRUE;
  if ((context == g_main_context_default () && !is_main_thread ()) || !g_main_context_acquire (context))
    return FALSE;
  g_main_context_release (context);
  return TRUE;
}

static void
ensure_source (void)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  if (py_thread.source != NULL && !g_source_is_destroyed (py_thread.source) &&
      g_source_get_context (py_thread.source) == context)
    return;
  if (py_thread.source != NULL && !g_source_is_destroyed (py_thread.source))
    g_source_destroy (py_thread.source);
  g_clear_pointer (&py_thread.source, g_source_unref);
  py_thread.source = attach_source (context);
}

CothreadScheduler *
py_scheduler_ensure (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_peek_default ();

  if (G_LIKELY (scheduler != NULL && scheduler == py_thread.scheduler))
    {
      if (cothread_task_self () == NULL)
        ensure_source ();
      return scheduler;
    }
  if (scheduler == NULL && may_have_scheduler ())
    scheduler = cothread_scheduler_get_default ();
  if (scheduler == NULL)
    {
      PyErr_SetString (py_exc_wrong_context,
                       "This thread has no main context of its own: push a thread-default GLib.MainContext first, "
                       "or use Cothread.callback() to reach the main thread");
      return NULL;
    }
  if (!cothread_scheduler_set_switch_hooks (scheduler, &py_stack_hooks, NULL))
    {
      PyErr_SetString (PyExc_RuntimeError, "The scheduler of this thread is shut down, or another language has its hooks there");
      return NULL;
    }
  if (cothread_task_self () == NULL)
    ensure_source ();
  if (py_thread.dict == NULL)
    {
      py_thread.dict = PyThreadState_GetDict ();
      Py_XINCREF (py_thread.dict);
      /* The thread state stays until the thread ends, whatever calls Python. */
      PyGILState_Ensure ();
    }
  g_set_object (&py_thread.scheduler, scheduler);
  if (is_main_thread ())
    py_callback_set_scheduler (scheduler);
  return scheduler;
}

gboolean
py_interrupt_main (PyObject *exception)
{
  if (py_thread.main_waits == 0 || py_thread.scheduler == NULL)
    return FALSE;
  Py_XSETREF (py_thread.main_exception, Py_NewRef (exception));
  cothread_scheduler_interrupt (py_thread.scheduler);
  return TRUE;
}

void
py_interrupt_forget (PyObject *exception)
{
  GError *error = NULL;
  PyThreadState *released;

  if (exception == NULL || py_thread.main_exception != exception || cothread_task_self () != NULL)
    return;
  Py_CLEAR (py_thread.main_exception);
  released = PyEval_SaveThread ();
  cothread_sleep (0, &error); /* it is this wait that is interrupted */
  PyEval_RestoreThread (released);
  g_clear_error (&error);
}

/* ---- waiting ---- */

static PyObject *signal_set_wakeup_fd;

static gint
set_wakeup_fd (gint fd)
{
  PyObject *type, *value, *traceback, *old;
  gint old_fd;

  PyErr_Fetch (&type, &value, &traceback);
  old = PyObject_CallFunction (signal_set_wakeup_fd, "i", fd);
  old_fd = old != NULL ? (gint) PyLong_AsLong (old) : -1;

  /* In a subinterpreter, where signals are none of our business. */
  PyErr_Clear ();
  Py_XDECREF (old);
  PyErr_Restore (type, value, traceback);
  return old_fd;
}

static gboolean
begin_in_main (PyWait *wait)
{
  wait->is_main = TRUE;
  wait->old_wakeup_fd = -1;
  py_thread.main_waits++;
  if (py_thread.main_waits == 1 && is_main_thread ())
    {
      PySource *source = (PySource *) py_thread.source;

      if (source->signal_fds[0] < 0 && pipe2 (source->signal_fds, O_CLOEXEC | O_NONBLOCK) == 0)
        {
          source->signal_tag = g_source_add_unix_fd (py_thread.source, source->signal_fds[0], G_IO_IN);
          py_signal_watch (source->signal_fds[0]);
        }
      if (source->signal_fds[1] >= 0)
        wait->old_wakeup_fd = set_wakeup_fd (source->signal_fds[1]);
      /* One that came just before wakes nobody. */
      if (PyErr_CheckSignals () < 0)
        {
          py_thread.main_waits--;
          set_wakeup_fd (wait->old_wakeup_fd);
          return FALSE;
        }
    }
  wait->released = PyEval_SaveThread ();
  return TRUE;
}

static void
end_in_main (PyWait *wait)
{
  PyEval_RestoreThread (wait->released);
  py_thread.main_waits--;
  if (py_thread.main_waits == 0 && is_main_thread ())
    set_wakeup_fd (wait->old_wakeup_fd);
}

gboolean
py_wait_begin (PyWait *wait, PyObject *timeout)
{
  *wait = (PyWait) { 0 };
  if (!py_timeout_parse (timeout, &wait->timeout_us))
    return FALSE;
  if (G_UNLIKELY (py_thread.deadline_us != PY_NO_DEADLINE))
    {
      gint64 left_us = py_thread.deadline_us - g_get_monotonic_time ();

      left_us = left_us < 0 ? 0 : left_us;
      if (wait->timeout_us == COTHREAD_FOREVER || left_us < wait->timeout_us)
        {
          wait->timeout_us = left_us;
          wait->is_by_deadline = TRUE;
        }
    }
  wait->was_lazy = py_thread.lock_is_lazy;
  py_thread.lock_is_lazy = FALSE;
  if (G_LIKELY (cothread_task_self () != NULL))
    return TRUE;
  if (py_scheduler_ensure () == NULL)
    return FALSE;
  return begin_in_main (wait);
}

gboolean
py_timeout_argument (const char *method, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords, PyObject **timeout)
{
  Py_ssize_t n_keywords = keywords != NULL ? PyTuple_GET_SIZE (keywords) : 0;

  *timeout = NULL;
  if (n_args + n_keywords == 0)
    return TRUE;
  if (n_args + n_keywords == 1 &&
      (n_keywords == 0 || PyUnicode_CompareWithASCIIString (PyTuple_GET_ITEM (keywords, 0), "timeout") == 0))
    {
      *timeout = args[0];
      return TRUE;
    }
  PyErr_Format (PyExc_TypeError, "%s() takes one argument, timeout", method);
  return FALSE;
}

gboolean
py_wait_end (PyWait *wait, gboolean success, GError *error)
{
  py_thread.lock_is_lazy = wait->was_lazy;
  if (G_UNLIKELY (wait->is_main))
    {
      end_in_main (wait);
      if (!success && py_thread.main_exception != NULL && py_thread.main_waits == 0 &&
          g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED))
        {
          PyObject *exception = g_steal_pointer (&py_thread.main_exception);

          g_error_free (error);
          PyErr_SetObject ((PyObject *) Py_TYPE (exception), exception);
          Py_DECREF (exception);
          return FALSE;
        }
    }
  if (!success)
    py_raise_gerror (error);
  return success;
}

/* ---- functions ---- */

static PyObject *
sleep_for (G_GNUC_UNUSED PyObject *module, PyObject *seconds)
{
  GError *error = NULL;
  PyWait wait;
  gboolean success;

  if (!py_wait_begin (&wait, seconds))
    return NULL;
  success = cothread_sleep (wait.timeout_us, &error);
  if (success && wait.is_by_deadline)
    {
      success = FALSE;
      g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The wait timed out");
    }
  return py_wait_end (&wait, success, error) ? Py_NewRef (Py_None) : NULL;
}

static PyObject *
yield_now (G_GNUC_UNUSED PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  GError *error = NULL;
  PyObject *timeout;
  PyWait wait;
  gboolean success;

  if (!py_timeout_argument ("yield_", args, n_args, keywords, &timeout) || !py_wait_begin (&wait, timeout))
    return NULL;
  if (wait.is_by_deadline && wait.timeout_us == 0)
    {
      success = FALSE;
      g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The wait timed out");
    }
  else if (wait.timeout_us == COTHREAD_FOREVER || wait.is_by_deadline)
    success = cothread_yield (&error);
  else
    success = cothread_yield_for (wait.timeout_us, &error);
  return py_wait_end (&wait, success, error) ? Py_NewRef (Py_None) : NULL;
}

static PyObject *
checkpoint (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  GError *error = NULL;
  PyWait wait;
  gboolean success;

  if (!py_wait_begin (&wait, NULL))
    return NULL;
  success = cothread_checkpoint (&error);
  return py_wait_end (&wait, success, error) ? Py_NewRef (Py_None) : NULL;
}

static PyObject *
wait_fd (G_GNUC_UNUSED PyObject *module, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { "fd", "condition", "timeout", NULL };
  PyObject *file, *timeout = NULL;
  GError *error = NULL;
  int condition, fd;
  PyWait wait;
  GIOCondition happened;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "Oi|O:wait_fd", names, &file, &condition, &timeout))
    return NULL;
  fd = PyObject_AsFileDescriptor (file);
  if (fd < 0 || !py_wait_begin (&wait, timeout))
    return NULL;
  happened = cothread_wait_fd (fd, (GIOCondition) condition, wait.timeout_us, &error);
  return py_wait_end (&wait, happened != 0, error) ? PyLong_FromLong (happened) : NULL;
}

/* The deadline of the running stack: (set_deadline (None or monotonic µs) gives
 * the old one. */
static PyObject *
swap_deadline (G_GNUC_UNUSED PyObject *module, PyObject *deadline)
{
  gint64 old_us = py_thread.deadline_us;
  gint64 new_us = deadline != Py_None ? PyLong_AsLongLong (deadline) : PY_NO_DEADLINE;

  if (PyErr_Occurred ())
    return NULL;
  py_thread.deadline_us = new_us;
  return old_us != PY_NO_DEADLINE ? PyLong_FromLongLong (old_us) : Py_NewRef (Py_None);
}

static PyObject *
monotonic_us (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  return PyLong_FromLongLong (g_get_monotonic_time ());
}

static PyObject *
shield_begin (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  cothread_shield_begin ();
  Py_RETURN_NONE;
}

static PyObject *
shield_end (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  cothread_shield_end ();
  Py_RETURN_NONE;
}

static PyObject *
ensure (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  return py_scheduler_ensure () != NULL ? Py_NewRef (Py_None) : NULL;
}

static PyObject *
shut_down (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  CothreadScheduler *scheduler = py_thread.scheduler;

  if (cothread_task_self () != NULL || py_thread.main_waits > 0 || g_main_depth () > 0)
    return PyErr_Format (py_exc_wrong_context, "A scheduler cannot be shut down from inside one of its tasks");
  if (scheduler == NULL)
    Py_RETURN_NONE;
  if (is_main_thread ())
    py_callback_set_scheduler (NULL);
  Py_BEGIN_ALLOW_THREADS
  cothread_scheduler_shutdown (scheduler);
  Py_END_ALLOW_THREADS
  g_clear_object (&py_thread.scheduler);
  if (py_thread.source != NULL)
    {
      g_source_destroy (py_thread.source);
      g_clear_pointer (&py_thread.source, g_source_unref);
    }
  Py_RETURN_NONE;
}

/* In the child: whatever there is, is the parent's. */
static PyObject *
after_fork (G_GNUC_UNUSED PyObject *module, G_GNUC_UNUSED PyObject *unused)
{
  cothread_forked ();
  py_tasks_forget ();
  py_calls_forget ();
  py_callback_forget ();
  py_thread.scheduler = NULL;
  py_thread.task = NULL;
  py_thread.main_waits = 0;
  py_thread.lock_is_lazy = FALSE;
  py_thread.deadline_us = PY_NO_DEADLINE;
  if (py_thread.source != NULL && !g_source_is_destroyed (py_thread.source))
    g_source_destroy (py_thread.source);
  g_clear_pointer (&py_thread.source, g_source_unref);
  Py_RETURN_NONE;
}

static PyObject *await_hook;

PyObject *
py_await (PyObject *self)
{
  if (await_hook == NULL)
    return PyErr_Format (PyExc_TypeError, "Awaiting a %.100s needs gi.repository.Cothread", Py_TYPE (self)->tp_name);
  return PyObject_CallOneArg (await_hook, self);
}

static PyObject *
set_await_hook (G_GNUC_UNUSED PyObject *module, PyObject *hook)
{
  Py_XSETREF (await_hook, hook != Py_None ? Py_NewRef (hook) : NULL);
  Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
  { "sleep", sleep_for, METH_O,
    "sleep(seconds, /)\n--\n\nSuspends the calling task; None: for ever. In plain main code it runs the main context meanwhile." },
  { "yield_", (PyCFunction) (void (*) (void)) yield_now, METH_FASTCALL | METH_KEYWORDS,
    "yield_(timeout=None)\n--\n\nLets all other tasks that are ready run first, for the timeout at most." },
  { "checkpoint", checkpoint, METH_NOARGS,
    "checkpoint()\n--\n\nFor the inner loop of a long computation: yields, but only when the time slice is used up." },
  { "wait_fd", (PyCFunction) (void (*) (void)) wait_fd, METH_VARARGS | METH_KEYWORDS,
    "wait_fd(fd, condition, timeout=None)\n--\n\nWaits for a descriptor (a number, or what has fileno()); returns the conditions that hold." },
  { "swap_deadline", swap_deadline, METH_O,
    "swap_deadline(deadline_us, /)\n--\n\nThe monotonic time in microseconds at which each wait of the running task times out, or None; returns the old one." },
  { "monotonic_us", monotonic_us, METH_NOARGS, "monotonic_us()\n--\n\nThe library's clock, in microseconds." },
  { "shield_begin", shield_begin, METH_NOARGS, "shield_begin()\n--\n\nBegins a section that cancellation does not reach." },
  { "shield_end", shield_end, METH_NOARGS, "shield_end()\n--\n\nEnds what shield_begin() began." },
  { "ensure", ensure, METH_NOARGS, "ensure()\n--\n\nMakes the calling thread's scheduler, if need be." },
  { "shut_down", shut_down, METH_NOARGS,
    "shut_down()\n--\n\nCancels all tasks of the calling thread, lets them unwind, and ends its scheduler." },
  { "after_fork", after_fork, METH_NOARGS,
    "after_fork()\n--\n\nIn the child of a fork: forgets the tasks, which are the parent's." },
  { "set_await_hook", set_await_hook, METH_O,
    "set_await_hook(hook, /)\n--\n\nhook(waitable) gives the iterator of its __await__()." },
  { NULL, NULL, 0, NULL },
};

static gboolean
add_exception (PyObject *module, PyObject **exception, const char *name, PyObject *base, const char *doc)
{
  g_autofree char *full_name = g_strconcat ("_cothread.", name, NULL);

  *exception = PyErr_NewExceptionWithDoc (full_name, doc, base, NULL);
  return *exception != NULL && PyModule_AddObjectRef (module, name, *exception) == 0;
}

gboolean
py_wait_setup (PyObject *module)
{
  PyObject *signal = PyImport_ImportModule ("signal");
  /* The original asserts where these are raised. */
  PyObject *misuse = PyTuple_Pack (2, PyExc_RuntimeError, PyExc_AssertionError);
  gboolean is_set_up;

  signal_set_wakeup_fd = signal != NULL ? PyObject_GetAttrString (signal, "set_wakeup_fd") : NULL;
  Py_XDECREF (signal);
  is_set_up = signal_set_wakeup_fd != NULL && misuse != NULL &&
              add_exception (module, &py_exc_cancelled, "Cancelled", PyExc_BaseException,
                             "The task was cancelled. Not an Exception, so that no handler takes it for a failure.") &&
              add_exception (module, &py_exc_timed_out, "TimedOut", PyExc_TimeoutError, "A wait timed out.") &&
              add_exception (module, &py_exc_wrong_context, "WrongContext", misuse, "A wait at a place that cannot suspend.") &&
              add_exception (module, &py_exc_wrong_thread, "WrongThread", misuse, "An object was used in a thread that it does not belong to.") &&
              add_exception (module, &py_exc_closed, "Closed", PyExc_Exception, "The queue is closed.") &&
              add_exception (module, &py_exc_full, "Full", PyExc_Exception, "A bounded queue has no room.") &&
              add_exception (module, &py_exc_interrupted, "Interrupted", PyExc_Exception, "The wait of the main task was interrupted.") &&
              PyModule_AddFunctions (module, functions) == 0;
  Py_XDECREF (misuse);
  return is_set_up;
}
