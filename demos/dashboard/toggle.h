/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* A switch that a task waits at, until it is turned or there is an end. */
typedef struct
{
  CothreadPulse *changed;
  gboolean is_on;
  gboolean is_stopping;
} DashToggle;

void dash_toggle_init (DashToggle *self);
void dash_toggle_clear (DashToggle *self);
void dash_toggle_set (DashToggle *self, gboolean is_on);
void dash_toggle_stop (DashToggle *self);
gboolean dash_toggle_await (DashToggle *self, gboolean is_on);

G_END_DECLS
