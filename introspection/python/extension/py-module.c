/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The module _cothread: tasks and waits at the speed of C, without a closure or
 * a wrapper of PyGObject's. gi/overrides/Cothread.py makes it comfortable. */

#if PY_VERSION_HEX < 0x030B0000
#define UNSUPPORTED "cothread needs Python 3.11 or later; this is Python " PY_VERSION
#elif defined(Py_GIL_DISABLED)
#define UNSUPPORTED "cothread needs a Python with a global interpreter lock; this one was built without"
#elif PY_VERSION_HEX >= 0x030E0000 && !defined(HAVE_STACK_PROTECTION)
#define UNSUPPORTED "cothread needs a Python 3.14 that has PyUnstable_ThreadState_SetStackProtection(); this is Python " PY_VERSION
#endif

#ifndef UNSUPPORTED

#include "py-callback.h"
#include "py-foreign.h"
#include "py-frames.h"
#include "py-sync.h"
#include "py-task.h"

/* There is one of everything here, as there is of the thread's scheduler: whoever
 * imports the module anew gets the same. */
static PyObject *contents;

gboolean
py_add_type (PyObject *module, PyType_Spec *spec, PyTypeObject **type)
{
  PyObject *made = PyType_FromSpec (spec);

  if (type != NULL)
    *type = (PyTypeObject *) made;
  return made != NULL && PyModule_AddObjectRef (module, strrchr (spec->name, '.') + 1, made) == 0;
}

static int
add_everything (PyObject *module)
{
  if (!(py_frames_setup () && py_wait_setup (module) && py_task_setup (module) && py_sync_setup (module) &&
        py_lock_setup (module) && py_wait_any_setup (module) && py_poll_setup (module) &&
        py_prompt_setup (module) && py_callback_setup (module) && py_foreign_setup (module)))
    return -1;
  contents = PyDict_Copy (PyModule_GetDict (module));
  return contents != NULL ? 0 : -1;
}

static int
exec_module (PyObject *module)
{
  /* The callbacks of introspection enter the main interpreter, whoever made them. */
  if (PyInterpreterState_Get () != PyInterpreterState_Main ())
    {
      PyErr_SetString (PyExc_ImportError, "cothread works in the main interpreter only, not in a subinterpreter");
      return -1;
    }
  return contents == NULL ? add_everything (module) : PyDict_Update (PyModule_GetDict (module), contents);
}

#else

static int
exec_module (PyObject *module)
{
  (void) module;
  PyErr_SetString (PyExc_ImportError, UNSUPPORTED);
  return -1;
}

#endif

static PyModuleDef_Slot slots[] = {
  { Py_mod_exec, (void *) exec_module },
  { 0, NULL },
};

static PyModuleDef module_def = {
  PyModuleDef_HEAD_INIT,
  .m_name = "_cothread",
  .m_doc = "Cooperative threads inside a GLib main loop: what gi.repository.Cothread is made of.",
  .m_slots = slots,
};

PyMODINIT_FUNC PyInit__cothread (void);

PyMODINIT_FUNC
PyInit__cothread (void)
{
  return PyModuleDef_Init (&module_def);
}
