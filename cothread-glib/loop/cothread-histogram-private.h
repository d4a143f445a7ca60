/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-histogram.h"
#include "loop/cothread-histogram.h"

/* A snapshot; NULL: of nothing. */
CothreadHistogram *cothread_histogram_new (const CtHistogram *values);

/* (count, sum, max, buckets that are not empty: lower bound and count). */
#define COTHREAD_HISTOGRAM_VARIANT_TYPE "(ttta(tt))"
GVariant *cothread_histogram_to_variant (const CothreadHistogram *histogram);
/* Of that type; what it says is not believed. */
void cothread_histogram_values_from_variant (GVariant *variant, CtHistogram *values);
