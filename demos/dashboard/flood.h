/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe.h"

G_BEGIN_DECLS

typedef struct _DashFlood DashFlood;

DashFlood *dash_flood_new (DashProbe *probe);
void dash_flood_set_enabled (DashFlood *self, gboolean enabled);
void dash_flood_set_rate (DashFlood *self, guint per_second);
void dash_flood_set_cost (DashFlood *self, guint cost_us);
void dash_flood_free (DashFlood *self);

G_END_DECLS
