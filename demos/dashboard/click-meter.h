/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* How long clicks and keys waited between the display server and the window. */
typedef struct
{
  guint64 n;
  gint64 total_us;
  gint64 worst_us;
} DashClickMeter;

void dash_click_meter_attach (DashClickMeter *self, GtkWidget *window);

G_END_DECLS
