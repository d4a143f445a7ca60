/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-histogram-private.h"

#include <stdlib.h>

/* Log-linear histograms. */

static void
test_every_value_is_within_its_bucket (void)
{
  for (guint shift = 0; shift < CT_HISTOGRAM_MAX_BITS; shift++)
    for (gint offset = -2; offset <= 2; offset++)
      {
        guint64 value = (G_GUINT64_CONSTANT (1) << shift) + (guint64) (gint64) offset;
        guint bucket;

        if ((gint64) value < 0)
          continue;
        bucket = ct_histogram_bucket_of (value);
        g_assert_cmpuint (ct_histogram_lower_bound (bucket), <=, value);
        g_assert_cmpuint (ct_histogram_lower_bound (bucket + 1), >, value);
      }
}

static void
test_buckets_follow_each_other_and_are_no_wider_than_a_sixteenth (void)
{
  for (guint bucket = 0; bucket < CT_HISTOGRAM_BUCKETS; bucket++)
    {
      guint64 from = ct_histogram_lower_bound (bucket), to = ct_histogram_lower_bound (bucket + 1);

      g_assert_cmpuint (from, <, to);
      g_assert_cmpuint (ct_histogram_bucket_of (from), ==, bucket);
      g_assert_cmpuint (ct_histogram_bucket_of (to - 1), ==, bucket);
      g_assert_true (to - from == 1 || (to - from) * 16 <= from);
    }
}

static void
test_what_is_too_large_is_in_the_last_bucket (void)
{
  g_assert_cmpuint (ct_histogram_bucket_of (G_MAXUINT64), ==, CT_HISTOGRAM_BUCKETS - 1);
  g_assert_cmpuint (ct_histogram_bucket_of (G_GUINT64_CONSTANT (1) << CT_HISTOGRAM_MAX_BITS), ==, CT_HISTOGRAM_BUCKETS - 1);
}

static void
test_quantiles_are_right_to_a_sixteenth (void)
{
  CtHistogram *values = g_new0 (CtHistogram, 1);
  g_autoptr (CothreadHistogram) histogram = NULL;
  guint64 n = 0;

  for (guint64 i = 1; i <= 100000; i++)
    ct_histogram_add (values, i * 1000);
  histogram = cothread_histogram_new (values);
  g_free (values);

  g_assert_cmpuint (cothread_histogram_get_count (histogram), ==, 100000);
  g_assert_cmpuint (cothread_histogram_get_max (histogram), ==, 100000000);
  g_assert_cmpfloat_with_epsilon (cothread_histogram_get_mean (histogram), 50000500, 1);
  for (guint percent = 1; percent <= 100; percent++)
    {
      guint64 exact = percent * 1000000, given = cothread_histogram_get_quantile (histogram, percent / 100.0);

      g_assert_cmpuint (given, >=, exact);
      g_assert_cmpuint (given, <=, exact + exact / 16);
    }
  g_assert_cmpuint (cothread_histogram_get_quantile (histogram, 0), <=, 1063);
  for (guint bucket = 0; bucket < cothread_histogram_get_n_buckets (histogram); bucket++)
    n += cothread_histogram_get_bucket (histogram, bucket, NULL, NULL);
  g_assert_cmpuint (n, ==, 100000);
}

static int
compare_values (gconstpointer one, gconstpointer other)
{
  guint64 a = *(const guint64 *) one, b = *(const guint64 *) other;

  return a < b ? -1 : a > b;
}

/* Of every order of magnitude, with a few that are far away from all others. */
static guint64
random_value (guint shape)
{
  guint64 value = ((guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ()) >> 24;

  if (shape == 0)
    return value >> g_test_rand_int_range (0, 40);
  if (shape == 1)
    return 1000 + value % 16;
  return g_test_rand_int_range (0, 100) == 0 ? 500000000 + value % 1000 : 800 + value % 400;
}

/* The nearest-rank quantile of the sorted values, and what the histogram says. */
static void
test_quantiles_are_those_of_the_sorted_values_to_a_sixteenth (void)
{
  for (guint round = 0; round < 60; round++)
    {
      guint n = (guint) g_test_rand_int_range (1, 3000);
      g_autofree guint64 *sorted = g_new (guint64, n);
      g_autofree CtHistogram *values = g_new0 (CtHistogram, 1);
      g_autoptr (CothreadHistogram) histogram = NULL;

      for (guint i = 0; i < n; i++)
        {
          sorted[i] = random_value (round % 3);
          ct_histogram_add (values, sorted[i]);
        }
      qsort (sorted, n, sizeof *sorted, compare_values);
      histogram = cothread_histogram_new (values);
      g_assert_cmpuint (cothread_histogram_get_max (histogram), ==, sorted[n - 1]);
      for (guint permille = 0; permille <= 1000; permille++)
        {
          guint rank = MAX (1, (permille * n + 999) / 1000);
          guint64 exact = sorted[rank - 1], given = cothread_histogram_get_quantile (histogram, permille / 1000.0);

          g_assert_cmpuint (given, >=, exact);
          g_assert_cmpuint (given, <=, exact + exact / 16);
        }
    }
}

static void
test_an_empty_one_is_all_zero (void)
{
  g_autoptr (CothreadHistogram) histogram = cothread_histogram_new (NULL);
  g_autoptr (CothreadHistogram) copy = cothread_histogram_copy (histogram);
  guint64 from, to;

  g_assert_cmpuint (cothread_histogram_get_count (copy), ==, 0);
  g_assert_cmpuint (cothread_histogram_get_max (copy), ==, 0);
  g_assert_cmpfloat (cothread_histogram_get_mean (copy), ==, 0);
  g_assert_cmpuint (cothread_histogram_get_quantile (copy, 0.99), ==, 0);
  g_assert_cmpuint (cothread_histogram_get_bucket (copy, cothread_histogram_get_n_buckets (copy) - 1, &from, &to), ==, 0);
  g_assert_cmpuint (to, ==, G_MAXUINT64);
  g_assert_cmpuint (from, <, to);
}

static void
test_nonsense_is_misuse (void)
{
  g_autoptr (CothreadHistogram) histogram = cothread_histogram_new (NULL);

  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*part*");
  g_assert_cmpuint (cothread_histogram_get_quantile (histogram, 1.5), ==, 0);
  g_test_assert_expected_messages ();
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*bucket*");
  g_assert_cmpuint (cothread_histogram_get_bucket (histogram, 100000, NULL, NULL), ==, 0);
  g_test_assert_expected_messages ();
  cothread_histogram_free (NULL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/histogram/every-value-is-within-its-bucket", test_every_value_is_within_its_bucket);
  g_test_add_func ("/histogram/buckets-follow-each-other-and-are-no-wider-than-a-sixteenth",
                   test_buckets_follow_each_other_and_are_no_wider_than_a_sixteenth);
  g_test_add_func ("/histogram/what-is-too-large-is-in-the-last-bucket", test_what_is_too_large_is_in_the_last_bucket);
  g_test_add_func ("/histogram/quantiles-are-right-to-a-sixteenth", test_quantiles_are_right_to_a_sixteenth);
  g_test_add_func ("/histogram/quantiles-are-those-of-the-sorted-values-to-a-sixteenth",
                   test_quantiles_are_those_of_the_sorted_values_to_a_sixteenth);
  g_test_add_func ("/histogram/an-empty-one-is-all-zero", test_an_empty_one_is_all_zero);
  g_test_add_func ("/histogram/nonsense-is-misuse", test_nonsense_is_misuse);
  return g_test_run ();
}
