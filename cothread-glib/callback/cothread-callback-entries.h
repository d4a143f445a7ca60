/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-queue.h"

/* The way of an entry from its poster to the scheduler's thread.
 *
 * Posting links it to the end of a lock-free list: one atomic exchange, however
 * many post. The consumer takes entries from the front, a few at a time, behind
 * a lock which it shares only with posters that have to make room by taking the
 * oldest. Unlike a stack that is taken as a whole, the list needs no turning
 * round: with 100 000 entries that alone would take longer than a time slice. */

typedef struct _CothreadEntry CothreadEntry;

/* Beside the public flags. */
#define COTHREAD_ENTRY_WAS_IN_HAND (1u << 5) /* only while it is listed anew */
#define COTHREAD_ENTRY_HAS_KEY (1u << 6)     /* a CothreadKeyedEntry */
#define COTHREAD_ENTRY_IS_LISTED (1u << 7)   /* among those that can be replaced */

struct _CothreadEntry
{
  CothreadEntry *next; /* atomic while on a chain */
  CothreadCallbackFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
  guint64 flags : 8;
  guint64 posted_ns : 56; /* of the monotonic clock, modulo 2^56; 0: not timed */
};

#define COTHREAD_POSTED_MASK ((G_GUINT64_CONSTANT (1) << 56) - 1)

/* Replaced by a newer one of the same name; without a name, of the same
 * function and user data. */
typedef struct
{
  CothreadEntry entry;
  char *name;
} CothreadKeyedEntry;

/* First in, first out; not thread-safe. */
typedef struct
{
  CothreadEntry *first;
  CothreadEntry *last;
  guint length;
} CothreadEntryList;

/* D. Vyukov's intrusive multi-producer single-consumer queue
 * (www.1024cores.net, "Intrusive MPSC node-based queue"). */
typedef struct
{
  CothreadEntry *newest; /* atomic; posters */
  char apart[64];        /* not in one cache line */
  CothreadEntry *oldest; /* the consumer */
  CothreadEntry stub;
} CothreadChain;

void cothread_chain_init (CothreadChain *chain);

/* Any thread. */
void cothread_chain_push (CothreadChain *chain, CothreadEntry *entry);

/* One thread at a time. NULL: empty, or the next poster has announced its entry
 * and not linked it yet; cothread_chain_is_empty() tells which. */
CothreadEntry *cothread_chain_pop (CothreadChain *chain);
gboolean cothread_chain_is_empty (CothreadChain *chain);

CothreadEntry *cothread_entry_list_pop (CothreadEntryList *list);
void cothread_entry_list_append (CothreadEntryList *list, CothreadEntry *entry);
/* Puts `front` before what is on `list`. */
void cothread_entry_list_prepend_all (CothreadEntryList *list, CothreadEntryList *front);

#define COTHREAD_ENTRY_PUBLIC_FLAGS (COTHREAD_CALLBACK_MAY_WAIT | COTHREAD_CALLBACK_DESTROY_ANYWHERE)

static inline void
cothread_entry_init (CothreadEntry *entry, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                     gpointer user_data, GDestroyNotify user_data_destroy)
{
  *entry = (CothreadEntry) { NULL, func, user_data, user_data_destroy, flags & COTHREAD_ENTRY_PUBLIC_FLAGS, 0 };
}

CothreadEntry *cothread_entry_new (CothreadCallbackFlags flags, CothreadCallbackFunc func, gpointer user_data, GDestroyNotify user_data_destroy);
/* One with a key; `name` may be NULL. */
CothreadEntry *cothread_entry_new_keyed (const char *name, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                                         gpointer user_data, GDestroyNotify user_data_destroy);
/* Both have a key: the contents are exchanged, and all else stays. */
void cothread_entry_swap_contents (CothreadEntry *one, CothreadEntry *other);
guint cothread_entry_hash_key (gconstpointer entry);
gboolean cothread_entry_has_same_key (gconstpointer one, gconstpointer other);
/* Runs the destroy notify, exactly once. */
void cothread_entry_free (CothreadEntry *entry);

/* Entries that have run are used again, but not under AddressSanitizer, from
 * which that would hide who still uses them. */
#if defined(__SANITIZE_ADDRESS__)
#define COTHREAD_ENTRIES_ARE_KEPT 0
#else
#define COTHREAD_ENTRIES_ARE_KEPT 1
#endif

/* Their memory, without a key: of one, and of some in a row, linked by `next`. */
CothreadEntry *cothread_entry_alloc (void);
CothreadEntry *cothread_entry_alloc_some (void);
/* Any thread; what is linked by `next`. */
void cothread_entry_release_all (CothreadEntry *first);
void cothread_entry_list_clear (CothreadEntryList *list);

/* Entries that have run, on their way back to those who post: memory that one
 * thread allocates and another frees costs more than all the rest. The consumer
 * hands them over in batches; a poster takes all there are, and keeps them for
 * its next posts, to whichever queue. So each queue and each thread holds some
 * thousand of them at the most. */
typedef struct
{
  CothreadEntry *shared; /* atomic; linked by `next` */
  guint n_shared;        /* atomic; roughly */
  CothreadEntry *first;  /* the consumer's */
  CothreadEntry *last;
  guint n;
} CothreadEntryPool;

/* Any thread; like cothread_entry_new(). */
CothreadEntry *cothread_entry_pool_get (CothreadEntryPool *pool, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                                        gpointer user_data, GDestroyNotify user_data_destroy);
/* The consumer; like cothread_entry_free(). */
void cothread_entry_pool_put (CothreadEntryPool *pool, CothreadEntry *entry);
void cothread_entry_pool_clear (CothreadEntryPool *pool);
