/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static CothreadLock *lock;
/* Who holds the lock waits here. */
static CothreadEvent *gate;

static void
set_up (void)
{
  lock = cothread_lock_new ();
  gate = cothread_event_new (FALSE);
}

static void
tear_down (void)
{
  g_assert_finalize_object (lock);
  g_assert_finalize_object (gate);
}

static void
open_gate_and_run (void)
{
  cothread_event_signal (gate);
  run_until_no_task_is_left ();
}

/* Acquires, says so, holds until the gate is open and releases. */
static gpointer
hold (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_lock_acquire (lock, GPOINTER_TO_INT (timeout_us), &error);

  say_outcome (success, &error);
  if (!success)
    return NULL;
  g_assert_true (cothread_lock_is_own (lock));
  cothread_event_wait (gate, COTHREAD_FOREVER, NULL);
  say ("%s-done", own_name ());
  cothread_lock_release (lock);
  return NULL;
}

#define FOREVER GINT_TO_POINTER (COTHREAD_FOREVER)

static void
one_at_a_time_in_order (void)
{
  set_up ();
  start ("a", hold, FOREVER);
  start ("b", hold, FOREVER);
  start ("c", hold, FOREVER);
  settle ();
  g_assert_true (cothread_lock_is_held (lock));
  g_assert_false (cothread_lock_is_own (lock));
  open_gate_and_run ();
  assert_said ("a-ok a-done b-ok b-done c-ok c-done");
  g_assert_false (cothread_lock_is_held (lock));
  tear_down ();
}

static gpointer
hold_twice (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  guint64 switches = own_switches ();

  g_assert_true (cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL));
  g_assert_true (cothread_lock_acquire (lock, 0, NULL));
  g_assert_cmpuint (own_switches (), ==, switches);
  cothread_lock_release (lock);
  cothread_sleep (0, NULL);
  say ("half");
  cothread_lock_release (lock);
  cothread_sleep (0, NULL);
  return NULL;
}

static void
it_is_reentrant (void)
{
  set_up ();
  start ("a", hold_twice, NULL);
  start ("b", hold, FOREVER);
  open_gate_and_run ();
  assert_said ("half b-ok b-done");
  tear_down ();
}

static gpointer
release_and_acquire (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL));
      say ("%s", own_name ());
      cothread_sleep (0, NULL);
      cothread_lock_release (lock);
    }
  return NULL;
}

static void
who_releases_and_comes_back_stands_at_the_end (void)
{
  set_up ();
  start ("a", release_and_acquire, NULL);
  start ("b", release_and_acquire, NULL);
  open_gate_and_run ();
  assert_said ("a b a b");
  tear_down ();
}

static void
a_wait_times_out (void)
{
  set_up ();
  start ("a", hold, FOREVER);
  start ("b", hold, GINT_TO_POINTER (20 * MS));
  start ("c", hold, GINT_TO_POINTER (0));
  start ("d", hold, FOREVER);
  g_assert_true (cothread_sleep (30 * MS, NULL));
  open_gate_and_run ();
  assert_said ("a-ok c-timeout b-timeout a-done d-ok d-done");
  tear_down ();
}

static void
a_cancelled_waiter_leaves_the_line (void)
{
  g_autoptr (CothreadTask) b = NULL;

  set_up ();
  start ("a", hold, FOREVER);
  b = spawn ("b", hold, FOREVER);
  start ("c", hold, FOREVER);
  settle ();
  cothread_task_cancel (b);
  open_gate_and_run ();
  assert_said ("a-ok b-cancelled a-done c-ok c-done");
  tear_down ();
}

static gpointer
release_and_cancel (gpointer victim, G_GNUC_UNUSED GError **error)
{
  cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL);
  cothread_sleep (0, NULL);
  cothread_lock_release (lock);
  cothread_task_cancel (*(CothreadTask **) victim);
  return NULL;
}

/* The grant came first: the task has the lock, the sleep while holding it is
 * cut short, and the next in line gets it. */
static void
a_grant_outlives_a_cancellation_of_the_same_turn (void)
{
  g_autoptr (CothreadTask) b = NULL;

  set_up ();
  start ("a", release_and_cancel, &b);
  b = spawn ("b", hold, FOREVER);
  start ("c", hold, FOREVER);
  open_gate_and_run ();
  assert_said ("b-ok b-done c-ok c-done");
  tear_down ();
}

static gpointer
cancel_and_release (gpointer victim, G_GNUC_UNUSED GError **error)
{
  cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL);
  cothread_sleep (0, NULL);
  cothread_task_cancel (*(CothreadTask **) victim);
  cothread_lock_release (lock);
  return NULL;
}

static void
a_cancelled_waiter_is_given_nothing (void)
{
  g_autoptr (CothreadTask) b = NULL;

  set_up ();
  start ("a", cancel_and_release, &b);
  b = spawn ("b", hold, FOREVER);
  start ("c", hold, FOREVER);
  open_gate_and_run ();
  assert_said ("b-cancelled c-ok c-done");
  tear_down ();
}

static gpointer
release_only (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_lock_release (lock);
  return NULL;
}

static void
a_release_by_another_task_is_a_critical (void)
{
  set_up ();
  start ("a", hold, FOREVER);
  start ("b", release_only, NULL);
  expect_critical ("*does not hold*");
  settle ();
  g_test_assert_expected_messages ();
  g_assert_true (cothread_lock_is_held (lock));
  open_gate_and_run ();
  expect_critical ("*does not hold*");
  cothread_lock_release (lock);
  g_test_assert_expected_messages ();
  assert_said ("a-ok a-done");
  tear_down ();
}

static gpointer
acquire_only (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL);
  cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL);
  cothread_sleep (0, NULL);
  return NULL;
}

static void
a_task_that_ends_with_the_lock_is_a_critical_and_releases_it (void)
{
  set_up ();
  start ("a", acquire_only, NULL);
  start ("b", hold, FOREVER);
  expect_critical ("*Task a ended while it held a lock*");
  open_gate_and_run ();
  g_test_assert_expected_messages ();
  assert_said ("b-ok b-done");
  tear_down ();
}

static void
plain_main_can_hold_it (void)
{
  g_autoptr (GError) error = NULL;

  set_up ();
  g_assert_true (cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL));
  g_assert_true (cothread_lock_is_own (lock));
  start ("a", hold, FOREVER);
  settle ();
  assert_said ("");
  cothread_lock_release (lock);
  say_outcome (cothread_lock_acquire (lock, 500, &error), &error);
  cothread_event_signal (gate);
  say_outcome (cothread_lock_acquire (lock, COTHREAD_FOREVER, &error), &error);
  cothread_lock_release (lock);
  assert_said ("a-ok main-timeout a-done main-ok");
  tear_down ();
}

static void
an_interrupt_reaches_the_wait_of_main_and_the_lock_stays_usable (void)
{
  g_autoptr (GError) error = NULL;

  set_up ();
  start ("a", hold, FOREVER);
  settle ();
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  say_outcome (cothread_lock_acquire (lock, COTHREAD_FOREVER, &error), &error);
  start ("b", hold, FOREVER);
  open_gate_and_run ();
  assert_said ("a-ok main-interrupted a-done b-ok b-done");
  tear_down ();
}

static void
shutdown_leaves_it_free (void)
{
  set_up ();
  start ("a", hold, FOREVER);
  start ("b", hold, FOREVER);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  assert_said ("a-ok a-done b-cancelled");
  g_assert_false (cothread_lock_is_held (lock));
  tear_down ();
}

static gpointer
use_in_thread (gpointer unused)
{
  g_assert_false (cothread_lock_acquire (lock, 0, NULL));
  cothread_lock_release (lock);
  return unused;
}

static void
another_thread_is_refused (void)
{
  set_up ();
  expect_critical ("*thread*");
  expect_critical ("*thread*");
  g_thread_join (g_thread_new ("other", use_in_thread, NULL));
  g_test_assert_expected_messages ();
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/lock/one-at-a-time-in-order", one_at_a_time_in_order);
  sync_test_add ("/lock/it-is-reentrant", it_is_reentrant);
  sync_test_add ("/lock/who-releases-and-comes-back-stands-at-the-end", who_releases_and_comes_back_stands_at_the_end);
  sync_test_add ("/lock/a-wait-times-out", a_wait_times_out);
  sync_test_add ("/lock/a-cancelled-waiter-leaves-the-line", a_cancelled_waiter_leaves_the_line);
  sync_test_add ("/lock/a-grant-outlives-a-cancellation-of-the-same-turn", a_grant_outlives_a_cancellation_of_the_same_turn);
  sync_test_add ("/lock/a-cancelled-waiter-is-given-nothing", a_cancelled_waiter_is_given_nothing);
  sync_test_add ("/lock/a-release-by-another-task-is-a-critical", a_release_by_another_task_is_a_critical);
  sync_test_add ("/lock/a-task-that-ends-with-the-lock-is-a-critical-and-releases-it", a_task_that_ends_with_the_lock_is_a_critical_and_releases_it);
  sync_test_add ("/lock/plain-main-can-hold-it", plain_main_can_hold_it);
  sync_test_add ("/lock/an-interrupt-reaches-the-wait-of-main-and-the-lock-stays-usable", an_interrupt_reaches_the_wait_of_main_and_the_lock_stays_usable);
  sync_test_add ("/lock/shutdown-leaves-it-free", shutdown_leaves_it_free);
  sync_test_add ("/lock/another-thread-is-refused", another_thread_is_refused);
  return g_test_run ();
}
