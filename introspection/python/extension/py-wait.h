/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-stack.h"

/* What every wait of this extension begins and ends with. */

typedef struct
{
  gint64 timeout_us;
  gboolean is_by_deadline; /* of a surrounding timeout */
  gboolean was_lazy;
  gboolean is_main;
  PyThreadState *released;
  gint old_wakeup_fd;
} PyWait;

/* `timeout` is None (never), a number of seconds, or a tuple of one, a deadline
 * in the sense of time.time(). FALSE with an exception set. Afterwards nothing
 * of Python may be used before py_wait_end(). */
gboolean py_wait_begin (PyWait *wait, PyObject *timeout);
/* Returns `success`; raises what the error says, and frees it. */
gboolean py_wait_end (PyWait *wait, gboolean success, GError *error);

gboolean py_timeout_parse (PyObject *timeout, gint64 *timeout_us);

/* The calling thread's scheduler, with our hooks in it; NULL with an exception
 * set. Borrowed. */
CothreadScheduler *py_scheduler_ensure (void);

/* Raises what an error means in Python; takes it. */
void py_raise_gerror (GError *error);

extern PyObject *py_exc_cancelled, *py_exc_timed_out, *py_exc_wrong_context, *py_exc_wrong_thread, *py_exc_closed,
  *py_exc_full, *py_exc_interrupted;

/* A task ended with KeyboardInterrupt: main's wait, if there is one, shall raise
 * it. Whether there is. */
gboolean py_interrupt_main (PyObject *exception);
/* Main waited for that very task and gets the exception from it: not a second
 * time from its next wait. */
void py_interrupt_forget (PyObject *exception);

/* Signals reach a busy task, too: `fd` is what main's wait reads of them. */
void py_signal_watch (gint fd);

/* Whether an object is used in the thread that made it; else raises. */
#define PY_OWNER_FIELD gconstpointer owner
gconstpointer py_this_thread (void);
gboolean py_check_owner (gconstpointer owner);

/* The one optional argument, timeout, of a METH_FASTCALL | METH_KEYWORDS
 * method; FALSE with an exception set. */
gboolean py_timeout_argument (const char *method, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords, PyObject **timeout);

/* __await__ of everything that can be waited for: a hook in Python knows how. */
PyObject *py_await (PyObject *self);

/* In the child of a fork. */
void py_tasks_forget (void);

gboolean py_wait_setup (PyObject *module);
