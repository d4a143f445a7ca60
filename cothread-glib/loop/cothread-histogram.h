/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-version.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define COTHREAD_TYPE_HISTOGRAM (cothread_histogram_get_type ())

typedef struct _CothreadHistogram CothreadHistogram;

COTHREAD_AVAILABLE_IN_0_1
GType cothread_histogram_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadHistogram *cothread_histogram_copy (CothreadHistogram *histogram);
COTHREAD_AVAILABLE_IN_0_1
void cothread_histogram_free (CothreadHistogram *histogram);

COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_histogram_get_count (CothreadHistogram *histogram);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_histogram_get_max (CothreadHistogram *histogram);
COTHREAD_AVAILABLE_IN_0_1
double cothread_histogram_get_mean (CothreadHistogram *histogram);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_histogram_get_quantile (CothreadHistogram *histogram, double part);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_histogram_get_n_buckets (CothreadHistogram *histogram);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_histogram_get_bucket (CothreadHistogram *histogram, guint bucket, guint64 *from, guint64 *to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadHistogram, cothread_histogram_free)

G_END_DECLS
