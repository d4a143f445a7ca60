/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-task-info-private.h"
#include "monitor/cothread-warning-private.h"

G_DEFINE_BOXED_TYPE (CothreadWarning, cothread_warning, cothread_warning_copy, cothread_warning_free)

/* Steps along chains of tasks that wait for each other, for all of them: a
 * hundred thousand that join each other in a row must not stop the loop. */
#define MAX_STEPS 1000000

/**
 * cothread_warning_copy:
 * @warning: a warning
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadWarning *
cothread_warning_copy (const CothreadWarning *warning)
{
  CothreadWarning *copy;

  g_return_val_if_fail (warning != NULL, NULL);
  copy = g_memdup2 (warning, sizeof *warning);
  copy->task_name = g_strdup (warning->task_name);
  copy->message = g_strdup (warning->message);
  return copy;
}

/**
 * cothread_warning_free:
 * @warning: (nullable) (transfer full): a warning
 *
 * Frees it.
 *
 * Since: 0.1
 */
void
cothread_warning_free (CothreadWarning *warning)
{
  if (warning == NULL)
    return;
  g_free (warning->task_name);
  g_free (warning->message);
  g_free (warning);
}

CothreadWarning *
cothread_warning_new (CothreadWarningKind kind, const CothreadTask *task, char *message)
{
  CothreadWarning *warning = g_new0 (CothreadWarning, 1);

  warning->kind = kind;
  warning->task_id = task->core.id;
  warning->task_name = g_utf8_make_valid (cothread_task_get_name ((CothreadTask *) task), -1);
  warning->message = message;
  return warning;
}

/* Waits without a deadline; those end by themselves. */
static gboolean
waits_for_ever (const CtTask *core)
{
  return core->state == CT_TASK_WAITING && core->timer.index == 0;
}

static const CtTask *
next_in_chain (const CtTask *core)
{
  return waits_for_ever (core) ? cothread_task_peek_waited_for (core) : NULL;
}

/* Whether following the chain from here leads back here, and this is the oldest
 * of the circle. */
static gboolean
begins_circle (const CtTask *start, guint *steps_left)
{
  const CtTask *at = next_in_chain (start);

  for (; at != NULL && *steps_left > 0; --*steps_left, at = next_in_chain (at))
    {
      if (at == start)
        return TRUE;
      if (at->id < start->id)
        return FALSE; /* the circle, if it is one, is told from there */
    }
  return FALSE;
}

static void
append_wait (GString *text, const CtTask *core)
{
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info ((CothreadTask *) core);
  g_autofree char *waits_for = cothread_task_info_dup_wait_text (info);

  g_string_append_printf (text, "task %s (%" G_GUINT64_FORMAT ") waits for %s", info->name, info->id, waits_for);
}

static CothreadWarning *
tell_circle (const CtTask *start)
{
  GString *text = g_string_new ("Deadlock: ");
  const CtTask *at = start;

  do
    {
      if (at != start)
        g_string_append (text, "; ");
      append_wait (text, at);
      at = next_in_chain (at);
    }
  while (at != start);
  return cothread_warning_new (COTHREAD_WARNING_DEADLOCK, (const CothreadTask *) start, g_string_free (text, FALSE));
}

static gconstpointer
object_of_wait (const CtTask *core)
{
  return core->state == CT_TASK_WAITING && core->wait_reason != NULL && cothread_wait_reason_has_object (core->wait_reason)
           ? core->wait_object
           : NULL;
}

/* Each wait holds a reference to its object: if these are all that there are,
 * nobody is left who could signal it. */
static GHashTable *
count_waiters (const CtScheduler *core)
{
  GHashTable *counts = g_hash_table_new (NULL, NULL);

  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    {
      gconstpointer object = object_of_wait (CT_CONTAINER_OF (link, CtTask, all));

      if (object != NULL)
        g_hash_table_insert (counts, (gpointer) object,
                             GUINT_TO_POINTER (GPOINTER_TO_UINT (g_hash_table_lookup (counts, object)) + 1));
    }
  return counts;
}

static gboolean
is_lost (const CtTask *core, GHashTable *counts)
{
  gconstpointer object = object_of_wait (core);

  /* A callback queue that is open belongs to its scheduler; a lock has a
   * holder, who releases it. */
  if (object == NULL || !waits_for_ever (core) || COTHREAD_IS_CALLBACK_QUEUE ((gpointer) object) ||
      g_str_equal (core->wait_reason, "lock"))
    return FALSE;
  return (guint) g_atomic_int_get ((const gint *) &((const GObject *) object)->ref_count) ==
         GPOINTER_TO_UINT (g_hash_table_lookup (counts, object));
}

static CothreadWarning *
tell_lost (const CtTask *core)
{
  GString *text = g_string_new ("Lost waiter: ");

  append_wait (text, core);
  g_string_append (text, ", to which nobody else has a reference any more");
  return cothread_warning_new (COTHREAD_WARNING_LOST_WAITER, (const CothreadTask *) core, g_string_free (text, FALSE));
}

/**
 * cothread_scheduler_find_lost_waiters:
 * @scheduler: a scheduler of the calling thread
 *
 * Looks for tasks that nothing can wake any more but a cancellation: those that
 * wait for each other in a circle (joining, or holding the lock that the next
 * one wants), and those that wait for an event, a queue, a pulse or a semaphore
 * to which nobody else has a reference. What has a deadline is not lost.
 *
 * Visits every task.
 *
 * Returns: (transfer container) (element-type CothreadWarning): what was found
 *
 * Since: 0.1
 */
GPtrArray *
cothread_scheduler_find_lost_waiters (CothreadScheduler *scheduler)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_warning_free);
  g_autoptr (GHashTable) counts = NULL;
  const CtScheduler *core;
  guint steps_left = MAX_STEPS;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), found);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), found);

  core = scheduler->core;
  if (core == NULL)
    return found;
  cothread_scheduler_sync_runners (scheduler);
  counts = count_waiters (core);
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    {
      const CtTask *task = CT_CONTAINER_OF (link, CtTask, all);

      if (begins_circle (task, &steps_left))
        g_ptr_array_add (found, tell_circle (task));
      else if (is_lost (task, counts))
        g_ptr_array_add (found, tell_lost (task));
    }
  return found;
}
