/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* An intrusive, circular, doubly linked list. A node that is on no list points
 * to itself, so unlinking twice is harmless and "am I queued?" needs no flag. */

typedef struct _CtLink CtLink;

struct _CtLink
{
  CtLink *prev;
  CtLink *next;
};

#define CT_CONTAINER_OF(node, type, member) ((type *) (void *) ((char *) (node) - G_STRUCT_OFFSET (type, member)))

static inline void
ct_link_init (CtLink *link)
{
  link->prev = link->next = link;
}

static inline gboolean
ct_link_is_linked (const CtLink *link)
{
  return link->next != link;
}

static inline void
ct_link_insert_before (CtLink *position, CtLink *link)
{
  link->prev = position->prev;
  link->next = position;
  position->prev->next = link;
  position->prev = link;
}

static inline void
ct_link_unlink (CtLink *link)
{
  link->prev->next = link->next;
  link->next->prev = link->prev;
  ct_link_init (link);
}

/* A list with a length: the length is what the statistics read, so that they
 * never have to walk a million tasks. */

typedef struct
{
  CtLink head;
  gconstpointer unused; /* where a task has `stack_ahead` */
  guint length;
} CtQueue;

static inline void
ct_queue_init (CtQueue *queue)
{
  ct_link_init (&queue->head);
  queue->length = 0;
}

static inline gboolean
ct_queue_is_empty (const CtQueue *queue)
{
  return queue->head.next == &queue->head;
}

static inline void
ct_queue_push (CtQueue *queue, CtLink *link)
{
  ct_link_insert_before (&queue->head, link);
  queue->length++;
}

static inline void
ct_queue_remove (CtQueue *queue, CtLink *link)
{
  ct_link_unlink (link);
  queue->length--;
}

static inline CtLink *
ct_queue_peek (const CtQueue *queue)
{
  return ct_queue_is_empty (queue) ? NULL : queue->head.next;
}

/* Of a queue that is not empty. Unlike ct_queue_remove() it knows where to
 * write before it has read the link. */
static inline void
ct_queue_remove_first (CtQueue *queue)
{
  CtLink *link = queue->head.next;

  queue->head.next = link->next;
  link->next->prev = &queue->head;
  ct_link_init (link);
  queue->length--;
}

static inline CtLink *
ct_queue_pop (CtQueue *queue)
{
  CtLink *link = ct_queue_peek (queue);

  if (link != NULL)
    ct_queue_remove_first (queue);
  return link;
}

/* Moves everything on `from` to the end of `to`, in order, in O(1). */
static inline void
ct_queue_splice (CtQueue *to, CtQueue *from)
{
  if (ct_queue_is_empty (from))
    return;
  from->head.next->prev = to->head.prev;
  to->head.prev->next = from->head.next;
  from->head.prev->next = &to->head;
  to->head.prev = from->head.prev;
  to->length += from->length;
  ct_link_init (&from->head);
  from->length = 0;
}
