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
  CothreadEntry *entry = g_new (CothreadEntry, 1);

  *entry = (CothreadEntry) { NULL, func, user_data, user_data_destroy, flags };
  return entry;
}

void
cothread_entry_free (CothreadEntry *entry)
{
  if (entry->user_data_destroy != NULL)
    entry->user_data_destroy (entry->user_data);
  g_free (entry);
}

void
cothread_entry_list_clear (CothreadEntryList *list)
{
  CothreadEntry *entry;

  while ((entry = cothread_entry_list_pop (list)) != NULL)
    cothread_entry_free (entry);
}
