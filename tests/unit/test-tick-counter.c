/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

/* The processor's tick counter as an estimate of the time: never to be trusted
 * more than the clock. */

#define VERY_LATE_US 500000

static gboolean
is_calibrated (CtTickCounter *counter, const CtClock *clock)
{
  CtSlice slice;

  ct_tick_counter_init (counter, clock);
  if (!counter->has_ticks)
    {
      g_test_skip ("the processor's tick counter is not known to run evenly");
      return FALSE;
    }
  for (gint64 end_us = g_get_monotonic_time () + 200000; g_get_monotonic_time () < end_us;)
    ct_slice_begin (&slice, counter, ct_clock_now (clock), 2000);
  g_assert_cmpfloat (counter->ticks_per_us, >, 0);
  return TRUE;
}

static void
test_the_estimated_time_stays_close_to_the_clock (void)
{
  CtTickCounter counter;
  CtSlice slice;

  if (!is_calibrated (&counter, &ct_clock_monotonic))
    return;
  /* A reading that a preemption disturbed says nothing, nor does one that is
   * long after the slice began. */
  for (guint told = 0; told < 1000;)
    {
      gint64 before_us = g_get_monotonic_time ();
      gint64 estimate_us, after_us;

      ct_slice_begin (&slice, &counter, before_us, 2000);
      estimate_us = ct_tick_counter_estimate_now (&counter);
      after_us = g_get_monotonic_time ();
      if (after_us - before_us > 1000)
        continue;
      told++;
      g_assert_cmpint (estimate_us, >, before_us - 2000);
      g_assert_cmpint (estimate_us, <, after_us + VERY_LATE_US);
    }
}

/* A clock that stands still while the ticks go on: a machine that was asleep. */

static gint64 asleep_us;

static gint64
sleepy_now (G_GNUC_UNUSED gpointer data)
{
  return g_get_monotonic_time () - asleep_us;
}

static const CtClock sleepy_clock = { sleepy_now, NULL, FALSE };

static void
fall_asleep (gint64 us)
{
  g_usleep ((gulong) us);
  asleep_us += us;
}

/* A sample that a preemption disturbed does not count. */
static void
take_a_sample (CtTickCounter *counter)
{
  CtSlice slice;

  counter->next_calibration_us = 0;
  while (counter->has_ticks && counter->next_calibration_us == 0)
    ct_slice_begin (&slice, counter, ct_clock_now (counter->clock), 2000);
}

static void
test_ticks_that_contradict_the_clock_are_not_trusted_any_more (void)
{
  CtTickCounter counter;

  asleep_us = 0;
  if (!is_calibrated (&counter, &sleepy_clock))
    return;

  fall_asleep (600000);
  take_a_sample (&counter);

  g_assert_false (counter.has_ticks);
  g_assert_cmpfloat (counter.ticks_per_us, ==, 0);
}

/* The scheduler does not look at the clock while the estimate says that a
 * deadline is far away: an estimate that lags makes timers late. */
static void
test_the_estimate_does_not_lag_after_the_machine_was_asleep (void)
{
  CtTickCounter counter;
  CtSlice slice;
  gint64 awake_us;

  asleep_us = 0;
  if (!is_calibrated (&counter, &sleepy_clock))
    return;

  fall_asleep (150000);
  take_a_sample (&counter);
  awake_us = sleepy_now (NULL) + 100000;
  while (sleepy_now (NULL) < awake_us)
    ct_slice_begin (&slice, &counter, sleepy_now (NULL), 2000);

  /* A reading that a preemption disturbed says nothing. */
  for (gint64 took_us = G_MAXINT64; took_us > 1000;)
    {
      gint64 began_us = sleepy_now (NULL);
      gint64 estimate_us;

      ct_slice_begin (&slice, &counter, began_us, 2000);
      estimate_us = ct_tick_counter_estimate_now (&counter);
      took_us = sleepy_now (NULL) - began_us;
      g_assert_true (took_us > 1000 || estimate_us >= began_us - 1000);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tick-counter/one-that-contradicts-the-clock-is-not-trusted-any-more",
                   test_ticks_that_contradict_the_clock_are_not_trusted_any_more);
  g_test_add_func ("/tick-counter/the-estimate-does-not-lag-after-the-machine-was-asleep",
                   test_the_estimate_does_not_lag_after_the_machine_was_asleep);
  g_test_add_func ("/tick-counter/the-estimated-time-stays-close-to-the-clock", test_the_estimated_time_stays_close_to_the_clock);
  return g_test_run ();
}
