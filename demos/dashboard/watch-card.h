/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "watch.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define DASH_WATCH_LINES 11

/* Who is watched, and what its scheduler does, in place of the controls. */
typedef struct
{
  GtkWidget *widget;
  GtkLabel *values[DASH_WATCH_LINES];
  GtkWidget *queue; /* which of several is shown */
  DashWatch *watch; /* not referenced; NULL: none */
  CothreadStatistics before;
  double busy;
  double switches;
} DashWatchCard;

void dash_watch_card_init (DashWatchCard *self);
void dash_watch_card_set_watch (DashWatchCard *self, DashWatch *watch);
void dash_watch_card_update (DashWatchCard *self);

G_END_DECLS
