/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "probe.h"

G_BEGIN_DECLS

#define DASH_TYPE_DEPTH_PLOT (dash_depth_plot_get_type ())
G_DECLARE_FINAL_TYPE (DashDepthPlot, dash_depth_plot, DASH, DEPTH_PLOT, GtkWidget)

GtkWidget *dash_depth_plot_new (DashProbe *probe);
void dash_depth_plot_set_marks (DashDepthPlot *self, guint bound, guint high_water);

G_END_DECLS
