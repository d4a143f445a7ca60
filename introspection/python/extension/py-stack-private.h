/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-stack.h"

#define PY_NO_DEADLINE G_MAXINT64

/* The interpreter counts calls, not bytes; the deepest per call are those that
 * go through C each time. Tried out in tests/python/test_state.py. */
#define PY_STACK_BYTES_PER_CALL 1024
#define PY_FOREIGN_RECURSION_LIMIT 200
/* Of a task in C nothing is known but what is usual: 256 KiB, some of it used. */
#define PY_FOREIGN_STACK_BYTES ((gsize) 128 * 1024)
/* What the library and this extension have used of a task's stack when its
 * function begins, rounded up generously. */
#define PY_STACK_ENTRY_BYTES 8192

/* In py-stack.c, for both implementations. */

/* The running stack is this one from now on, or one of which nothing is known. */
void py_stack_enter (PyStack *stack);
void py_stack_leave (PyStack *stack);

/* In the implementations, for py-stack.c. */

gboolean py_lock_is_held (void);
void py_lock_take (void);
