/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* Entries with a key that wait and are not in hand, of each key the one that was
 * queued last. What a newer entry replaces is found here, and changed under the
 * same lock under which the consumer takes entries out. */

CothreadKeyed *
cothread_callback_queue_find_key (CothreadCallbackQueue *self, const CothreadKeyed *like)
{
  return self->keys != NULL ? g_hash_table_lookup (self->keys, like) : NULL;
}

void
cothread_callback_queue_list_key (CothreadCallbackQueue *self, CothreadKeyed *keyed)
{
  CothreadKeyed *older;

  if (self->keys == NULL)
    self->keys = g_hash_table_new (cothread_keyed_hash, cothread_keyed_has_same_key);
  older = g_hash_table_lookup (self->keys, keyed);
  if (older != NULL)
    cothread_callback_queue_unlist_key (self, older);
  g_hash_table_add (self->keys, keyed);
  keyed->is_listed = TRUE;
}

void
cothread_callback_queue_unlist_key (CothreadCallbackQueue *self, CothreadKeyed *keyed)
{
  if (!keyed->is_listed)
    return;
  g_hash_table_remove (self->keys, keyed);
  keyed->is_listed = FALSE;
}

/* They were in hand and wait again, before all that are listed: what came
 * meanwhile is newer than they are, and among them the last is the newest. */
void
cothread_callback_queue_relist_keys (CothreadCallbackQueue *self, const CothreadHand *entries)
{
  if (self->keys == NULL)
    return;
  for (guint i = entries->begin; i < entries->end; i++)
    {
      CothreadKeyed *keyed = cothread_entry_keyed (&entries->entries[i]);
      const CothreadKeyed *listed = keyed != NULL ? g_hash_table_lookup (self->keys, keyed) : NULL;

      if (keyed == NULL || (listed != NULL && !listed->was_in_hand))
        continue;
      cothread_callback_queue_list_key (self, keyed);
      keyed->was_in_hand = TRUE;
    }
  for (guint i = entries->begin; i < entries->end; i++)
    {
      CothreadKeyed *keyed = cothread_entry_keyed (&entries->entries[i]);

      if (keyed != NULL)
        keyed->was_in_hand = FALSE;
    }
}
