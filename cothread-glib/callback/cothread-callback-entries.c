/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-entries.h"

void
cothread_chain_init (CothreadChain *chain)
{
  chain->stub.next = NULL;
  chain->newest = chain->oldest = &chain->stub;
}

void
cothread_chain_push (CothreadChain *chain, CothreadEntry *entry)
{
  CothreadEntry *previous;

  __atomic_store_n (&entry->next, NULL, __ATOMIC_RELAXED);
  /* Sequentially consistent: what the poster reads after this (is the consumer
   * idle?) is not older than what the consumer reads after going idle. */
  previous = __atomic_exchange_n (&chain->newest, entry, __ATOMIC_SEQ_CST);
  __atomic_store_n (&previous->next, entry, __ATOMIC_RELEASE);
}

static CothreadEntry *
next_of (const CothreadEntry *entry)
{
  return __atomic_load_n (&entry->next, __ATOMIC_ACQUIRE);
}

CothreadEntry *
cothread_chain_pop (CothreadChain *chain)
{
  CothreadEntry *oldest = chain->oldest;
  CothreadEntry *next = next_of (oldest);

  if (oldest == &chain->stub)
    {
      if (next == NULL)
        return NULL;
      chain->oldest = oldest = next;
      next = next_of (oldest);
    }
  if (next == NULL)
    {
      /* The last entry can be taken only with another behind it: the stub. */
      if (oldest != __atomic_load_n (&chain->newest, __ATOMIC_ACQUIRE))
        return NULL;
      cothread_chain_push (chain, &chain->stub);
      next = next_of (oldest);
      if (next == NULL)
        return NULL;
    }
  chain->oldest = next;
  return oldest;
}

gboolean
cothread_chain_is_empty (CothreadChain *chain)
{
  return __atomic_load_n (&chain->newest, __ATOMIC_SEQ_CST) == &chain->stub && chain->oldest == &chain->stub;
}

CothreadEntry *
cothread_entry_list_pop (CothreadEntryList *list)
{
  CothreadEntry *entry = list->first;

  if (entry == NULL)
    return NULL;
  list->first = entry->next;
  if (list->first == NULL)
    list->last = NULL;
  list->length--;
  return entry;
}

void
cothread_entry_list_append (CothreadEntryList *list, CothreadEntry *entry)
{
  entry->next = NULL;
  if (list->last != NULL)
    list->last->next = entry;
  else
    list->first = entry;
  list->last = entry;
  list->length++;
}

void
cothread_entry_list_prepend_all (CothreadEntryList *list, CothreadEntryList *front)
{
  if (front->first == NULL)
    return;
  front->last->next = list->first;
  if (list->last == NULL)
    list->last = front->last;
  list->first = front->first;
  list->length += front->length;
  *front = (CothreadEntryList) { 0 };
}

CothreadEntry *
cothread_entry_new (CothreadCallbackFlags flags, CothreadCallbackFunc func, gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadEntry *entry = cothread_entry_alloc ();

  cothread_entry_init (entry, flags, func, user_data, user_data_destroy);
  return entry;
}

CothreadEntry *
cothread_entry_new_keyed (const char *name, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                          gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadKeyedEntry *keyed = g_new (CothreadKeyedEntry, 1);

  keyed->entry = (CothreadEntry) { NULL, func, user_data, user_data_destroy, (flags & COTHREAD_ENTRY_PUBLIC_FLAGS) | COTHREAD_ENTRY_HAS_KEY, 0 };
  keyed->name = g_strdup (name);
  return &keyed->entry;
}

void
cothread_entry_swap_contents (CothreadEntry *one, CothreadEntry *other)
{
  CothreadEntry was = *one;

  one->func = other->func;
  one->user_data = other->user_data;
  one->user_data_destroy = other->user_data_destroy;
  one->flags = (one->flags & ~COTHREAD_ENTRY_PUBLIC_FLAGS) | (other->flags & COTHREAD_ENTRY_PUBLIC_FLAGS);
  other->func = was.func;
  other->user_data = was.user_data;
  other->user_data_destroy = was.user_data_destroy;
  other->flags = (other->flags & ~COTHREAD_ENTRY_PUBLIC_FLAGS) | (was.flags & COTHREAD_ENTRY_PUBLIC_FLAGS);
}

static const char *
name_of (const CothreadEntry *entry)
{
  return ((const CothreadKeyedEntry *) entry)->name;
}

guint
cothread_entry_hash_key (gconstpointer data)
{
  const CothreadEntry *entry = data;

  if (name_of (entry) != NULL)
    return g_str_hash (name_of (entry));
  return g_direct_hash ((gconstpointer) entry->func) ^ (g_direct_hash (entry->user_data) * 31);
}

gboolean
cothread_entry_has_same_key (gconstpointer data, gconstpointer other_data)
{
  const CothreadEntry *one = data, *other = other_data;

  if (name_of (one) != NULL || name_of (other) != NULL)
    return g_strcmp0 (name_of (one), name_of (other)) == 0;
  return one->func == other->func && one->user_data == other->user_data;
}

void
cothread_entry_free (CothreadEntry *entry)
{
  if (entry->user_data_destroy != NULL)
    entry->user_data_destroy (entry->user_data);
  if ((entry->flags & COTHREAD_ENTRY_HAS_KEY) != 0)
    {
      g_free (((CothreadKeyedEntry *) entry)->name);
      g_free (entry);
      return;
    }
  entry->next = NULL;
  cothread_entry_release_all (entry);
}

void
cothread_entry_list_clear (CothreadEntryList *list)
{
  CothreadEntry *entry;

  while ((entry = cothread_entry_list_pop (list)) != NULL)
    cothread_entry_free (entry);
}
