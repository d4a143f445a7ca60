/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

#include <sys/wait.h>
#include <unistd.h>

/* Slices that have lasted so long that they look at an alarm, and no more at
 * the clock. */

#define VERY_LATE_US 500000

/* A slice that looks at an alarm from now on. On a busy machine one may be used
 * up before it gets there. */
static gboolean
begin_long_slice (CtSlice *slice, CtTickCounter *counter, gint64 length_us)
{
  for (guint i = 0; i < 1000 && !counter->alarm.is_unavailable; i++)
    {
      ct_slice_begin (slice, counter, g_get_monotonic_time (), length_us);
      while (slice->word == NULL && !counter->alarm.is_unavailable)
        if (ct_slice_is_used_up (slice, counter))
          break;
      if (slice->word != NULL)
        return TRUE;
    }
  g_test_skip ("this system has no alarms");
  return FALSE;
}

static void
test_a_slice_that_looks_at_an_alarm_ends_in_time_and_not_early (void)
{
  CtTickCounter counter;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  for (guint i = 0; i < 20; i++)
    {
      CtSlice slice;

      if (!begin_long_slice (&slice, &counter, 5000))
        break;
      while (!ct_slice_is_used_up (&slice, &counter))
        ;

      g_assert_cmpint (g_get_monotonic_time (), >=, slice.end_us);
      g_assert_cmpint (g_get_monotonic_time (), <, slice.end_us + VERY_LATE_US);
    }
  ct_tick_counter_clear (&counter);
}

static void
use_up (gint64 us)
{
  for (gint64 end_us = g_get_monotonic_time () + us; g_get_monotonic_time () < end_us;)
    ;
}

/* It costs more than so few questions. */
static void
test_a_slice_of_long_callbacks_sets_no_alarm (void)
{
  CtTickCounter counter;
  CtSlice slice;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  ct_slice_begin (&slice, &counter, g_get_monotonic_time (), 2000);
  while (!ct_slice_is_used_up (&slice, &counter))
    {
      g_assert_null (slice.word);
      use_up (50);
    }
  g_assert_null (counter.alarm.word);
  ct_tick_counter_clear (&counter);
}

/* A slice that began with long ones. */
static void
test_an_alarm_is_set_as_soon_as_callbacks_become_short (void)
{
  CtTickCounter counter;
  gboolean is_set = FALSE;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  for (guint i = 0; i < 1000 && !is_set && !counter.alarm.is_unavailable; i++)
    {
      CtSlice slice;

      ct_slice_begin (&slice, &counter, g_get_monotonic_time (), 20000);
      for (guint n = 0; n < 10 && !ct_slice_is_used_up (&slice, &counter); n++)
        use_up (100);
      while (!is_set && !counter.alarm.is_unavailable && !ct_slice_is_used_up (&slice, &counter))
        is_set = slice.word != NULL;
    }
  if (counter.alarm.is_unavailable)
    g_test_skip ("this system has no alarms");
  else
    g_assert_true (is_set);
  ct_tick_counter_clear (&counter);
}

static void
test_an_outer_slice_ends_in_time_although_an_inner_one_used_the_alarm (void)
{
  CtTickCounter counter;
  CtSlice outer, inner;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  if (begin_long_slice (&outer, &counter, 200000) && begin_long_slice (&inner, &counter, 5000))
    {
      while (!ct_slice_is_used_up (&inner, &counter))
        ;
      while (!ct_slice_is_used_up (&outer, &counter))
        ;
      g_assert_cmpint (g_get_monotonic_time (), >=, outer.end_us);
      g_assert_cmpint (g_get_monotonic_time (), <, outer.end_us + VERY_LATE_US);
    }
  ct_tick_counter_clear (&counter);
}

static void
test_ending_a_slice_now_beats_the_alarm (void)
{
  CtTickCounter counter;
  CtSlice slice;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  if (begin_long_slice (&slice, &counter, G_USEC_PER_SEC))
    {
      ct_slice_end_now (&slice);
      g_assert_true (ct_slice_is_used_up (&slice, &counter));
    }
  ct_tick_counter_clear (&counter);
}

static void
test_a_slice_under_a_virtual_clock_sets_no_alarm (void)
{
  CtClock virtual_clock = ct_clock_monotonic;
  CtTickCounter counter;
  CtSlice slice;

  virtual_clock.is_virtual = TRUE;
  ct_tick_counter_init (&counter, &virtual_clock);
  ct_slice_begin (&slice, &counter, g_get_monotonic_time (), 5000);
  while (!ct_slice_is_used_up (&slice, &counter))
    g_assert_null (slice.word);
  ct_tick_counter_clear (&counter);
}

static void
in_a_child (void (*func) (void))
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      func ();
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

/* An outer turn's slice still looks at the word when the alarm turns out, in an
 * inner turn, to work no more. */
static void
lose_the_ring_in_an_inner_turn (void)
{
  CtTickCounter counter;
  CtSlice outer, inner;

  ct_tick_counter_init (&counter, &ct_clock_monotonic);
  if (!begin_long_slice (&outer, &counter, 100000))
    return;
  close (counter.alarm.ring_fd);
  ct_slice_begin (&inner, &counter, g_get_monotonic_time (), 5000);
  while (!ct_slice_is_used_up (&inner, &counter))
    ;
  while (!ct_slice_is_used_up (&outer, &counter))
    ;
  if (g_get_monotonic_time () < outer.end_us)
    _exit (1);
}

static void
test_a_slice_survives_the_loss_of_the_alarm_it_looks_at (void)
{
  in_a_child (lose_the_ring_in_an_inner_turn);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slice/alarm/ends-in-time-and-not-early", test_a_slice_that_looks_at_an_alarm_ends_in_time_and_not_early);
  g_test_add_func ("/slice/alarm/is-not-set-for-long-callbacks", test_a_slice_of_long_callbacks_sets_no_alarm);
  g_test_add_func ("/slice/alarm/is-set-as-soon-as-they-become-short", test_an_alarm_is_set_as_soon_as_callbacks_become_short);
  g_test_add_func ("/slice/alarm/an-outer-one-ends-in-time-although-an-inner-one-used-the-alarm",
                   test_an_outer_slice_ends_in_time_although_an_inner_one_used_the_alarm);
  g_test_add_func ("/slice/alarm/ending-it-now-beats-the-alarm", test_ending_a_slice_now_beats_the_alarm);
  g_test_add_func ("/slice/alarm/under-a-virtual-clock-sets-none", test_a_slice_under_a_virtual_clock_sets_no_alarm);
  g_test_add_func ("/slice/alarm/survives-the-loss-of-the-alarm-it-looks-at", test_a_slice_survives_the_loss_of_the_alarm_it_looks_at);
  return g_test_run ();
}
