/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watched.h"

#define MAX_ASKED 100000

void
watched_clear (Watched *self)
{
  g_clear_object (&self->remote);
  g_clear_pointer (&self->before, cothread_statistics_free);
}

static void
describe_statistics (Watched *self, const CothreadStatistics *now, GString *text)
{
  CothreadStatistics none = { 0 };
  const CothreadStatistics *before = self->before != NULL ? self->before : &none;
  double seconds = (double) MAX (now->age_us - before->age_us, 1) / 1e6;
  double busy = (double) (now->busy_us - before->busy_us) / 1e4 / seconds;
  double switches = (double) (now->switches - before->switches) / seconds;

  g_string_append_printf (text, "cothread-top: process %s, busy %.0f %%, %.0f switches/s, longest turn %.1f ms, %" G_GUINT64_FORMAT " stalls\n",
                          cothread_remote_get_process (self->remote), CLAMP (busy, 0, 100), switches,
                          (double) now->longest_turn_us / 1e3, now->stalls);
  g_string_append_printf (text, "tasks: %u (%u ready, %u waiting, %u running), %" G_GUINT64_FORMAT " spawned, %" G_GUINT64_FORMAT
                          " failed; %u timers, %u descriptors\n",
                          now->tasks, now->ready, now->waiting, now->running, now->spawned, now->failed, now->timers, now->descriptors);
}

/* A name may hold whatever a terminal would take for a command. */
static char *
printable (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (out, g_unichar_iscntrl (c) ? 0xfffd : c);
    }
  return g_string_free (out, FALSE);
}

static void
describe_queue (const char *name, const CothreadCallbackStatistics *queue, GString *text)
{
  g_autofree char *shown = printable (name);

  g_string_append_printf (text, "queue %s: %u of %u, at most %u, %" G_GUINT64_FORMAT " run\n", shown, queue->length,
                          queue->max_length, queue->high_water, queue->run);
}

static int
by_switches (gconstpointer a, gconstpointer b)
{
  guint64 x = (*(CothreadTaskInfo *const *) a)->switches, y = (*(CothreadTaskInfo *const *) b)->switches;

  return (x < y) - (x > y);
}

static void
describe_task (const CothreadTaskInfo *task, GString *text)
{
  g_autofree char *waits_for = cothread_task_info_dup_wait_text (task);
  g_autofree char *name = printable (task->name);
  g_autofree char *wait = printable (waits_for != NULL ? waits_for : "");

  g_string_append_printf (text, "%8" G_GUINT64_FORMAT "  %-8s %-6s %10" G_GUINT64_FORMAT "  %-24s %s\n", task->id,
                          cothread_task_state_to_string (task->state), task->language, task->switches, name, wait);
}

static void
describe_tasks (GPtrArray *tasks, guint max_tasks, GString *text)
{
  g_ptr_array_sort (tasks, by_switches);
  g_string_append (text, "      id  state    in       switches  name                     waits for\n");
  for (guint i = 0; i < MIN (tasks->len, max_tasks); i++)
    describe_task (tasks->pdata[i], text);
}

char *
watched_describe (Watched *self, guint max_tasks, GError **error)
{
  g_autoptr (CothreadStatistics) now = cothread_remote_get_statistics (self->remote, error);
  g_auto (GStrv) names = NULL;
  g_autoptr (GPtrArray) queues = now != NULL ? cothread_remote_list_queues (self->remote, &names, error) : NULL;
  g_autoptr (GPtrArray) tasks = queues != NULL ? cothread_remote_list_task_infos (self->remote, MAX_ASKED, error) : NULL;
  GString *text;

  if (tasks == NULL)
    return NULL;
  text = g_string_new (NULL);
  describe_statistics (self, now, text);
  for (guint i = 0; i < queues->len; i++)
    describe_queue (names[i], queues->pdata[i], text);
  describe_tasks (tasks, max_tasks, text);
  g_clear_pointer (&self->before, cothread_statistics_free);
  self->before = g_steal_pointer (&now);
  return g_string_free (text, FALSE);
}
