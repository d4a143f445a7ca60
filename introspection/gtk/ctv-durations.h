/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* Eight buckets an octave, from 128 ns to 137 s. */
#define CTV_DURATION_BUCKETS 240

typedef struct
{
  guint64 counts[CTV_DURATION_BUCKETS];
  guint64 n;
  gint64 longest_ns;
} CtvDurations;

void ctv_durations_add (CtvDurations *self, gint64 ns, guint64 n);
void ctv_durations_take (CtvDurations *self, CothreadHistogram *histogram);
gint64 ctv_durations_get_percentile_ns (const CtvDurations *self, double fraction);
double ctv_durations_get_edge_ns (guint bucket);
char *ctv_durations_dup_text (const CtvDurations *self);
char *ctv_durations_dup_short_text (const CtvDurations *self);

G_END_DECLS
