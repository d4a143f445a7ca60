/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-histogram-private.h"

/**
 * CothreadHistogram:
 *
 * How often which values came, as a snapshot: nanoseconds in buckets that grow
 * with the value, sixteen for each power of two, so that each value is known to
 * a sixteenth of itself. All from 2^44 ns (4.9 hours) on are in the last one.
 *
 * It never changes, and may be read in any thread.
 *
 * Since: 0.1
 */
struct _CothreadHistogram
{
  guint ref_count; /* atomic */
  CtHistogram values;
};

G_DEFINE_BOXED_TYPE (CothreadHistogram, cothread_histogram, cothread_histogram_copy, cothread_histogram_free)

CothreadHistogram *
cothread_histogram_new (const CtHistogram *values)
{
  CothreadHistogram *self = g_new0 (CothreadHistogram, 1);

  self->ref_count = 1;
  if (values != NULL)
    self->values = *values;
  return self;
}

/**
 * cothread_histogram_copy:
 * @histogram: a histogram
 *
 * Returns: (transfer full): the same histogram, which never changes
 *
 * Since: 0.1
 */
CothreadHistogram *
cothread_histogram_copy (CothreadHistogram *histogram)
{
  g_return_val_if_fail (histogram != NULL, NULL);
  __atomic_fetch_add (&histogram->ref_count, 1, __ATOMIC_RELAXED);
  return histogram;
}

/**
 * cothread_histogram_free:
 * @histogram: (nullable) (transfer full): a histogram
 *
 * Frees a histogram.
 *
 * Since: 0.1
 */
void
cothread_histogram_free (CothreadHistogram *histogram)
{
  if (histogram != NULL && __atomic_sub_fetch (&histogram->ref_count, 1, __ATOMIC_ACQ_REL) == 0)
    g_free (histogram);
}

/**
 * cothread_histogram_get_count:
 * @histogram: a histogram
 *
 * Returns: how many values were counted
 *
 * Since: 0.1
 */
guint64
cothread_histogram_get_count (CothreadHistogram *histogram)
{
  g_return_val_if_fail (histogram != NULL, 0);
  return histogram->values.count;
}

/**
 * cothread_histogram_get_max:
 * @histogram: a histogram
 *
 * Returns: the largest value, exactly, in nanoseconds; 0 if there is none
 *
 * Since: 0.1
 */
guint64
cothread_histogram_get_max (CothreadHistogram *histogram)
{
  g_return_val_if_fail (histogram != NULL, 0);
  return histogram->values.max;
}

/**
 * cothread_histogram_get_mean:
 * @histogram: a histogram
 *
 * Returns: the mean of the values, exactly, in nanoseconds; 0 if there is none
 *
 * Since: 0.1
 */
double
cothread_histogram_get_mean (CothreadHistogram *histogram)
{
  g_return_val_if_fail (histogram != NULL, 0);
  return histogram->values.count > 0 ? (double) histogram->values.sum / (double) histogram->values.count : 0;
}

/**
 * cothread_histogram_get_quantile:
 * @histogram: a histogram
 * @part: 0 to 1; 0.5 is the median, 0.99 what all but a hundredth keep below
 *
 * A value that this part of all values does not exceed; it is too large by a
 * sixteenth at the most.
 *
 * Returns: the value, in nanoseconds; 0 if there is none
 *
 * Since: 0.1
 */
guint64
cothread_histogram_get_quantile (CothreadHistogram *histogram, double part)
{
  const CtHistogram *values;
  guint64 wanted, n = 0;

  g_return_val_if_fail (histogram != NULL, 0);
  g_return_val_if_fail (part >= 0 && part <= 1, 0);

  values = &histogram->values;
  if (values->count == 0)
    return 0;
  wanted = (guint64) (part * (double) values->count + 0.999999);
  wanted = CLAMP (wanted, 1, values->count);
  for (guint bucket = 0; bucket < CT_HISTOGRAM_BUCKETS; bucket++)
    {
      n += values->buckets[bucket];
      if (n >= wanted)
        return MIN (values->max, ct_histogram_lower_bound (bucket + 1) - 1);
    }
  return values->max;
}

/**
 * cothread_histogram_get_n_buckets:
 * @histogram: a histogram
 *
 * Returns: how many buckets there are, empty ones included
 *
 * Since: 0.1
 */
guint
cothread_histogram_get_n_buckets (CothreadHistogram *histogram)
{
  g_return_val_if_fail (histogram != NULL, 0);
  return CT_HISTOGRAM_BUCKETS;
}

/**
 * cothread_histogram_get_bucket:
 * @histogram: a histogram
 * @bucket: which one
 * @from: (out) (optional): the smallest value of the bucket, in nanoseconds
 * @to: (out) (optional): the smallest one above it
 *
 * Returns: how many values are in the bucket
 *
 * Since: 0.1
 */
guint64
cothread_histogram_get_bucket (CothreadHistogram *histogram, guint bucket, guint64 *from, guint64 *to)
{
  g_return_val_if_fail (histogram != NULL, 0);
  g_return_val_if_fail (bucket < CT_HISTOGRAM_BUCKETS, 0);

  if (from != NULL)
    *from = ct_histogram_lower_bound (bucket);
  if (to != NULL)
    *to = bucket + 1 < CT_HISTOGRAM_BUCKETS ? ct_histogram_lower_bound (bucket + 1) : G_MAXUINT64;
  return histogram->values.buckets[bucket];
}

GVariant *
cothread_histogram_to_variant (const CothreadHistogram *histogram)
{
  const CtHistogram *values = &histogram->values;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(tt)"));
  for (guint bucket = 0; bucket < CT_HISTOGRAM_BUCKETS; bucket++)
    if (values->buckets[bucket] > 0)
      g_variant_builder_add (&builder, "(tt)", ct_histogram_lower_bound (bucket), values->buckets[bucket]);
  return g_variant_new ("(ttta(tt))", values->count, values->sum, values->max, &builder);
}

/* The count is made anew, so that quantiles find as many as there are. */
void
cothread_histogram_values_from_variant (GVariant *variant, CtHistogram *values)
{
  g_autoptr (GVariantIter) buckets = NULL;
  guint64 count, from, n;

  *values = (CtHistogram) { 0 };
  g_variant_get (variant, COTHREAD_HISTOGRAM_VARIANT_TYPE, &count, &values->sum, &values->max, &buckets);
  while (g_variant_iter_next (buckets, "(tt)", &from, &n))
    {
      values->buckets[ct_histogram_bucket_of (from)] += n;
      values->count += n;
    }
}
