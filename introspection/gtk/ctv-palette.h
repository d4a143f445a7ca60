/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Readable on a light and on a dark background. */
#define CTV_BLUE ((GdkRGBA) { 0.21, 0.52, 0.89, 1 })
#define CTV_AMBER ((GdkRGBA) { 0.90, 0.55, 0.00, 1 })
#define CTV_RED ((GdkRGBA) { 0.88, 0.20, 0.22, 1 })

GdkRGBA ctv_fade (GdkRGBA color, float alpha);
GdkRGBA ctv_text_color (GtkWidget *widget, float alpha);
void ctv_fill (GtkSnapshot *snapshot, GdkRGBA color, float x, float y, float width, float height);
void ctv_draw_text (GtkSnapshot *snapshot, GtkWidget *widget, const char *text, GdkRGBA color,
                     float x, float y, float xalign);

G_END_DECLS
