/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-entries-private.h"

#define PAGE_ENTRIES 63

struct _CothreadEntryPage
{
  CothreadEntryPage *next;
  CothreadEntry entries[PAGE_ENTRIES];
};

CothreadEntry
cothread_entry_with_key (const char *name, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                         gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadKeyed *keyed = g_new0 (CothreadKeyed, 1);

  keyed->contents = cothread_entry (flags, func, user_data, user_data_destroy);
  keyed->name = g_strdup (name);
  return (CothreadEntry) { NULL, keyed, NULL, COTHREAD_ENTRY_HAS_KEY };
}

void
cothread_keyed_free (CothreadKeyed *self)
{
  g_free (self->name);
  g_free (self);
}

guint
cothread_keyed_hash (gconstpointer data)
{
  const CothreadKeyed *self = data;

  if (self->name != NULL)
    return g_str_hash (self->name);
  return g_direct_hash ((gconstpointer) self->contents.func) ^ (g_direct_hash (self->contents.user_data) * 31);
}

gboolean
cothread_keyed_has_same_key (gconstpointer data, gconstpointer other_data)
{
  const CothreadKeyed *one = data, *other = other_data;

  if (one->name != NULL || other->name != NULL)
    return g_strcmp0 (one->name, other->name) == 0;
  return one->contents.func == other->contents.func && one->contents.user_data == other->contents.user_data;
}

void
cothread_entry_drop (const CothreadEntry *self)
{
  const CothreadEntry *contents = cothread_entry_contents (self);
  CothreadKeyed *keyed = cothread_entry_keyed (self);

  if (contents->user_data_destroy != NULL)
    contents->user_data_destroy (contents->user_data);
  if (keyed != NULL)
    cothread_keyed_free (keyed);
}

void
cothread_entry_list_push (CothreadEntryList *self, const CothreadEntry *entry)
{
  if (self->first == NULL || self->end == PAGE_ENTRIES)
    {
      CothreadEntryPage *page = g_new (CothreadEntryPage, 1);

      page->next = NULL;
      if (self->first != NULL)
        self->last->next = page;
      else
        self->first = page;
      self->last = page;
      self->end = 0;
    }
  self->last->entries[self->end++] = *entry;
  self->length++;
}

gboolean
cothread_entry_list_pop (CothreadEntryList *self, CothreadEntry *entry)
{
  CothreadEntryPage *page = self->first;

  if (self->length == 0)
    return FALSE;
  *entry = page->entries[self->begin++];
  if (--self->length == 0)
    *self = (CothreadEntryList) { 0 };
  else if (self->begin == PAGE_ENTRIES)
    {
      self->first = page->next;
      self->begin = 0;
    }
  else
    return TRUE;
  g_free (page);
  return TRUE;
}

void
cothread_entry_list_clear (CothreadEntryList *self)
{
  CothreadEntry entry;

  while (cothread_entry_list_pop (self, &entry))
    cothread_entry_drop (&entry);
}
