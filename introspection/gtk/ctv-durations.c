/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-durations.h"

#include "ctv-format.h"

static guint
bucket_of (gint64 us)
{
  guint64 value = (guint64) MAX (us, 1);
  guint octave = 63 - (guint) __builtin_clzll (value);
  guint eighth = (guint) (octave >= 3 ? value >> (octave - 3) : value << (3 - octave)) & 7;

  return MIN (8 * octave + eighth, CTV_DURATION_BUCKETS - 1);
}

void
ctv_durations_add (CtvDurations *self, gint64 us, guint64 n)
{
  if (n == 0)
    return;
  self->counts[bucket_of (us)] += n;
  self->n += n;
  self->longest_us = MAX (self->longest_us, us);
}

/* Where a bucket begins; that is where the one before it ends. */
double
ctv_durations_get_edge_us (guint bucket)
{
  return (double) (G_GUINT64_CONSTANT (1) << (bucket / 8)) * (8 + bucket % 8) / 8;
}

/* As if those within a bucket were spread evenly over it. */
gint64
ctv_durations_get_percentile_us (const CtvDurations *self, double fraction)
{
  double wanted = (double) self->n * fraction;
  double seen = 0;

  for (guint bucket = 0; bucket < CTV_DURATION_BUCKETS; bucket++)
    {
      double count = (double) self->counts[bucket];
      double lower = ctv_durations_get_edge_us (bucket);
      double upper = ctv_durations_get_edge_us (bucket + 1);

      if (seen + count > wanted)
        return MIN ((gint64) (lower + (upper - lower) * (wanted - seen) / count), self->longest_us);
      seen += count;
    }
  return self->longest_us;
}

char *
ctv_durations_dup_text (const CtvDurations *self)
{
  g_autofree char *median = ctv_format_us (ctv_durations_get_percentile_us (self, 0.5));
  g_autofree char *late = ctv_format_us (ctv_durations_get_percentile_us (self, 0.99));
  g_autofree char *longest = ctv_format_us (self->longest_us);

  if (self->n == 0)
    return g_strdup ("none yet");
  return g_strdup_printf ("p50 %s, p99 %s, max %s", median, late, longest);
}

/* For where the histogram itself is beside it, and little room. */
char *
ctv_durations_dup_short_text (const CtvDurations *self)
{
  g_autofree char *late = ctv_format_us (ctv_durations_get_percentile_us (self, 0.99));
  g_autofree char *longest = ctv_format_us (self->longest_us);

  return self->n == 0 ? g_strdup ("none yet") : g_strdup_printf ("p99 %s, max %s", late, longest);
}
