/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A number with its name above it. */
GtkWidget *ctv_tile_new (const char *caption, const char *name, const char *tooltip, GtkLabel **value);

/* What the label's text is read out with. */
void ctv_label_set_caption (GtkLabel *label, const char *caption);

/* Sets a label's text only if it changes, and marks it as bad news or not. */
void ctv_label_update (GtkLabel *label, const char *text);
void ctv_label_set_alert (GtkLabel *label, gboolean alert);

/* GtkButton itself would be read out with the underscore, and twice. */
void ctv_button_set_mnemonic (GtkButton *button, const char *mnemonic);

GtkWidget *ctv_card_new (const char *title, GtkWidget *aside, GtkWidget *content);

G_END_DECLS
