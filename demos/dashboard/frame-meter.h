/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-durations.h"

G_BEGIN_DECLS

#define DASH_FRAME_RING 256
#define DASH_FRAME_BUCKETS 5000 /* of 0.1 ms */

/* Counts frames: the last second for the window, everything for the report. */
typedef struct
{
  gint64 ring[DASH_FRAME_RING];
  guint64 frames;
  gint64 started_us;
  gint64 counted_us;
  guint64 counted;
  gint64 worst_us;
  guint32 buckets[DASH_FRAME_BUCKETS];
  CtvDurations intervals; /* since the last reset */
} DashFrameMeter;

void dash_frame_meter_tick (DashFrameMeter *self, gint64 now_us);
void dash_frame_meter_reset_intervals (DashFrameMeter *self);
void dash_frame_meter_read (const DashFrameMeter *self, gint64 now_us, double *fps, gint64 *worst_us);
double dash_frame_meter_get_mean_fps (const DashFrameMeter *self);
gint64 dash_frame_meter_get_percentile_us (const DashFrameMeter *self, double fraction);

G_END_DECLS
