/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The wall clock as this process sees it: it can be stepped, and who asks for it
 * or waits by it is counted. Only what goes through the C library is seen. */

void wall_clock_step (gint64 seconds);
guint wall_clock_reads (void);
guint wall_clock_waits (void);
