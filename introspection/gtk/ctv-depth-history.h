/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One column a pixel; wider windows than this show no more of the past. */
#define CTV_HISTORY_COLUMNS 4096
#define CTV_COLUMN_US 50000

typedef struct
{
  guint low;
  guint high;
} CtvDepthColumn;

/* What the plot remembers: the least and the most of every 50 ms. */
typedef struct
{
  CtvDepthColumn columns[CTV_HISTORY_COLUMNS];
  guint64 length;
  CtvDepthColumn current;
  gint64 current_ends_us;
} CtvDepthHistory;

gboolean ctv_depth_history_add (CtvDepthHistory *self, gint64 now_us, guint low, guint high);
CtvDepthColumn ctv_depth_history_get (const CtvDepthHistory *self, guint back);

G_END_DECLS
