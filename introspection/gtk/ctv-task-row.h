/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ctv-task-model.h"

G_BEGIN_DECLS

#define CTV_TYPE_TASK_ROW (ctv_task_row_get_type ())
G_DECLARE_FINAL_TYPE (CtvTaskRow, ctv_task_row, CTV, TASK_ROW, GObject)

CtvTaskRow *ctv_task_row_new (CtvTaskModel *model, guint position);
guint ctv_task_row_get_position (CtvTaskRow *self);
void ctv_task_row_attach (CtvTaskRow *self, CtvColumn column, GtkLabel *label);
void ctv_task_row_detach (CtvTaskRow *self, CtvColumn column);
void ctv_task_row_refresh (CtvTaskRow *self);

G_END_DECLS
