/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

void ctv_style_load (GdkDisplay *display);

G_END_DECLS
