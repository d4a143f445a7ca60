/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "readings.h"

void
dash_readings_clear (DashReadings *self)
{
  g_clear_pointer (&self->time_in_queue, cothread_histogram_free);
  g_clear_pointer (&self->run_time, cothread_histogram_free);
  g_clear_pointer (&self->turns, g_array_unref);
}

static void
count_rate (DashReadings *self)
{
  guint newest = self->n_samples % DASH_RATE_SAMPLES;
  guint oldest = self->n_samples < DASH_RATE_SAMPLES ? 0 : (self->n_samples + 1) % DASH_RATE_SAMPLES;

  self->at_us[newest] = g_get_monotonic_time ();
  self->run_at[newest] = self->queue.run;
  self->n_samples++;
  if (self->at_us[newest] > self->at_us[oldest])
    self->callbacks_per_second = (double) (self->run_at[newest] - self->run_at[oldest]) * G_USEC_PER_SEC /
                                 (self->at_us[newest] - self->at_us[oldest]);
}

void
dash_readings_set (DashReadings *self, CothreadStatistics *scheduler, CothreadCallbackStatistics *queue, GArray *turns,
                   gint64 slice_us)
{
  dash_readings_clear (self);
  self->time_in_queue = cothread_callback_statistics_get_time_in_queue (queue);
  self->run_time = cothread_callback_statistics_get_run_time (queue);
  self->queue = *queue;
  self->queue.details = NULL; /* which go with the snapshot */
  self->scheduler = *scheduler;
  self->turns = turns;
  self->slice_us = slice_us;
  count_rate (self);
  cothread_callback_statistics_free (queue);
  cothread_statistics_free (scheduler);
}

void
dash_readings_take (DashReadings *self, CothreadScheduler *scheduler, CothreadCallbackQueue *queue)
{
  dash_readings_set (self, cothread_scheduler_get_statistics (scheduler), cothread_callback_queue_get_statistics (queue),
                     cothread_scheduler_get_recent_turns (scheduler), cothread_scheduler_get_time_slice (scheduler));
}

guint64
dash_readings_get_dropped (const DashReadings *self)
{
  return self->queue.dropped_oldest + self->queue.dropped_newest + self->queue.dropped_closed;
}
