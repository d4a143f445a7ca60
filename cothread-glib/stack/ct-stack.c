/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "stack/ct-stack.h"
#include "stack/ct-stack-region.h"

#include <gio/gio.h>
#include <sys/mman.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#define MIN_CLASS 14 /* 2^14 bytes less a page */
#define MAX_CLASS 30
#define N_CLASSES (MAX_CLASS - MIN_CLASS + 1)

#define CACHE_LINE 64
#define FIRST_FRAMES_LINES 5

/* So few warm stacks are not worth a wakeup to give them back. */
#define WORTH_TRIMMING 64

typedef struct
{
  CtStack *warm; /* last released first: its pages are in the cache */
  CtStack *cold;
  CtStackRegion *newest;
  guint n_live;
  guint n_warm;
  guint n_cold;
  guint n_reserved;
  guint peak_live; /* since the last trim */
} SizeClass;

struct _CtStackPool
{
  SizeClass classes[N_CLASSES];
  CtStackRegion *regions;
  gboolean use_guard_markers;
};

CtStackPool *
ct_stack_pool_new (CtStackGuard guard)
{
  CtStackPool *pool = g_new0 (CtStackPool, 1);

  pool->use_guard_markers = guard == CT_STACK_GUARD_AUTO && ct_stack_region_has_guard_markers ();
  return pool;
}

void
ct_stack_pool_free (CtStackPool *pool)
{
  if (pool == NULL)
    return;
  while (pool->regions != NULL)
    {
      CtStackRegion *region = pool->regions;

      pool->regions = region->next;
      ct_stack_region_free (region);
    }
  g_free (pool);
}

static guint
size_class_for (gsize bytes)
{
  guint class = g_bit_storage (bytes + ct_stack_region_page_bytes () - 1);

  return MAX (class, MIN_CLASS);
}

static CtStack *
carve (CtStackPool *pool, SizeClass *class, guint class_bits, GError **error)
{
  CtStack *stack;

  if (class->newest == NULL || ct_stack_region_is_full (class->newest))
    {
      CtStackRegion *region = ct_stack_region_new (ct_stack_class_get_bytes ((guint8) class_bits) + ct_stack_region_guard_bytes (), class->newest, error);

      if (region == NULL)
        return NULL;
      region->next = pool->regions;
      pool->regions = class->newest = region;
    }
  stack = ct_stack_region_carve (class->newest, pool->use_guard_markers, error);
  if (stack == NULL)
    return NULL;
  stack->size_class = (guint8) class_bits;
#ifdef HAVE_VALGRIND
  stack->valgrind_id = VALGRIND_STACK_REGISTER (stack->base, stack->limit);
#endif
  return stack;
}

gboolean
ct_stack_pool_reserve (CtStackPool *pool, gsize bytes, guint8 *size_class, GError **error)
{
  guint class_bits;
  SizeClass *class;

  if (bytes > CT_STACK_MAX_BYTES)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "A stack of %" G_GSIZE_FORMAT " bytes was asked for; the most is %" G_GSIZE_FORMAT,
                   bytes, CT_STACK_MAX_BYTES);
      return FALSE;
    }
  class_bits = size_class_for (MAX (bytes, CT_STACK_MIN_BYTES));
  class = &pool->classes[class_bits - MIN_CLASS];
  if (class->n_reserved >= class->n_warm + class->n_cold)
    {
      CtStack *stack = carve (pool, class, class_bits, error);

      if (stack == NULL)
        return FALSE;
      stack->next_free = class->cold;
      class->cold = stack;
      class->n_cold++;
    }
  class->n_reserved++;
  *size_class = (guint8) class_bits;
  return TRUE;
}

/* Tasks tend to begin one after another, and of very many stacks the next one is
 * in no cache. */
static inline void
fetch (const CtStack *stack)
{
  const guint8 *top = stack->limit - ct_stack_get_color (stack) * CACHE_LINE;

  __builtin_prefetch (stack->next_free);
  for (guint line = 1; line <= FIRST_FRAMES_LINES; line++)
    __builtin_prefetch (top - line * CACHE_LINE, 1);
}

CtStack *
ct_stack_pool_take (CtStackPool *pool, guint8 size_class)
{
  SizeClass *class = &pool->classes[size_class - MIN_CLASS];
  CtStack *stack = class->warm;

  if (stack != NULL)
    {
      class->warm = stack->next_free;
      class->n_warm--;
      if (class->warm != NULL)
        fetch (class->warm);
    }
  else
    {
      stack = class->cold;
      class->cold = stack->next_free;
      class->n_cold--;
    }
  class->n_reserved--;
  class->n_live++;
  class->peak_live = MAX (class->peak_live, class->n_live);
  return stack;
}

CtStack *
ct_stack_pool_acquire (CtStackPool *pool, gsize bytes, GError **error)
{
  guint8 size_class;

  return ct_stack_pool_reserve (pool, bytes, &size_class, error) ? ct_stack_pool_take (pool, size_class) : NULL;
}

void
ct_stack_pool_release (CtStackPool *pool, CtStack *stack)
{
  SizeClass *class = &pool->classes[stack->size_class - MIN_CLASS];

#ifdef __SANITIZE_ADDRESS__
  /* The frames of a finished task never returned, so their red zones are still
   * marked; the next task must not trip over them. */
  __asan_unpoison_memory_region (stack->base, ct_stack_get_bytes (stack));
#endif
  stack->next_free = class->warm;
  class->warm = stack;
  class->n_warm++;
  class->n_live--;
}

/* The load's own peak may come again at any moment; twice as many would only be
 * kept for a peak that was not seen since the last trim. */
static guint
surplus (const SizeClass *class)
{
  guint wanted = MAX (class->peak_live, class->n_live) - class->n_live;

  return class->n_warm > wanted + WORTH_TRIMMING ? class->n_warm - wanted - WORTH_TRIMMING : 0;
}

gboolean
ct_stack_pool_needs_trim (const CtStackPool *pool)
{
  for (guint i = 0; i < N_CLASSES; i++)
    if (pool->classes[i].n_warm > WORTH_TRIMMING)
      return TRUE;
  return FALSE;
}

gboolean
ct_stack_pool_trim (CtStackPool *pool, guint max)
{
  gboolean more = FALSE;
  guint left = max; /* for all size classes together */

  for (guint i = 0; i < N_CLASSES; i++)
    {
      SizeClass *class = &pool->classes[i];
      guint n = surplus (class);

      for (guint k = 0; k < MIN (n, left); k++)
        {
          CtStack *stack = class->warm;

          class->warm = stack->next_free;
          class->n_warm--;
          madvise (stack->base, ct_stack_get_bytes (stack), MADV_DONTNEED);
          stack->next_free = class->cold;
          class->cold = stack;
          class->n_cold++;
        }
      if (n > left)
        more = TRUE;
      else
        class->peak_live = class->n_live;
      left -= MIN (n, left);
    }
  return more;
}

void
ct_stack_pool_get_statistics (const CtStackPool *pool, CtStackPoolStatistics *statistics)
{
  *statistics = (CtStackPoolStatistics) { .uses_guard_markers = pool->use_guard_markers };
  for (CtStackRegion *region = pool->regions; region != NULL; region = region->next)
    {
      statistics->regions++;
      statistics->reserved_bytes += region->bytes;
    }
  for (guint i = 0; i < N_CLASSES; i++)
    {
      statistics->live += pool->classes[i].n_live;
      statistics->warm += pool->classes[i].n_warm;
    }
}
