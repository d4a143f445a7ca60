/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-meter.h"

/* While a window appears, fonts, icons and shaders load: not what is measured. */
#define WARM_UP_US G_USEC_PER_SEC

static gint64
nth_last (const DashFrameMeter *self, guint64 back)
{
  return self->ring[(self->frames - 1 - back) % DASH_FRAME_RING];
}

void
dash_frame_meter_tick (DashFrameMeter *self, gint64 now_us)
{
  if (self->frames == 0)
    self->started_us = now_us;
  else if (now_us - self->started_us > WARM_UP_US)
    {
      gint64 interval = now_us - nth_last (self, 0);

      self->buckets[CLAMP (interval / 100, 0, DASH_FRAME_BUCKETS - 1)]++;
      self->worst_us = MAX (self->worst_us, interval);
      self->counted_us += interval;
      ctv_durations_add (&self->intervals, interval * 1000, 1);
      self->counted++;
    }

  self->ring[self->frames++ % DASH_FRAME_RING] = now_us;
}

void
dash_frame_meter_reset_intervals (DashFrameMeter *self)
{
  self->intervals = (CtvDurations) { 0 };
}

/* Over the last second, the frame that is still to come included: a window
 * that stands still shows a growing worst interval, not the last good one. */
void
dash_frame_meter_read (const DashFrameMeter *self, gint64 now_us, double *fps, gint64 *worst_us)
{
  gint64 later = now_us;
  gint64 span = 0;
  guint64 n = 0;

  *worst_us = 0;
  for (; n < MIN (self->frames, DASH_FRAME_RING); n++)
    {
      gint64 at = nth_last (self, n);

      *worst_us = MAX (*worst_us, later - at);
      if (now_us - at > G_USEC_PER_SEC)
        break;
      later = at;
      span = now_us - at;
    }

  *fps = n < 2 || span == 0 ? n : (double) n * G_USEC_PER_SEC / MAX (span, G_USEC_PER_SEC);
}

double
dash_frame_meter_get_mean_fps (const DashFrameMeter *self)
{
  return self->counted_us == 0 ? 0 : (double) self->counted * G_USEC_PER_SEC / self->counted_us;
}

/* The upper edge of the bucket in which that fraction of all frames is reached. */
gint64
dash_frame_meter_get_percentile_us (const DashFrameMeter *self, double fraction)
{
  guint64 wanted = self->counted * fraction;
  guint64 seen = 0;

  for (guint i = 0; i < DASH_FRAME_BUCKETS; i++)
    {
      seen += self->buckets[i];
      if (seen > wanted)
        return (i + 1) * 100;
    }

  return self->worst_us;
}
