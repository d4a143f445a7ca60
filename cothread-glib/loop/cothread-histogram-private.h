/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-histogram.h"
#include "loop/cothread-histogram.h"

/* A snapshot; NULL: of nothing. */
CothreadHistogram *cothread_histogram_new (const CtHistogram *values);
