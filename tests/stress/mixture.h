/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stress-fixture.h"

/* What the mixture is made of: random steps, taken by tasks, callbacks, timers
 * and threads. One mixture at a time. */

#define MIXTURE_EVENTS 6
#define MIXTURE_QUEUES 2

typedef struct
{
  StressFixture base; /* first */
  GRand *random;      /* of the scheduler's thread */
  CothreadCallbackQueue *queues[MIXTURE_QUEUES];
  CothreadEvent *events[MIXTURE_EVENTS];
  CothreadPulse *pulse;
  CothreadEventQueue *items;
  guint n_steps;
  guint n_live_children;
  guint n_nested;
  guint n_entries_made;      /* atomic */
  guint n_entries_destroyed; /* atomic */
  guint n_items_made;
  guint n_items_freed;
  gint is_over; /* atomic */
} Mixture;

extern Mixture mixture;

/* 0 to n - 1, on the scheduler's thread. */
gint mixture_pick (gint n);
/* Tries to post an entry of one of four kinds; any thread. */
void mixture_post_entry (CothreadCallbackQueue *queue, gint kind);
/* One step of whoever runs on the scheduler's thread. */
void mixture_step (gboolean may_wait);
void mixture_free_item (gpointer item);
