/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-task-table.h"
#include "watch.h"

G_BEGIN_DECLS

/* On the thread's own stack. */
typedef void (*DashWatchingChanged) (gpointer window);

/* Which process is looked at, the task that does so, and what it has to say to
 * the user. */
typedef struct
{
  GtkWidget *banner;
  GtkLabel *message;
  GtkWidget *back;
  DashWatch *watch; /* NULL: this process */
  CtvTaskTable *table;
  GPtrArray *tasks; /* CothreadTask; all but the last are at their ends */
  DashWatchingChanged changed;
  gpointer window;
} DashWatching;

void dash_watching_init (DashWatching *self, CtvTaskTable *table, DashWatchingChanged changed, gpointer window);
void dash_watching_clear (DashWatching *self);
void dash_watching_begin (DashWatching *self, const char *target);
void dash_watching_stop (DashWatching *self);
void dash_watching_update (DashWatching *self);

G_END_DECLS
