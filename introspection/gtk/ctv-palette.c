/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-palette.h"

GdkRGBA
ctv_fade (GdkRGBA color, float alpha)
{
  color.alpha *= alpha;
  return color;
}

GdkRGBA
ctv_text_color (GtkWidget *widget, float alpha)
{
  GdkRGBA color;

  gtk_style_context_get_color (gtk_widget_get_style_context (widget), &color);
  return ctv_fade (color, alpha);
}

void
ctv_fill (GtkSnapshot *snapshot, GdkRGBA color, float x, float y, float width, float height)
{
  gtk_snapshot_append_color (snapshot, &color, &GRAPHENE_RECT_INIT (x, y, width, height));
}

/* y is the middle of the line; xalign 0 has the text begin at x, 1 end there. */
void
ctv_draw_text (GtkSnapshot *snapshot, GtkWidget *widget, const char *text, GdkRGBA color,
                float x, float y, float xalign)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, text);
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((int) (x - width * xalign), (int) (y - height / 2.0f)));
  gtk_snapshot_append_layout (snapshot, layout, &color);
  gtk_snapshot_restore (snapshot);
}
