/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include <cothread-glib.h>

G_BEGIN_DECLS

typedef struct
{
  GListStore *rows;
  GtkWidget *widget;
} DashTaskTable;

void dash_task_table_init (DashTaskTable *self);
void dash_task_table_update (DashTaskTable *self, GPtrArray *tasks);

G_END_DECLS
