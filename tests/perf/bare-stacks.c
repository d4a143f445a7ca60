/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bare-switch.h"

#include <sys/mman.h>

#define STACK_BYTES ((gsize) 256 * 1024)
#define GUARD_BYTES 4096
#define CACHE_LINE 64
#define COLORS 16

const BareStack *
bare_stacks (guint n)
{
  static BareStack *stacks = NULL;
  static guint n_stacks = 0;
  guint8 *memory;

  if (n <= n_stacks)
    return stacks;
  g_free (stacks);
  stacks = g_new (BareStack, n);
  memory = mmap (NULL, n * STACK_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  g_assert (memory != MAP_FAILED);
  madvise (memory, n * STACK_BYTES, MADV_NOHUGEPAGE);
  for (guint i = 0; i < n; i++)
    {
      mprotect (memory + i * STACK_BYTES, GUARD_BYTES, PROT_NONE);
      stacks[i].base = memory + i * STACK_BYTES + GUARD_BYTES;
      stacks[i].top = memory + (i + 1) * STACK_BYTES - (i % COLORS) * CACHE_LINE;
    }
  n_stacks = n;
  return stacks;
}
