/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "animation.h"
#include "engine.h"

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
  GtkLabel *fps;
  GtkLabel *worst_frame;
  GtkLabel *last_turn;
  GtkLabel *index;
  GtkWidget *fps_tile;
} DashSummary;

GtkWidget *dash_summary_init (DashSummary *self);
void dash_summary_update (DashSummary *self, DashEngine *engine, const DashFrameMeter *meter);

G_END_DECLS
