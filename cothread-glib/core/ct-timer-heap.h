/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Pending deadlines in a 4-ary heap. The keys live in the heap's own array, so
 * a comparison touches no timer; four children share one and a half cache
 * lines. Equal deadlines come out in the order they went in. */

#define CT_TIME_NEVER G_MAXINT64

typedef struct
{
  guint index; /* 1-based place in the heap; 0: not pending */
} CtTimer;

typedef struct
{
  gint64 deadline_us;
  guint64 sequence;
  CtTimer *timer;
} CtTimerEntry;

typedef struct
{
  CtTimerEntry *entries; /* entries[0] is unused */
  guint length;
  guint capacity;
  guint64 sequence;
} CtTimerHeap;

void ct_timer_heap_init (CtTimerHeap *heap);
void ct_timer_heap_clear (CtTimerHeap *heap);
void ct_timer_heap_insert (CtTimerHeap *heap, CtTimer *timer, gint64 deadline_us);
void ct_timer_heap_remove (CtTimerHeap *heap, CtTimer *timer);

/* Takes the first timer whose deadline is not after now_us, or returns NULL. */
CtTimer *ct_timer_heap_pop_expired (CtTimerHeap *heap, gint64 now_us);

static inline gint64
ct_timer_heap_next_deadline (const CtTimerHeap *heap)
{
  return heap->length > 0 ? heap->entries[1].deadline_us : CT_TIME_NEVER;
}
