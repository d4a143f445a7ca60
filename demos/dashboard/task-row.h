/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

#define DASH_TYPE_TASK_ROW (dash_task_row_get_type ())
G_DECLARE_FINAL_TYPE (DashTaskRow, dash_task_row, DASH, TASK_ROW, GObject)

DashTaskRow *dash_task_row_new (CothreadTask *task);
void dash_task_row_update (DashTaskRow *self, CothreadTask *task);
guint64 dash_task_row_get_id (DashTaskRow *self);

G_END_DECLS
