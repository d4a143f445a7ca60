/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

/* How often to consider whether an alarm would pay. */
#define CONSIDER_EVERY_US 50
/* What each question costs without one, and what it costs itself; a factor of
 * two either way is a percent of the time at the most. */
#define TICKS_NS 6
#define CLOCK_NS 30
#define ALARM_NS 20000
/* Shorter spans give too coarse a rate; longer ones notice a drift too late. */
#define MIN_CALIBRATION_US 1000
#define MAX_CALIBRATION_US (10 * G_USEC_PER_SEC)

static gint64
monotonic_now (G_GNUC_UNUSED gpointer data)
{
  return g_get_monotonic_time ();
}

const CtClock ct_clock_monotonic = { monotonic_now, NULL, FALSE };

void
ct_tick_counter_init (CtTickCounter *counter, const CtClock *clock)
{
  *counter = (CtTickCounter) { .clock = clock };
  counter->has_ticks = !clock->is_virtual && ct_ticks_are_even ();
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

/* Look again in delay_us, if the counter can tell; else at every check. A little
 * early, by more than its rate may be wrong: the clock is asked then, and then
 * once more. */
static void
look_again (CtSlice *slice, const CtTickCounter *counter, guint64 now_ticks, gint64 delay_us)
{
  double early_us = (double) delay_us * (1 - 1 / 50.0);

  slice->look_ticks = counter->ticks_per_us > 0 ? now_ticks + (guint64) (early_us * counter->ticks_per_us) : 0;
}

void
ct_slice_begin (CtSlice *slice, CtTickCounter *counter, gint64 now_us, gint64 length_us)
{
  guint64 ticks;

  slice->begin_us = now_us;
  slice->end_us = ct_clock_deadline (now_us, length_us);
  slice->word = NULL;
  slice->look_ticks = 0;
  slice->n_asked = 0;
  slice->counted_us = now_us;
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

      if (ct_ticks_now () - ticks < ct_ticks_max_apart ())
        calibrate (counter, fresh_us, ticks);
    }
  look_again (slice, counter, ticks, may_use_alarm (counter) ? MIN (length_us, CONSIDER_EVERY_US) : length_us);
}

/* If they go on asking as often as of late until the slice ends. */
static gboolean
would_alarm_pay (CtSlice *slice, const CtTickCounter *counter, gint64 now_us)
{
  gint64 span_us = now_us - slice->counted_us, left_us = slice->end_us - now_us;
  double n_left = (double) slice->n_asked * (double) left_us / (double) span_us;

  slice->n_asked = 0;
  slice->counted_us = now_us;
  return n_left * (counter->ticks_per_us > 0 ? TICKS_NS : CLOCK_NS) > ALARM_NS;
}

/* FALSE: not yet, or not at all. */
static gboolean
look_at_alarm (CtSlice *slice, CtTickCounter *counter, gint64 now_us)
{
  if (now_us - slice->counted_us < CONSIDER_EVERY_US || !would_alarm_pay (slice, counter, now_us) ||
      !ct_alarm_set (&counter->alarm, slice->end_us, slice->end_us - now_us))
    return FALSE;
  slice->word = counter->alarm.word;
  slice->seen = counter->alarm.seen;
  return TRUE;
}

gboolean
ct_slice_confirm_used_up (CtSlice *slice, CtTickCounter *counter)
{
  gint64 now_us, left_us;

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
  left_us = slice->end_us - now_us;
  if (!may_use_alarm (counter))
    look_again (slice, counter, ct_ticks_now (), left_us);
  else if (!look_at_alarm (slice, counter, now_us))
    look_again (slice, counter, ct_ticks_now (), MIN (left_us, CONSIDER_EVERY_US));
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
