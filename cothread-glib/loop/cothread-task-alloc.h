/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task-private.h"

/* Zeroed tasks, on cache lines of their own. Each thread keeps some of those
 * that it freed for its next ones. */

CothreadTask *cothread_task_alloc (void);
void cothread_task_free (CothreadTask *task);
/* Frees up to `max` of those that are more than a thread keeps without a load;
 * returns how many are left of these. */
guint cothread_task_alloc_give_back (guint max);
