/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Readable on a light and on a dark background. */
#define DASH_BLUE ((GdkRGBA) { 0.21, 0.52, 0.89, 1 })
#define DASH_AMBER ((GdkRGBA) { 0.90, 0.55, 0.00, 1 })
#define DASH_RED ((GdkRGBA) { 0.88, 0.20, 0.22, 1 })

GdkRGBA dash_fade (GdkRGBA color, float alpha);
GdkRGBA dash_text_color (GtkWidget *widget, float alpha);
void dash_fill (GtkSnapshot *snapshot, GdkRGBA color, float x, float y, float width, float height);
void dash_draw_text (GtkSnapshot *snapshot, GtkWidget *widget, const char *text, GdkRGBA color,
                     float x, float y, float xalign);

G_END_DECLS
