/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/ct-stack.h"

/* One mapping that holds many stacks of one size. */

typedef struct _CtStackRegion CtStackRegion;

struct _CtStackRegion
{
  CtStackRegion *next;
  guint8 *memory;
  gsize bytes;
  gsize slot_bytes; /* a slot is a stack and the guard below it */
  guint n_slots;
  guint n_carved;
  CtStack *stacks; /* one for each slot; untouched ones cost nothing */
};

gboolean ct_stack_region_has_guard_markers (void);
gsize ct_stack_region_page_bytes (void);
/* What is unusable below every stack. */
gsize ct_stack_region_guard_bytes (void);

/* Each region is twice the size of the one before (`previous`, or NULL), so
 * that a million stacks need some 15 mappings. */
CtStackRegion *ct_stack_region_new (gsize slot_bytes, const CtStackRegion *previous, GError **error);
void ct_stack_region_free (CtStackRegion *region);
CtStack *ct_stack_region_carve (CtStackRegion *region, gboolean use_guard_markers, GError **error);

static inline gboolean
ct_stack_region_is_full (const CtStackRegion *region)
{
  return region->n_carved == region->n_slots;
}
