/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-timer-heap.h"

#define ARITY 4
#define FIRST_CAPACITY 64

static inline gboolean
entry_is_before (const CtTimerEntry *a, const CtTimerEntry *b)
{
  if (a->deadline_us != b->deadline_us)
    return a->deadline_us < b->deadline_us;
  return a->sequence < b->sequence;
}

static inline guint
parent_of (guint index)
{
  return (index - 2) / ARITY + 1;
}

static inline guint
first_child_of (guint index)
{
  return (index - 1) * ARITY + 2;
}

static inline void
place (CtTimerHeap *heap, guint index, const CtTimerEntry *entry)
{
  heap->entries[index] = *entry;
  entry->timer->index = index;
}

static void
sift_up (CtTimerHeap *heap, guint index, CtTimerEntry entry)
{
  while (index > 1 && entry_is_before (&entry, &heap->entries[parent_of (index)]))
    {
      place (heap, index, &heap->entries[parent_of (index)]);
      index = parent_of (index);
    }
  place (heap, index, &entry);
}

static void
sift_down (CtTimerHeap *heap, guint index, CtTimerEntry entry)
{
  for (;;)
    {
      guint first = first_child_of (index);
      guint best = first;

      if (first > heap->length)
        break;
      for (guint child = first + 1; child < first + ARITY && child <= heap->length; child++)
        if (entry_is_before (&heap->entries[child], &heap->entries[best]))
          best = child;
      if (!entry_is_before (&heap->entries[best], &entry))
        break;
      place (heap, index, &heap->entries[best]);
      index = best;
    }
  place (heap, index, &entry);
}

void
ct_timer_heap_init (CtTimerHeap *heap)
{
  *heap = (CtTimerHeap) { 0 };
}

void
ct_timer_heap_clear (CtTimerHeap *heap)
{
  for (guint i = 1; i <= heap->length; i++)
    heap->entries[i].timer->index = 0;
  g_clear_pointer (&heap->entries, g_free);
  heap->length = heap->capacity = 0;
}

void
ct_timer_heap_insert (CtTimerHeap *heap, CtTimer *timer, gint64 deadline_us)
{
  g_return_if_fail (timer->index == 0);

  if (heap->length + 1 >= heap->capacity)
    {
      heap->capacity = MAX (FIRST_CAPACITY, heap->capacity * 2);
      heap->entries = g_renew (CtTimerEntry, heap->entries, heap->capacity);
    }
  heap->length++;
  sift_up (heap, heap->length, (CtTimerEntry) { deadline_us, heap->sequence++, timer });
}

void
ct_timer_heap_remove (CtTimerHeap *heap, CtTimer *timer)
{
  guint index = timer->index;
  CtTimerEntry last;

  if (index == 0)
    return;
  timer->index = 0;
  last = heap->entries[heap->length--];
  if (last.timer == timer)
    return;
  if (index > 1 && entry_is_before (&last, &heap->entries[parent_of (index)]))
    sift_up (heap, index, last);
  else
    sift_down (heap, index, last);
}

CtTimer *
ct_timer_heap_pop_expired (CtTimerHeap *heap, gint64 now_us)
{
  CtTimer *timer;

  if (ct_timer_heap_next_deadline (heap) > now_us || heap->length == 0)
    return NULL;
  timer = heap->entries[1].timer;
  ct_timer_heap_remove (heap, timer);
  return timer;
}
