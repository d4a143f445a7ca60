/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-durations.h"
#include "engine.h"
#include "watch.h"
#include "frame-meter.h"

G_BEGIN_DECLS

/* A histogram and its numbers. */
typedef struct
{
  GtkWidget *plot;
  GtkLabel *numbers;
} DashHistogram;

/* What is seen of the queue and of the main loop's turns. */
typedef struct
{
  GtkWidget *widget;
  GtkWidget *plot;
  GtkWidget *strip;
  DashHistogram waits;
  DashHistogram runs;
  DashHistogram turns;
  DashHistogram frames;
  CtvDurations turn_lengths;
  guint64 turns_seen;
  guint n_updates;
  DashProbe *probe;
  DashWatch *watch; /* whose queue is shown; NULL: that of the probe */
} DashQueuePage;

void dash_queue_page_init (DashQueuePage *self, DashProbe *probe, GtkLabel *last_turn);
void dash_queue_page_update (DashQueuePage *self, const DashReadings *now, const DashFrameMeter *meter);
void dash_queue_page_reset (DashQueuePage *self);
void dash_queue_page_set_watch (DashQueuePage *self, DashWatch *watch);

G_END_DECLS
