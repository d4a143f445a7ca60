/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-wait.h"

#include <structmember.h>

/* A Python object around one of the library's. */
typedef struct
{
  PyObject_HEAD
  GObject *object;
  PY_OWNER_FIELD;
  PyObject *weakrefs;
  gboolean is_consuming; /* a wait takes the value */
} PySync;

#define EVENT(self) ((CothreadEvent *) (gpointer) (self)->object)
#define PULSE(self) ((CothreadPulse *) (gpointer) (self)->object)
#define QUEUE(self) ((CothreadEventQueue *) (gpointer) (self)->object)

extern PyTypeObject *py_event_type, *py_pulse_type, *py_event_queue_type;

/* What a wait returns for a value: a new reference, or NULL with the exception
 * that it stands for. */
PyObject *py_value_take (gpointer value, gboolean is_ours);

gboolean py_add_type (PyObject *module, PyType_Spec *spec, PyTypeObject **type);
gboolean py_sync_setup (PyObject *module);
gboolean py_lock_setup (PyObject *module);
gboolean py_wait_any_setup (PyObject *module);
gboolean py_poll_setup (PyObject *module);
gboolean py_prompt_setup (PyObject *module);
