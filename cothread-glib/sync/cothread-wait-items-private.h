/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-poller.h"
#include "sync/cothread-wait-any.h"
#include "sync/cothread-waiters-private.h"

/* The steps of a wait for several things, for a task and for a callback. */

/* One item's place in line. */
typedef struct
{
  CtFdWatch watch;          /* its waiter serves every kind */
  CothreadWaiters *waiters; /* of an event, queue, pulse or timer */
  guint64 n_told;           /* when the wait began; of a pulse or timer */
  guint n_expired;          /* likewise; of a timer */
} CothreadWaitEntry;

/* Takes a reference to whatever is waited for; FALSE after a critical. */
gboolean cothread_wait_item_begin (CothreadWaitItem *item, CothreadWaitEntry *entry);
void cothread_wait_items_end (CothreadWaitItem *items, guint n_items);

/* What woke us goes first: if it were left, nobody else would be woken for it.
 * n_items: none. */
guint cothread_wait_items_find (const CothreadWaitItem *items, const CothreadWaitEntry *entries, guint n_items,
                                const CtWaiter *fired);
/* What frees the value, to be asked before it is taken; or NULL. */
GDestroyNotify cothread_wait_item_get_value_destroy (const CothreadWaitItem *item);
gboolean cothread_wait_item_take (CothreadWaitItem *item, const CothreadWaitEntry *entry, GError **error);

/* Puts every item's waiter in its line, the last one first in the chain. FALSE
 * with an error for a descriptor that is not open, which *failed tells. */
gboolean cothread_wait_items_stand (CtScheduler *core, const CothreadWaitItem *items, CothreadWaitEntry *entries,
                                    guint n_items, guint *failed, GError **error);
void cothread_wait_items_leave (CtPoller *poller, const CothreadWaitItem *items, CothreadWaitEntry *entries, guint n_items);

/* Time is up, but perhaps nobody has looked at the descriptors since the wait
 * began: with a timeout of 0 the loop never gets to its poll. */
gboolean cothread_wait_items_look (CtScheduler *core, const CothreadWaitItem *items, CothreadWaitEntry *entries,
                                   guint n_items, guint *which);

/* cothread_wait_any(), telling what frees the value of what came, or NULL. */
gboolean cothread_wait_any_with_destroy (CothreadWaitItem *items, guint n_items, gint64 timeout_us, guint *which,
                                         GDestroyNotify *value_destroy, GError **error);
/* The _async() form, with a source object for the result. */
void cothread_wait_any_async_from (gpointer source, const CothreadWaitItem *items, guint n_items, gint64 timeout_us,
                                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean cothread_wait_any_finish_from (gpointer source, GAsyncResult *result, guint *which, CothreadWaitItem *item,
                                        GError **error);
