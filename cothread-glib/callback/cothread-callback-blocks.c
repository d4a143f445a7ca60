/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-entries.h"
#include "core/ct-list.h"

/* Where entries lie: in blocks, which are freed as a whole. One by one they would
 * be as small as what glibc's malloc keeps in its fast bins, to merge all of it at
 * the next larger free(): after a queue of a million that took 16 ms at once. */

#define N_ENTRIES 32

typedef struct _Block Block;

typedef struct
{
  CothreadEntry entry;
  Block *block; /* NULL: it lies alone */
} BlockEntry;

struct _Block
{
  guint n_left; /* atomic */
  BlockEntry entries[N_ENTRIES];
};

CothreadEntry *
cothread_entry_alloc (void)
{
  BlockEntry *alone = g_new (BlockEntry, 1);

  alone->block = NULL;
  return &alone->entry;
}

CothreadEntry *
cothread_entry_alloc_some (void)
{
  Block *block;

  /* Together, memory would hide from AddressSanitizer who still uses it. */
  if (!COTHREAD_ENTRIES_ARE_KEPT)
    {
      CothreadEntry *alone = cothread_entry_alloc ();

      alone->next = NULL;
      return alone;
    }
  block = g_new (Block, 1);
  block->n_left = N_ENTRIES;
  for (guint i = 0; i < N_ENTRIES; i++)
    {
      block->entries[i].block = block;
      block->entries[i].entry.next = i + 1 < N_ENTRIES ? &block->entries[i + 1].entry : NULL;
    }
  return &block->entries[0].entry;
}

static void
leave_block (Block *block, guint n)
{
  if (__atomic_sub_fetch (&block->n_left, n, __ATOMIC_ACQ_REL) == 0)
    g_free (block);
}

void
cothread_entry_release_all (CothreadEntry *entry)
{
  Block *block = NULL;
  guint n = 0;

  while (entry != NULL)
    {
      BlockEntry *self = CT_CONTAINER_OF (entry, BlockEntry, entry);

      entry = entry->next;
      if (self->block == NULL)
        {
          g_free (self);
          continue;
        }
      /* Neighbours mostly leave together. */
      if (self->block != block && n > 0)
        {
          leave_block (block, n);
          n = 0;
        }
      block = self->block;
      n++;
    }
  if (n > 0)
    leave_block (block, n);
}
