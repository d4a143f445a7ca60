/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Stacks: virtual memory that is committed by use, carved from large regions,
 * each with a guard at its low end. A pool belongs to one thread. */

typedef struct _CtStack CtStack;
typedef struct _CtStackPool CtStackPool;

#define CT_STACK_COLORS 16
#define CT_STACK_MIN_BYTES ((gsize) 12 * 1024)
/* One page short of a power of two, as all of them are. */
#define CT_STACK_DEFAULT_BYTES ((gsize) 252 * 1024)
#define CT_STACK_MAX_BYTES ((gsize) 1020 * 1024 * 1024)

typedef enum
{
  CT_STACK_GUARD_AUTO,     /* MADV_GUARD_INSTALL where the kernel has it (6.13) */
  CT_STACK_GUARD_MPROTECT, /* one mapping more for each stack */
} CtStackGuard;

struct _CtStack
{
  CtStack *next_free;
  guint8 *base;  /* lowest usable byte, just above the guard page */
  guint8 *limit; /* one past the highest usable byte */
  guint8 size_class;
  guint8 color;
#ifdef HAVE_VALGRIND
  guint valgrind_id;
#endif
};

typedef struct
{
  gsize reserved_bytes; /* virtual memory in regions */
  guint regions;
  guint live;
  guint warm; /* free, with pages that a run has touched */
  gboolean uses_guard_markers;
} CtStackPoolStatistics;

CtStackPool *ct_stack_pool_new (CtStackGuard guard);

/* Every stack must have been released. */
void ct_stack_pool_free (CtStackPool *pool);

/* A stack of at least `bytes`. Fails with G_IO_ERROR_NO_SPACE where the system
 * gives no more memory or mappings. */
CtStack *ct_stack_pool_acquire (CtStackPool *pool, gsize bytes, GError **error);

/* The same in two steps: a reservation fails like acquire(), and promises that
 * take() with the size class that it stores will not. Until then the stack is
 * nobody's: tasks that come and go one after another all get the same one,
 * which is in the cache. */
gboolean ct_stack_pool_reserve (CtStackPool *pool, gsize bytes, guint8 *size_class, GError **error);
CtStack *ct_stack_pool_take (CtStackPool *pool, guint8 size_class);

void ct_stack_pool_release (CtStackPool *pool, CtStack *stack);

/* Gives the pages of up to `max` free stacks that the load since the last call
 * did not need back to the system. Returns whether there are more to give. */
gboolean ct_stack_pool_trim (CtStackPool *pool, guint max);
gboolean ct_stack_pool_needs_trim (const CtStackPool *pool);

void ct_stack_pool_get_statistics (const CtStackPool *pool, CtStackPoolStatistics *statistics);

/* Makes a stack that nobody is on read as zero, so that its use can be told;
 * FALSE if the system refuses. */
gboolean ct_stack_clean (CtStack *stack);
/* How many bytes of such a stack were ever used. */
gsize ct_stack_get_high_water (const CtStack *stack);

/* How large the stacks of a size class are, guard page excluded. */
gsize ct_stack_class_get_bytes (guint8 size_class);

static inline gsize
ct_stack_get_bytes (const CtStack *stack)
{
  return (gsize) (stack->limit - stack->base);
}

/* So that stacks of equal alignment do not fight for the same cache sets, each
 * begins some cache lines further down than its neighbour. */
static inline guint
ct_stack_get_color (const CtStack *stack)
{
  return stack->color;
}
