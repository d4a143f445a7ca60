/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A number with its name above it. */
GtkWidget *dash_tile_new (const char *caption, const char *name, const char *tooltip, GtkLabel **value);

/* Sets a label's text only if it changes, and marks it as bad news or not. */
void dash_label_update (GtkLabel *label, const char *text);
void dash_label_set_alert (GtkLabel *label, gboolean alert);

GtkWidget *dash_card_new (const char *title, GtkWidget *aside, GtkWidget *content);

G_END_DECLS
