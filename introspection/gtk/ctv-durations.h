/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Eight buckets an octave, from 1 µs to 67 s. */
#define CTV_DURATION_BUCKETS 208

typedef struct
{
  guint64 counts[CTV_DURATION_BUCKETS];
  guint64 n;
  gint64 longest_us;
} CtvDurations;

void ctv_durations_add (CtvDurations *self, gint64 us, guint64 n);
gint64 ctv_durations_get_percentile_us (const CtvDurations *self, double fraction);
double ctv_durations_get_edge_us (guint bucket);
char *ctv_durations_dup_text (const CtvDurations *self);
char *ctv_durations_dup_short_text (const CtvDurations *self);

G_END_DECLS
