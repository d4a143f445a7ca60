/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-sync.h"

/* Event, Pulse, EventQueue, Lock, Semaphore: Python objects around the
 * library's. A value is a reference that the library keeps and drops. */

PyTypeObject *py_event_type, *py_pulse_type, *py_event_queue_type;
static PyTypeObject *raise_type;

/* ---- values ---- */

/* What Event.signal_exception() leaves as the value. */
typedef struct
{
  PyObject_HEAD
  PyObject *exception;
} PyRaise;

static void
raise_dealloc (PyRaise *self)
{
  PyTypeObject *type = Py_TYPE (self);

  Py_CLEAR (self->exception);
  type->tp_free (self);
  Py_DECREF (type);
}

static PyType_Slot raise_slots[] = {
  { Py_tp_dealloc, raise_dealloc },
  { 0, NULL },
};

static PyType_Spec raise_spec = {
  .name = "_cothread.Raise",
  .basicsize = sizeof (PyRaise),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
  .slots = raise_slots,
};

static void
drop_value (gpointer data)
{
  PyGILState_STATE state;

  if (data == NULL || !Py_IsInitialized ())
    return;
  state = PyGILState_Ensure ();
  Py_DECREF ((PyObject *) data);
  PyGILState_Release (state);
}

PyObject *
py_value_take (gpointer value, gboolean is_ours)
{
  PyObject *object = value;

  if (object == NULL)
    Py_RETURN_NONE;
  if (Py_IS_TYPE (object, raise_type))
    {
      PyObject *exception = ((PyRaise *) object)->exception;

      if (PyExceptionClass_Check (exception))
        PyErr_SetNone (exception);
      else
        PyErr_SetObject ((PyObject *) Py_TYPE (exception), exception);
      if (is_ours)
        Py_DECREF (object);
      return NULL;
    }
  return is_ours ? object : Py_NewRef (object);
}

/* ---- what all have in common ---- */

static PyObject *
sync_alloc (PyTypeObject *type)
{
  PySync *self;

  /* Whoever waits needs a scheduler; said here, it is said early. */
  if (py_scheduler_ensure () == NULL)
    return NULL;
  self = (PySync *) type->tp_alloc (type, 0);
  if (self != NULL)
    self->owner = py_this_thread ();
  return (PyObject *) self;
}

typedef struct
{
  visitproc visit;
  void *arg;
  int result;
} Visit;

static void
visit_value (gpointer value, gpointer data)
{
  Visit *visit = data;
  PyObject *object = value;

  /* That has one owner, and is not the collector's. */
  if (object != NULL && Py_IS_TYPE (object, raise_type))
    object = ((PyRaise *) object)->exception;
  if (object != NULL && visit->result == 0)
    visit->result = visit->visit (object, visit->arg);
}

/* Whether what the library's object holds can be looked at, and is ours alone:
 * its thread may be at it without the interpreter's lock, and C or a wait may
 * have it as well. What is not told is not collected. */
static gboolean
may_look_inside (PySync *self)
{
  return self->object != NULL && self->owner == py_this_thread () && g_atomic_int_get (&self->object->ref_count) == 1;
}

static int
sync_traverse (PySync *self, visitproc visit, void *arg)
{
  Visit each = { visit, arg, 0 };
  GDestroyNotify destroy = NULL;
  gpointer value;

  Py_VISIT (Py_TYPE (self));
  if (!may_look_inside (self))
    return 0;
  if (COTHREAD_IS_EVENT (self->object))
    {
      value = cothread_event_peek_value (EVENT (self), &destroy);
      if (destroy == drop_value)
        visit_value (value, &each);
    }
  else if (COTHREAD_IS_EVENT_QUEUE (self->object))
    cothread_event_queue_foreach (QUEUE (self), visit_value, &each);
  return each.result;
}

static int
sync_clear (PySync *self)
{
  if (!may_look_inside (self))
    return 0;
  if (COTHREAD_IS_EVENT (self->object))
    cothread_event_reset (EVENT (self));
  else if (COTHREAD_IS_EVENT_QUEUE (self->object))
    cothread_event_queue_reset (QUEUE (self));
  return 0;
}

static void
sync_dealloc (PySync *self)
{
  PyTypeObject *type = Py_TYPE (self);

  PyObject_GC_UnTrack (self);
  if (self->weakrefs != NULL)
    PyObject_ClearWeakRefs ((PyObject *) self);
  g_clear_object (&self->object);
  type->tp_free (self);
  Py_DECREF (type);
}

static PyMemberDef sync_members[] = {
  { "__weaklistoffset__", T_PYSSIZET, offsetof (PySync, weakrefs), READONLY, NULL },
  { NULL, 0, 0, 0, NULL },
};

#define SYNC_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC)
#define SYNC_SLOTS { Py_tp_dealloc, sync_dealloc }, { Py_tp_traverse, sync_traverse }, { Py_tp_clear, sync_clear }, \
  { Py_tp_members, sync_members }
#define METHOD_WITH_KEYWORD(function) (PyCFunction) (void (*) (void)) function, METH_FASTCALL | METH_KEYWORDS

/* A class in Python that derives from one of these may take arguments of its
 * own, and hand ours to the __init__() of the base. */
#define INITIALISES_ITSELF(type, base_init) ((type)->tp_init != (base_init))

/* The object that __init__() makes instead of that of __new__(), for whom
 * somebody may be waiting already. */
static void
replace_object (PySync *self, GObject *object)
{
  g_object_set_data_full (object, "cothread-replaced", self->object, g_object_unref);
  self->object = object;
}

/* The argument of a signal() method, which may be named; `value` is left alone
 * where there is none. */
static gboolean
value_argument (PyObject *const *args, Py_ssize_t n_args, PyObject *keywords, PyObject **value)
{
  Py_ssize_t n_keywords = keywords != NULL ? PyTuple_GET_SIZE (keywords) : 0;

  if (n_args + n_keywords > 1 ||
      (n_keywords == 1 && PyUnicode_CompareWithASCIIString (PyTuple_GET_ITEM (keywords, 0), "value") != 0))
    {
      PyErr_SetString (PyExc_TypeError, "signal() takes one argument, value");
      return FALSE;
    }
  if (n_args + n_keywords == 1)
    *value = args[0];
  return TRUE;
}

/* Begins a method that waits: `wait` is ready, or the function has returned. */
#define BEGIN_WAIT(method) \
  PyObject *timeout; \
  GError *error = NULL; \
  gboolean success; \
  PyWait wait; \
  if (!py_timeout_argument (method, args, n_args, keywords, &timeout) || !py_check_owner (self->owner) || \
      !py_wait_begin (&wait, timeout)) \
    return NULL

/* ---- Event ---- */

static gboolean
parse_event (PyObject *args, PyObject *kwargs, int *auto_reset)
{
  static char *names[] = { "auto_reset", NULL };

  *auto_reset = TRUE;
  return PyArg_ParseTupleAndKeywords (args, kwargs, "|p:Event", names, auto_reset);
}

static int
event_init (PySync *self, PyObject *args, PyObject *kwargs)
{
  int auto_reset;

  if (!parse_event (args, kwargs, &auto_reset))
    return -1;
  if (self->is_consuming != auto_reset)
    {
      self->is_consuming = auto_reset;
      replace_object (self, (GObject *) cothread_event_new (auto_reset));
    }
  return 0;
}

static PyObject *
event_new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
  int auto_reset = TRUE;
  PySync *self;

  if (!INITIALISES_ITSELF (type, (initproc) event_init) && !parse_event (args, kwargs, &auto_reset))
    return NULL;
  self = (PySync *) sync_alloc (type);
  if (self == NULL)
    return NULL;
  self->is_consuming = auto_reset;
  self->object = (GObject *) cothread_event_new (auto_reset);
  return (PyObject *) self;
}

static PyObject *
event_signal (PySync *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  PyObject *value = NULL;

  if (!value_argument (args, n_args, keywords, &value) || !py_check_owner (self->owner))
    return NULL;
  cothread_event_signal_value (EVENT (self), Py_XNewRef (value), drop_value);
  Py_RETURN_NONE;
}

static PyObject *
event_signal_exception (PySync *self, PyObject *exception)
{
  PyRaise *value;

  if (!PyExceptionInstance_Check (exception) && !PyExceptionClass_Check (exception))
    return PyErr_Format (PyExc_TypeError, "signal_exception() needs an exception, not %.100s", Py_TYPE (exception)->tp_name);
  if (!py_check_owner (self->owner))
    return NULL;
  value = (PyRaise *) raise_type->tp_alloc (raise_type, 0);
  if (value == NULL)
    return NULL;
  value->exception = Py_NewRef (exception);
  cothread_event_signal_value (EVENT (self), value, drop_value);
  Py_RETURN_NONE;
}

static PyObject *
event_wait (PySync *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  gpointer value = NULL;
  BEGIN_WAIT ("wait");

  success = cothread_event_wait_value (EVENT (self), wait.timeout_us, &value, &error);
  return py_wait_end (&wait, success, error) ? py_value_take (value, self->is_consuming) : NULL;
}

static PyObject *
event_reset (PySync *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_event_reset (EVENT (self));
  Py_RETURN_NONE;
}

static PyObject *
event_abort_wait (PySync *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_event_abort_wait (EVENT (self));
  Py_RETURN_NONE;
}

static int
event_bool (PySync *self)
{
  return cothread_event_is_signalled (EVENT (self));
}

static PyMethodDef event_methods[] = {
  { "wait", METHOD_WITH_KEYWORD (event_wait),
    "wait($self, /, timeout=None)\n--\n\nWaits until the event is signalled and returns its value; does not suspend if it is already." },
  { "signal", METHOD_WITH_KEYWORD (event_signal),
    "signal($self, /, value=None)\n--\n\nSignals the event: wakes the task that has waited longest, or all without auto_reset." },
  { "signal_exception", (PyCFunction) event_signal_exception, METH_O,
    "signal_exception($self, exception, /)\n--\n\nSignals the event with an exception, which the wait raises." },
  { "reset", (PyCFunction) event_reset, METH_NOARGS, "reset($self, /)\n--\n\nMakes the event not signalled." },
  { "abort_wait", (PyCFunction) event_abort_wait, METH_NOARGS,
    "abort_wait($self, /)\n--\n\nGives up one wait: eats the present signal, or the next. Nothing without auto_reset." },
  { NULL, NULL, 0, NULL },
};

static PyType_Slot event_slots[] = {
  SYNC_SLOTS,
  { Py_tp_doc, (void *) "Event(auto_reset=True)\n--\n\nSomething that happens, perhaps with a value, and tasks that wait for it.\n\n"
                        "With auto_reset each signal lets one wait return; without, the event stays signalled until reset().\n"
                        "It is true while it is signalled." },
  { Py_tp_new, event_new },
  { Py_tp_init, event_init },
  { Py_tp_methods, event_methods },
  { Py_nb_bool, event_bool },
  { Py_am_await, py_await },
  { 0, NULL },
};

static PyType_Spec event_spec = {
  .name = "_cothread.Event", .basicsize = sizeof (PySync), .flags = SYNC_FLAGS, .slots = event_slots
};

/* ---- Pulse ---- */

static PyObject *
pulse_new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { NULL };
  PySync *self;

  if (!INITIALISES_ITSELF (type, PyBaseObject_Type.tp_init) && !PyArg_ParseTupleAndKeywords (args, kwargs, ":Pulse", names))
    return NULL;
  self = (PySync *) sync_alloc (type);
  if (self != NULL)
    self->object = (GObject *) cothread_pulse_new ();
  return (PyObject *) self;
}

static PyObject *
pulse_signal (PySync *self, PyObject *args, PyObject *kwargs)
{
  static char *names[] = { "wake_all", NULL };
  int wake_all = TRUE;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "|p:signal", names, &wake_all) || !py_check_owner (self->owner))
    return NULL;
  return PyLong_FromUnsignedLong (cothread_pulse_signal (PULSE (self), wake_all));
}

static PyObject *
pulse_wait (PySync *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  BEGIN_WAIT ("wait");

  success = cothread_pulse_wait (PULSE (self), wait.timeout_us, &error);
  return py_wait_end (&wait, success, error) ? Py_NewRef (Py_None) : NULL;
}

static PyMethodDef pulse_methods[] = {
  { "wait", METHOD_WITH_KEYWORD (pulse_wait), "wait($self, /, timeout=None)\n--\n\nWaits for the next signal." },
  { "signal", (PyCFunction) (void (*) (void)) pulse_signal, METH_VARARGS | METH_KEYWORDS,
    "signal($self, /, wake_all=True)\n--\n\nWakes all who wait now, or the first; returns how many. Nothing is remembered." },
  { NULL, NULL, 0, NULL },
};

static PyType_Slot pulse_slots[] = {
  SYNC_SLOTS,
  { Py_tp_doc, (void *) "Pulse()\n--\n\nWakes those who wait at the moment; has no state." },
  { Py_tp_new, pulse_new },
  { Py_tp_methods, pulse_methods },
  { Py_am_await, py_await },
  { 0, NULL },
};

static PyType_Spec pulse_spec = {
  .name = "_cothread.Pulse", .basicsize = sizeof (PySync), .flags = SYNC_FLAGS, .slots = pulse_slots
};

/* ---- EventQueue ---- */

static gboolean
parse_queue (PyObject *args, PyObject *kwargs, guint *max_length)
{
  static char *names[] = { "max_length", NULL };
  PyObject *object = Py_None;
  unsigned long bound;

  *max_length = 0;
  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "|O:EventQueue", names, &object))
    return FALSE;
  if (object == Py_None)
    return TRUE;
  bound = PyLong_AsUnsignedLong (object);
  if (PyErr_Occurred ())
    return FALSE;
  if (bound == 0 || bound > G_MAXUINT)
    {
      PyErr_SetString (PyExc_ValueError, "max_length is a positive number, or None for no bound");
      return FALSE;
    }
  *max_length = (guint) bound;
  return TRUE;
}

static int
queue_init (PySync *self, PyObject *args, PyObject *kwargs)
{
  guint max_length;

  if (!parse_queue (args, kwargs, &max_length))
    return -1;
  if (cothread_event_queue_get_max_length (QUEUE (self)) != max_length)
    replace_object (self, (GObject *) cothread_event_queue_new (max_length, drop_value));
  return 0;
}

static PyObject *
queue_new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
  guint max_length = 0;
  PySync *self;

  if (!INITIALISES_ITSELF (type, (initproc) queue_init) && !parse_queue (args, kwargs, &max_length))
    return NULL;
  self = (PySync *) sync_alloc (type);
  if (self == NULL)
    return NULL;
  self->is_consuming = TRUE;
  self->object = (GObject *) cothread_event_queue_new (max_length, drop_value);
  return (PyObject *) self;
}

static PyObject *
queue_signal (PySync *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  PyObject *item = NULL;

  if (!value_argument (args, n_args, keywords, &item) || !py_check_owner (self->owner))
    return NULL;
  if (item == NULL)
    return PyErr_Format (PyExc_TypeError, "signal() needs an item");
  if (cothread_event_queue_is_closed (QUEUE (self)))
    return PyErr_Format (py_exc_closed, "The queue is closed");
  if (cothread_event_queue_signal (QUEUE (self), Py_NewRef (item)))
    Py_RETURN_TRUE;
  Py_DECREF (item);
  Py_RETURN_FALSE;
}

static PyObject *
queue_wait (PySync *self, PyObject *const *args, Py_ssize_t n_args, PyObject *keywords)
{
  gpointer item = NULL;
  BEGIN_WAIT ("wait");

  success = cothread_event_queue_wait (QUEUE (self), wait.timeout_us, &item, &error);
  return py_wait_end (&wait, success, error) ? py_value_take (item, TRUE) : NULL;
}

static PyObject *
queue_next (PySync *self)
{
  PyObject *item = queue_wait (self, NULL, 0, NULL);

  if (item == NULL && PyErr_ExceptionMatches (py_exc_closed))
    PyErr_Clear (); /* the iteration is over */
  return item;
}

static PyObject *
queue_close (PySync *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_event_queue_close (QUEUE (self));
  Py_RETURN_NONE;
}

static PyObject *
queue_reset (PySync *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_event_queue_reset (QUEUE (self));
  Py_RETURN_NONE;
}

static PyObject *
queue_abort_wait (PySync *self, G_GNUC_UNUSED PyObject *unused)
{
  if (!py_check_owner (self->owner))
    return NULL;
  cothread_event_queue_abort_wait (QUEUE (self));
  Py_RETURN_NONE;
}

static Py_ssize_t
queue_length (PySync *self)
{
  return cothread_event_queue_get_length (QUEUE (self));
}

static int
queue_bool (PySync *self)
{
  return cothread_event_queue_get_length (QUEUE (self)) > 0;
}

static PyObject *
queue_get_closed (PySync *self, G_GNUC_UNUSED gpointer closure)
{
  return PyBool_FromLong (cothread_event_queue_is_closed (QUEUE (self)));
}

static PyMethodDef queue_methods[] = {
  { "wait", METHOD_WITH_KEYWORD (queue_wait),
    "wait($self, /, timeout=None)\n--\n\nTakes the first item, waiting for one if there is none. Raises Closed when the queue is closed and empty." },
  { "signal", METHOD_WITH_KEYWORD (queue_signal),
    "signal($self, /, value)\n--\n\nPuts an item at the end; False if the queue is full. Raises Closed on a closed queue." },
  { "close", (PyCFunction) queue_close, METH_NOARGS, "close($self, /)\n--\n\nEnds the queue; what is in it can still be taken." },
  { "reset", (PyCFunction) queue_reset, METH_NOARGS, "reset($self, /)\n--\n\nDrops every item." },
  { "abort_wait", (PyCFunction) queue_abort_wait, METH_NOARGS, "abort_wait($self, /)\n--\n\nGives up one wait: drops the first item, or the next." },
  { NULL, NULL, 0, NULL },
};

static PyGetSetDef queue_getset[] = {
  { "closed", (getter) queue_get_closed, NULL, "Whether the queue was closed.", NULL },
  { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot queue_slots[] = {
  SYNC_SLOTS,
  { Py_tp_doc, (void *) "EventQueue(max_length=None)\n--\n\nItems for tasks to take, first in, first out; iterating takes them until it is closed." },
  { Py_tp_new, queue_new },
  { Py_tp_init, queue_init },
  { Py_tp_methods, queue_methods },
  { Py_tp_getset, queue_getset },
  { Py_tp_iter, PyObject_SelfIter },
  { Py_tp_iternext, queue_next },
  { Py_sq_length, queue_length },
  { Py_nb_bool, queue_bool },
  { Py_am_await, py_await },
  { 0, NULL },
};

static PyType_Spec queue_spec = {
  .name = "_cothread.EventQueue", .basicsize = sizeof (PySync), .flags = SYNC_FLAGS, .slots = queue_slots
};

gboolean
py_sync_setup (PyObject *module)
{
  raise_type = (PyTypeObject *) PyType_FromSpec (&raise_spec);
  return raise_type != NULL && py_add_type (module, &event_spec, &py_event_type) &&
         py_add_type (module, &pulse_spec, &py_pulse_type) && py_add_type (module, &queue_spec, &py_event_queue_type);
}
