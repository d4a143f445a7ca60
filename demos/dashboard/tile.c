/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tile.h"

GtkWidget *
dash_tile_new (const char *caption, const char *name, const char *tooltip, GtkLabel **value)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *above = gtk_label_new (caption);
  GtkWidget *below = gtk_label_new ("0");

  gtk_widget_add_css_class (box, "dash-tile");
  gtk_widget_set_hexpand (box, TRUE);
  gtk_widget_set_tooltip_text (box, tooltip);

  gtk_widget_add_css_class (above, "dash-caption");
  gtk_label_set_xalign (GTK_LABEL (above), 0);
  gtk_box_append (GTK_BOX (box), above);

  gtk_widget_set_name (below, name);
  gtk_widget_add_css_class (below, "dash-value");
  gtk_label_set_xalign (GTK_LABEL (below), 0);
  /* As wide as it can get: a window whose layout shifts with every number is
   * neither readable nor cheap. */
  gtk_label_set_width_chars (GTK_LABEL (below), 8);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (below), GTK_ACCESSIBLE_RELATION_DESCRIBED_BY, above, NULL, -1);
  gtk_box_append (GTK_BOX (box), below);

  *value = GTK_LABEL (below);
  return box;
}

void
dash_label_update (GtkLabel *label, const char *text)
{
  if (!g_str_equal (gtk_label_get_text (label), text))
    gtk_label_set_text (label, text);
}

void
dash_label_set_alert (GtkLabel *label, gboolean alert)
{
  if (alert)
    gtk_widget_add_css_class (GTK_WIDGET (label), "dash-alert");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (label), "dash-alert");
}

GtkWidget *
dash_card_new (const char *title, GtkWidget *aside, GtkWidget *content)
{
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *label = gtk_label_new (title);

  gtk_widget_add_css_class (card, "dash-card");
  gtk_widget_add_css_class (label, "dash-title");
  gtk_widget_set_hexpand (label, TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_box_append (GTK_BOX (head), label);
  if (aside != NULL)
    gtk_box_append (GTK_BOX (head), aside);
  gtk_box_append (GTK_BOX (card), head);
  gtk_box_append (GTK_BOX (card), content);

  return card;
}
