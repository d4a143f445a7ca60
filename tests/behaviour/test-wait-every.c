/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "every-wait.h"

/* What all waits have in common: time, and its absence. */

typedef struct
{
  const EveryWait *wait;
  gint64 timeout_us;
} Waiting;

static gpointer
wait_and_say (gpointer data, G_GNUC_UNUSED GError **error)
{
  const Waiting *waiting = data;
  g_autoptr (GError) failure = NULL;

  g_assert_false (waiting->wait->wait (waiting->timeout_us, &failure));
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("%s", waiting->wait->name);
  else if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s", failure->message);
  return NULL;
}

static void
test_no_time_suspends_once_and_times_out (void)
{
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      Waiting waiting = { &every_wait[i], 0 };
      g_autoptr (CothreadTask) task = spawn (every_wait[i].name, wait_and_say, &waiting);
      g_autofree char *expected = g_strdup_printf ("others %s", every_wait[i].name);

      start ("others", say_own_name, NULL);
      settle ();
      assert_said (expected);
      g_assert_cmpuint (cothread_task_get_switches (task), ==, 2);
    }
  every_wait_tear_down ();
}

static void
test_a_huge_timeout_is_for_ever_and_does_not_overflow (void)
{
  gint64 huge[] = { G_MAXINT64, G_MAXINT64 - 1, G_MAXINT64 - now (), COTHREAD_FOREVER };

  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    for (guint k = 0; k < G_N_ELEMENTS (huge); k++)
      {
        Waiting waiting = { &every_wait[i], huge[k] };
        g_autoptr (CothreadTask) task = spawn (every_wait[i].name, wait_and_say, &waiting);

        settle ();
        g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_WAITING);
        cothread_task_cancel (task);
        settle ();
        g_assert_true (cothread_task_is_finished (task));
      }
  assert_said ("");
  every_wait_tear_down ();
}

static void
test_deadlines_of_different_waits_fire_in_order (void)
{
  Waiting waiting[N_EVERY_WAIT];

  /* The last to begin is the first to end. */
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      waiting[i] = (Waiting) { &every_wait[i], (10 + N_EVERY_WAIT - i) * 10 * MS };
      start (every_wait[i].name, wait_and_say, &waiting[i]);
    }
  g_assert_true (cothread_sleep (500 * MS, NULL));

  assert_said ("signal selection any timer semaphore lock no-descriptor descriptors descriptor-again descriptor task event-queue pulse event-value event");
  every_wait_tear_down ();
}

static gpointer
wait_until_a_deadline (gpointer wait, G_GNUC_UNUSED GError **error)
{
  gint64 deadline_us = now () + 50 * MS;
  g_autoptr (GError) failure = NULL;

  cothread_test_scheduler_advance (test_scheduler (), 20 * MS); /* something took its time */
  g_assert_false (((const EveryWait *) wait)->wait (cothread_timeout_until (deadline_us), &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (now (), ==, deadline_us);
  return NULL;
}

static void
test_a_deadline_can_be_given_to_each (void)
{
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      g_autoptr (CothreadTask) task = spawn (every_wait[i].name, wait_until_a_deadline, (gpointer) &every_wait[i]);

      g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL));
    }
  g_assert_cmpint (cothread_timeout_until (now () - 1), ==, 0);
  g_assert_cmpint (cothread_timeout_until (G_MININT64), ==, 0);
  g_assert_cmpint (cothread_timeout_until (now () + 1), ==, 1);
  g_assert_cmpint (cothread_timeout_until (G_MAXINT64 - 1), ==, G_MAXINT64 - 1 - now ());
  g_assert_cmpint (cothread_timeout_until (G_MAXINT64), ==, COTHREAD_FOREVER);
  every_wait_tear_down ();
}

static gpointer
ask_in_a_thread_without_a_scheduler (G_GNUC_UNUSED gpointer unused)
{
  gint64 timeout_us = cothread_timeout_until (g_get_monotonic_time () + 1000 * G_USEC_PER_SEC);

  g_assert_cmpint (timeout_us, >, 500 * G_USEC_PER_SEC);
  g_assert_cmpint (timeout_us, <=, 1000 * G_USEC_PER_SEC);
  g_assert_null (cothread_scheduler_peek_default ());
  return NULL;
}

static void
test_deadlines_of_other_threads_go_by_the_monotonic_clock (void)
{
  g_thread_join (g_thread_new ("other", ask_in_a_thread_without_a_scheduler, NULL));
}

static void
test_main_waits_for_everything_too (void)
{
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (every_wait[i].wait (MS, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  every_wait_tear_down ();
}

static gboolean
interrupt (gpointer scheduler)
{
  cothread_scheduler_interrupt (scheduler);
  return G_SOURCE_REMOVE;
}

static void
test_an_interrupt_reaches_main_in_every_wait (void)
{
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    {
      g_autoptr (GError) error = NULL;

      add_source (G_PRIORITY_DEFAULT, interrupt, cothread_scheduler_get_default ());
      g_assert_false (every_wait[i].wait (COTHREAD_FOREVER, &error));
      g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
    }
  every_wait_tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/wait/every/no-time-suspends-once-and-times-out", test_no_time_suspends_once_and_times_out);
  behaviour_add_virtual ("/wait/every/a-huge-timeout-is-for-ever-and-does-not-overflow", test_a_huge_timeout_is_for_ever_and_does_not_overflow);
  behaviour_add_virtual ("/wait/every/deadlines-of-different-waits-fire-in-order", test_deadlines_of_different_waits_fire_in_order);
  behaviour_add_virtual ("/wait/every/a-deadline-can-be-given-to-each", test_a_deadline_can_be_given_to_each);
  behaviour_add_virtual ("/wait/every/deadlines-of-other-threads-go-by-the-monotonic-clock",
                         test_deadlines_of_other_threads_go_by_the_monotonic_clock);
  behaviour_add_virtual ("/wait/every/main-can-do-it-too", test_main_waits_for_everything_too);
  behaviour_add_virtual ("/wait/every/an-interrupt-reaches-main", test_an_interrupt_reaches_main_in_every_wait);
  return g_test_run ();
}
