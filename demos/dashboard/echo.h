/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "toggle.h"

G_BEGIN_DECLS

typedef struct _DashEcho DashEcho;

DashEcho *dash_echo_new (void);
void dash_echo_set_enabled (DashEcho *self, gboolean enabled);
guint64 dash_echo_get_round_trips (DashEcho *self);
guint dash_echo_get_port (DashEcho *self);
const char *dash_echo_get_problem (DashEcho *self);
void dash_echo_stop (DashEcho *self);
void dash_echo_free (DashEcho *self);

G_END_DECLS
