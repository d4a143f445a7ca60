/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-bus-answers-private.h"

#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-histogram-private.h"
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-backtrace.h"
#include "monitor/cothread-dump.h"
#include "monitor/cothread-fields-private.h"
#include "monitor/cothread-pack-private.h"
#include "monitor/cothread-statistics.h"
#include "monitor/cothread-task-info.h"

/* A message of the bus has a limit of 128 MiB. */
#define MAX_TASKS 100000
/* As dictionaries, some 30 us each, during which the main loop is held. */
#define MAX_DICTIONARIES 2000

static guint
limit (guint max, guint most)
{
  return max == 0 ? most : MIN (max, most);
}

GVariant *
cothread_bus_get_statistics (CothreadScheduler *scheduler)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (scheduler);

  return g_variant_new ("(@a{sv})", cothread_fields_to_variant (cothread_statistics_fields, statistics));
}

GVariant *
cothread_bus_get_turns (CothreadScheduler *scheduler)
{
  g_autoptr (GArray) turns = cothread_scheduler_get_recent_turns (scheduler);

  return g_variant_new ("(x@ax)", cothread_scheduler_get_time_slice (scheduler),
                        g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, turns->data, turns->len, sizeof (gint64)));
}

static GVariant *
name_of_queue (CothreadCallbackQueue *queue)
{
  return g_variant_new_take_string (g_utf8_make_valid (cothread_callback_queue_get_name (queue), -1));
}

GVariant *
cothread_bus_list_queues (CothreadScheduler *scheduler)
{
  const CtLink *hooks = &scheduler->shutdown_hooks;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (CtLink *link = hooks->next; link != hooks; link = link->next)
    {
      CothreadCallbackQueue *queue = cothread_callback_queue_from_hook (link);
      g_autoptr (CothreadCallbackStatistics) statistics = NULL;
      g_autoptr (CothreadHistogram) time_in_queue = NULL;
      g_autoptr (CothreadHistogram) run_time = NULL;
      GVariantDict dict;

      if (queue == NULL)
        continue;
      statistics = cothread_callback_queue_get_statistics (queue);
      time_in_queue = cothread_callback_statistics_get_time_in_queue (statistics);
      run_time = cothread_callback_statistics_get_run_time (statistics);
      g_variant_dict_init (&dict, cothread_fields_to_variant (cothread_callback_statistics_fields, statistics));
      g_variant_dict_insert_value (&dict, "name", name_of_queue (queue));
      g_variant_dict_insert_value (&dict, "time_in_queue", cothread_histogram_to_variant (time_in_queue));
      g_variant_dict_insert_value (&dict, "run_time", cothread_histogram_to_variant (run_time));
      g_variant_builder_add_value (&builder, g_variant_dict_end (&dict));
    }
  return g_variant_new ("(@aa{sv})", g_variant_builder_end (&builder));
}

GVariant *
cothread_bus_list_tasks (CothreadScheduler *scheduler, guint max)
{
  g_autoptr (GPtrArray) infos = cothread_scheduler_list_task_infos (scheduler, limit (max, MAX_DICTIONARIES));
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < infos->len; i++)
    g_variant_builder_add_value (&builder, cothread_fields_to_variant (cothread_task_info_fields, infos->pdata[i]));
  return g_variant_new ("(@aa{sv})", g_variant_builder_end (&builder));
}

GVariant *
cothread_bus_pack_tasks (CothreadScheduler *scheduler, guint max)
{
  g_autoptr (GPtrArray) infos = cothread_scheduler_list_task_infos (scheduler, limit (max, MAX_TASKS));
  CothreadPacker packer;

  cothread_packer_init (&packer, cothread_task_info_fields);
  for (guint i = 0; i < infos->len; i++)
    cothread_packer_add (&packer, infos->pdata[i]);
  return cothread_packer_end (&packer);
}

static CothreadTask *
find_task (CothreadScheduler *scheduler, guint64 id)
{
  const CtScheduler *core = scheduler->core;

  if (core != NULL)
    cothread_scheduler_sync_runners (scheduler);
  for (CtLink *link = core != NULL ? core->all.next : NULL; link != NULL && link != &core->all; link = link->next)
    {
      CtTask *task = CT_CONTAINER_OF (link, CtTask, all);

      if (task->id == id)
        return (CothreadTask *) task;
    }
  return NULL;
}

/* No lines, too, of a task that has just ended: that is no error of anybody. */
GVariant *
cothread_bus_get_backtrace (CothreadScheduler *scheduler, guint64 id)
{
  CothreadTask *task = find_task (scheduler, id);
  g_auto (GStrv) lines = task != NULL ? cothread_task_dup_backtrace (task) : g_new0 (char *, 1);

  return g_variant_new ("(^as)", lines);
}

GVariant *
cothread_bus_dump (CothreadScheduler *scheduler, gboolean backtraces, guint max)
{
  char *text = cothread_scheduler_dump_text (scheduler, backtraces ? COTHREAD_DUMP_BACKTRACES : COTHREAD_DUMP_DEFAULT,
                                             limit (max, MAX_TASKS));

  return g_variant_new ("(@s)", g_variant_new_take_string (text));
}
