/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CTV_TYPE_TURN_STRIP (ctv_turn_strip_get_type ())
G_DECLARE_FINAL_TYPE (CtvTurnStrip, ctv_turn_strip, CTV, TURN_STRIP, GtkWidget)

GtkWidget *ctv_turn_strip_new (void);
void ctv_turn_strip_set_turns (CtvTurnStrip *self, GArray *turns, gint64 slice_us);

G_END_DECLS
