/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "sync/cothread-sources-private.h"
#include "sync/cothread-wait-items-private.h"

gboolean
cothread_wait_item_begin (CothreadWaitItem *item, CothreadWaitEntry *entry)
{
  *entry = (CothreadWaitEntry) { .n_told = 0 };
  ct_link_init (&entry->watch.waiter.link);
  switch (item->kind)
    {
    case COTHREAD_WAIT_EVENT:
      entry->waiters = cothread_event_get_waiters (item->object);
      break;
    case COTHREAD_WAIT_EVENT_QUEUE:
      entry->waiters = cothread_event_queue_get_waiters (item->object);
      break;
    case COTHREAD_WAIT_PULSE:
      entry->waiters = cothread_pulse_get_waiters (item->object);
      if (entry->waiters != NULL)
        entry->n_told = cothread_pulse_get_n_for_all (item->object);
      break;
    case COTHREAD_WAIT_TIMER:
      entry->waiters = cothread_timer_get_waiters (item->object);
      if (entry->waiters != NULL)
        {
          entry->n_told = cothread_timer_get_n_told (item->object);
          entry->n_expired = cothread_timer_get_n_expired (item->object);
        }
      break;
    case COTHREAD_WAIT_TASK:
      g_return_val_if_fail (item->object != NULL, FALSE);
      g_return_val_if_fail (item->object != cothread_task_self (), FALSE);
      g_return_val_if_fail (cothread_task_is_finished (item->object) ||
                              cothread_scheduler_is_own_thread (((CothreadTask *) item->object)->scheduler), FALSE);
      cothread_task_ref (item->object);
      return TRUE;
    case COTHREAD_WAIT_DESCRIPTOR:
      return TRUE;
    default:
      g_return_val_if_reached (FALSE);
    }
  if (entry->waiters == NULL)
    return FALSE;
  cothread_waiters_begin (entry->waiters, &entry->watch.waiter, NULL);
  ct_link_init (&entry->watch.waiter.link); /* it may leave the line before it stands in it */
  g_object_ref (item->object);
  return TRUE;
}

void
cothread_wait_items_end (CothreadWaitItem *items, guint n_items)
{
  for (guint i = 0; i < n_items; i++)
    {
      if (items[i].kind == COTHREAD_WAIT_TASK)
        cothread_task_unref (items[i].object);
      else if (items[i].kind != COTHREAD_WAIT_DESCRIPTOR)
        g_object_unref (items[i].object);
    }
}

static gboolean
is_ready (const CothreadWaitItem *item, const CothreadWaitEntry *entry, const CtWaiter *fired)
{
  switch (item->kind)
    {
    case COTHREAD_WAIT_EVENT:
      return cothread_event_is_signalled (item->object);
    case COTHREAD_WAIT_EVENT_QUEUE:
      return cothread_event_queue_is_ready (item->object);
    case COTHREAD_WAIT_PULSE:
      /* It remembers nothing, but we may have been woken in vain by another
       * item, and stood nowhere for a moment. */
      return fired == &entry->watch.waiter || cothread_pulse_get_n_for_all (item->object) != entry->n_told;
    case COTHREAD_WAIT_TIMER:
      return cothread_timer_is_over (item->object) || cothread_timer_get_n_told (item->object) != entry->n_told;
    case COTHREAD_WAIT_TASK:
      return cothread_task_is_finished (item->object);
    case COTHREAD_WAIT_DESCRIPTOR:
      return entry->watch.revents != 0;
    default:
      g_return_val_if_reached (FALSE);
    }
}

guint
cothread_wait_items_find (const CothreadWaitItem *items, const CothreadWaitEntry *entries, guint n_items, const CtWaiter *fired)
{
  guint found = n_items;

  for (guint i = n_items; i-- > 0;)
    if (is_ready (&items[i], &entries[i], fired))
      {
        found = i;
        if (fired == &entries[i].watch.waiter)
          break;
      }
  return found;
}

GDestroyNotify
cothread_wait_item_get_value_destroy (const CothreadWaitItem *item)
{
  if (item->kind == COTHREAD_WAIT_EVENT)
    return cothread_event_get_value_destroy (item->object);
  if (item->kind == COTHREAD_WAIT_EVENT_QUEUE)
    return cothread_event_queue_get_item_destroy (item->object);
  return NULL;
}

gboolean
cothread_wait_item_take (CothreadWaitItem *item, const CothreadWaitEntry *entry, GError **error)
{
  switch (item->kind)
    {
    case COTHREAD_WAIT_EVENT:
      return cothread_event_take (item->object, &item->value, error);
    case COTHREAD_WAIT_EVENT_QUEUE:
      return cothread_event_queue_take (item->object, &item->value, error);
    case COTHREAD_WAIT_TASK:
      return cothread_task_get_outcome (item->object, &item->value, error);
    case COTHREAD_WAIT_TIMER:
      return cothread_timer_take (item->object, entry->n_expired, error);
    case COTHREAD_WAIT_PULSE:
      return TRUE;
    case COTHREAD_WAIT_DESCRIPTOR:
      item->happened = (GIOCondition) entry->watch.revents;
      return TRUE;
    default:
      g_return_val_if_reached (FALSE);
    }
}

void
cothread_wait_items_leave (CtPoller *poller, const CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items)
{
  for (guint i = 0; i < n_items; i++)
    {
      if (items[i].kind == COTHREAD_WAIT_DESCRIPTOR)
        ct_poller_remove (poller, &entries[i].watch);
      else
        ct_link_unlink (&entries[i].watch.waiter.link);
    }
}

gboolean
cothread_wait_items_stand (CtScheduler *core, const CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items, guint *failed, GError **error)
{
  for (guint i = 0; i < n_items; i++)
    {
      CothreadWaitEntry *entry = &entries[i];

      entry->watch.waiter.task = core->current; /* an _async() form sets it anew */
      entry->watch.waiter.next = i > 0 ? &entries[i - 1].watch.waiter : NULL;
      if (entry->waiters != NULL)
        cothread_waiters_queue (entry->waiters, &entry->watch.waiter);
      else if (items[i].kind == COTHREAD_WAIT_TASK)
        ct_link_insert_before (&((CothreadTask *) items[i].object)->joiners, &entry->watch.waiter.link);
      else
        {
          int failure;

          entry->watch.fd = items[i].fd;
          entry->watch.events = (gushort) items[i].condition;
          failure = ct_poller_add (core->poller, &entry->watch);
          if (failure != 0)
            {
              g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Descriptor %d: %s", items[i].fd,
                           g_strerror (failure));
              *failed = i;
              cothread_wait_items_leave (core->poller, items, entries, i);
              return FALSE;
            }
        }
    }
  return TRUE;
}

gboolean
cothread_wait_items_look (CtScheduler *core, const CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items, guint *which)
{
  for (guint i = 0; i < n_items; i++)
    {
      GPollFD fd = { items[i].fd, (gushort) items[i].condition, 0 };

      if (items[i].kind != COTHREAD_WAIT_DESCRIPTOR || ct_poller_look (core->poller, &fd, 1) <= 0)
        continue;
      entries[i].watch.revents = fd.revents;
      *which = i;
      return TRUE;
    }
  return FALSE;
}
