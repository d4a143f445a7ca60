/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* What can be shown of a task, and sorted by. */
typedef enum
{
  CTV_COLUMN_ID,
  CTV_COLUMN_NAME,
  CTV_COLUMN_STATE,
  CTV_COLUMN_REASON,
  CTV_COLUMN_SWITCHES,
  CTV_N_COLUMNS,
  CTV_COLUMN_NONE = -1,
} CtvColumn;

/* The tasks of one moment. Of each, only what is asked for is turned to text. */
typedef struct _CtvTaskList CtvTaskList;

CtvTaskList *ctv_task_list_new (CothreadScheduler *scheduler);
CtvTaskList *ctv_task_list_ref (CtvTaskList *self);
void ctv_task_list_unref (CtvTaskList *self);

guint ctv_task_list_get_length (const CtvTaskList *self);
guint64 ctv_task_list_get_id (const CtvTaskList *self, guint index);
gboolean ctv_column_is_number (CtvColumn column);
guint64 ctv_task_list_get_number (const CtvTaskList *self, guint index, CtvColumn column);
char *ctv_task_list_dup_text (const CtvTaskList *self, guint index, CtvColumn column);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtvTaskList, ctv_task_list_unref)

G_END_DECLS
