/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

gboolean dash_screenshot_save (GtkWidget *window, const char *path, GError **error);

G_END_DECLS
