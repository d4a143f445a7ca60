/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* In place of what Python has from 3.14.1 on; for other-interpreters. */

#include <stddef.h>

struct _ts;
int PyUnstable_ThreadState_SetStackProtection (struct _ts *state, void *start, size_t bytes);
