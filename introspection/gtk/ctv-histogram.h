/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ctv-durations.h"

G_BEGIN_DECLS

#define CTV_TYPE_HISTOGRAM (ctv_histogram_get_type ())
G_DECLARE_FINAL_TYPE (CtvHistogram, ctv_histogram, CTV, HISTOGRAM, GtkWidget)

/* A histogram of durations, on a logarithmic axis of time. */
GtkWidget *ctv_histogram_new (const char *title);
void ctv_histogram_set (CtvHistogram *self, const CtvDurations *durations, gint64 mark_ns);

G_END_DECLS
