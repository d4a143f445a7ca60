/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/*
 * How deep the queue was, seen from both sides. Sampling at frames alone would
 * lie: the scheduler's turn comes before the frame and empties the queue. So
 * producers note the depth right after they posted, where the peaks are, and
 * the plot looks at every frame, where the valleys are.
 */
typedef struct
{
  CothreadCallbackQueue *queue;
  guint peak; /* atomic; the deepest since the last take */
} DashProbe;

void dash_probe_note (DashProbe *self);
void dash_probe_take (DashProbe *self, guint *low, guint *high);

G_END_DECLS
