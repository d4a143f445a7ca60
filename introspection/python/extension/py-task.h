/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-wait.h"

/* A task that runs a Python callable. */

typedef struct _PyTask PyTask;

struct _PyTask
{
  PyObject_HEAD
  CothreadTask *handle; /* NULL before it was spawned */
  PY_OWNER_FIELD;
  gsize stack_bytes;
  PyStack *stack;      /* until it has run */
  PyObject *function; /* these three until it has run */
  PyObject *args;
  PyObject *kwargs;
  PyObject *name;      /* or NULL */
  PyObject *result;    /* once finished, one of these two */
  PyObject *exception;
  PyObject *weakrefs;
  PyTask *previous, *next; /* of all that have not ended; not references */
  gboolean is_running;
  gboolean is_finished;
  gboolean was_seen; /* somebody got the exception */
  gboolean reports_at_once;
};

extern PyTypeObject *py_task_type;

/* What the library calls the language; interned. */
extern const char *py_language;

/* One that has not ended, or NULL; borrowed. Quick for many in a row. */
PyTask *py_task_find (CothreadTask *handle);

gboolean py_task_setup (PyObject *module);
/* (result or exception) of a finished task; new reference, or NULL with it set. */
PyObject *py_task_take_result (PyTask *self);
