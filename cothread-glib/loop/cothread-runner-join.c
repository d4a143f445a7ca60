/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-stackless-runner-private.h"

/* A task of a language joins a task of another. */

static gboolean
stand_in_line (CothreadRunnerSource *source, G_GNUC_UNUSED CtScheduler *core, G_GNUC_UNUSED GError **error)
{
  CothreadTask *task = source->object;

  if (!cothread_task_is_finished (task))
    ct_link_insert_before (&task->joiners, &source->watch.waiter.link);
  else
    ct_link_init (&source->watch.waiter.link);
  return TRUE;
}

static gboolean
is_ready (CothreadRunnerSource *source)
{
  return cothread_task_is_finished (source->object);
}

static gboolean
take (CothreadRunnerSource *source, G_GNUC_UNUSED double *value, GError **error)
{
  CothreadTask *task = source->object;

  if (task->error == NULL)
    return TRUE;
  task->failure_was_seen = TRUE;
  g_propagate_error (error, g_error_copy (task->error));
  return FALSE;
}

static void
pass_on (G_GNUC_UNUSED CothreadRunnerSource *source)
{
  /* All who join are woken. */
}

static void
free_source (CothreadRunnerSource *source)
{
  cothread_task_unref (source->object);
  g_free (source);
}

static const CothreadRunnerSourceClass join_class = { stand_in_line, NULL, is_ready, take, pass_on, free_source };

/**
 * cothread_stackless_runner_add_task:
 * @self: a runner
 * @id: a task that the language has
 * @task: any other task of the same thread
 *
 * The next wait of the task ends when another one has ended, with its error if
 * that failed.
 *
 * Returns: the index of this source
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_add_task (CothreadStacklessRunner *self, guint id, CothreadTask *task)
{
  CothreadRunnerTask *waiting = cothread_runner_find (self, id);
  CothreadRunnerSource *source;

  if (waiting == NULL)
    return 0;
  g_return_val_if_fail (task != NULL && waiting->task != task, 0);
  g_return_val_if_fail (cothread_task_is_finished (task) ||
                        (task->scheduler != NULL && cothread_scheduler_is_own_thread (task->scheduler)), 0);
  source = g_new0 (CothreadRunnerSource, 1);
  ct_link_init (&source->watch.waiter.link);
  source->klass = &join_class;
  source->object = cothread_task_ref (task);
  return cothread_runner_add_source (waiting, source);
}
