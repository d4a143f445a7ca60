/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ctv-task-list.h"

G_BEGIN_DECLS

#define CTV_DETAILS 14

/* One task in full, and what it did since it was opened. */
typedef struct
{
  GtkWidget *widget;
  GtkLabel *captions[CTV_DETAILS];
  GtkLabel *values[CTV_DETAILS];
  GtkLabel *history;
  guint64 id; /* 0: none */
  gint64 opened_us;
  char *last; /* the newest line of the history, without its time */
  GQueue lines;
} CtvTaskDetail;

void ctv_task_detail_init (CtvTaskDetail *self);
void ctv_task_detail_clear (CtvTaskDetail *self);
void ctv_task_detail_open (CtvTaskDetail *self, guint64 id);
void ctv_task_detail_show (CtvTaskDetail *self, const CothreadTaskInfo *info, gint64 now_us, char *const *backtrace);
void ctv_task_detail_show_ended (CtvTaskDetail *self);

G_END_DECLS
