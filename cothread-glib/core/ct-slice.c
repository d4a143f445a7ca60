/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* A pair of readings further apart than this was disturbed by a preemption. */
#define MAX_PAIR_TICKS 20000
/* A turn that has lasted this long is worth setting an alarm for. */
#define ALARM_AFTER_US 50
/* Shorter spans give too coarse a rate; longer ones notice a drift too late. */
#define MIN_CALIBRATION_US 1000
#define MAX_CALIBRATION_US (10 * G_USEC_PER_SEC)

static gint64
monotonic_now (G_GNUC_UNUSED gpointer data)
{
  return g_get_monotonic_time ();
}

const CtClock ct_clock_monotonic = { monotonic_now, NULL, FALSE };

/* An "invariant" counter ticks evenly in every power state (AMD64 manual,
 * CPUID 8000_0007 EDX bit 8; the same bit on Intel). */
static gboolean
processor_has_even_ticks (void)
{
#if defined(__x86_64__)
  unsigned eax, ebx, ecx, edx;

  return __get_cpuid (0x80000007, &eax, &ebx, &ecx, &edx) && (edx & (1u << 8)) != 0;
#else
  return FALSE;
#endif
}

void
ct_tick_counter_init (CtTickCounter *counter, const CtClock *clock)
{
  *counter = (CtTickCounter) { .clock = clock };
  counter->has_ticks = !clock->is_virtual && processor_has_even_ticks ();
}

static void
calibrate (CtTickCounter *counter, gint64 now_us, guint64 now_ticks)
{
  gint64 span_us = now_us - counter->reference_us;
  double rate;

  if (counter->reference_us == 0)
    {
      counter->reference_us = now_us;
      counter->reference_ticks = now_ticks;
      counter->next_calibration_us = now_us + MIN_CALIBRATION_US;
      return;
    }
  rate = (double) (now_ticks - counter->reference_ticks) / (double) span_us;
  /* Readings that contradict each other (a guest moved to another host): the
   * counter is not to be trusted any more. */
  if (now_ticks <= counter->reference_ticks ||
      (counter->ticks_per_us > 0 && span_us > 20 * MIN_CALIBRATION_US &&
       (rate > 2 * counter->ticks_per_us || rate < counter->ticks_per_us / 2)))
    {
      counter->has_ticks = FALSE;
      counter->ticks_per_us = 0;
      return;
    }
  counter->ticks_per_us = rate;
  counter->next_calibration_us = now_us + span_us;
  if (span_us > MAX_CALIBRATION_US)
    {
      counter->reference_us = now_us;
      counter->reference_ticks = now_ticks;
    }
}

void
ct_tick_counter_clear (CtTickCounter *counter)
{
  ct_alarm_clear (&counter->alarm);
}

static gboolean
may_use_alarm (const CtTickCounter *counter)
{
  return !counter->clock->is_virtual && !counter->alarm.is_unavailable;
}

/* Look again in delay_us, if the counter can tell; else at every check. */
static void
look_again (CtSlice *slice, const CtTickCounter *counter, guint64 now_ticks, gint64 delay_us)
{
  slice->look_ticks = counter->ticks_per_us > 0 ? now_ticks + (guint64) ((double) delay_us * counter->ticks_per_us) : 0;
}

void
ct_slice_begin (CtSlice *slice, CtTickCounter *counter, gint64 now_us, gint64 length_us)
{
  guint64 ticks;

  slice->begin_us = now_us;
  slice->end_us = ct_clock_deadline (now_us, length_us);
  slice->word = NULL;
  slice->look_ticks = 0;
  if (slice->end_us == G_MAXINT64 || counter->clock->is_virtual)
    return;
  ticks = ct_ticks_now ();
  counter->recent_us = now_us;
  counter->recent_ticks = ticks;
  /* now_us may be some hundred nanoseconds old, so a sample takes the time
   * afresh: at spans that double, since the rate improves no faster. */
  if (counter->has_ticks && now_us >= counter->next_calibration_us)
    {
      gint64 fresh_us = ct_clock_now (counter->clock);

      if (ct_ticks_now () - ticks < MAX_PAIR_TICKS)
        calibrate (counter, fresh_us, ticks);
    }
  look_again (slice, counter, ticks, may_use_alarm (counter) ? MIN (length_us, ALARM_AFTER_US) : length_us);
}

gboolean
ct_slice_confirm_used_up (CtSlice *slice, CtTickCounter *counter)
{
  gint64 now_us;

  if (slice->end_us == G_MAXINT64)
    return FALSE;
  if (slice->end_us == G_MININT64)
    return TRUE;
  now_us = ct_clock_now (counter->clock);
  if (now_us >= slice->end_us)
    return TRUE;
  if (slice->word != NULL)
    ct_alarm_acknowledge (&counter->alarm);
  slice->word = NULL;
  if (may_use_alarm (counter) && now_us - slice->begin_us >= ALARM_AFTER_US &&
      ct_alarm_set (&counter->alarm, slice->end_us, slice->end_us - now_us))
    {
      slice->word = counter->alarm.word;
      slice->seen = counter->alarm.seen;
    }
  else
    look_again (slice, counter, ct_ticks_now (), slice->end_us - now_us);
  return FALSE;
}

gint64
ct_tick_counter_estimate_now (const CtTickCounter *counter)
{
  if (counter->ticks_per_us > 0)
    return counter->recent_us +
           (gint64) ((double) (ct_ticks_now () - counter->recent_ticks) / counter->ticks_per_us);
  return ct_clock_now (counter->clock);
}
