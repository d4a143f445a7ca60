/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-task-info.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TASK_ITEM (cothread_task_item_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadTaskItem, cothread_task_item, COTHREAD, TASK_ITEM, GObject)

COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_task_item_get_id (CothreadTaskItem *self);
COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_task_item_get_task (CothreadTaskItem *self);
COTHREAD_AVAILABLE_IN_0_1
CothreadTaskInfo *cothread_task_item_dup_info (CothreadTaskItem *self);

#define COTHREAD_TYPE_TASK_LIST (cothread_task_list_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadTaskList, cothread_task_list, COTHREAD, TASK_LIST, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadTaskList *cothread_task_list_new (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_task_list_get_scheduler (CothreadTaskList *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_list_refresh (CothreadTaskList *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_task_list_get_interval (CothreadTaskList *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_list_set_interval (CothreadTaskList *self, guint interval_ms);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_task_list_get_limit (CothreadTaskList *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_list_set_limit (CothreadTaskList *self, guint limit);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_task_list_get_n_tasks (CothreadTaskList *self);

G_END_DECLS
