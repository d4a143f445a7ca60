/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define DASH_TYPE_WATCH_MENU (dash_watch_menu_get_type ())
G_DECLARE_FINAL_TYPE (DashWatchMenu, dash_watch_menu, DASH, WATCH_MENU, GtkBox)

/* A button that lists the processes that can be watched, as they are when it is
 * pressed. "chosen" comes with the name of one of them; NULL: this process. */
GtkWidget *dash_watch_menu_new (void);
void dash_watch_menu_stop (DashWatchMenu *self);

G_END_DECLS
