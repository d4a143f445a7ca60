/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-queue.h"

/* What is posted. Entries are handed on by value: two fill a cache line, and
 * nobody allocates one. */
typedef struct
{
  CothreadCallbackFunc func;
  gpointer user_data; /* of one with a key: its CothreadKeyed, and all else there */
  GDestroyNotify user_data_destroy;
  guint64 word; /* flags, and above them when it was posted; atomic on a chain */
} CothreadEntry;

/* Beside the public flags. */
#define COTHREAD_ENTRY_HAS_KEY (1u << 6)
#define COTHREAD_ENTRY_LAP (1u << 7) /* of the chain: what is to be read, and what was */
#define COTHREAD_ENTRY_PUBLIC_FLAGS (COTHREAD_CALLBACK_MAY_WAIT | COTHREAD_CALLBACK_DESTROY_ANYWHERE)

#define COTHREAD_ENTRY_FLAG_BITS 8

/* Of the monotonic clock. */
#define COTHREAD_POSTED_MASK ((G_GUINT64_CONSTANT (1) << (64 - COTHREAD_ENTRY_FLAG_BITS)) - 1)

/* Replaced by a newer one of the same name; without a name, of the same
 * function and user data. */
typedef struct
{
  CothreadEntry contents;
  char *name;
  gboolean is_listed; /* among those that can be replaced */
  gboolean was_in_hand; /* only while it is listed anew */
} CothreadKeyed;

static inline CothreadEntry
cothread_entry (CothreadCallbackFlags flags, CothreadCallbackFunc func, gpointer user_data, GDestroyNotify user_data_destroy)
{
  return (CothreadEntry) { func, user_data, user_data_destroy, (guint) flags & COTHREAD_ENTRY_PUBLIC_FLAGS };
}

/* 0: it is not timed. */
static inline guint64
cothread_entry_posted_ns (const CothreadEntry *self)
{
  return self->word >> COTHREAD_ENTRY_FLAG_BITS;
}

static inline CothreadKeyed *
cothread_entry_keyed (const CothreadEntry *self)
{
  return G_UNLIKELY ((self->word & COTHREAD_ENTRY_HAS_KEY) != 0) ? self->user_data : NULL;
}

/* What is called, and its flags, with a key or without. */
static inline const CothreadEntry *
cothread_entry_contents (const CothreadEntry *self)
{
  const CothreadKeyed *keyed = cothread_entry_keyed (self);

  return keyed != NULL ? &keyed->contents : self;
}

/* One with a key; `name` may be NULL. */
CothreadEntry cothread_entry_with_key (const char *name, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                                       gpointer user_data, GDestroyNotify user_data_destroy);
void cothread_keyed_free (CothreadKeyed *self);
guint cothread_keyed_hash (gconstpointer keyed);
gboolean cothread_keyed_has_same_key (gconstpointer one, gconstpointer other);

/* Runs the destroy notify. */
void cothread_entry_drop (const CothreadEntry *self);

typedef struct _CothreadEntryPage CothreadEntryPage;

/* First in, first out; not thread-safe. */
typedef struct
{
  CothreadEntryPage *first;
  CothreadEntryPage *last;
  guint begin; /* in the first page */
  guint end;   /* in the last */
  guint length;
} CothreadEntryList;

void cothread_entry_list_push (CothreadEntryList *self, const CothreadEntry *entry);
gboolean cothread_entry_list_pop (CothreadEntryList *self, CothreadEntry *entry);
/* Drops them all, in their order. */
void cothread_entry_list_clear (CothreadEntryList *self);
