/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "toggle.h"

G_BEGIN_DECLS

#define DASH_SLEEPERS 100000

typedef struct _DashSleepers DashSleepers;

DashSleepers *dash_sleepers_new (void);
void dash_sleepers_set_enabled (DashSleepers *self, gboolean enabled);
guint dash_sleepers_get_alive (DashSleepers *self);
const char *dash_sleepers_get_problem (DashSleepers *self);
void dash_sleepers_stop (DashSleepers *self);
void dash_sleepers_free (DashSleepers *self);

G_END_DECLS
