/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "frame-meter.h"

G_BEGIN_DECLS

#define DASH_TYPE_ANIMATION (dash_animation_get_type ())
G_DECLARE_FINAL_TYPE (DashAnimation, dash_animation, DASH, ANIMATION, GtkWidget)

GtkWidget *dash_animation_new (void);
DashFrameMeter *dash_animation_get_meter (DashAnimation *self);

G_END_DECLS
