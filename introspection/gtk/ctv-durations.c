/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-durations.h"

#include "ctv-format.h"

#define FIRST_OCTAVE 7

static guint
bucket_of (gint64 ns)
{
  guint64 value = (guint64) MAX (ns, 1 << FIRST_OCTAVE);
  guint octave = 63 - (guint) __builtin_clzll (value);
  guint eighth = (guint) (value >> (octave - 3)) & 7;

  return MIN (8 * (octave - FIRST_OCTAVE) + eighth, CTV_DURATION_BUCKETS - 1);
}

void
ctv_durations_add (CtvDurations *self, gint64 ns, guint64 n)
{
  if (n == 0)
    return;
  self->counts[bucket_of (ns)] += n;
  self->n += n;
  self->longest_ns = MAX (self->longest_ns, ns);
}

/* Becomes what the library has counted, in its finer buckets. */
void
ctv_durations_take (CtvDurations *self, CothreadHistogram *histogram)
{
  guint n_buckets = cothread_histogram_get_n_buckets (histogram);

  *self = (CtvDurations) { 0 };
  for (guint i = 0; i < n_buckets; i++)
    {
      guint64 from, to;
      guint64 count = cothread_histogram_get_bucket (histogram, i, &from, &to);

      ctv_durations_add (self, (gint64) (from / 2 + to / 2), count);
    }
  self->longest_ns = (gint64) cothread_histogram_get_max (histogram);
}

/* Where a bucket begins; that is where the one before it ends. */
double
ctv_durations_get_edge_ns (guint bucket)
{
  return (double) (G_GUINT64_CONSTANT (1) << (FIRST_OCTAVE + bucket / 8)) * (8 + bucket % 8) / 8;
}

/* As if those within a bucket were spread evenly over it. */
gint64
ctv_durations_get_percentile_ns (const CtvDurations *self, double fraction)
{
  double wanted = (double) self->n * fraction;
  double seen = 0;

  for (guint bucket = 0; bucket < CTV_DURATION_BUCKETS; bucket++)
    {
      double count = (double) self->counts[bucket];
      double lower = ctv_durations_get_edge_ns (bucket);
      double upper = ctv_durations_get_edge_ns (bucket + 1);

      if (seen + count > wanted)
        return MIN ((gint64) (lower + (upper - lower) * (wanted - seen) / count), self->longest_ns);
      seen += count;
    }
  return self->longest_ns;
}

char *
ctv_durations_dup_text (const CtvDurations *self)
{
  g_autofree char *median = ctv_format_ns (ctv_durations_get_percentile_ns (self, 0.5));
  g_autofree char *late = ctv_format_ns (ctv_durations_get_percentile_ns (self, 0.99));
  g_autofree char *longest = ctv_format_ns (self->longest_ns);

  if (self->n == 0)
    return g_strdup ("none yet");
  return g_strdup_printf ("p50 %s, p99 %s, max %s", median, late, longest);
}

/* For where the histogram itself is beside it, and little room. */
char *
ctv_durations_dup_short_text (const CtvDurations *self)
{
  g_autofree char *late = ctv_format_ns (ctv_durations_get_percentile_ns (self, 0.99));
  g_autofree char *longest = ctv_format_ns (self->longest_ns);

  return self->n == 0 ? g_strdup ("none yet") : g_strdup_printf ("p99 %s, max %s", late, longest);
}
