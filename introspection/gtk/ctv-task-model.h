/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-task-list.h"

G_BEGIN_DECLS

#define CTV_TYPE_TASK_MODEL (ctv_task_model_get_type ())
G_DECLARE_FINAL_TYPE (CtvTaskModel, ctv_task_model, CTV, TASK_MODEL, GObject)

CtvTaskModel *ctv_task_model_new (void);
void ctv_task_model_take (CtvTaskModel *self, CtvTaskList *list);
void ctv_task_model_set_filter (CtvTaskModel *self, const char *filter);
void ctv_task_model_set_sort (CtvTaskModel *self, CtvColumn column, gboolean descending);

guint ctv_task_model_get_n_tasks (CtvTaskModel *self);
gboolean ctv_task_model_find (CtvTaskModel *self, guint64 id, guint *position);
gboolean ctv_task_model_has (CtvTaskModel *self, guint64 id);
gint64 ctv_task_model_get_time_us (CtvTaskModel *self);
guint64 ctv_task_model_get_id (CtvTaskModel *self, guint position);
CothreadTaskInfo *ctv_task_model_dup_info (CtvTaskModel *self, guint position);
char **ctv_task_model_dup_backtrace (CtvTaskModel *self, guint position);
void ctv_task_model_refresh_rows (CtvTaskModel *self, guint first, guint n);
void ctv_task_model_forget_row (CtvTaskModel *self, guint position);

G_END_DECLS
