/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task-private.h"

/* Zeroed tasks, on cache lines of their own. Each thread keeps some of those
 * that it freed for its next ones. */

CothreadTask *cothread_task_alloc (void);
void cothread_task_free (CothreadTask *task);
