/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "animation.h"
#include "click-meter.h"
#include "engine.h"

G_BEGIN_DECLS

#define DASH_TYPE_WINDOW (dash_window_get_type ())
G_DECLARE_FINAL_TYPE (DashWindow, dash_window, DASH, WINDOW, GtkApplicationWindow)

DashWindow *dash_window_new (GtkApplication *application, DashOptions *options);

G_END_DECLS
