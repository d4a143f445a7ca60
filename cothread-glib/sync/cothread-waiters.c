/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync/cothread-waiters-private.h"

void
cothread_waiters_init (CothreadWaiters *waiters)
{
  ct_link_init (&waiters->head);
  waiters->last_sequence = 0;
}

void
cothread_waiters_begin (CothreadWaiters *waiters, CtWaiter *waiter, CtTask *task)
{
  *waiter = (CtWaiter) { .task = task, .sequence = ++waiters->last_sequence };
}

void
cothread_waiters_queue (CothreadWaiters *waiters, CtWaiter *waiter)
{
  CtLink *position = waiters->head.prev;

  while (position != &waiters->head && CT_CONTAINER_OF (position, CtWaiter, link)->sequence > waiter->sequence)
    position = position->prev;
  ct_link_insert_before (position->next, &waiter->link);
}

gboolean
cothread_waiters_wake_one (CothreadWaiters *waiters)
{
  while (ct_link_is_linked (&waiters->head))
    {
      CtWaiter *first = CT_CONTAINER_OF (waiters->head.next, CtWaiter, link);

      if (ct_task_fire (first->task, CT_WAKE_NORMAL, first))
        return TRUE;
      ct_link_unlink (&first->link); /* a task of the parent process */
    }
  return FALSE;
}

guint
cothread_waiters_wake_all (CothreadWaiters *waiters)
{
  guint n = 0;

  while (cothread_waiters_wake_one (waiters))
    n++;
  return n;
}
