/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "indexer.h"

G_BEGIN_DECLS

#define DASH_RATE_SAMPLES 11 /* ten steps of 100 ms */

/* The numbers of one moment, and a rate that needs a few moments. */
typedef struct
{
  CothreadCallbackStatistics queue;
  CothreadHistogram *time_in_queue;
  CothreadHistogram *run_time;
  CothreadStatistics scheduler;
  GArray *turns; /* how long the last ones were, in us */
  gint64 slice_us;
  double callbacks_per_second;
  gint64 at_us[DASH_RATE_SAMPLES];
  guint64 run_at[DASH_RATE_SAMPLES];
  guint64 n_samples;
} DashReadings;

void dash_readings_clear (DashReadings *self);
/* Takes the snapshots and the array. */
void dash_readings_set (DashReadings *self, CothreadStatistics *scheduler, CothreadCallbackStatistics *queue,
                        GArray *turns, gint64 slice_us);
void dash_readings_take (DashReadings *self, CothreadScheduler *scheduler, CothreadCallbackQueue *queue);
guint64 dash_readings_get_dropped (const DashReadings *self);

G_END_DECLS
