/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define DASH_TYPE_TURN_STRIP (dash_turn_strip_get_type ())
G_DECLARE_FINAL_TYPE (DashTurnStrip, dash_turn_strip, DASH, TURN_STRIP, GtkWidget)

GtkWidget *dash_turn_strip_new (void);
void dash_turn_strip_set_turns (DashTurnStrip *self, GArray *turns, gint64 slice_us);

G_END_DECLS
