/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-task-detail.h"
#include "ctv-task-model.h"

G_BEGIN_DECLS

typedef struct _CtvTaskTable CtvTaskTable;

/* What a column's header is told when somebody asks how to sort by it. */
typedef struct
{
  CtvTaskTable *table;
  CtvColumn column;
} CtvSortKey;

/* The tasks, to be sorted and filtered, and the selected one in full. */
struct _CtvTaskTable
{
  GtkWidget *widget;
  CtvTaskModel *model;
  GtkSingleSelection *selection;
  GtkColumnView *view;
  GtkAdjustment *scrolled;
  GtkWidget *filter;
  GtkLabel *count;
  CtvTaskDetail detail;
  CtvSortKey keys[CTV_N_COLUMNS];
  CtvColumn asked; /* the first column that was compared by, while it is found out */
  gboolean is_moving_selection;
};

void ctv_task_table_init (CtvTaskTable *self);
void ctv_task_table_clear (CtvTaskTable *self);
void ctv_task_table_forget (CtvTaskTable *self);
void ctv_task_table_take (CtvTaskTable *self, CtvTaskList *list);

G_END_DECLS
