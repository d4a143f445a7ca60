/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-remote-private.h"

#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-histogram-private.h"
#include "monitor/cothread-fields-private.h"
#include "monitor/cothread-pack-private.h"
#include "monitor/cothread-task-info.h"
#include "monitor/cothread-warning.h"

/* Of a misbehaving process no more than this is taken. */
#define MOST_TURNS 100000

/**
 * cothread_remote_get_statistics: (skip)
 * @self: a remote scheduler
 * @error: return location for a #GError
 *
 * See cothread_scheduler_get_statistics(), and #CothreadRemote for the errors.
 * Suspends the calling task.
 *
 * Returns: (transfer full) (nullable): a snapshot, or %NULL
 *
 * Since: 0.1
 */
CothreadStatistics *
cothread_remote_get_statistics (CothreadRemote *self, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) fields = NULL;
  CothreadStatistics *statistics;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "GetStatistics", NULL, "(a{sv})", error);
  if (reply == NULL)
    return NULL;
  fields = g_variant_get_child_value (reply, 0);
  statistics = g_new0 (CothreadStatistics, 1);
  cothread_fields_from_variant (cothread_statistics_fields, statistics, fields);
  return statistics;
}

/**
 * cothread_remote_get_recent_turns: (skip)
 * @self: a remote scheduler
 * @time_slice_us: (out) (optional): its time slice
 * @error: return location for a #GError
 *
 * See cothread_scheduler_get_recent_turns(), and #CothreadRemote for the errors.
 * Suspends the calling task.
 *
 * Returns: (transfer full) (element-type gint64) (nullable): how long each of the
 *   last turns was, in microseconds, or %NULL
 *
 * Since: 0.1
 */
GArray *
cothread_remote_get_recent_turns (CothreadRemote *self, gint64 *time_slice_us, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) recent = NULL;
  const gint64 *lengths;
  GArray *turns;
  gint64 slice_us;
  gsize n;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "GetTurns", NULL, "(xax)", error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(x@ax)", &slice_us, &recent);
  lengths = g_variant_get_fixed_array (recent, &n, sizeof *lengths);
  n = MIN (n, MOST_TURNS);
  turns = g_array_sized_new (FALSE, FALSE, sizeof *lengths, (guint) n);
  if (n > 0)
    g_array_append_vals (turns, lengths, (guint) n);
  if (time_slice_us != NULL)
    *time_slice_us = slice_us;
  return turns;
}

static void
get_histogram (GVariant *dict, const char *name, CtHistogram *values)
{
  g_autoptr (GVariant) variant = g_variant_lookup_value (dict, name, G_VARIANT_TYPE (COTHREAD_HISTOGRAM_VARIANT_TYPE));

  *values = (CtHistogram) { 0 };
  if (variant != NULL)
    cothread_histogram_values_from_variant (variant, values);
}

static CothreadCallbackStatistics *
queue_from_variant (GVariant *dict)
{
  CtHistogram time_in_queue, run_time;
  CothreadCallbackStatistics *queue;

  get_histogram (dict, "time_in_queue", &time_in_queue);
  get_histogram (dict, "run_time", &run_time);
  queue = cothread_callback_statistics_new (&time_in_queue, &run_time);
  cothread_fields_from_variant (cothread_callback_statistics_fields, queue, dict);
  return queue;
}

/**
 * cothread_remote_list_queues: (skip)
 * @self: a remote scheduler
 * @names: (out) (optional) (array zero-terminated=1) (transfer full): what they
 *   are called, in the same order
 * @error: return location for a #GError
 *
 * Takes a snapshot of each of its callback queues; see
 * cothread_callback_queue_get_statistics(), and #CothreadRemote for the errors.
 * What was slowest is not told.
 *
 * Suspends the calling task.
 *
 * Returns: (transfer container) (element-type CothreadCallbackStatistics) (nullable):
 *   the snapshots, or %NULL
 *
 * Since: 0.1
 */
GPtrArray *
cothread_remote_list_queues (CothreadRemote *self, char ***names, GError **error)
{
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) list = NULL;
  GPtrArray *queues;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "ListQueues", NULL, "(aa{sv})", error);
  if (reply == NULL)
    return NULL;
  list = g_variant_get_child_value (reply, 0);
  queues = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_callback_statistics_free);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) dict = g_variant_get_child_value (list, i);
      const char *name = "";

      g_variant_lookup (dict, "name", "&s", &name);
      g_strv_builder_add (found, name);
      g_ptr_array_add (queues, queue_from_variant (dict));
    }
  if (names != NULL)
    *names = g_strv_builder_end (found);
  return queues;
}

static gpointer
make_info (void)
{
  CothreadTaskInfo *info = g_new0 (CothreadTaskInfo, 1);

  info->language = "?";
  info->wait_fd = -1;
  info->deadline_us = info->since_us = info->run_us = info->longest_run_us = -1;
  return info;
}

static void
take_info (gpointer infos, gpointer row)
{
  CothreadTaskInfo *info = row;

  if (info->name == NULL)
    info->name = g_strdup ("");
  g_ptr_array_add (infos, info);
}

/**
 * cothread_remote_list_task_infos: (skip)
 * @self: a remote scheduler
 * @max: list no more than so many; 0: as many as it tells
 * @error: return location for a #GError
 *
 * See cothread_scheduler_list_task_infos(), and #CothreadRemote for the errors.
 * Making the list holds the other main loop for about a microsecond a task: a view
 * asks for as many as can be looked at.
 *
 * Suspends the calling task.
 *
 * Returns: (transfer container) (element-type CothreadTaskInfo) (nullable): what is
 *   known about its tasks, or %NULL
 *
 * Since: 0.1
 */
GPtrArray *
cothread_remote_list_task_infos (CothreadRemote *self, guint max, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  GPtrArray *infos;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "PackTasks", g_variant_new ("(u)", max), COTHREAD_PACK_VARIANT_TYPE, error);
  if (reply == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_info_free);
  cothread_unpack (reply, cothread_task_info_fields, make_info, take_info, infos);
  return infos;
}

/**
 * cothread_remote_dup_backtrace: (skip)
 * @self: a remote scheduler
 * @task_id: the number of one of its tasks
 * @error: return location for a #GError
 *
 * See cothread_task_dup_backtrace(), and #CothreadRemote for the errors. Suspends
 * the calling task.
 *
 * Returns: (transfer full) (array zero-terminated=1) (nullable): the lines, none if
 *   there is no such task any more; or %NULL
 *
 * Since: 0.1
 */
char **
cothread_remote_dup_backtrace (CothreadRemote *self, guint64 task_id, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  char **lines = NULL;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "GetBacktrace", g_variant_new ("(t)", task_id), "(as)", error);
  if (reply != NULL)
    g_variant_get (reply, "(^as)", &lines);
  return lines;
}

static CothreadWarning *
warning_new (guint kind, guint64 task_id, const char *task_name, const char *message)
{
  CothreadWarning *warning = g_new0 (CothreadWarning, 1);

  *warning = (CothreadWarning) { MIN (kind, COTHREAD_WARNING_FORGOTTEN_FAILURE), task_id, g_strdup (task_name), g_strdup (message) };
  return warning;
}

/**
 * cothread_remote_list_warnings: (skip)
 * @self: a remote scheduler
 * @last: (inout): how many warnings were listed before, 0 to begin with
 * @error: return location for a #GError
 *
 * Lists what has begun to look wrong since the last call, of the last 64 such
 * things. The other process looks for them once a second, from the first call on
 * and as long as whoever asks is on the bus; see #CothreadMonitor:checks, and
 * #CothreadRemote for the errors.
 *
 * Suspends the calling task.
 *
 * Returns: (transfer container) (element-type CothreadWarning) (nullable): the
 *   warnings, oldest first, or %NULL
 *
 * Since: 0.1
 */
GPtrArray *
cothread_remote_list_warnings (CothreadRemote *self, guint64 *last, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) list = NULL;
  const char *task_name, *message;
  GPtrArray *warnings;
  guint64 task_id;
  guint kind;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);
  g_return_val_if_fail (last != NULL, NULL);

  reply = cothread_remote_ask (self, "ListWarnings", g_variant_new ("(t)", *last), "(ta(utss))", error);
  if (reply == NULL)
    return NULL;
  warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_warning_free);
  g_variant_get (reply, "(ta(utss))", last, &list);
  while (g_variant_iter_next (list, "(ut&s&s)", &kind, &task_id, &task_name, &message))
    g_ptr_array_add (warnings, warning_new (kind, task_id, task_name, message));
  return warnings;
}

/**
 * cothread_remote_dump_text: (skip)
 * @self: a remote scheduler
 * @backtraces: whether to tell where each task stands
 * @max_tasks: no more tasks than that; 0: as many as it tells
 * @error: return location for a #GError
 *
 * See cothread_scheduler_dump_text(), and #CothreadRemote for the errors. Suspends
 * the calling task.
 *
 * Returns: (transfer full) (nullable): the text, or %NULL
 *
 * Since: 0.1
 */
char *
cothread_remote_dump_text (CothreadRemote *self, gboolean backtraces, guint max_tasks, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  char *text = NULL;

  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);

  reply = cothread_remote_ask (self, "Dump", g_variant_new ("(bu)", backtraces, max_tasks), "(s)", error);
  if (reply != NULL)
    g_variant_get (reply, "(s)", &text);
  return text;
}
