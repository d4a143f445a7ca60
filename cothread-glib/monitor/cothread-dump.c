/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-dump.h"

#include "callback/cothread-callback-queue-private.h"
#include "monitor/cothread-backtrace-private.h"
#include "monitor/cothread-fields-private.h"
#include "monitor/cothread-statistics.h"
#include "monitor/cothread-task-info-private.h"
#include "monitor/cothread-unwind-private.h"

#include <string.h>
#include <unistd.h>

/* What both forms walk over. */
typedef struct
{
  CothreadScheduler *scheduler;
  CothreadStatistics *statistics;
  GPtrArray *tasks; /* of CothreadTask */
  GPtrArray *queues;
  GHashTable *names; /* NULL: no backtraces */
  gint64 now_us;
} Dump;

static void
dump_init (Dump *self, CothreadScheduler *scheduler, CothreadDumpFlags flags, guint max_tasks)
{
  CtScheduler *core = scheduler->core;

  *self = (Dump) {
    .scheduler = scheduler,
    .statistics = cothread_scheduler_get_statistics (scheduler),
    .tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref),
    .queues = g_ptr_array_new_with_free_func (g_object_unref),
    .names = (flags & COTHREAD_DUMP_BACKTRACES) != 0 ? cothread_backtrace_names_new () : NULL,
    .now_us = cothread_scheduler_now (scheduler),
  };
  if (core == NULL)
    return;
  for (CtLink *link = core->all.next; link != &core->all && (max_tasks == 0 || self->tasks->len < max_tasks); link = link->next)
    g_ptr_array_add (self->tasks, cothread_task_ref (CT_CONTAINER_OF (link, CothreadTask, core.all)));
  for (CtLink *link = scheduler->shutdown_hooks.next; link != &scheduler->shutdown_hooks; link = link->next)
    {
      CothreadCallbackQueue *queue = cothread_callback_queue_from_hook (link);

      if (queue != NULL)
        g_ptr_array_add (self->queues, g_object_ref (queue));
    }
}

static void
dump_clear (Dump *self)
{
  cothread_statistics_free (self->statistics);
  g_ptr_array_unref (self->tasks);
  g_ptr_array_unref (self->queues);
  g_clear_pointer (&self->names, g_hash_table_unref);
}

/* For a terminal: one line, and nothing that it would take for a command. In
 * place; a control character is one byte, or two from U+0080 on. */
static char *
make_printable (char *text)
{
  for (char *at = text; at != NULL && *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      memset (at, '?', (gsize) (g_utf8_next_char (at) - at));
  return text;
}

static void
add_task_text (Dump *self, CothreadTask *task, GString *text)
{
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);
  g_autofree char *waits_for = make_printable (cothread_task_info_dup_wait_text (info));

  make_printable (info->name);
  g_string_append_printf (text, "task %" G_GUINT64_FORMAT " \"%s\" (%s%s)%s: %s", info->id, info->name, info->language,
                          info->is_stackless ? ", stackless" : "", info->is_cancelled ? ", cancelled" : "",
                          cothread_task_state_to_string (info->state));
  if (waits_for != NULL)
    g_string_append_printf (text, " for %s, since %.3f s", waits_for, (double) (self->now_us - info->since_us) / 1e6);
  if (info->deadline_us >= 0)
    g_string_append_printf (text, ", for %.3f s more", (double) (info->deadline_us - self->now_us) / 1e6);
  g_string_append_printf (text, "\n  resumed %" G_GUINT64_FORMAT " times, woken %" G_GUINT64_FORMAT " times",
                          info->switches, info->wakeups);
  if (info->run_us >= 0)
    g_string_append_printf (text, ", run for %.3f ms, at most %.3f ms at once", (double) info->run_us / 1e3, (double) info->longest_run_us / 1e3);
  if (info->stack_bytes > 0)
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes of stack in use", info->stack_in_use, info->stack_bytes);
  if (info->stack_high_water > 0)
    g_string_append_printf (text, ", at most %" G_GUINT64_FORMAT, info->stack_high_water);
  g_string_append_c (text, '\n');
  if (info->spawn_site != NULL)
    g_string_append_printf (text, "  spawned by %s\n", info->spawn_site);
  if (self->names != NULL)
    {
      g_auto (GStrv) lines = cothread_backtrace_of_task (task, self->names);

      for (guint i = 0; lines[i] != NULL; i++)
        g_string_append_printf (text, "  #%u %s\n", i, make_printable (lines[i]));
    }
}

/**
 * cothread_scheduler_dump_text:
 * @scheduler: a scheduler of the calling thread
 * @flags: what to dump
 * @max_tasks: how many tasks at most; 0: all
 *
 * Writes down everything that is known, for people. Control characters in names
 * become question marks.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
cothread_scheduler_dump_text (CothreadScheduler *scheduler, CothreadDumpFlags flags, guint max_tasks)
{
  GString *text;
  Dump dump;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);

  dump_init (&dump, scheduler, flags, max_tasks);
  text = g_string_new (NULL);
  g_string_append_printf (text, "cothread scheduler %p of process %d%s\n", (gpointer) scheduler, (int) getpid (),
                          scheduler->core == NULL ? ", shut down" : "");
  cothread_fields_to_text (cothread_statistics_fields, dump.statistics, "  ", text);
  for (guint i = 0; i < dump.queues->len; i++)
    {
      CothreadCallbackQueue *queue = dump.queues->pdata[i];
      g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (queue);
      g_autofree char *name = make_printable (g_utf8_make_valid (cothread_callback_queue_get_name (queue), -1));

      g_string_append_printf (text, "callback queue \"%s\"\n", name);
      cothread_fields_to_text (cothread_callback_statistics_fields, statistics, "  ", text);
    }
  if (dump.names != NULL && cothread_unwind_get_excuse () != NULL)
    g_string_append_printf (text, "no backtraces in C, but for where each task goes on: %s\n", cothread_unwind_get_excuse ());
  for (guint i = 0; i < dump.tasks->len; i++)
    add_task_text (&dump, dump.tasks->pdata[i], text);
  if (dump.tasks->len < dump.statistics->tasks)
    g_string_append_printf (text, "and %u more tasks\n", dump.statistics->tasks - dump.tasks->len);
  dump_clear (&dump);
  return g_string_free (text, FALSE);
}

static void
add_task_json (Dump *self, CothreadTask *task, CothreadJson *json)
{
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);
  g_autofree char *waits_for = cothread_task_info_dup_wait_text (info);

  cothread_json_begin (json, NULL, '{');
  cothread_fields_to_json (cothread_task_info_fields, info, json);
  cothread_json_add_text (json, "waits_for", waits_for);
  if (self->names != NULL)
    {
      g_auto (GStrv) lines = cothread_backtrace_of_task (task, self->names);

      cothread_json_begin (json, "backtrace", '[');
      for (guint i = 0; lines[i] != NULL; i++)
        cothread_json_add_text (json, NULL, lines[i]);
      cothread_json_end (json, ']');
    }
  cothread_json_end (json, '}');
}

/**
 * cothread_scheduler_dump_json:
 * @scheduler: a scheduler of the calling thread
 * @flags: what to dump
 * @max_tasks: how many tasks at most; 0: all
 *
 * Writes down everything that is known as JSON, for programs: an object with
 * `statistics`, `queues` and `tasks`, whose members are called as those of
 * #CothreadStatistics, #CothreadCallbackStatistics and #CothreadTaskInfo are.
 * Where backtraces were asked for and cannot be made, `no_backtraces` says why.
 *
 * Returns: (transfer full): the text, one line
 *
 * Since: 0.1
 */
char *
cothread_scheduler_dump_json (CothreadScheduler *scheduler, CothreadDumpFlags flags, guint max_tasks)
{
  CothreadJson json = { NULL, FALSE };
  Dump dump;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);

  dump_init (&dump, scheduler, flags, max_tasks);
  json.text = g_string_new (NULL);
  cothread_json_begin (&json, NULL, '{');
  cothread_json_add_int (&json, "process", getpid ());
  cothread_json_add_int (&json, "time_us", dump.now_us);
  cothread_json_begin (&json, "statistics", '{');
  cothread_fields_to_json (cothread_statistics_fields, dump.statistics, &json);
  cothread_json_end (&json, '}');
  cothread_json_begin (&json, "queues", '[');
  for (guint i = 0; i < dump.queues->len; i++)
    {
      CothreadCallbackQueue *queue = dump.queues->pdata[i];
      g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (queue);

      cothread_json_begin (&json, NULL, '{');
      cothread_json_add_text (&json, "name", cothread_callback_queue_get_name (queue));
      cothread_fields_to_json (cothread_callback_statistics_fields, statistics, &json);
      cothread_json_end (&json, '}');
    }
  cothread_json_end (&json, ']');
  if (dump.names != NULL && cothread_unwind_get_excuse () != NULL)
    cothread_json_add_text (&json, "no_backtraces", cothread_unwind_get_excuse ());
  cothread_json_begin (&json, "tasks", '[');
  for (guint i = 0; i < dump.tasks->len; i++)
    add_task_json (&dump, dump.tasks->pdata[i], &json);
  cothread_json_end (&json, ']');
  cothread_json_end (&json, '}');
  dump_clear (&dump);
  return g_string_free (json.text, FALSE);
}
