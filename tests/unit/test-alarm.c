/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-slice.h"

#include <sys/wait.h>
#include <unistd.h>

/* A word in memory that changes when a time has come. The margin for "too late"
 * is wide, one for "too early" there is not. */

#define VERY_LATE_US 500000

static gboolean
set (CtAlarm *alarm, gint64 delay_us)
{
  return ct_alarm_set (alarm, g_get_monotonic_time () + delay_us, delay_us);
}

static gboolean
is_available (CtAlarm *alarm)
{
  *alarm = (CtAlarm) { 0 };
  if (set (alarm, 1))
    {
      ct_alarm_clear (alarm);
      *alarm = (CtAlarm) { 0 };
      return TRUE;
    }
  g_test_skip ("this system has no alarms");
  return FALSE;
}

static gboolean
has_gone_off (const CtAlarm *alarm)
{
  return __atomic_load_n (alarm->word, __ATOMIC_RELAXED) != alarm->seen;
}

/* Returns how long that took. */
static gint64
await (const CtAlarm *alarm)
{
  gint64 began_us = g_get_monotonic_time ();

  while (!has_gone_off (alarm))
    g_assert_cmpint (g_get_monotonic_time (), <, began_us + 20 * VERY_LATE_US);
  return g_get_monotonic_time () - began_us;
}

static void
test_the_word_changes_when_the_time_has_come_and_not_before (void)
{
  CtAlarm alarm;

  if (!is_available (&alarm))
    return;
  for (gint64 delay_us = 100; delay_us < 20000; delay_us *= 3)
    {
      gint64 began_us = g_get_monotonic_time ();

      g_assert_true (ct_alarm_set (&alarm, began_us + delay_us, delay_us));
      await (&alarm);

      g_assert_cmpint (g_get_monotonic_time (), >=, began_us + delay_us);
      g_assert_cmpint (g_get_monotonic_time (), <, began_us + delay_us + VERY_LATE_US);
      ct_alarm_acknowledge (&alarm);
      g_assert_false (has_gone_off (&alarm));
    }
  ct_alarm_clear (&alarm);
}

static void
test_it_goes_off_without_a_system_call_of_ours (void)
{
  CtAlarm alarm;
  volatile guint spins = 0;

  if (!is_available (&alarm))
    return;
  g_assert_true (set (&alarm, 5000));

  /* If this never ends, the kernel waits for us to call it. */
  while (!has_gone_off (&alarm) && spins < G_MAXUINT)
    spins++;

  g_assert_true (has_gone_off (&alarm));
  ct_alarm_clear (&alarm);
}

static void
test_an_earlier_alarm_that_is_pending_is_good_enough (void)
{
  CtAlarm alarm;

  if (!is_available (&alarm))
    return;
  g_assert_true (set (&alarm, 5000));
  g_assert_true (set (&alarm, 10 * G_USEC_PER_SEC));

  g_assert_cmpint (await (&alarm), <, 5000 + VERY_LATE_US);
  ct_alarm_clear (&alarm);
}

static void
test_a_later_alarm_that_is_pending_does_not_delay_an_earlier_one (void)
{
  CtAlarm alarm;

  if (!is_available (&alarm))
    return;
  g_assert_true (set (&alarm, 10 * G_USEC_PER_SEC));
  g_assert_true (set (&alarm, 5000));

  g_assert_cmpint (await (&alarm), <, 5000 + VERY_LATE_US);
  ct_alarm_clear (&alarm);
}

static void
test_an_alarm_that_was_overtaken_does_no_harm_when_it_goes_off (void)
{
  CtAlarm alarm;

  if (!is_available (&alarm))
    return;
  for (gint64 delay_us = 10000; delay_us > 0; delay_us -= 1000)
    g_assert_true (set (&alarm, delay_us));
  for (guint i = 0; i < 10; i++)
    {
      await (&alarm);
      ct_alarm_acknowledge (&alarm);
      g_usleep (1500);
      if (has_gone_off (&alarm))
        ct_alarm_acknowledge (&alarm);
      g_assert_true (set (&alarm, 100));
    }
  ct_alarm_clear (&alarm);
}

static void
test_any_number_can_be_set_one_after_another (void)
{
  CtAlarm alarm;

  if (!is_available (&alarm))
    return;
  for (guint i = 0; i < 2000; i++)
    {
      g_assert_true (set (&alarm, 20));
      await (&alarm);
      if (i % 3 == 0)
        ct_alarm_acknowledge (&alarm);
    }
  ct_alarm_clear (&alarm);
}

static void
test_one_that_is_not_available_says_so (void)
{
  CtAlarm alarm = { .is_unavailable = TRUE };

  g_assert_false (set (&alarm, 10));
  ct_alarm_acknowledge (&alarm);
  ct_alarm_clear (&alarm);
  g_assert_true (alarm.is_unavailable);
}

static void
test_clearing_one_that_was_never_set_is_harmless (void)
{
  CtAlarm alarm = { 0 };

  ct_alarm_acknowledge (&alarm);
  ct_alarm_clear (&alarm);
}

/* ---- after a fork ---- */

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

static CtAlarm inherited;

static void
use_the_inherited_alarm (void)
{
  ct_alarm_acknowledge (&inherited);
  if (set (&inherited, 1000))
    await (&inherited);
  g_usleep (10000);
}

/* Two processes that fill one submission queue take each other's entries. */
static void
test_the_alarm_of_a_forked_child_is_its_own (void)
{
  if (!is_available (&inherited))
    return;
  g_assert_true (set (&inherited, G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC));

  in_a_child (use_the_inherited_alarm);

  g_assert_false (has_gone_off (&inherited));
  ct_alarm_clear (&inherited);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/alarm/goes-off-when-the-time-has-come-and-not-before", test_the_word_changes_when_the_time_has_come_and_not_before);
  g_test_add_func ("/alarm/goes-off-without-a-system-call-of-ours", test_it_goes_off_without_a_system_call_of_ours);
  g_test_add_func ("/alarm/an-earlier-one-that-is-pending-is-good-enough", test_an_earlier_alarm_that_is_pending_is_good_enough);
  g_test_add_func ("/alarm/a-later-one-that-is-pending-does-not-delay-an-earlier-one", test_a_later_alarm_that_is_pending_does_not_delay_an_earlier_one);
  g_test_add_func ("/alarm/one-that-was-overtaken-does-no-harm", test_an_alarm_that_was_overtaken_does_no_harm_when_it_goes_off);
  g_test_add_func ("/alarm/any-number-can-be-set-one-after-another", test_any_number_can_be_set_one_after_another);
  g_test_add_func ("/alarm/one-that-is-not-available-says-so", test_one_that_is_not_available_says_so);
  g_test_add_func ("/alarm/clearing-one-that-was-never-set-is-harmless", test_clearing_one_that_was_never_set_is_harmless);
  g_test_add_func ("/alarm/that-of-a-forked-child-is-its-own", test_the_alarm_of_a_forked_child_is_its_own);
  return g_test_run ();
}
