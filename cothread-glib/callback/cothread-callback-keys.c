/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* Entries with a key that wait and are not in hand, of each key the one that was
 * queued last. What a newer entry replaces is found here, and changed under the
 * same lock under which the consumer takes entries out. */

CothreadEntry *
cothread_callback_queue_find_key (CothreadCallbackQueue *self, const CothreadEntry *like)
{
  return self->keys != NULL ? g_hash_table_lookup (self->keys, like) : NULL;
}

void
cothread_callback_queue_list_key (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  CothreadEntry *older;

  if (self->keys == NULL)
    self->keys = g_hash_table_new (cothread_entry_hash_key, cothread_entry_has_same_key);
  older = g_hash_table_lookup (self->keys, entry);
  if (older != NULL)
    cothread_callback_queue_unlist_key (self, older);
  g_hash_table_add (self->keys, entry);
  entry->flags |= COTHREAD_ENTRY_IS_LISTED;
}

void
cothread_callback_queue_unlist_key (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  if ((entry->flags & COTHREAD_ENTRY_IS_LISTED) == 0)
    return;
  g_hash_table_remove (self->keys, entry);
  entry->flags &= ~COTHREAD_ENTRY_IS_LISTED;
}

/* They were in hand and wait again, before all that are listed: what came
 * meanwhile is newer than they are, and among them the last is the newest. */
void
cothread_callback_queue_relist_keys (CothreadCallbackQueue *self, const CothreadEntryList *entries)
{
  if (self->keys == NULL)
    return;
  for (CothreadEntry *entry = entries->first; entry != NULL; entry = entry->next)
    if ((entry->flags & COTHREAD_ENTRY_HAS_KEY) != 0)
      {
        const CothreadEntry *listed = g_hash_table_lookup (self->keys, entry);

        if (listed != NULL && (listed->flags & COTHREAD_ENTRY_WAS_IN_HAND) == 0)
          continue;
        cothread_callback_queue_list_key (self, entry);
        entry->flags |= COTHREAD_ENTRY_WAS_IN_HAND;
      }
  for (CothreadEntry *entry = entries->first; entry != NULL; entry = entry->next)
    entry->flags &= ~COTHREAD_ENTRY_WAS_IN_HAND;
}
