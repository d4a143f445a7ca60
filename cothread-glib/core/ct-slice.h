/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-alarm.h"
#include "core/ct-clock.h"
#include "core/ct-ticks.h"

/* The time slice of a turn. "Is it used up?" is asked after every task run and
 * every callback, so that the turn overshoots by no more than the one that was
 * running: asking only every k-th time overshoots by k of the slow ones.
 *
 * Reading the clock costs 20 ns and more, the processor's own counter 6, an
 * alarm's word nothing; but setting the alarm and being interrupted by it cost
 * 20 µs in a virtual machine. So a slice begins with the counter (where it is
 * known to run evenly; else the clock), goes over to the alarm when so many ask
 * so often that it pays (where there is io_uring), and the clock has the last
 * word. */

typedef struct
{
  gint64 begin_us;
  gint64 end_us;
  const guint *word; /* set: nothing to do while this is still `seen` */
  guint seen;
  guint64 look_ticks; /* otherwise: while the counter is below this */
  guint n_asked;      /* without an alarm, since counted_us */
  gint64 counted_us;
} CtSlice;

typedef struct
{
  const CtClock *clock;
  gboolean has_ticks;
  gint64 reference_us;
  guint64 reference_ticks;
  gint64 next_calibration_us;
  gint64 recent_us; /* when the last slice began: the estimate starts there */
  guint64 recent_ticks;
  double ticks_per_us; /* 0 until measured */
  CtAlarm alarm;
} CtTickCounter;

void ct_tick_counter_init (CtTickCounter *counter, const CtClock *clock);
void ct_tick_counter_clear (CtTickCounter *counter);

/* Starts a slice that ends length_us after now_us (which was just read). */
void ct_slice_begin (CtSlice *slice, CtTickCounter *counter, gint64 now_us, gint64 length_us);

gboolean ct_slice_confirm_used_up (CtSlice *slice, CtTickCounter *counter);

/* Without a look at the clock. */
static inline gboolean
ct_slice_is_surely_not_used_up (CtSlice *slice)
{
  if (G_LIKELY (slice->word != NULL))
    return __atomic_load_n (slice->word, __ATOMIC_RELAXED) == slice->seen;
  slice->n_asked++;
  return slice->look_ticks != 0 && ct_ticks_now () < slice->look_ticks;
}

static inline gboolean
ct_slice_is_used_up (CtSlice *slice, CtTickCounter *counter)
{
  return G_UNLIKELY (!ct_slice_is_surely_not_used_up (slice)) && ct_slice_confirm_used_up (slice, counter);
}

static inline void
ct_slice_end_now (CtSlice *slice)
{
  slice->end_us = G_MININT64;
  slice->word = NULL;
  slice->look_ticks = 0;
}

/* The time since now_us was read, at a precision good enough to decide that a
 * deadline is far away; never used to decide that it has come. */
gint64 ct_tick_counter_estimate_now (const CtTickCounter *counter);

/* How long something took, by the processor's counter where that can tell. */
typedef struct
{
  guint64 ticks; /* or 0 */
  gint64 us;
} CtStopwatch;

static inline void
ct_stopwatch_start (CtStopwatch *stopwatch, const CtTickCounter *counter)
{
  stopwatch->ticks = counter->ticks_per_us > 0 ? ct_ticks_now () : 0;
  stopwatch->us = stopwatch->ticks == 0 ? ct_clock_now (counter->clock) : 0;
}

/* The rate may have been found to be wrong meanwhile. */
static inline gint64
ct_stopwatch_read_ns (const CtStopwatch *stopwatch, const CtTickCounter *counter)
{
  guint64 ticks;

  if (stopwatch->ticks == 0)
    return 1000 * (ct_clock_now (counter->clock) - stopwatch->us);
  ticks = ct_ticks_now ();
  if (counter->ticks_per_us <= 0 || ticks < stopwatch->ticks)
    return 0;
  return (gint64) ((double) (ticks - stopwatch->ticks) * 1000 / counter->ticks_per_us);
}
