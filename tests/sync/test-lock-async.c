/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* A lock for those who have no task. */

static CothreadLock *lock;

static void
acquired (GObject *source, GAsyncResult *result, gpointer name)
{
  g_autoptr (GError) error = NULL;

  if (cothread_lock_acquire_finish (COTHREAD_LOCK (source), result, &error))
    say ("%s", (const char *) name);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("%s-timeout", (const char *) name);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s-cancelled", (const char *) name);
  else
    say ("%s-%s", (const char *) name, error->message);
}

static void
acquire (const char *name)
{
  cothread_lock_acquire_async (lock, COTHREAD_FOREVER, NULL, acquired, (gpointer) name);
}

static gpointer
hold_for_a_moment (G_GNUC_UNUSED gpointer data, GError **error)
{
  if (!cothread_lock_acquire (lock, COTHREAD_FOREVER, error))
    return NULL;
  say ("%s", own_name ());
  g_assert_true (cothread_lock_is_own (lock));
  cothread_sleep (MS, NULL);
  cothread_lock_release (lock);
  return NULL;
}

static void
test_a_free_lock_is_acquired_later_never_inside_the_call (void)
{
  lock = cothread_lock_new ();
  acquire ("a");
  g_assert_true (cothread_lock_is_held (lock));
  assert_said ("");
  settle ();
  assert_said ("a");
  g_assert_true (cothread_lock_is_own (lock));
  cothread_lock_release (lock);
  g_assert_false (cothread_lock_is_held (lock));
  g_assert_false (cothread_lock_is_own (lock));
  g_assert_finalize_object (lock);
}

static void
test_callbacks_and_tasks_stand_in_one_line (void)
{
  lock = cothread_lock_new ();
  start ("t1", hold_for_a_moment, NULL);
  settle ();
  acquire ("a");
  start ("t2", hold_for_a_moment, NULL);
  settle ();
  acquire ("b");
  assert_said ("t1");
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("a");
  cothread_lock_release (lock);
  settle ();
  assert_said ("t2");
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("b");
  cothread_lock_release (lock);
  run_until_no_task_is_left ();
  g_assert_finalize_object (lock);
}

static void
test_it_is_not_re_entrant (void)
{
  lock = cothread_lock_new ();
  acquire ("a");
  acquire ("b");
  settle ();
  assert_said ("a");
  cothread_lock_release (lock);
  settle ();
  assert_said ("b");
  cothread_lock_release (lock);
  g_assert_finalize_object (lock);
}

static gpointer
try_to_release (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_assert_false (cothread_lock_is_own (lock));
  expect_critical ("*does not hold*");
  cothread_lock_release (lock);
  say ("%s", own_name ());
  return NULL;
}

static void
test_a_task_cannot_release_what_a_callback_acquired (void)
{
  lock = cothread_lock_new ();
  acquire ("a");
  start ("t", try_to_release, NULL);
  settle ();
  assert_said ("a t");
  g_assert_true (cothread_lock_is_held (lock));
  cothread_lock_release (lock);
  expect_critical ("*does not hold*");
  cothread_lock_release (lock);
  g_assert_finalize_object (lock);
}

static void
test_timeout_and_cancellation_leave_the_line (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  lock = cothread_lock_new ();
  acquire ("a");
  cothread_lock_acquire_async (lock, MS, NULL, acquired, (gpointer) "b");
  cothread_lock_acquire_async (lock, COTHREAD_FOREVER, cancellable, acquired, (gpointer) "c");
  acquire ("d");
  settle ();
  assert_said ("a");
  g_cancellable_cancel (cancellable);
  settle ();
  assert_said ("c-cancelled");
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("b-timeout");
  cothread_lock_release (lock);
  settle ();
  assert_said ("d");
  cothread_lock_release (lock);
  g_assert_finalize_object (lock);
}

static void
test_what_was_handed_over_is_not_lost_to_a_cancellation (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  lock = cothread_lock_new ();
  acquire ("a");
  cothread_lock_acquire_async (lock, COTHREAD_FOREVER, cancellable, acquired, (gpointer) "b");
  settle ();
  cothread_lock_release (lock);
  g_cancellable_cancel (cancellable);
  settle ();
  assert_said ("a b");
  cothread_lock_release (lock);
  g_assert_finalize_object (lock);
}

static void
test_main_waits_for_a_callback_to_release (void)
{
  g_autoptr (GError) error = NULL;

  lock = cothread_lock_new ();
  acquire ("a");
  g_assert_false (cothread_lock_acquire (lock, MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_said ("a");
  cothread_lock_release (lock);
  g_assert_finalize_object (lock);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) sync_test_add ("/lock-async/" #name, test_##name)
  ADD (a_free_lock_is_acquired_later_never_inside_the_call);
  ADD (callbacks_and_tasks_stand_in_one_line);
  ADD (it_is_not_re_entrant);
  ADD (a_task_cannot_release_what_a_callback_acquired);
  ADD (timeout_and_cancellation_leave_the_line);
  ADD (what_was_handed_over_is_not_lost_to_a_cancellation);
  ADD (main_waits_for_a_callback_to_release);
  return g_test_run ();
}
