/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "controls.h"
#include "readings.h"

G_BEGIN_DECLS

/* What the window watches: the queue and those who fill it. */
typedef struct
{
  DashTargets targets;
  DashProbe probe;
  DashReadings readings;
} DashEngine;

DashEngine *dash_engine_new (const DashOptions *options);
void dash_engine_stop (DashEngine *self);
void dash_engine_free (DashEngine *self);

G_END_DECLS
