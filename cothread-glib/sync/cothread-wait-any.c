/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync/cothread-wait-any.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-wait-items-private.h"

/* As many places in line live on the stack. */
#define FEW 8

/* An interrupt came between what woke us and our turn: for the next in line. A
 * timer has told everybody. */
static void
pass_on (const CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items, const CtWaiter *fired)
{
  for (guint i = 0; i < n_items; i++)
    if (fired == &entries[i].watch.waiter && entries[i].waiters != NULL && items[i].kind != COTHREAD_WAIT_TIMER)
      cothread_waiters_wake_one (entries[i].waiters);
}

/* Suspends until an item is ready: *which. */
static gboolean
wait_until_ready (CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items, gint64 timeout_us, guint *which,
                  GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  do
    {
      const CtWaiter *fired = NULL;

      if (!cothread_wait_items_stand (core, items, entries, n_items, which, error))
        return FALSE;
      /* A regular file is ready without waiting. */
      *which = cothread_wait_items_find (items, entries, n_items, NULL);
      if (*which == n_items)
        {
          CtWaiter *waiters = n_items > 0 ? &entries[n_items - 1].watch.waiter : NULL;
          gboolean was_woken = cothread_wait_on (core, waiters, deadline_us, "any of several", NULL, error);

          fired = core->current->fired;
          cothread_wait_items_leave (core->poller, items, entries, n_items);
          if (!was_woken)
            {
              if (core->current->wake == CT_WAKE_TIMEOUT && cothread_wait_items_look (core, items, entries, n_items, which))
                {
                  g_clear_error (error);
                  return TRUE;
                }
              pass_on (items, entries, n_items, fired);
              return FALSE;
            }
          /* Somebody else may have taken it before we ran. */
          *which = cothread_wait_items_find (items, entries, n_items, fired);
        }
      else
        {
          cothread_wait_items_leave (core->poller, items, entries, n_items);
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
 * Waits for the first of several events, event queues, pulses, tasks, timers
 * and descriptors, in any mixture. What came is taken, as its own wait function
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
 * for a queue that is closed and empty or a timer that is cancelled, an error of
 * %G_IO_ERROR for a descriptor that is not open. Otherwise fails with
 * %G_IO_ERROR_TIMED_OUT, and like cothread_sleep(), @which then being @n_items.
 * An object of another thread, or waiting for the calling task itself, is a
 * critical.
 *
 * Returns: %TRUE if an item came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_any (CothreadWaitItem *items, guint n_items, gint64 timeout_us, guint *which, GError **error)
{
  GDestroyNotify unused;

  return cothread_wait_any_with_destroy (items, n_items, timeout_us, which, &unused, error);
}

gboolean
cothread_wait_any_with_destroy (CothreadWaitItem *items, guint n_items, gint64 timeout_us, guint *which,
                                GDestroyNotify *value_destroy, GError **error)
{
  CothreadWaitEntry few[FEW];
  g_autofree CothreadWaitEntry *many = n_items > FEW ? g_new (CothreadWaitEntry, n_items) : NULL;
  CothreadWaitEntry *entries = many != NULL ? many : few;
  gboolean success = TRUE;
  guint n_begun = 0;
  guint found = n_items;

  g_return_val_if_fail (items != NULL || n_items == 0, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  g_return_val_if_fail (which != NULL, FALSE);

  *which = n_items;
  while (n_begun < n_items && cothread_wait_item_begin (&items[n_begun], &entries[n_begun]))
    n_begun++;
  if (n_begun == n_items)
    {
      found = cothread_wait_items_find (items, entries, n_items, NULL);
      if (found == n_items)
        success = wait_until_ready (items, entries, n_items, timeout_us, &found, error);
      else if (!cothread_wait_for_ready (error))
        {
          success = FALSE;
          found = n_items;
        }
      if (success)
        {
          *value_destroy = cothread_wait_item_get_value_destroy (&items[found]);
          success = cothread_wait_item_take (&items[found], &entries[found], error);
        }
      *which = found;
    }
  else
    success = FALSE;
  cothread_wait_items_end (items, n_begun);
  return success;
}
