/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-sync.h"

/* RLock and Semaphore. */

typedef struct
{
  PyObject_HEAD
  GObject *object;
  PY_OWNER_FIELD;
} PyLockObject;

#define LOCK(self) ((CothreadLock *) (gpointer) (self)->object)
#define SEMAPHORE(self) ((CothreadSemaphore *) (gpointer) (self)->object)

static PyLockObject *
lock_alloc (PyTypeObject *type, GObject *object)
{
  PyLockObject *self = py_scheduler_ensure () != NULL ? (PyLockObject *) type->tp_alloc (type, 0) : NULL;

  if (self == NULL)
    {
      g_object_unref (object);
      return NULL;
    }
  self->object = object;
  self->owner = py_this_thread ();
  return self;
}

static void
lock_dealloc (PyLockObject *self)
{
  PyTypeObject *type = Py_TYPE (self);

  g_clear_object (&self->object);
  type->tp_free (self);
  Py_DECREF (type);
}

static PyObject *
lock_new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { NULL };

  /* A class that derives from it may take arguments of its own. */
  if (type->tp_init == PyBaseObject_Type.tp_init && !PyArg_ParseTupleAndKeywords (args, kwargs, ":RLock", names))
    return NULL;
  return (PyObject *) lock_alloc (type, (GObject *) cothread_lock_new ());
}

static gboolean
lock_wait (PyLockObject *self, PyObject *timeout)
{
  GError *error = NULL;
  PyWait wait;
  gboolean success;

  if (!py_check_owner (self->owner) || !py_wait_begin (&wait, timeout))
    return FALSE;
  success = cothread_lock_acquire (LOCK (self), wait.timeout_us, &error);
  return py_wait_end (&wait, success, error);
}

static PyObject *
lock_acquire (PyLockObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  PyObject *timeout;

  if (!py_timeout_argument ("acquire", args, n_args, keywords, &timeout))
    return NULL;
  return lock_wait (self, timeout) ? Py_NewRef (Py_True) : NULL;
}

static PyObject *
lock_release (PyLockObject *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  if (!cothread_lock_is_own (LOCK (self)))
    return PyErr_Format (py_exc_wrong_context, "This lock is not held by the task that releases it");
  cothread_lock_release (LOCK (self));
  Py_RETURN_NONE;
}

static PyObject *
lock_enter (PyLockObject *self, G_GNUC_UNUSED PyObject *unused)
{
  return lock_wait (self, NULL) ? Py_NewRef (self) : NULL;
}

static PyObject *
lock_exit (PyLockObject *self, G_GNUC_UNUSED PyObject *args)
{
  return lock_release (self, NULL);
}

static PyObject *
lock_get_held (PyLockObject *self, G_GNUC_UNUSED gpointer closure)
{
  return PyBool_FromLong (cothread_lock_is_held (LOCK (self)));
}

static PyMethodDef lock_methods[] = {
  { "acquire", (PyCFunction) (void (*) (void)) lock_acquire, METH_FASTCALL | METH_KEYWORDS,
    "acquire($self, /, timeout=None)\n--\n\nTakes the lock, waiting for it; a task may take it again. Raises TimedOut." },
  { "release", (PyCFunction) lock_release, METH_NOARGS, "release($self, /)\n--\n\nGives the lock back; RuntimeError where the task does not hold it." },
  { "__enter__", (PyCFunction) lock_enter, METH_NOARGS, NULL },
  { "__exit__", (PyCFunction) lock_exit, METH_VARARGS, NULL },
  { NULL, NULL, 0, NULL },
};

static PyGetSetDef lock_getset[] = {
  { "held", (getter) lock_get_held, NULL, "Whether anybody holds the lock.", NULL },
  { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot lock_slots[] = {
  { Py_tp_doc, (void *) "RLock()\n--\n\nA lock that one task holds, as often as it likes. A context manager." },
  { Py_tp_new, lock_new },
  { Py_tp_dealloc, lock_dealloc },
  { Py_tp_methods, lock_methods },
  { Py_tp_getset, lock_getset },
  { 0, NULL },
};

static PyType_Spec lock_spec = {
  .name = "_cothread.RLock",
  .basicsize = sizeof (PyLockObject),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = lock_slots,
};

/* ---- Semaphore ---- */

static PyObject *
semaphore_new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { "available", "maximum", NULL };
  unsigned int available = 1, maximum = 0;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "|II:Semaphore", names, &available, &maximum))
    return NULL;
  if (maximum != 0 && available > maximum)
    return PyErr_Format (PyExc_ValueError, "More permits than the maximum");
  return (PyObject *) lock_alloc (type, (GObject *) cothread_semaphore_new (available, maximum));
}

static gboolean
semaphore_wait (PyLockObject *self, PyObject *timeout)
{
  GError *error = NULL;
  PyWait wait;
  gboolean success;

  if (!py_check_owner (self->owner) || !py_wait_begin (&wait, timeout))
    return FALSE;
  success = cothread_semaphore_acquire (SEMAPHORE (self), wait.timeout_us, &error);
  return py_wait_end (&wait, success, error);
}

static PyObject *
semaphore_acquire (PyLockObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  PyObject *timeout;

  if (!py_timeout_argument ("acquire", args, n_args, keywords, &timeout))
    return NULL;
  return semaphore_wait (self, timeout) ? Py_NewRef (Py_True) : NULL;
}

static PyObject *
semaphore_release (PyLockObject *self, G_GNUC_UNUSED PyObject *unused)
{
  guint maximum;

  if (!py_check_owner (self->owner))
    return NULL;
  maximum = cothread_semaphore_get_maximum (SEMAPHORE (self));
  if (maximum != 0 && cothread_semaphore_get_available (SEMAPHORE (self)) >= maximum)
    return PyErr_Format (PyExc_ValueError, "The semaphore was released too many times");
  cothread_semaphore_release (SEMAPHORE (self));
  Py_RETURN_NONE;
}

static PyObject *
semaphore_enter (PyLockObject *self, G_GNUC_UNUSED PyObject *unused)
{
  return semaphore_wait (self, NULL) ? Py_NewRef (self) : NULL;
}

static PyObject *
semaphore_exit (PyLockObject *self, G_GNUC_UNUSED PyObject *args)
{
  return semaphore_release (self, NULL);
}

static PyObject *
semaphore_get_available (PyLockObject *self, G_GNUC_UNUSED gpointer closure)
{
  return PyLong_FromUnsignedLong (cothread_semaphore_get_available (SEMAPHORE (self)));
}

static PyMethodDef semaphore_methods[] = {
  { "acquire", (PyCFunction) (void (*) (void)) semaphore_acquire, METH_FASTCALL | METH_KEYWORDS,
    "acquire($self, /, timeout=None)\n--\n\nTakes a permit, waiting for one. Raises TimedOut." },
  { "release", (PyCFunction) semaphore_release, METH_NOARGS, "release($self, /)\n--\n\nGives a permit back; ValueError beyond the maximum." },
  { "__enter__", (PyCFunction) semaphore_enter, METH_NOARGS, NULL },
  { "__exit__", (PyCFunction) semaphore_exit, METH_VARARGS, NULL },
  { NULL, NULL, 0, NULL },
};

static PyGetSetDef semaphore_getset[] = {
  { "available", (getter) semaphore_get_available, NULL, "How many permits can be taken without waiting.", NULL },
  { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot semaphore_slots[] = {
  { Py_tp_doc, (void *) "Semaphore(available=1, maximum=0)\n--\n\nPermits that tasks take and give back; maximum 0: any number. A context manager." },
  { Py_tp_new, semaphore_new },
  { Py_tp_dealloc, lock_dealloc },
  { Py_tp_methods, semaphore_methods },
  { Py_tp_getset, semaphore_getset },
  { Py_am_await, py_await },
  { 0, NULL },
};

static PyType_Spec semaphore_spec = {
  .name = "_cothread.Semaphore",
  .basicsize = sizeof (PyLockObject),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = semaphore_slots,
};

gboolean
py_lock_setup (PyObject *module)
{
  return py_add_type (module, &lock_spec, NULL) && py_add_type (module, &semaphore_spec, NULL);
}
