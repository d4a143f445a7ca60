/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-task-extra.h"

CothreadTaskExtra *
cothread_task_ensure_extra (CothreadTask *task)
{
  if (task->extra == NULL)
    {
      task->extra = g_new0 (CothreadTaskExtra, 1);
      ct_link_init (&task->extra->endings);
      ct_link_init (&task->extra->values_ending.link);
      task->extra->values_ending.run = cothread_task_values_end;
    }
  return task->extra;
}

void
cothread_task_extra_free (CothreadTaskExtra *extra)
{
  if (extra == NULL)
    return;
  cothread_task_canceller_free (extra->canceller);
  g_free (extra);
}

void
cothread_task_add_ending (CothreadTask *task, CothreadTaskEnding *ending)
{
  ct_link_insert_before (&cothread_task_ensure_extra (task)->endings, &ending->link);
}

void
cothread_task_run_endings (CothreadTask *task)
{
  if (task->extra == NULL)
    return;
  /* One may add another: a destroy notify that sets a value. */
  while (ct_link_is_linked (&task->extra->endings))
    {
      CothreadTaskEnding *ending = CT_CONTAINER_OF (task->extra->endings.prev, CothreadTaskEnding, link);

      ct_link_unlink (&ending->link);
      ending->run (ending, task);
    }
}
