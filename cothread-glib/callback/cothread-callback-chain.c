/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-chain-private.h"

/* The first table, and the one that a new chain has. */
#define FIRST_BLOCKS 8

static CothreadBlockTable *
table_new (guint n, CothreadBlockTable *smaller)
{
  CothreadBlockTable *table = g_malloc0 (sizeof (CothreadBlockTable) + n * sizeof (gsize));
  guint from = 1; /* the tail of a chain that has no block yet names number 0 */

  table->n = n;
  table->smaller = smaller;
  if (smaller != NULL)
    {
      from = smaller->n;
      for (guint i = 0; i < from; i++)
        table->blocks[i] = __atomic_load_n (&smaller->blocks[i], __ATOMIC_RELAXED);
    }
  for (guint i = from; i < n; i++)
    table->blocks[i] = (gsize) (i + 1 < n ? i + 1 : 0) << 1 | 1;
  return table;
}

void
cothread_chain_init (CothreadChain *chain)
{
  *chain = (CothreadChain) { .table = table_new (FIRST_BLOCKS, NULL), .unused = 1 };
  pthread_mutex_init (&chain->lock, NULL);
}

void
cothread_chain_forked (CothreadChain *chain)
{
  pthread_mutex_init (&chain->lock, NULL);
}

void
cothread_chain_clear (CothreadChain *chain)
{
  CothreadBlock *block = chain->head != NULL ? chain->head : chain->first;

  while (block != NULL)
    {
      CothreadBlock *next = block->next;

      /* Used in part: some entries have this lap, and some the other. */
      memset (block->entries, 0, sizeof block->entries);
      block->lap = COTHREAD_ENTRY_LAP;
      cothread_block_free (chain, block);
      block = next;
    }
  while (chain->table != NULL)
    {
      CothreadBlockTable *smaller = chain->table->smaller;

      g_free (chain->table);
      chain->table = smaller;
    }
  pthread_mutex_destroy (&chain->lock);
}

CothreadPlace
cothread_chain_claim_slowly (CothreadChain *chain, guint64 enough, guint64 max_length)
{
  guint64 tail = __atomic_load_n (&chain->tail, __ATOMIC_ACQUIRE);
  CothreadBlock *fresh = NULL;

  for (;;)
    {
      gint64 length = cothread_chain_length_at (tail, __atomic_load_n (&chain->gone_seen, __ATOMIC_RELAXED));
      gboolean is_boundary = tail % COTHREAD_BLOCK_ENTRIES == 0;
      guint64 next = (tail + 1) & COTHREAD_POSITION_MASK;

      if (length >= (gint64) enough)
        {
          /* Later than the tail, so that what is found full was full then. */
          guint64 n_gone = __atomic_load_n (&chain->n_gone, __ATOMIC_ACQUIRE);

          __atomic_store_n (&chain->gone_seen, n_gone, __ATOMIC_RELAXED);
          length = cothread_chain_length_at (tail, n_gone);
        }
      if (length >= (gint64) max_length || (tail & COTHREAD_CHAIN_CLOSED) != 0)
        {
          if (fresh != NULL)
            cothread_block_free (chain, fresh);
          return (CothreadPlace) { NULL, 0, 0 };
        }
      if (is_boundary && fresh == NULL)
        fresh = cothread_block_new (chain);
      next |= is_boundary ? (guint64) fresh->number << COTHREAD_POSITION_BITS : tail & ~COTHREAD_POSITION_MASK;
      if (__atomic_compare_exchange_n (&chain->tail, &tail, next, TRUE, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
        {
          CothreadBlock *block = is_boundary ? g_steal_pointer (&fresh) : cothread_chain_get_block (chain, tail);

          if (is_boundary && tail >> COTHREAD_POSITION_BITS == 0)
            __atomic_store_n (&chain->first, block, __ATOMIC_RELEASE);
          else if (is_boundary)
            __atomic_store_n (&cothread_chain_get_block (chain, tail)->next, block, __ATOMIC_RELEASE);
          if (fresh != NULL)
            cothread_block_free (chain, fresh);
          return (CothreadPlace) { &block->entries[tail % COTHREAD_BLOCK_ENTRIES], block->lap, (guint64) MAX (length, 0) };
        }
    }
}

gboolean
cothread_chain_go_on (CothreadChain *chain)
{
  CothreadBlock *next = __atomic_load_n (chain->head != NULL ? &chain->head->next : &chain->first, __ATOMIC_ACQUIRE);

  if (next == NULL)
    return FALSE;
  if (chain->head != NULL)
    {
      chain->head->lap ^= COTHREAD_ENTRY_LAP;
      cothread_block_free (chain, chain->head);
    }
  chain->head = next;
  chain->n_left = COTHREAD_BLOCK_ENTRIES;
  return TRUE;
}

/* ---- memory ---- */

/* Blocks that nobody uses, for every queue of the process: what a flood has
 * needed is there for the next, without the page faults that would otherwise take
 * longer than all the posts. A mebibyte at the most. The lock is only ever tried,
 * so nobody waits for it, not even in a child in which it stays locked. */
#define MAX_RESERVE 256

static pthread_mutex_t reserve_lock = PTHREAD_MUTEX_INITIALIZER;
static CothreadBlock *reserve;
static guint n_reserve;

static CothreadBlock *
take_from_reserve (void)
{
  CothreadBlock *block;

  if (pthread_mutex_trylock (&reserve_lock) != 0)
    return NULL;
  block = reserve;
  if (block != NULL)
    {
      reserve = block->next;
      n_reserve--;
    }
  pthread_mutex_unlock (&reserve_lock);
  return block;
}

static gboolean
give_to_reserve (CothreadBlock *block)
{
  gboolean is_taken;

  if (pthread_mutex_trylock (&reserve_lock) != 0)
    return FALSE;
  is_taken = n_reserve < MAX_RESERVE;
  if (is_taken)
    {
      block->next = reserve;
      reserve = block;
      n_reserve++;
    }
  pthread_mutex_unlock (&reserve_lock);
  return is_taken;
}

static void
enter (CothreadChain *chain, CothreadBlock *block)
{
  CothreadBlockTable *table;

  pthread_mutex_lock (&chain->lock);
  table = chain->table;
  if (chain->unused == 0)
    {
      chain->unused = table->n;
      table = table_new (2 * table->n, table);
      __atomic_store_n (&chain->table, table, __ATOMIC_RELEASE);
    }
  block->number = chain->unused;
  chain->unused = (guint) (table->blocks[block->number] >> 1);
  __atomic_store_n (&table->blocks[block->number], (gsize) block, __ATOMIC_RELAXED);
  pthread_mutex_unlock (&chain->lock);
}

CothreadBlock *
cothread_block_new (CothreadChain *chain)
{
  CothreadBlock *block = take_from_reserve ();

  if (block == NULL)
    {
      block = g_aligned_alloc0 (1, sizeof (CothreadBlock), 64);
      block->lap = COTHREAD_ENTRY_LAP;
    }
  block->next = NULL;
  enter (chain, block);
  return block;
}

/* The lap is already that of its next use. */
void
cothread_block_free (CothreadChain *chain, CothreadBlock *block)
{
  pthread_mutex_lock (&chain->lock);
  __atomic_store_n (&chain->table->blocks[block->number], (gsize) chain->unused << 1 | 1, __ATOMIC_RELAXED);
  chain->unused = block->number;
  pthread_mutex_unlock (&chain->lock);
  if (!give_to_reserve (block))
    g_aligned_free (block);
}
