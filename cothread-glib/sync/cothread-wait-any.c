/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync/cothread-wait-any.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-sources-private.h"

/* As many places in line live on the stack. */
#define FEW 8

/* One item's place in line. */
typedef struct
{
  CtFdWatch watch;          /* its waiter serves every kind */
  CothreadWaiters *waiters; /* of an event, queue or pulse */
  guint64 n_pulses;         /* when the wait began */
} Entry;

/* Takes a reference to whatever is waited for; FALSE after a critical. */
static gboolean
begin_item (CothreadWaitItem *item, Entry *entry)
{
  *entry = (Entry) { .n_pulses = 0 };
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
        entry->n_pulses = cothread_pulse_get_n_for_all (item->object);
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
  g_object_ref (item->object);
  return TRUE;
}

static void
end_items (CothreadWaitItem *items, guint n_items)
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
is_ready (const CothreadWaitItem *item, const Entry *entry, const CtWaiter *fired)
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
      return fired == &entry->watch.waiter || cothread_pulse_get_n_for_all (item->object) != entry->n_pulses;
    case COTHREAD_WAIT_TASK:
      return cothread_task_is_finished (item->object);
    case COTHREAD_WAIT_DESCRIPTOR:
      return entry->watch.revents != 0;
    default:
      g_return_val_if_reached (FALSE);
    }
}

/* What woke us goes first: if it were left, nobody else would be woken for it.
 * n_items: none. */
static guint
find_ready (const CothreadWaitItem *items, const Entry *entries, guint n_items, const CtWaiter *fired)
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

static gboolean
take_result (CothreadTask *task, gpointer *result, GError **error)
{
  if (task->error != NULL)
    {
      task->failure_was_seen = TRUE;
      g_propagate_error (error, g_error_copy (task->error));
      return FALSE;
    }
  *result = task->result;
  return TRUE;
}

static gboolean
take (CothreadWaitItem *item, const Entry *entry, GError **error)
{
  switch (item->kind)
    {
    case COTHREAD_WAIT_EVENT:
      return cothread_event_take (item->object, &item->value, error);
    case COTHREAD_WAIT_EVENT_QUEUE:
      return cothread_event_queue_take (item->object, &item->value, error);
    case COTHREAD_WAIT_TASK:
      return take_result (item->object, &item->value, error);
    case COTHREAD_WAIT_PULSE:
      return TRUE;
    case COTHREAD_WAIT_DESCRIPTOR:
      item->happened = (GIOCondition) entry->watch.revents;
      return TRUE;
    default:
      g_return_val_if_reached (FALSE);
    }
}

static void
leave_lines (CtPoller *poller, const CothreadWaitItem *items, Entry *entries, guint n_items)
{
  for (guint i = 0; i < n_items; i++)
    {
      if (items[i].kind == COTHREAD_WAIT_DESCRIPTOR)
        ct_poller_remove (poller, &entries[i].watch);
      else
        ct_link_unlink (&entries[i].watch.waiter.link);
    }
}

/* Puts every item's waiter in its line. FALSE with an error for a descriptor
 * that is not open, which *failed tells. */
static gboolean
stand_in_lines (CtScheduler *core, const CothreadWaitItem *items, Entry *entries, guint n_items, guint *failed, GError **error)
{
  for (guint i = 0; i < n_items; i++)
    {
      Entry *entry = &entries[i];

      entry->watch.waiter.task = core->current;
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
              leave_lines (core->poller, items, entries, i);
              return FALSE;
            }
        }
    }
  return TRUE;
}

/* An interrupt came between what woke us and our turn: for the next in line. */
static void
pass_on (Entry *entries, guint n_items, const CtWaiter *fired)
{
  for (guint i = 0; i < n_items; i++)
    if (fired == &entries[i].watch.waiter && entries[i].waiters != NULL)
      cothread_waiters_wake_one (entries[i].waiters);
}

/* Time is up, but perhaps nobody has looked at the descriptors since the wait
 * began: with a timeout of 0 the loop never gets to its poll. */
static gboolean
is_ready_after_all (CtScheduler *core, const CothreadWaitItem *items, Entry *entries, guint n_items, guint *which)
{
  if (core->current->wake != CT_WAKE_TIMEOUT)
    return FALSE;
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

/* Suspends until an item is ready: *which. */
static gboolean
wait_until_ready (CothreadWaitItem *items, Entry *entries, guint n_items, gint64 timeout_us, guint *which, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  do
    {
      const CtWaiter *fired = NULL;

      if (!stand_in_lines (core, items, entries, n_items, which, error))
        return FALSE;
      /* A regular file is ready without waiting. */
      *which = find_ready (items, entries, n_items, NULL);
      if (*which == n_items)
        {
          CtWaiter *waiters = n_items > 0 ? &entries[n_items - 1].watch.waiter : NULL;
          gboolean was_woken = cothread_wait_on (core, waiters, deadline_us, "any of several", NULL, error);

          fired = core->current->fired;
          leave_lines (core->poller, items, entries, n_items);
          if (!was_woken)
            {
              if (is_ready_after_all (core, items, entries, n_items, which))
                {
                  g_clear_error (error);
                  return TRUE;
                }
              pass_on (entries, n_items, fired);
              return FALSE;
            }
          /* Somebody else may have taken it before we ran. */
          *which = find_ready (items, entries, n_items, fired);
        }
      else
        {
          leave_lines (core->poller, items, entries, n_items);
          if (!cothread_wait_for_ready (error))
            {
              *which = n_items;
              return FALSE;
            }
        }
    }
  while (*which == n_items);
  return TRUE;
}

/**
 * cothread_wait_any: (skip)
 * @items: (array length=n_items): what to wait for
 * @n_items: how many; with none it waits for the timeout
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @which: (out): the index of the item that came; @n_items if none did
 * @error: return location for a #GError
 *
 * Waits for the first of several events, event queues, pulses, tasks and
 * descriptors, in any mixture. What came is taken, as its own wait function
 * would: an event is reset if it resets by itself, an item leaves its queue.
 * From all others nothing is taken, and other tasks can have it.
 *
 * Does not suspend if something came already (but for pulses, which remember
 * nothing, and descriptors, which are looked at when the loop polls). Of several
 * things it takes the one that ended the wait, otherwise the one with the lowest
 * index. The same object may be in @items more than once.
 *
 * Fails with the error of the item that came, @which then being its index: that
 * of cothread_event_signal_error(), of a task that failed, %COTHREAD_ERROR_CLOSED
 * for a queue that is closed and empty, an error of %G_IO_ERROR for a descriptor
 * that is not open. Otherwise fails with %G_IO_ERROR_TIMED_OUT, and like
 * cothread_sleep(), @which then being @n_items. An object of another thread, or
 * waiting for the calling task itself, is a critical.
 *
 * Returns: %TRUE if an item came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_any (CothreadWaitItem *items, guint n_items, gint64 timeout_us, guint *which, GError **error)
{
  Entry few[FEW];
  g_autofree Entry *many = n_items > FEW ? g_new (Entry, n_items) : NULL;
  Entry *entries = many != NULL ? many : few;
  gboolean success = TRUE;
  guint n_begun = 0;
  guint found = n_items;

  g_return_val_if_fail (items != NULL || n_items == 0, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  g_return_val_if_fail (which != NULL, FALSE);

  *which = n_items;
  while (n_begun < n_items && begin_item (&items[n_begun], &entries[n_begun]))
    n_begun++;
  if (n_begun == n_items)
    {
      found = find_ready (items, entries, n_items, NULL);
      if (found == n_items)
        success = wait_until_ready (items, entries, n_items, timeout_us, &found, error);
      else if (!cothread_wait_for_ready (error))
        {
          success = FALSE;
          found = n_items;
        }
      if (success)
        success = take (&items[found], &entries[found], error);
      *which = found;
    }
  else
    success = FALSE;
  end_items (items, n_begun);
  return success;
}
