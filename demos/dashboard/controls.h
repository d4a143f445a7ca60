/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "echo.h"
#include "flood.h"
#include "indexer.h"
#include "options.h"
#include "sleepers.h"

G_BEGIN_DECLS

/* What the controls act on. */
typedef struct
{
  CothreadScheduler *scheduler;
  CothreadCallbackQueue *queue;
  DashFlood *flood;
  DashIndexer *indexer;
  DashSleepers *sleepers;
  DashEcho *echo;
} DashTargets;

GtkWidget *dash_controls_new (DashTargets *targets, const DashOptions *options);
GtkWidget *dash_pause_button_new (DashTargets *targets);
GtkWidget *dash_reset_button_new (DashTargets *targets);

G_END_DECLS
