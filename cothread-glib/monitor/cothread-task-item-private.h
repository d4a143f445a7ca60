/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-task-info-private.h"
#include "monitor/cothread-task-list.h"

/* Of a task of this process. Takes a reference. */
CothreadTaskItem *cothread_task_item_new (CothreadTask *task);
/* Of a task of another process. */
CothreadTaskItem *cothread_task_item_new_from_info (const CothreadTaskInfo *info);

/* Notifies what has changed since the last time; FALSE: the task is gone. */
gboolean cothread_task_item_refresh (CothreadTaskItem *self);
void cothread_task_item_update (CothreadTaskItem *self, const CothreadTaskInfo *info);
/* The key of a hash table. */
const guint64 *cothread_task_item_peek_id (CothreadTaskItem *self);
