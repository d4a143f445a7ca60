/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The scheduler never asks the system for the time itself: it is handed a clock
 * (a virtual one in tests), in microseconds that never go back. */

typedef struct
{
  gint64 (*now) (gpointer data);
  gpointer data;
  gboolean is_virtual; /* the processor's tick counter says nothing about it */
} CtClock;

extern const CtClock ct_clock_monotonic;

static inline gint64
ct_clock_now (const CtClock *clock)
{
  return clock->now (clock->data);
}

/* now + timeout, where a negative timeout and any overflow mean "never". */
static inline gint64
ct_clock_deadline (gint64 now_us, gint64 timeout_us)
{
  if (timeout_us < 0 || timeout_us > G_MAXINT64 - now_us)
    return G_MAXINT64;
  return now_us + timeout_us;
}
