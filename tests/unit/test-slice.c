/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

/* ---- under a virtual clock: to the microsecond ---- */

typedef struct
{
  gint64 now_us;
  CtClock clock;
  CtTickCounter counter;
  CtSlice slice;
} Virtual;

static gint64
virtual_now (gpointer data)
{
  return ((Virtual *) data)->now_us;
}

static void
begin_virtual (Virtual *self, gint64 length_us)
{
  self->now_us = 1000;
  self->clock = (CtClock) { virtual_now, self, TRUE };
  ct_tick_counter_init (&self->counter, &self->clock);
  ct_slice_begin (&self->slice, &self->counter, self->now_us, length_us);
}

static gboolean
is_used_up_at (Virtual *self, gint64 now_us)
{
  self->now_us = now_us;
  return ct_slice_is_used_up (&self->slice, &self->counter);
}

static void
test_a_slice_is_used_up_at_its_end_and_not_before (void)
{
  Virtual self;

  begin_virtual (&self, 2000);

  g_assert_false (is_used_up_at (&self, 1000));
  g_assert_false (is_used_up_at (&self, 2999));
  g_assert_true (is_used_up_at (&self, 3000));
  g_assert_true (is_used_up_at (&self, 9000));
}

static void
test_a_slice_of_nothing_is_used_up_at_once (void)
{
  Virtual self;

  begin_virtual (&self, 0);

  g_assert_true (is_used_up_at (&self, 1000));
}

static void
test_a_negative_slice_is_never_used_up (void)
{
  Virtual self;

  begin_virtual (&self, -1);

  g_assert_false (is_used_up_at (&self, G_MAXINT64 - 1));
}

static void
test_a_slice_too_long_for_the_clock_is_never_used_up (void)
{
  Virtual self;

  begin_virtual (&self, G_MAXINT64);

  g_assert_false (is_used_up_at (&self, G_MAXINT64 - 1));
}

static void
test_ending_a_slice_now_beats_its_length (void)
{
  Virtual self;

  begin_virtual (&self, 2000);
  ct_slice_end_now (&self.slice);
  g_assert_true (is_used_up_at (&self, 1000));

  begin_virtual (&self, -1);
  ct_slice_end_now (&self.slice);
  g_assert_true (is_used_up_at (&self, 1000));
}

static void
test_a_new_slice_forgets_that_the_old_one_was_ended (void)
{
  Virtual self;

  begin_virtual (&self, 2000);
  ct_slice_end_now (&self.slice);

  ct_slice_begin (&self.slice, &self.counter, 1000, 2000);

  g_assert_false (is_used_up_at (&self, 2999));
}

static void
test_a_virtual_clock_is_never_mixed_with_the_processors_ticks (void)
{
  Virtual self;

  begin_virtual (&self, 2000);
  for (gint64 now_us = 10000; now_us < 100000; now_us += 1000)
    ct_slice_begin (&self.slice, &self.counter, now_us, 2000);

  g_assert_false (self.counter.has_ticks);
  g_assert_cmpfloat (self.counter.ticks_per_us, ==, 0);
  self.now_us = 5;
  g_assert_cmpint (ct_tick_counter_estimate_now (&self.counter), ==, 5);
}

/* ---- under the system's clock ---- */

/* The margins on this side of "too late" are wide: a loaded machine may take
 * the processor away at any place. "Too early" has no margin. */
#define VERY_LATE_US 500000

static gboolean
is_calibrated (CtTickCounter *counter, const CtClock *clock)
{
  CtSlice slice;

  ct_tick_counter_init (counter, clock);
  /* Slices with an alarm have tests of their own. */
  counter->alarm.is_unavailable = TRUE;
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
check_real_slices (CtTickCounter *counter)
{
  for (guint i = 0; i < 20; i++)
    {
      CtSlice slice;
      gint64 length_us = 500 * (i % 5);
      gint64 began_us = g_get_monotonic_time ();
      gint64 ended_us;

      ct_slice_begin (&slice, counter, began_us, length_us);
      while (!ct_slice_is_used_up (&slice, counter))
        ;
      ended_us = g_get_monotonic_time ();

      g_assert_cmpint (ended_us, >=, began_us + length_us);
      g_assert_cmpint (ended_us, <, began_us + length_us + VERY_LATE_US);
    }
}

static void
test_a_slice_measured_by_ticks_is_not_used_up_early_and_not_much_later (void)
{
  CtTickCounter counter;

  if (is_calibrated (&counter, &ct_clock_monotonic))
    check_real_slices (&counter);
}

static void
test_a_look_at_the_clock_that_came_too_early_is_repeated_in_time (void)
{
  CtTickCounter counter;
  CtSlice slice;

  if (!is_calibrated (&counter, &ct_clock_monotonic))
    return;
  ct_slice_begin (&slice, &counter, g_get_monotonic_time (), 20000);

  slice.look_ticks = 1;
  while (!ct_slice_is_used_up (&slice, &counter))
    g_assert_cmpint (g_get_monotonic_time (), <, slice.end_us + VERY_LATE_US);

  g_assert_cmpint (g_get_monotonic_time (), >=, slice.end_us);
}

static void
test_a_slice_measured_by_the_clock_alone_is_not_used_up_early_and_not_much_later (void)
{
  CtTickCounter counter;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  counter.has_ticks = FALSE;
  counter.alarm.is_unavailable = TRUE;

  check_real_slices (&counter);
}

/* Whatever ran before the question, and however seldom it is asked. */
static void
check_no_question_after_the_end_is_denied (CtTickCounter *counter)
{
  for (guint i = 0; i < 30; i++)
    {
      CtSlice slice;
      gint64 asked_us;

      ct_slice_begin (&slice, counter, g_get_monotonic_time (), 2000);
      for (guint n = 0;; n++)
        {
          if (n % 100 < 3) /* slow ones come in a run */
            for (gint64 end_us = g_get_monotonic_time () + 500; g_get_monotonic_time () < end_us;)
              ;
          asked_us = g_get_monotonic_time ();
          if (ct_slice_is_used_up (&slice, counter))
            break;
          g_assert_cmpint (asked_us, <, slice.end_us + 50);
        }
    }
}

static void
test_with_the_ticks_no_question_after_the_end_is_denied (void)
{
  CtTickCounter counter;

  if (is_calibrated (&counter, &ct_clock_monotonic))
    check_no_question_after_the_end_is_denied (&counter);
}

static void
test_with_the_clock_alone_no_question_after_the_end_is_denied (void)
{
  CtTickCounter counter;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  counter.has_ticks = FALSE;
  counter.alarm.is_unavailable = TRUE;
  check_no_question_after_the_end_is_denied (&counter);
}

static void
test_ending_a_slice_now_beats_the_ticks (void)
{
  CtTickCounter counter;
  CtSlice slice;

  if (!is_calibrated (&counter, &ct_clock_monotonic))
    return;
  ct_slice_begin (&slice, &counter, g_get_monotonic_time (), 10 * G_USEC_PER_SEC);
  g_assert_cmpuint (slice.look_ticks, !=, 0);
  g_assert_false (ct_slice_is_used_up (&slice, &counter));

  ct_slice_end_now (&slice);

  g_assert_true (ct_slice_is_used_up (&slice, &counter));
}

static void
test_a_slice_of_centuries_does_not_overflow_the_ticks (void)
{
  CtTickCounter counter;
  CtSlice slice;

  if (!is_calibrated (&counter, &ct_clock_monotonic))
    return;

  ct_slice_begin (&slice, &counter, g_get_monotonic_time (), G_MAXINT64 / 2);

  g_assert_false (ct_slice_is_used_up (&slice, &counter));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slice/is-used-up-at-its-end-and-not-before", test_a_slice_is_used_up_at_its_end_and_not_before);
  g_test_add_func ("/slice/of-nothing-is-used-up-at-once", test_a_slice_of_nothing_is_used_up_at_once);
  g_test_add_func ("/slice/negative-is-never-used-up", test_a_negative_slice_is_never_used_up);
  g_test_add_func ("/slice/too-long-for-the-clock-is-never-used-up", test_a_slice_too_long_for_the_clock_is_never_used_up);
  g_test_add_func ("/slice/ending-it-now-beats-its-length", test_ending_a_slice_now_beats_its_length);
  g_test_add_func ("/slice/a-new-one-forgets-that-the-old-one-was-ended", test_a_new_slice_forgets_that_the_old_one_was_ended);
  g_test_add_func ("/slice/a-virtual-clock-is-never-mixed-with-the-processors-ticks", test_a_virtual_clock_is_never_mixed_with_the_processors_ticks);
  g_test_add_func ("/slice/ticks/not-used-up-early-and-not-much-later",
                   test_a_slice_measured_by_ticks_is_not_used_up_early_and_not_much_later);
  g_test_add_func ("/slice/ticks/a-look-at-the-clock-that-came-too-early-is-repeated-in-time",
                   test_a_look_at_the_clock_that_came_too_early_is_repeated_in_time);
  g_test_add_func ("/slice/clock-alone/not-used-up-early-and-not-much-later",
                   test_a_slice_measured_by_the_clock_alone_is_not_used_up_early_and_not_much_later);
  g_test_add_func ("/slice/ticks/no-question-after-the-end-is-denied", test_with_the_ticks_no_question_after_the_end_is_denied);
  g_test_add_func ("/slice/clock-alone/no-question-after-the-end-is-denied", test_with_the_clock_alone_no_question_after_the_end_is_denied);
  g_test_add_func ("/slice/ticks/ending-it-now-beats-the-ticks", test_ending_a_slice_now_beats_the_ticks);
  g_test_add_func ("/slice/ticks/of-centuries-does-not-overflow", test_a_slice_of_centuries_does_not_overflow_the_ticks);
  return g_test_run ();
}
