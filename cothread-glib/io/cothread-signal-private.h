/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "io/cothread-signal.h"

gboolean cothread_has_signal (gpointer instance, const char *detailed_signal);
/* An array of GValue that unsets them. */
GArray *cothread_copy_values (const GValue *values, guint n_values);
