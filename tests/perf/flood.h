/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback-peers.h"

/* A thread that posts callbacks of a known cost at a known rate, for a while. */

#define FLOOD_UNIT_NS 1100

typedef struct
{
  const Way *way;
  gpointer queue;
  GMainContext *context;
  double per_second;
  double seconds;
  guint n_run;
  gboolean must_end; /* atomic */
  GThread *poster;   /* or NULL */
  GThread *ender;
} Flood;

/* Callbacks a second that one processor runs. */
double flood_capacity (void);

/* By the thread that runs the loop; the context is to be iterated until the
 * flood is over. */
GMainContext *flood_open (Flood *flood, const Way *way);
/* per_second 0: nothing is posted. */
void flood_begin (Flood *flood, double per_second, double seconds);
gboolean flood_is_over (Flood *flood);
void flood_end (Flood *flood);
