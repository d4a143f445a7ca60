/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "sync/cothread-wait-any.h"
#include "sync/cothread-wait-items-private.h"

/* What stands in the lines; gone when the answer is there. */
typedef struct
{
  CothreadWaitItem *items;
  CothreadWaitEntry *entries;
  guint n_items;
  struct _Outcome *outcome; /* the answer, which owns itself */
} Lines;

typedef struct _Outcome
{
  guint which;
  CothreadWaitItem item;
  GDestroyNotify value_destroy;
} Outcome;

static void
outcome_free (gpointer data)
{
  Outcome *self = data;

  if (self->value_destroy != NULL)
    self->value_destroy (self->item.value);
  g_free (self);
}

static void
lines_free (gpointer data)
{
  Lines *self = data;

  cothread_wait_items_end (self->items, self->n_items);
  g_free (self->items);
  g_free (self->entries);
  g_free (self);
}

/* What frees the value has to be asked before the value is taken. */
static void
take (CothreadAsyncWait *wait, guint which)
{
  Lines *self = wait->object;
  Outcome *outcome = self->outcome;
  GDestroyNotify value_destroy = cothread_wait_item_get_value_destroy (&self->items[which]);

  outcome->which = which;
  if (cothread_wait_item_take (&self->items[which], &self->entries[which], &wait->failure))
    outcome->value_destroy = value_destroy;
  outcome->item = self->items[which];
}

static gboolean
take_any (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  Lines *self = wait->object;
  CtScheduler *core = wait->scheduler->core;
  guint which;

  if (fired != NULL)
    cothread_wait_items_leave (core->poller, self->items, self->entries, self->n_items);
  which = cothread_wait_items_find (self->items, self->entries, self->n_items, fired);
  if (which == self->n_items)
    {
      if (!cothread_wait_items_stand (core, self->items, self->entries, self->n_items, &self->outcome->which, &wait->failure))
        return TRUE;
      wait->waiter.next = self->n_items > 0 ? &self->entries[self->n_items - 1].watch.waiter : NULL;
      /* A regular file is ready without waiting. */
      which = cothread_wait_items_find (self->items, self->entries, self->n_items, NULL);
      if (which == self->n_items)
        return FALSE;
      cothread_wait_items_leave (core->poller, self->items, self->entries, self->n_items);
    }
  take (wait, which);
  return TRUE;
}

static gboolean
look_once_more (CothreadAsyncWait *wait, CtWake wake)
{
  Lines *self = wait->object;
  guint which;

  if (wake != CT_WAKE_TIMEOUT ||
      !cothread_wait_items_look (wait->scheduler->core, self->items, self->entries, self->n_items, &which))
    return TRUE;
  g_clear_error (&wait->failure);
  take (wait, which);
  return TRUE;
}

static void
leave_lines (CothreadAsyncWait *wait)
{
  Lines *self = wait->object;

  cothread_wait_items_leave (wait->scheduler->core->poller, self->items, self->entries, self->n_items);
}

static const CothreadAsyncWaitKind any_kind = { "wait for any", "any of several", take_any, look_once_more, leave_lines };

/**
 * cothread_wait_any_async: (skip)
 * @items: (array length=n_items): what to wait for; copied, and what they name is
 *   held meanwhile
 * @n_items: how many; with none it waits for the timeout
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits for the first of several things, as cothread_wait_any() does, standing
 * in the same lines, but calls back instead of suspending a task. What came is
 * taken before the callback comes, in the caller's thread-default context.
 *
 * Languages use a #CothreadSelection.
 *
 * Since: 0.1
 */
void
cothread_wait_any_async (const CothreadWaitItem *items, guint n_items, gint64 timeout_us, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  cothread_wait_any_async_from (NULL, items, n_items, timeout_us, cancellable, callback, user_data);
}

void
cothread_wait_any_async_from (gpointer source, const CothreadWaitItem *items, guint n_items, gint64 timeout_us,
                              GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Lines *self;

  g_return_if_fail (items != NULL || n_items == 0);
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  self = g_new0 (Lines, 1);
  self->items = g_memdup2 (items, n_items * sizeof *items);
  self->entries = g_new0 (CothreadWaitEntry, n_items);
  while (self->n_items < n_items && cothread_wait_item_begin (&self->items[self->n_items], &self->entries[self->n_items]))
    self->n_items++;
  if (self->n_items < n_items)
    {
      lines_free (self);
      return; /* it has complained */
    }
  self->outcome = g_new0 (Outcome, 1);
  self->outcome->which = n_items;
  cothread_async_wait_with_value (&any_kind, source, timeout_us, self, lines_free, self->outcome, outcome_free, cancellable,
                                  callback, user_data);
}

/**
 * cothread_wait_any_finish: (skip)
 * @result: what the callback was given
 * @which: (out): the index of the item that came; their number if none did
 * @item: (out caller-allocates) (optional): a copy of that item, with its `value`
 *   or what `happened`; not changed if none came. Without it the value is freed
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_any_async() began. Fails like cothread_wait_any(), and
 * with %COTHREAD_ERROR_WRONG_CONTEXT in a thread without a scheduler. What
 * nobody takes is freed with @result.
 *
 * Returns: %TRUE if an item came
 *
 * Since: 0.1
 */
gboolean
cothread_wait_any_finish (GAsyncResult *result, guint *which, CothreadWaitItem *item, GError **error)
{
  return cothread_wait_any_finish_from (NULL, result, which, item, error);
}

gboolean
cothread_wait_any_finish_from (gpointer source, GAsyncResult *result, guint *which, CothreadWaitItem *item, GError **error)
{
  Outcome *outcome;

  g_return_val_if_fail (which != NULL, FALSE);

  outcome = cothread_async_wait_peek (&any_kind, result);
  if (outcome == NULL)
    return FALSE; /* it has complained */
  *which = outcome->which;
  if (!cothread_async_wait_finish (&any_kind, source, result, (gpointer *) &outcome, error))
    return FALSE;
  if (item != NULL)
    {
      *item = outcome->item;
      outcome->value_destroy = NULL;
    }
  outcome_free (outcome);
  return TRUE;
}
