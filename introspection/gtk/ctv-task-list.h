/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* What the table shows of a task, and can be sorted by. */
typedef enum
{
  CTV_COLUMN_ID,
  CTV_COLUMN_NAME,
  CTV_COLUMN_STATE,
  CTV_COLUMN_REASON,
  CTV_COLUMN_SWITCHES,
  CTV_COLUMN_RUN,
  CTV_COLUMN_LONGEST,
  CTV_N_COLUMNS,
  CTV_COLUMN_NONE = -1,
} CtvColumn;

/* The tasks of one moment. Of each, only what is asked for is turned to text. */
typedef struct _CtvTaskList CtvTaskList;

CtvTaskList *ctv_task_list_new (CothreadScheduler *scheduler);
CtvTaskList *ctv_task_list_new_for_infos (GPtrArray *infos, guint n_tasks);
CtvTaskList *ctv_task_list_ref (CtvTaskList *self);
void ctv_task_list_unref (CtvTaskList *self);

guint ctv_task_list_get_length (const CtvTaskList *self);
guint ctv_task_list_get_n_tasks (const CtvTaskList *self);
gint64 ctv_task_list_get_time_us (const CtvTaskList *self);
guint64 ctv_task_list_get_id (const CtvTaskList *self, guint index);
CothreadTaskInfo *ctv_task_list_dup_info (const CtvTaskList *self, guint index);
void ctv_task_list_take_backtrace (CtvTaskList *self, guint64 id, char **backtrace);
char **ctv_task_list_dup_backtrace (const CtvTaskList *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvTaskList, ctv_task_list_unref)

/* What is made of it. Texts are never NULL, and always valid UTF-8. */
gboolean ctv_column_is_number (CtvColumn column);
gint64 ctv_column_get_number (CtvColumn column, const CothreadTaskInfo *info);
char *ctv_column_dup_text (CtvColumn column, const CothreadTaskInfo *info);

G_END_DECLS
