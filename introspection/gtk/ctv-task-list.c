/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-list.h"

#include "ctv-format.h"

struct _CtvTaskList
{
  guint ref_count;
  GPtrArray *tasks; /* CothreadTask */
};

CtvTaskList *
ctv_task_list_new (CothreadScheduler *scheduler)
{
  CtvTaskList *self = g_new0 (CtvTaskList, 1);

  self->ref_count = 1;
  self->tasks = cothread_scheduler_list_tasks (scheduler);

  return self;
}

CtvTaskList *
ctv_task_list_ref (CtvTaskList *self)
{
  self->ref_count++;
  return self;
}

void
ctv_task_list_unref (CtvTaskList *self)
{
  if (--self->ref_count > 0)
    return;

  g_ptr_array_unref (self->tasks);
  g_free (self);
}

static CothreadTask *
task_at (const CtvTaskList *self, guint index)
{
  return g_ptr_array_index (self->tasks, index);
}

guint
ctv_task_list_get_length (const CtvTaskList *self)
{
  return self->tasks->len;
}

guint64
ctv_task_list_get_id (const CtvTaskList *self, guint index)
{
  return cothread_task_get_id (task_at (self, index));
}

gboolean
ctv_column_is_number (CtvColumn column)
{
  return column == CTV_COLUMN_ID || column == CTV_COLUMN_STATE || column == CTV_COLUMN_SWITCHES;
}

/* What such a column is sorted by. */
guint64
ctv_task_list_get_number (const CtvTaskList *self, guint index, CtvColumn column)
{
  CothreadTask *task = task_at (self, index);

  switch (column)
    {
    case CTV_COLUMN_ID:
      return cothread_task_get_id (task);
    case CTV_COLUMN_STATE:
      return cothread_task_get_state (task);
    case CTV_COLUMN_SWITCHES:
      return cothread_task_get_switches (task);
    case CTV_COLUMN_NAME:
    case CTV_COLUMN_REASON:
    case CTV_N_COLUMNS:
    case CTV_COLUMN_NONE:
    default:
      g_return_val_if_reached (0);
    }
}

static const char *
state_name (CothreadTaskState state)
{
  switch (state)
    {
    case COTHREAD_TASK_READY:
      return "ready";
    case COTHREAD_TASK_RUNNING:
      return "running";
    case COTHREAD_TASK_YIELDING:
      return "yielding";
    case COTHREAD_TASK_WAITING:
      return "waiting";
    case COTHREAD_TASK_FINISHED:
    default:
      return "finished";
    }
}

/* Never NULL, and always valid UTF-8: names are what programs make of them. */
char *
ctv_task_list_dup_text (const CtvTaskList *self, guint index, CtvColumn column)
{
  CothreadTask *task = task_at (self, index);
  g_autofree char *reason = NULL;

  switch (column)
    {
    case CTV_COLUMN_ID:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, cothread_task_get_id (task));
    case CTV_COLUMN_NAME:
      return ctv_format_text (cothread_task_get_name (task));
    case CTV_COLUMN_STATE:
      return g_strdup (state_name (cothread_task_get_state (task)));
    case CTV_COLUMN_REASON:
      reason = cothread_task_dup_wait_reason (task);
      return ctv_format_text (reason);
    case CTV_COLUMN_SWITCHES:
      return ctv_format_count (cothread_task_get_switches (task));
    case CTV_N_COLUMNS:
    case CTV_COLUMN_NONE:
    default:
      g_return_val_if_reached (g_strdup (""));
    }
}
