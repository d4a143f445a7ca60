/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-stack.h"

#define PY_NO_DEADLINE G_MAXINT64

/* The interpreter counts calls, not bytes; the deepest per call are those that
 * go through C each time. Measured: see tests/python/test_deep.py. */
#define PY_STACK_BYTES_PER_CALL 1024
#define PY_FOREIGN_RECURSION_LIMIT 200
/* What the library and this extension have used of a task's stack when its
 * function begins, rounded up generously. */
#define PY_STACK_ENTRY_BYTES 8192
