/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-tile.h"

#define CAPTION_KEY "ctv-caption"

/* A number alone says nothing to those who do not see what is above it. */
static void
speak (GtkLabel *label, const char *text)
{
  const char *caption = g_object_get_data (G_OBJECT (label), CAPTION_KEY);
  g_autofree char *spoken = NULL;

  if (caption == NULL)
    return;
  spoken = g_strdup_printf ("%s: %s", caption, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
}

void
ctv_label_set_caption (GtkLabel *label, const char *caption)
{
  g_object_set_data_full (G_OBJECT (label), CAPTION_KEY, g_strdup (caption), g_free);
  speak (label, gtk_label_get_text (label));
}

GtkWidget *
ctv_tile_new (const char *caption, const char *name, const char *tooltip, GtkLabel **value)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *above = gtk_label_new (caption);
  GtkWidget *below = gtk_label_new ("0");

  gtk_widget_add_css_class (box, "ctv-tile");
  gtk_widget_set_hexpand (box, TRUE);
  gtk_widget_set_tooltip_text (box, tooltip);

  gtk_widget_add_css_class (above, "ctv-caption");
  gtk_label_set_xalign (GTK_LABEL (above), 0);
  gtk_box_append (GTK_BOX (box), above);

  gtk_widget_set_name (below, name);
  gtk_widget_add_css_class (below, "ctv-value");
  gtk_label_set_xalign (GTK_LABEL (below), 0);
  /* As wide as it can get: a window whose layout shifts with every number is
   * neither readable nor cheap. */
  gtk_label_set_width_chars (GTK_LABEL (below), 8);
  ctv_label_set_caption (GTK_LABEL (below), caption);
  gtk_box_append (GTK_BOX (box), below);

  *value = GTK_LABEL (below);
  return box;
}

void
ctv_label_update (GtkLabel *label, const char *text)
{
  if (g_str_equal (gtk_label_get_text (label), text))
    return;

  gtk_label_set_text (label, text);
  speak (label, text);
}

void
ctv_label_set_alert (GtkLabel *label, gboolean alert)
{
  if (alert)
    gtk_widget_add_css_class (GTK_WIDGET (label), "ctv-alert");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (label), "ctv-alert");
}

void
ctv_button_set_mnemonic (GtkButton *button, const char *mnemonic)
{
  GtkWidget *label = gtk_button_get_child (button);

  if (label == NULL)
    {
      label = gtk_label_new (NULL);
      gtk_label_set_mnemonic_widget (GTK_LABEL (label), GTK_WIDGET (button));
      gtk_button_set_child (button, label);
    }
  gtk_label_set_text_with_mnemonic (GTK_LABEL (label), mnemonic);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  gtk_label_get_text (GTK_LABEL (label)), -1);
}

GtkWidget *
ctv_card_new (const char *title, GtkWidget *aside, GtkWidget *content)
{
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *label = gtk_label_new (title);

  gtk_widget_add_css_class (card, "ctv-card");
  gtk_widget_add_css_class (label, "ctv-title");
  gtk_widget_set_hexpand (label, TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_box_append (GTK_BOX (head), label);
  if (aside != NULL)
    gtk_box_append (GTK_BOX (head), aside);
  gtk_box_append (GTK_BOX (card), head);
  gtk_box_append (GTK_BOX (card), content);

  return card;
}
