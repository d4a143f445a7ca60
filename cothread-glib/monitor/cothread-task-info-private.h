/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-queue.h"
#include "loop/cothread-task-private.h"
#include "monitor/cothread-task-info.h"

/* In three parts, since a list asks for the first of every task, four times a
 * second, and for the others only of those that somebody looks at. */
void cothread_task_info_take_numbers (CothreadTaskInfo *info, const CothreadTask *task);
void cothread_task_info_take_texts (CothreadTaskInfo *info, CothreadTask *task);
void cothread_task_info_take_wait (CothreadTaskInfo *info, const CothreadTask *task);
void cothread_task_info_clear (CothreadTaskInfo *info);

/* The task that this one cannot go on without: the one it joins, or the holder
 * of the lock it wants. NULL: none, or not known. */
const CtTask *cothread_task_peek_waited_for (const CtTask *core);
/* Whether the wait's object is a GObject. */
gboolean cothread_wait_reason_has_object (const char *reason);
