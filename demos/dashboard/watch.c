/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

/* Longer than a turn of a busy program, and soon enough to tell that one hangs. */
#define PATIENCE_US (2 * G_USEC_PER_SEC)
/* Each costs the watched process about a microsecond; nobody reads more rows. */
#define MOST_TASKS 2000

DashWatch *
dash_watch_new (const char *target)
{
  DashWatch *self = g_rc_box_new0 (DashWatch);

  self->target = g_strdup (target);
  self->warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_warning_free);

  return self;
}

DashWatch *
dash_watch_ref (DashWatch *self)
{
  return g_rc_box_acquire (self);
}

static void
clear (DashWatch *self)
{
  dash_readings_clear (&self->readings);
  g_free (self->target);
  g_free (self->program);
  g_clear_object (&self->remote);
  g_strfreev (self->queues);
  g_clear_pointer (&self->tasks, ctv_task_list_unref);
  g_ptr_array_unref (self->warnings);
  g_free (self->problem);
}

void
dash_watch_unref (DashWatch *self)
{
  g_rc_box_release_full (self, (GDestroyNotify) clear);
}

/* Takes the problem. */
static void
set_state (DashWatch *self, DashWatchState state, char *problem)
{
  self->state = state;
  g_free (self->problem);
  self->problem = problem;
}

gboolean
dash_watch_open (DashWatch *self)
{
  g_autoptr (GError) error = NULL;

  self->remote = cothread_remote_new (self->target, &error);
  if (self->remote == NULL)
    {
      set_state (self, DASH_WATCH_FAILED, g_strdup (error->message));
      return FALSE;
    }
  cothread_remote_set_timeout (self->remote, PATIENCE_US);
  self->program = cothread_remote_dup_program (cothread_remote_get_bus_name (self->remote));
  return TRUE;
}

/* Whether it is worth asking again. */
static gboolean
has_failed (DashWatch *self, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      set_state (self, DASH_WATCH_HANGS, g_strdup_printf ("%s.", error->message));
      return TRUE;
    }
  if (!dash_watch_has_read (self))
    set_state (self, DASH_WATCH_FAILED, g_strdup (error->message));
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    set_state (self, DASH_WATCH_ENDED, g_strdup_printf ("%s. What is shown is the last that was seen.", error->message));
  return FALSE;
}

static void
take_queue (DashWatch *self, CothreadStatistics *statistics, GPtrArray *queues, GArray *turns, gint64 slice_us)
{
  CothreadCallbackStatistics *queue;

  if (self->queue >= queues->len)
    self->queue = 0;
  if (queues->len > 0)
    queue = cothread_callback_statistics_copy (queues->pdata[self->queue]);
  else
    queue = g_new0 (CothreadCallbackStatistics, 1);
  if (queue->high_water > self->peak && self->peak > 0)
    self->high = queue->high_water;
  self->peak = queue->high_water;
  dash_readings_set (&self->readings, statistics, queue, turns, slice_us);
}

gboolean
dash_watch_look (DashWatch *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CothreadStatistics) statistics = cothread_remote_get_statistics (self->remote, &error);
  g_auto (GStrv) names = NULL;
  g_autoptr (GPtrArray) queues = statistics != NULL ? cothread_remote_list_queues (self->remote, &names, &error) : NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GArray) turns = NULL;
  gint64 slice_us = 0;

  if (queues != NULL)
    turns = cothread_remote_get_recent_turns (self->remote, &slice_us, &error);
  if (turns != NULL)
    warnings = cothread_remote_list_warnings (self->remote, &self->last_warning, &error);
  if (warnings == NULL)
    return has_failed (self, error);

  g_strfreev (self->queues);
  self->queues = g_steal_pointer (&names);
  take_queue (self, g_steal_pointer (&statistics), queues, g_steal_pointer (&turns), slice_us);
  g_ptr_array_extend_and_steal (self->warnings, g_steal_pointer (&warnings));
  set_state (self, DASH_WATCH_ANSWERS, NULL);
  return TRUE;
}

gboolean
dash_watch_look_at_tasks (DashWatch *self, guint64 open_task)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) infos = cothread_remote_list_task_infos (self->remote, MOST_TASKS, &error);
  char **backtrace = NULL;

  if (infos != NULL && open_task != 0)
    backtrace = cothread_remote_dup_backtrace (self->remote, open_task, &error);
  if (error != NULL)
    return has_failed (self, error);

  g_clear_pointer (&self->tasks, ctv_task_list_unref);
  self->tasks = ctv_task_list_new_for_infos (g_steal_pointer (&infos), self->readings.scheduler.tasks);
  if (backtrace != NULL)
    ctv_task_list_take_backtrace (self->tasks, open_task, backtrace);
  return TRUE;
}

gboolean
dash_watch_has_read (const DashWatch *self)
{
  return self->readings.n_samples > 0;
}

/* Between two looks the queue may have been deeper than at either; of that, no
 * more is known than a new high-water mark. */
void
dash_watch_take_depth (DashWatch *self, guint *low, guint *high)
{
  *low = self->readings.queue.length;
  *high = MAX (self->high, *low);
  self->high = 0;
}
