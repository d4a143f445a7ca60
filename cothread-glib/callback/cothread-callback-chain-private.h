/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-entries-private.h"

#include <pthread.h>

/* The way of an entry from its poster to the scheduler's thread: a row of blocks
 * of 128 entries, filled at the one end and emptied at the other.
 *
 * A poster claims the next place by one compare-and-swap of the tail, however
 * many post, and that is the only locked instruction of a post. The tail is the
 * number of places claimed so far, the block in which the last one is, and
 * whether the chain is closed: so a claim is also the count, the check of the
 * bound and the order among the posters, all in the same instant.
 *
 * Why it is right:
 *
 * - A place is claimed once: the count is part of what is compared, and it does
 *   not come again for 2^42 posts.
 * - The block of a claimed place stays until the place was filled and emptied:
 *   the consumer leaves a block after its last entry only. So its poster may
 *   look it up after the claim, in the table, by the number that it has compared.
 *   Before the claim nothing is followed that could be gone.
 * - Who claims the first place of a block brings that block, and has to link it
 *   to the one before. That one stays meanwhile, too: the consumer leaves a block
 *   only for its successor. Nobody waits for the link but the consumer; others
 *   claim and fill the places after it.
 * - An entry is filled when its word has the lap of its block, stored after all
 *   else with release order. A block that is used again has the other lap, so
 *   nothing has to be cleared, and the consumer writes to no entry: the cache
 *   lines go one way.
 * - A look-up finds the block: it is entered in the table before the tail names
 *   it, the reader reads the table after the tail, and a table that became too
 *   small stays, as it is, for those who still read it.
 *
 * Locks are taken for memory alone, once in 128 entries. */

#define COTHREAD_BLOCK_ENTRIES 128u

/* The tail. */
#define COTHREAD_POSITION_BITS 42
#define COTHREAD_POSITION_MASK ((G_GUINT64_CONSTANT (1) << COTHREAD_POSITION_BITS) - 1)
#define COTHREAD_CHAIN_CLOSED (G_GUINT64_CONSTANT (1) << 63)
#define COTHREAD_MAX_BLOCKS (1u << (63 - COTHREAD_POSITION_BITS))

/* Half of what the blocks could hold, so that there is always one more. */
#define COTHREAD_CHAIN_MAX_LENGTH (COTHREAD_MAX_BLOCKS / 2 * COTHREAD_BLOCK_ENTRIES)

typedef struct _CothreadBlock CothreadBlock;

struct _CothreadBlock
{
  CothreadBlock *next; /* atomic */
  guint number;        /* in the table of its chain */
  guint lap;           /* COTHREAD_ENTRY_LAP or 0 */
  gint64 unused[6];    /* so that no entry is in two cache lines */
  CothreadEntry entries[COTHREAD_BLOCK_ENTRIES];
};

/* Where a block is, or, as an odd number, which one is unused next. */
typedef struct _CothreadBlockTable CothreadBlockTable;

struct _CothreadBlockTable
{
  CothreadBlockTable *smaller; /* the one before */
  guint n;
  gsize blocks[]; /* atomic */
};

/* What different threads write is apart, by two cache lines: processors fetch
 * them in pairs. */
typedef struct
{
  guint64 tail;      /* atomic; posters */
  guint64 gone_seen; /* atomic: n_gone as one of them saw it last, or before */
  char apart_from_consumer[128];
  guint64 n_gone; /* atomic: how many of those claimed have left their places */
  char apart_from_posters[128];
  CothreadBlock *head; /* the consumer's; NULL: it has not begun */
  guint n_left;        /* in that block */
  guint64 n_taken;
  char apart_from_all[128];
  CothreadBlock *first; /* atomic: where the consumer begins */
  CothreadBlockTable *table; /* atomic */
  pthread_mutex_t lock; /* for changes of the table */
  guint unused; /* the number to give out next; 0: none */
} CothreadChain;

void cothread_chain_init (CothreadChain *chain);
void cothread_chain_clear (CothreadChain *chain);
/* In a child process, where nobody has the lock. */
void cothread_chain_forked (CothreadChain *chain);

/* Of the chain of which it becomes a part; at a boundary of blocks. */
CothreadBlock *cothread_block_new (CothreadChain *chain);
void cothread_block_free (CothreadChain *chain, CothreadBlock *block);

static inline CothreadBlock *
cothread_chain_get_block (CothreadChain *chain, guint64 tail)
{
  const CothreadBlockTable *table = __atomic_load_n (&chain->table, __ATOMIC_ACQUIRE);
  guint number = (guint) (tail >> COTHREAD_POSITION_BITS) & (COTHREAD_MAX_BLOCKS - 1);

  return (CothreadBlock *) __atomic_load_n (&table->blocks[number], __ATOMIC_RELAXED);
}

/* Claimed and not gone; less than 0 if `tail` is older than what has gone. */
static inline gint64
cothread_chain_length_at (guint64 tail, guint64 n_gone)
{
  return (gint64) ((tail - n_gone) << (64 - COTHREAD_POSITION_BITS)) >> (64 - COTHREAD_POSITION_BITS);
}

/* Any thread. */
static inline guint64
cothread_chain_get_length (CothreadChain *chain)
{
  guint64 tail = __atomic_load_n (&chain->tail, __ATOMIC_SEQ_CST);
  gint64 length = cothread_chain_length_at (tail, __atomic_load_n (&chain->n_gone, __ATOMIC_SEQ_CST));

  return length > 0 ? (guint64) length : 0;
}

static inline gboolean
cothread_chain_is_closed (CothreadChain *chain)
{
  return (__atomic_load_n (&chain->tail, __ATOMIC_SEQ_CST) & COTHREAD_CHAIN_CLOSED) != 0;
}

/* A place, to be filled by cothread_chain_fill(). */
typedef struct
{
  CothreadEntry *entry; /* NULL: none was to be had */
  guint lap;
  guint64 length; /* how many were there before, at the most; so many if that is not less than `enough` */
} CothreadPlace;

/* At the boundary between two blocks, or if there might be many. */
CothreadPlace cothread_chain_claim_slowly (CothreadChain *chain, guint64 enough, guint64 max_length);

/* The line that will be written a few posts later: a claim waits for all that
 * was written before it. */
static inline void
cothread_block_fetch_ahead (const CothreadEntry *entry)
{
#if defined(__x86_64__)
  __asm__ volatile ("prefetchw %0" : : "m"(entry[8]));
#else
  __builtin_prefetch (entry + 8, 1);
#endif
}

/* Any thread. No place: as many wait already, or the chain is closed.
 *
 * What has gone is written by the consumer, and looked at only where that could
 * make a difference: not while there are less than `enough` even without it.
 *
 * Sequentially consistent: what the poster reads after this (is the consumer
 * idle?) is not older than what the consumer reads after going idle. */
static inline CothreadPlace
cothread_chain_claim (CothreadChain *chain, guint64 enough, guint64 max_length)
{
  guint64 tail = __atomic_load_n (&chain->tail, __ATOMIC_ACQUIRE);
  gint64 length = cothread_chain_length_at (tail, __atomic_load_n (&chain->gone_seen, __ATOMIC_RELAXED));

  if (G_LIKELY (tail % COTHREAD_BLOCK_ENTRIES != 0 && length < (gint64) enough && (tail & COTHREAD_CHAIN_CLOSED) == 0))
    {
      guint64 next = (tail & ~COTHREAD_POSITION_MASK) | ((tail + 1) & COTHREAD_POSITION_MASK);

      if (G_LIKELY (__atomic_compare_exchange_n (&chain->tail, &tail, next, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
        {
          CothreadBlock *block = cothread_chain_get_block (chain, tail);
          CothreadEntry *entry = &block->entries[tail % COTHREAD_BLOCK_ENTRIES];

          cothread_block_fetch_ahead (entry);
          return (CothreadPlace) { entry, block->lap, (guint64) length };
        }
    }
  return cothread_chain_claim_slowly (chain, enough, max_length);
}

static inline void
cothread_chain_fill (const CothreadPlace *place, const CothreadEntry *entry)
{
  place->entry->func = entry->func;
  place->entry->user_data = entry->user_data;
  place->entry->user_data_destroy = entry->user_data_destroy;
  __atomic_store_n (&place->entry->word, entry->word | place->lap, __ATOMIC_RELEASE);
}

/* The consumer, one thread at a time: goes to the next block. */
gboolean cothread_chain_go_on (CothreadChain *chain);

/* The oldest entry, which stays. NULL: there is none, or it is claimed and not
 * filled yet; cothread_chain_is_empty() tells which. */
static inline const CothreadEntry *
cothread_chain_peek (CothreadChain *chain)
{
  const CothreadEntry *entry;

  if (G_UNLIKELY (chain->n_left == 0) && !cothread_chain_go_on (chain))
    return NULL;
  entry = &chain->head->entries[COTHREAD_BLOCK_ENTRIES - chain->n_left];
  if ((__atomic_load_n (&entry->word, __ATOMIC_ACQUIRE) & COTHREAD_ENTRY_LAP) != chain->head->lap)
    return NULL;
  return entry;
}

static inline gboolean
cothread_chain_take (CothreadChain *chain, CothreadEntry *to)
{
  const CothreadEntry *entry = cothread_chain_peek (chain);

  if (entry == NULL)
    return FALSE;
  *to = *entry;
  chain->n_left--;
  chain->n_taken++;
  return TRUE;
}

static inline gboolean
cothread_chain_is_empty (CothreadChain *chain)
{
  return ((__atomic_load_n (&chain->tail, __ATOMIC_SEQ_CST) ^ chain->n_taken) & COTHREAD_POSITION_MASK) == 0;
}
