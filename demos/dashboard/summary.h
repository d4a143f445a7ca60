/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "animation.h"
#include "engine.h"
#include "watch.h"

G_BEGIN_DECLS

/* All numbers: the row at the top, those beside the plots, the line at the foot. */
typedef struct
{
  GtkLabel *depth;
  GtkLabel *high_water;
  GtkLabel *callback_rate;
  GtkLabel *dropped;
  GtkLabel *refused;
  GtkLabel *longest_turn;
  GtkLabel *files;
  GtkLabel *tasks;
  GtkLabel *fps;
  GtkLabel *worst_frame;
  GtkLabel *last_turn;
  GtkLabel *index;
  GtkWidget *fps_tile;
  GtkWidget *files_tile; /* of the workloads of this process, or of another: */
  GtkWidget *tasks_tile;
} DashSummary;

GtkWidget *dash_summary_init (DashSummary *self);
void dash_summary_update (DashSummary *self, const DashReadings *now, const DashFrameMeter *meter);
/* The watch may be NULL. */
void dash_summary_update_work (DashSummary *self, DashEngine *engine, DashWatch *watch);
void dash_summary_set_watching (DashSummary *self, gboolean is_watching);

G_END_DECLS
