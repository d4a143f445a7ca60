/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

/* Any thread. */
void
dash_probe_note (DashProbe *self)
{
  guint depth = cothread_callback_queue_get_length (self->queue);
  guint peak = g_atomic_int_get (&self->peak);

  while (depth > peak && !g_atomic_int_compare_and_exchange (&self->peak, peak, depth))
    peak = g_atomic_int_get (&self->peak);
}

void
dash_probe_take (DashProbe *self, guint *low, guint *high)
{
  guint depth = cothread_callback_queue_get_length (self->queue);
  guint peak = g_atomic_int_exchange (&self->peak, 0);

  *low = depth;
  *high = MAX (peak, depth);
}
