/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One column a pixel; wider windows than this show no more of the past. */
#define DASH_HISTORY_COLUMNS 4096
#define DASH_COLUMN_US 50000

typedef struct
{
  guint low;
  guint high;
} DashColumn;

/* What the plot remembers: the least and the most of every 50 ms. */
typedef struct
{
  DashColumn columns[DASH_HISTORY_COLUMNS];
  guint64 length;
  DashColumn current;
  gint64 current_ends_us;
} DashDepthHistory;

gboolean dash_depth_history_add (DashDepthHistory *self, gint64 now_us, guint low, guint high);
DashColumn dash_depth_history_get (const DashDepthHistory *self, guint back);

G_END_DECLS
