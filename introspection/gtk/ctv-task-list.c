/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-list.h"

#include "ctv-format.h"

/* Four times a second they are sorted and filtered, which takes about a
 * microsecond each: of so many, the first are shown. */
#define MOST_TASKS 20000
#define TASKS_OF_MORE 5000

struct _CtvTaskList
{
  guint ref_count;
  guint n_tasks;    /* all there are */
  GPtrArray *tasks; /* CothreadTask; or NULL and: */
  GPtrArray *infos; /* CothreadTaskInfo */
  gint64 taken_us;  /* when they were looked at */
  guint64 traced;   /* the one of them whose backtrace is known; 0: none */
  char **backtrace;
};

CtvTaskList *
ctv_task_list_new (CothreadScheduler *scheduler)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (scheduler);
  CtvTaskList *self;

  if (statistics->tasks > MOST_TASKS)
    return ctv_task_list_new_for_infos (cothread_scheduler_list_task_infos (scheduler, TASKS_OF_MORE),
                                        statistics->tasks);

  self = g_new0 (CtvTaskList, 1);
  self->ref_count = 1;
  self->tasks = cothread_scheduler_list_tasks (scheduler);
  self->n_tasks = self->tasks->len;

  return self;
}

/* Takes the array. */
CtvTaskList *
ctv_task_list_new_for_infos (GPtrArray *infos, guint n_tasks)
{
  CtvTaskList *self = g_new0 (CtvTaskList, 1);

  self->ref_count = 1;
  self->infos = infos;
  self->taken_us = g_get_monotonic_time ();
  self->n_tasks = MAX (n_tasks, infos->len);

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

  g_clear_pointer (&self->tasks, g_ptr_array_unref);
  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_strfreev (self->backtrace);
  g_free (self);
}

guint
ctv_task_list_get_length (const CtvTaskList *self)
{
  return self->tasks != NULL ? self->tasks->len : self->infos->len;
}

/* Those too of which nothing else is known here. */
guint
ctv_task_list_get_n_tasks (const CtvTaskList *self)
{
  return self->n_tasks;
}

/* What is told of the tasks is told of this moment: now, unless it was asked for
 * beforehand. */
gint64
ctv_task_list_get_time_us (const CtvTaskList *self)
{
  return self->tasks != NULL ? g_get_monotonic_time () : self->taken_us;
}

guint64
ctv_task_list_get_id (const CtvTaskList *self, guint index)
{
  if (self->tasks != NULL)
    return cothread_task_get_id (g_ptr_array_index (self->tasks, index));

  return ((const CothreadTaskInfo *) g_ptr_array_index (self->infos, index))->id;
}

CothreadTaskInfo *
ctv_task_list_dup_info (const CtvTaskList *self, guint index)
{
  if (self->tasks != NULL)
    return cothread_task_get_info (g_ptr_array_index (self->tasks, index));

  return cothread_task_info_copy (g_ptr_array_index (self->infos, index));
}

/* Of a list of infos, where one of the tasks stands. Takes the lines. */
void
ctv_task_list_take_backtrace (CtvTaskList *self, guint64 id, char **backtrace)
{
  g_strfreev (self->backtrace);
  self->traced = id;
  self->backtrace = backtrace;
}

/* NULL: it cannot be had. */
char **
ctv_task_list_dup_backtrace (const CtvTaskList *self, guint index)
{
  if (self->tasks != NULL)
    return cothread_task_dup_backtrace (g_ptr_array_index (self->tasks, index));

  return ctv_task_list_get_id (self, index) == self->traced ? g_strdupv (self->backtrace) : NULL;
}

gboolean
ctv_column_is_number (CtvColumn column)
{
  return column != CTV_COLUMN_NAME && column != CTV_COLUMN_REASON;
}

/* What such a column is sorted by. */
gint64
ctv_column_get_number (CtvColumn column, const CothreadTaskInfo *info)
{
  switch (column)
    {
    case CTV_COLUMN_ID:
      return (gint64) info->id;
    case CTV_COLUMN_STATE:
      return info->state;
    case CTV_COLUMN_SWITCHES:
      return (gint64) info->switches;
    case CTV_COLUMN_RUN:
      return info->run_us;
    case CTV_COLUMN_LONGEST:
      return info->longest_run_us;
    case CTV_COLUMN_NAME:
    case CTV_COLUMN_REASON:
    case CTV_N_COLUMNS:
    case CTV_COLUMN_NONE:
    default:
      g_return_val_if_reached (0);
    }
}

static char *
dup_wait (const CothreadTaskInfo *info)
{
  g_autofree char *text = cothread_task_info_dup_wait_text (info);

  return ctv_format_text (text);
}

/* A time that is not measured is told as nothing. */
static char *
dup_duration (gint64 us)
{
  return us < 0 ? g_strdup ("") : ctv_format_us (us);
}

char *
ctv_column_dup_text (CtvColumn column, const CothreadTaskInfo *info)
{
  switch (column)
    {
    case CTV_COLUMN_ID:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, info->id);
    case CTV_COLUMN_NAME:
      return ctv_format_text (info->name);
    case CTV_COLUMN_STATE:
      return g_strdup (cothread_task_state_to_string (info->state));
    case CTV_COLUMN_REASON:
      return dup_wait (info);
    case CTV_COLUMN_SWITCHES:
      return ctv_format_count (info->switches);
    case CTV_COLUMN_RUN:
      return dup_duration (info->run_us);
    case CTV_COLUMN_LONGEST:
      return dup_duration (info->longest_run_us);
    case CTV_N_COLUMNS:
    case CTV_COLUMN_NONE:
    default:
      g_return_val_if_reached (g_strdup (""));
    }
}
