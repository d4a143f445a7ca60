/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* Waiting for a timer, as a task and with a callback. */

static CothreadTimer *timer;

static void
say_how (const char *name, gboolean success, GError *failure)
{
  g_autoptr (GError) error = failure;

  if (success)
    say ("%s", name);
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
    say ("%s-closed", name);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("%s-timeout", name);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s-cancelled", name);
  else
    say ("%s-%s", name, error->message);
}

static void
expired (GObject *source, GAsyncResult *result, gpointer name)
{
  GError *error = NULL;
  gboolean success = cothread_timer_wait_finish (COTHREAD_TIMER (source), result, &error);

  say_how (name, success, error);
}

static gpointer
wait_for_timer (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  gboolean success = cothread_timer_wait (timer, COTHREAD_FOREVER, &error);

  say_how (own_name (), success, error);
  return NULL;
}

static void
wait_async (const char *name)
{
  cothread_timer_wait_async (timer, COTHREAD_FOREVER, NULL, expired, (gpointer) name);
}

static void
pass (gint64 us)
{
  cothread_test_scheduler_advance (test_scheduler (), us);
  settle ();
}

static void
say_function (G_GNUC_UNUSED CothreadTimer *self, G_GNUC_UNUSED gpointer data)
{
  say ("function");
}

static void
test_all_who_wait_go_on_when_it_expires (void)
{
  timer = cothread_timer_new_plain (2 * MS, COTHREAD_TIMER_DEFAULT);
  start ("t", wait_for_timer, NULL);
  settle ();
  wait_async ("a");
  settle ();
  pass (MS);
  assert_said ("");
  pass (MS);
  assert_said ("t a");
  g_assert_finalize_object (timer);
}

static void
test_the_function_begins_first (void)
{
  timer = cothread_timer_new (MS, COTHREAD_TIMER_DEFAULT, say_function, NULL, NULL);
  wait_async ("a");
  start ("t", wait_for_timer, NULL);
  settle ();
  pass (MS);
  assert_said ("function a t");
  g_object_unref (timer);
}

static void
test_one_that_has_expired_ends_every_wait_at_once (void)
{
  timer = cothread_timer_new_plain (0, COTHREAD_TIMER_REUSE);
  pass (0);
  start ("t", wait_for_timer, NULL);
  wait_async ("a");
  assert_said ("");
  settle ();
  assert_said ("t a");
  cothread_timer_reset (timer, MS);
  wait_async ("b");
  settle ();
  assert_said ("");
  pass (MS);
  assert_said ("b");
  g_object_unref (timer);
}

static void
test_one_that_retriggers_ends_a_wait_each_time (void)
{
  timer = cothread_timer_new_plain (MS, COTHREAD_TIMER_RETRIGGER);
  for (guint i = 0; i < 5; i++)
    {
      wait_async ("a");
      settle ();
      assert_said ("");
      pass (MS);
      assert_said ("a");
    }
  cothread_timer_cancel (timer);
  settle ();
  g_assert_finalize_object (timer);
}

static void
test_a_cancelled_timer_fails_who_waits (void)
{
  timer = cothread_timer_new_plain (MS, COTHREAD_TIMER_DEFAULT);
  start ("t", wait_for_timer, NULL);
  wait_async ("a");
  settle ();
  cothread_timer_cancel (timer);
  wait_async ("b");
  settle ();
  start ("u", wait_for_timer, NULL);
  settle ();
  assert_said ("a-closed t-closed b-closed u-closed");
  g_object_unref (timer);
}

static void
test_one_that_can_be_started_again_is_waited_for_after_it_was_cancelled (void)
{
  timer = cothread_timer_new_plain (MS, COTHREAD_TIMER_REUSE);
  cothread_timer_cancel (timer);
  wait_async ("a");
  pass (10 * MS);
  assert_said ("");
  cothread_timer_reset (timer, MS);
  pass (MS);
  assert_said ("a");
  g_object_unref (timer);
}

static void
test_the_wait_has_a_timeout_and_a_cancellable_of_its_own (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  timer = cothread_timer_new_plain (10 * MS, COTHREAD_TIMER_DEFAULT);
  cothread_timer_wait_async (timer, MS, NULL, expired, (gpointer) "a");
  cothread_timer_wait_async (timer, COTHREAD_FOREVER, cancellable, expired, (gpointer) "b");
  wait_async ("c");
  g_cancellable_cancel (cancellable);
  settle ();
  assert_said ("b-cancelled");
  pass (MS);
  assert_said ("a-timeout");
  pass (9 * MS);
  assert_said ("c");
  g_object_unref (timer);
}

static void
test_main_can_wait_for_one (void)
{
  g_autoptr (GError) error = NULL;

  timer = cothread_timer_new_plain (MS, COTHREAD_TIMER_RETRIGGER);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (cothread_timer_wait (timer, COTHREAD_FOREVER, &error));
      g_assert_no_error (error);
    }
  g_assert_cmpint (now (), >=, 3 * MS);
  cothread_timer_cancel (timer);
  settle ();
  g_object_unref (timer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) sync_test_add ("/timer-wait/" #name, test_##name)
  ADD (all_who_wait_go_on_when_it_expires);
  ADD (the_function_begins_first);
  ADD (one_that_has_expired_ends_every_wait_at_once);
  ADD (one_that_retriggers_ends_a_wait_each_time);
  ADD (a_cancelled_timer_fails_who_waits);
  ADD (one_that_can_be_started_again_is_waited_for_after_it_was_cancelled);
  ADD (the_wait_has_a_timeout_and_a_cancellable_of_its_own);
  ADD (main_can_wait_for_one);
  return g_test_run ();
}
