/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "stack/ct-stack-region.h"

#include <errno.h>
#include <gio/gio.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* Linux 6.13 and later; not in the headers of older C libraries. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* One page would do. A stack's usable part is a page less than a power of two, so
 * with two the stacks are not a power of two apart: where they are, the first
 * frames of a hundred stacks share a few places in the processor's caches, which
 * hash the page's address, and a switch costs up to 4 ns more. */
#define GUARD_PAGES 2
#define FIRST_REGION_SLOTS 64
#define MAX_REGION_BYTES ((gsize) 64 << 30)

gsize
ct_stack_region_page_bytes (void)
{
  static gsize page_bytes;

  if (page_bytes == 0) /* the same whoever is first */
    page_bytes = (gsize) sysconf (_SC_PAGESIZE);
  return page_bytes;
}

gsize
ct_stack_region_guard_bytes (void)
{
  return GUARD_PAGES * ct_stack_region_page_bytes ();
}

static void
set_no_space_error (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "No more stacks: %s: %s", what, g_strerror (errno));
}

gboolean
ct_stack_region_has_guard_markers (void)
{
  gsize bytes = ct_stack_region_page_bytes ();
  void *page = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gboolean works;

  if (page == MAP_FAILED)
    return FALSE;
  works = madvise (page, bytes, MADV_GUARD_INSTALL) == 0;
  munmap (page, bytes);
  return works;
}

static void *
map (gsize bytes, int flags)
{
  return mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

CtStackRegion *
ct_stack_region_new (gsize slot_bytes, const CtStackRegion *previous, GError **error)
{
  gsize bytes = previous != NULL ? MIN (previous->bytes * 2, MAX_REGION_BYTES) : slot_bytes * FIRST_REGION_SLOTS;
  CtStackRegion *region;
  guint8 *memory;
  CtStack *stacks = MAP_FAILED;

  if (slot_bytes > MAX_REGION_BYTES / FIRST_REGION_SLOTS && previous == NULL)
    bytes = slot_bytes * 4;
  for (;;)
    {
      memory = map (bytes, MAP_STACK);
      if (memory != MAP_FAILED)
        {
          stacks = map (bytes / slot_bytes * sizeof (CtStack), 0);
          if (stacks != MAP_FAILED)
            break;
          munmap (memory, bytes);
        }
      /* An address-space limit may still leave room for a smaller one. */
      if (bytes <= slot_bytes)
        {
          set_no_space_error (error, "mmap");
          return NULL;
        }
      bytes = MAX (bytes / 2, slot_bytes);
    }
  /* A transparent huge page under a stack would commit far more than is used:
   * 64 KiB and up for each stack touched. */
  madvise (memory, bytes, MADV_NOHUGEPAGE);

  region = g_new0 (CtStackRegion, 1);
  region->memory = memory;
  region->bytes = bytes;
  region->slot_bytes = slot_bytes;
  region->n_slots = (guint) (bytes / slot_bytes);
  region->stacks = stacks;
  return region;
}

void
ct_stack_region_free (CtStackRegion *region)
{
#ifdef HAVE_VALGRIND
  for (guint i = 0; i < region->n_carved; i++)
    VALGRIND_STACK_DEREGISTER (region->stacks[i].valgrind_id);
#endif
  munmap (region->stacks, region->n_slots * sizeof (CtStack));
  munmap (region->memory, region->bytes);
  g_free (region);
}

CtStack *
ct_stack_region_carve (CtStackRegion *region, gboolean use_guard_markers, GError **error)
{
  guint8 *slot = region->memory + (region->n_carved * region->slot_bytes);
  gsize guard_bytes = ct_stack_region_guard_bytes ();
  CtStack *stack;

  if (use_guard_markers ? madvise (slot, guard_bytes, MADV_GUARD_INSTALL) != 0
                        : mprotect (slot, guard_bytes, PROT_NONE) != 0)
    {
      set_no_space_error (error, use_guard_markers ? "guard page" : "guard page (vm.max_map_count reached?)");
      return NULL;
    }
  stack = &region->stacks[region->n_carved++];
  stack->base = slot + guard_bytes;
  stack->limit = slot + region->slot_bytes;
  stack->color = (guint8) (region->n_carved % CT_STACK_COLORS);
  return stack;
}
