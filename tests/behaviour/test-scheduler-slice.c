/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* How long a turn may last: what the environment says, and what the program
 * says after it. */

static void
assert_initial_slice (const char *environment, gint64 slice_us)
{
  g_autoptr (CothreadScheduler) scheduler = NULL;
  g_autoptr (GError) error = NULL;

  if (environment != NULL)
    g_setenv ("COTHREAD_SLICE_US", environment, TRUE);
  else
    g_unsetenv ("COTHREAD_SLICE_US");
  scheduler = cothread_scheduler_new (&error);
  g_unsetenv ("COTHREAD_SLICE_US");
  g_assert_no_error (error);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), ==, slice_us);
  cothread_scheduler_shutdown (scheduler);
}

static void
two_milliseconds_unless_said_otherwise (void)
{
  assert_initial_slice (NULL, 2000);
  assert_initial_slice ("", 2000);
}

static void
the_environment_says (void)
{
  assert_initial_slice ("1000", 1000);
  assert_initial_slice ("50", 50);
  assert_initial_slice ("1000000", 1000000);
}

static void
nonsense_in_the_environment_is_said_and_ignored (void)
{
  const char *const nonsense[] = { "0", "-1", "49", "1000001", "2ms", " 2000", "99999999999999999999" };

  for (guint i = 0; i < G_N_ELEMENTS (nonsense); i++)
    {
      g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "COTHREAD_SLICE_US:*2000*");
      assert_initial_slice (nonsense[i], 2000);
      g_test_assert_expected_messages ();
    }
}

static void
the_program_has_the_last_word (void)
{
  g_autoptr (CothreadScheduler) scheduler = NULL;

  g_setenv ("COTHREAD_SLICE_US", "4000", TRUE);
  scheduler = cothread_scheduler_new (NULL);
  cothread_scheduler_set_time_slice (scheduler, 1000);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), ==, 1000);
  cothread_scheduler_shutdown (scheduler);
  g_unsetenv ("COTHREAD_SLICE_US");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/scheduler/slice/two-milliseconds-unless-said-otherwise", two_milliseconds_unless_said_otherwise);
  behaviour_add ("/scheduler/slice/the-environment-says", the_environment_says);
  behaviour_add ("/scheduler/slice/nonsense-in-the-environment-is-said-and-ignored", nonsense_in_the_environment_is_said_and_ignored);
  behaviour_add ("/scheduler/slice/the-program-has-the-last-word", the_program_has_the_last_word);
  return g_test_run ();
}
