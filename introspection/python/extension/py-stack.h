/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-common.h"

/* What the interpreter keeps for a thread and means for a stack, and the
 * interpreter's lock (GIL) with it.
 *
 * The lock changes hands lazily: a Python task that is left keeps it, and
 * whoever is switched to next sets right what it finds. So two Python tasks that
 * hop to each other never touch it, and the main loop never polls with it held. */

#if PY_VERSION_HEX >= 0x030C0000
#define PY_STACK_HAS_THREAD_STATES 1
#else
#define PY_STACK_HAS_THREAD_STATES 0
#endif

/* From 3.14 on the interpreter looks at addresses instead of counting calls. */
#ifndef PY_STACK_HAS_PROTECTION
#define PY_STACK_HAS_PROTECTION (PY_VERSION_HEX >= 0x030E0000)
#endif

typedef struct _PyStack PyStack;
typedef struct _PyCall PyCall;

/* A callback that runs, or waits, in a task of the library's. */
struct _PyCall
{
  CothreadTask *handle; /* not referenced */
  PyStack *stack;       /* while it waits */
  PyCall *outer;        /* on the same stack */
  PyCall *previous, *next; /* of all */
};

struct _PyStack
{
  PyObject *task;         /* a PyTask, not referenced; NULL for other stacks */
  PyCall *call;           /* the innermost callback on it, or NULL */
  gboolean is_for_good;   /* until `end`; else made by `suspend`, until the stack is resumed */
  gboolean holds_lock;    /* to be held when the stack is resumed */
  gint64 deadline_us;     /* of the timeouts that surround the code on this stack */
#if PY_STACK_HAS_THREAD_STATES
  PyThreadState *thread_state;
  PyObject *context;
#else
  _PyCFrame *cframe;
  _PyErr_StackItem *exc_info;
  _PyErr_StackItem exc_state;
  PyObject *curexc_type, *curexc_value, *curexc_traceback;
  PyObject *context;
  _PyStackChunk *chunk;
  PyObject **chunk_top;
  PyObject **chunk_limit;
  gint recursion_depth;
  gint tracing;
  gint trash_delete_nesting;
#endif
};

/* What this library keeps for a thread. */
typedef struct
{
  CothreadScheduler *scheduler; /* that has our hooks; not referenced, compared only */
  GSource *source;
  PyObject *task;               /* the running PyTask, not referenced */
  PyCall *call;                 /* the innermost callback on the running stack */
  gboolean lock_is_lazy;        /* held, but by nobody who is running */
  gint64 deadline_us;           /* the running stack's */
  guint main_waits;             /* waits on the thread's own stack in progress */
  PyObject *main_exception;     /* for the innermost of them */
  PyObject *dict;               /* what threading.local() keeps in */
} PyThread;

extern __thread PyThread py_thread;

extern const CothreadSwitchHooks py_stack_hooks;

/* Small: it lies on the task's stack, and most tasks are shallow where they
 * wait. The interpreter makes larger ones on top of it. */
#define PY_STACK_CHUNK_BYTES 2048

/* For a task that is being spawned; takes the context (or NULL). The `end` hook
 * frees it. */
PyStack *py_stack_new (PyObject *task, PyObject *context);
/* On the task's stack, first and last. `chunk` has PY_STACK_CHUNK_BYTES. FALSE
 * without memory. */
gboolean py_stack_begin (PyStack *stack, void *chunk, gsize stack_bytes);
void py_stack_finish (PyStack *stack);
/* Before a task has begun, instead of the two. */
void py_stack_discard (PyStack *stack);
/* If it could not be spawned, so that there will be no `end` hook. */
void py_stack_free (PyStack *stack);

/* The frame in which a suspended stack waits, or NULL. */
PyObject *py_stack_get_frame (PyStack *stack);

/* Takes the lock for code that the main loop or the library calls. */
typedef enum
{
  PY_LOCK_WAS_HELD,
  PY_LOCK_WAS_LAZY,
  PY_LOCK_WAS_FREE,
} PyLock;

PyLock py_lock (void);
void py_unlock (PyLock lock);
/* What was free is kept lazily. Only inside a turn: whatever stack the thread
 * goes on with has it set right. Elsewhere the program's next PyEval_RestoreThread()
 * would wait for itself. */
void py_unlock_lazily (PyLock lock);
/* Gives up a lock that is held lazily. */
void py_lock_drop_lazy (void);
