/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CTV_TYPE_DEPTH_PLOT (ctv_depth_plot_get_type ())
G_DECLARE_FINAL_TYPE (CtvDepthPlot, ctv_depth_plot, CTV, DEPTH_PLOT, GtkWidget)

/* The least and the most that waited since it was last called. */
typedef void (*CtvTakeDepth) (gpointer data, guint *low, guint *high);

GtkWidget *ctv_depth_plot_new (CtvTakeDepth take, gpointer data);
void ctv_depth_plot_clear (CtvDepthPlot *self);
void ctv_depth_plot_set_stopped (CtvDepthPlot *self, gboolean is_stopped);
void ctv_depth_plot_set_marks (CtvDepthPlot *self, guint depth, guint bound, guint high_water);

G_END_DECLS
