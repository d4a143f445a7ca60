/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Counts of values in log-linear buckets, as in HdrHistogram: sixteen for each
 * power of two, so that a value is known to a sixteenth of itself, in a fixed
 * 5 KiB. Values are nanoseconds: the last bucket takes all from 4.9 hours on. */

#define CT_HISTOGRAM_SUB_BITS 4
#define CT_HISTOGRAM_SUBS (1 << CT_HISTOGRAM_SUB_BITS)
#define CT_HISTOGRAM_MAX_BITS 44
#define CT_HISTOGRAM_BUCKETS ((CT_HISTOGRAM_MAX_BITS - CT_HISTOGRAM_SUB_BITS + 1) * CT_HISTOGRAM_SUBS)

typedef struct
{
  guint64 count;
  guint64 sum;
  guint64 max;
  guint64 buckets[CT_HISTOGRAM_BUCKETS];
} CtHistogram;

static inline guint
ct_histogram_bucket_of (guint64 value)
{
  guint top;

  if (value < CT_HISTOGRAM_SUBS)
    return (guint) value;
  if (value >> CT_HISTOGRAM_MAX_BITS != 0)
    return CT_HISTOGRAM_BUCKETS - 1;
  top = 63 - (guint) __builtin_clzll (value);
  return (top - CT_HISTOGRAM_SUB_BITS + 1) * CT_HISTOGRAM_SUBS +
         ((guint) (value >> (top - CT_HISTOGRAM_SUB_BITS)) & (CT_HISTOGRAM_SUBS - 1));
}

/* The smallest value of a bucket; of the one past the last, where that ends. */
static inline guint64
ct_histogram_lower_bound (guint bucket)
{
  if (bucket < CT_HISTOGRAM_SUBS)
    return bucket;
  return (guint64) (CT_HISTOGRAM_SUBS + bucket % CT_HISTOGRAM_SUBS) << (bucket / CT_HISTOGRAM_SUBS - 1);
}

static inline void
ct_histogram_add (CtHistogram *self, guint64 value)
{
  self->count++;
  self->sum += value;
  if (value > self->max)
    self->max = value;
  self->buckets[ct_histogram_bucket_of (value)]++;
}
