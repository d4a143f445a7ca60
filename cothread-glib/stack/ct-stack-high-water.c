/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack-region.h"

#include <sys/mman.h>

#define PAGES_AT_ONCE 256

gsize
ct_stack_class_get_bytes (guint8 size_class)
{
  return ((gsize) 1 << size_class) - ct_stack_region_page_bytes ();
}

gboolean
ct_stack_clean (CtStack *stack)
{
  return madvise (stack->base, ct_stack_get_bytes (stack), MADV_DONTNEED) == 0;
}

/* The sanitizer's red zones are on the stack as well. */
static gsize __attribute__ ((no_sanitize_address, noinline))
find_non_zero (const guint8 *page, gsize bytes)
{
  const volatile guint64 *words = (const volatile guint64 *) (const void *) page;

  for (gsize i = 0; i < bytes / sizeof *words; i++)
    if (words[i] != 0)
      return i * sizeof *words;
  return bytes;
}

/* Pages that were never touched are not there: looking at them would only
 * commit them. */
gsize
ct_stack_get_high_water (const CtStack *stack)
{
  gsize page_bytes = ct_stack_region_page_bytes ();
  guint8 *start = stack->base;

  while (start < stack->limit)
    {
      guchar present[PAGES_AT_ONCE];
      gsize n = MIN (PAGES_AT_ONCE, (gsize) (stack->limit - start) / page_bytes);

      if (n == 0 || mincore (start, n * page_bytes, present) != 0)
        return 0;
      for (gsize i = 0; i < n; i++, start += page_bytes)
        if ((present[i] & 1) != 0)
          {
            gsize offset = find_non_zero (start, page_bytes);

            if (offset < page_bytes)
              return (gsize) (stack->limit - start) - offset;
          }
    }
  return 0;
}
