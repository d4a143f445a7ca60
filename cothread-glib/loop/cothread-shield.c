/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-shield.h"
#include "loop/cothread-task-extra.h"

/**
 * cothread_shield_begin:
 *
 * Begins a section of the running task that cancellation does not reach: its
 * waits go on as if nobody had cancelled the task, and the task's
 * #GCancellable is not cancelled either. For a clean-up that has to wait.
 *
 * A cancellation that came before or comes meanwhile is kept and is delivered
 * by the first wait after the matching cothread_shield_end(). Timeouts and
 * interrupts are not held back. Sections nest, 255 deep at most.
 *
 * Never suspends. Outside any task there is nothing to shield from, and it does
 * nothing. A task that ends inside a section is a critical.
 *
 * Since: 0.1
 */
void
cothread_shield_begin (void)
{
  CothreadTask *task = cothread_task_self ();

  if (task == NULL)
    return;
  g_return_if_fail (task->core.shield_depth < G_MAXUINT8);
  task->core.shield_depth++;
}

/**
 * cothread_shield_end:
 *
 * Ends what cothread_shield_begin() began. It does not suspend, and fails not
 * even for a task that was cancelled meanwhile: the next wait does. Without a
 * beginning it is a critical; outside any task it does nothing.
 *
 * Since: 0.1
 */
void
cothread_shield_end (void)
{
  CothreadTask *task = cothread_task_self ();

  if (task == NULL)
    return;
  g_return_if_fail (task->core.shield_depth > 0);
  task->core.shield_depth--;
  if (ct_task_is_cancelled (&task->core))
    cothread_task_tell_canceller (task);
}

/**
 * cothread_shield_new: (skip)
 *
 * Begins a shielded section, as cothread_shield_begin() does, that ends with
 * cothread_shield_free().
 *
 * Returns: (transfer full) (nullable): the section; %NULL outside any task
 *
 * Since: 0.1
 */
CothreadShield *
cothread_shield_new (void)
{
  cothread_shield_begin ();
  return (CothreadShield *) cothread_task_self ();
}

/**
 * cothread_shield_free: (skip)
 * @shield: (nullable) (transfer full): a shielded section of the running task
 *
 * Ends a shielded section, as cothread_shield_end() does. In another task than
 * the one that began it this is a critical and changes nothing.
 *
 * Since: 0.1
 */
void
cothread_shield_free (CothreadShield *shield)
{
  if (shield == NULL)
    return;
  g_return_if_fail ((CothreadTask *) shield == cothread_task_self ());
  cothread_shield_end ();
}
