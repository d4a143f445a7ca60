/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* What a signal brings along: a value or an error, in one slot. */

static void
say_freed (gpointer value)
{
  say ("freed:%s", (char *) value);
  g_free (value);
}

static void
signal_text (CothreadEvent *event, const char *text)
{
  cothread_event_signal_value (event, g_strdup (text), say_freed);
}

static void
signal_failure (CothreadEvent *event)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, G_FILE_ERROR_NOENT, "there is nothing");

  cothread_event_signal_error (event, error);
}

static gpointer
take_value (gpointer event, G_GNUC_UNUSED GError **error)
{
  gboolean is_ours = cothread_event_get_auto_reset (event);
  gpointer value = NULL;

  g_assert_true (cothread_event_wait_value (event, COTHREAD_FOREVER, &value, NULL));
  say ("%s:%s", own_name (), value != NULL ? (char *) value : "nothing");
  if (is_ours)
    g_free (value);
  return NULL;
}

static gpointer
wait_without_value (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  say ("%s", own_name ());
  return NULL;
}

static gpointer
expect_failure (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  gpointer value = &failure;

  g_assert_false (cothread_event_wait_value (event, COTHREAD_FOREVER, &value, &failure));
  g_assert_error (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_true (value == &failure); /* untouched */
  say ("%s:failed", own_name ());
  return NULL;
}

static void
test_the_waiter_gets_the_value (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", take_value, event);
  settle ();
  signal_text (event, "x");
  settle ();

  assert_said ("a:x");
}

static void
test_the_last_value_wins (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", take_value, event);
  settle ();
  signal_text (event, "x");
  signal_text (event, "y");
  settle ();

  assert_said ("freed:x a:y");
}

static void
test_a_signal_without_a_value_replaces_one (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  signal_text (event, "x");
  cothread_event_signal (event);
  start ("a", take_value, event);
  settle ();

  assert_said ("freed:x a:nothing");
}

static void
test_a_value_that_the_waiter_does_not_want_is_freed (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  signal_text (event, "x");
  start ("a", wait_without_value, event);
  settle ();

  assert_said ("freed:x a");
}

static void
test_a_latched_value_stays_the_events (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  signal_text (event, "x");
  start ("a", take_value, event);
  start ("b", take_value, event);
  start ("c", wait_without_value, event);
  settle ();
  assert_said ("a:x b:x c");
  signal_text (event, "y");
  start ("d", take_value, event);
  settle ();
  assert_said ("freed:x d:y");
  cothread_event_reset (event);

  assert_said ("freed:y");
}

static void
test_a_value_that_nobody_takes_is_freed (void)
{
  CothreadEvent *event = cothread_event_new (TRUE);

  signal_text (event, "reset");
  cothread_event_reset (event);
  signal_text (event, "aborted");
  cothread_event_abort_wait (event);
  cothread_event_abort_wait (event);
  signal_text (event, "eaten");
  signal_text (event, "left");
  g_object_unref (event);

  assert_said ("freed:reset freed:aborted freed:eaten freed:left");
}

static void
test_an_error_ends_one_wait_and_is_gone (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", expect_failure, event);
  start ("b", take_value, event);
  settle ();
  signal_failure (event);
  settle ();
  assert_said ("a:failed");
  g_assert_false (cothread_event_is_signalled (event));
  signal_text (event, "x");
  settle ();

  assert_said ("b:x");
}

static void
test_a_latched_error_ends_every_wait_until_it_is_reset (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  start ("a", expect_failure, event);
  start ("b", expect_failure, event);
  settle ();
  signal_failure (event);
  settle ();
  start ("c", expect_failure, event);
  settle ();
  assert_said ("a:failed b:failed c:failed");
  g_assert_true (cothread_event_is_signalled (event));
  cothread_event_reset (event);
  start ("d", take_value, event);
  settle ();
  assert_said ("");
  signal_text (event, "x");
  settle ();
  cothread_event_reset (event);

  assert_said ("d:x freed:x");
}

static void
test_an_error_replaces_a_value_and_a_value_an_error (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  signal_text (event, "x");
  signal_failure (event);
  start ("a", expect_failure, event);
  settle ();
  assert_said ("freed:x a:failed");
  signal_failure (event);
  signal_text (event, "y");
  start ("b", take_value, event);
  settle ();

  assert_said ("b:y");
}

static void
signal_again (gpointer event)
{
  say ("freed");
  cothread_event_signal (event);
}

static void
test_freeing_a_value_may_signal_the_event (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal_value (event, event, signal_again);
  cothread_event_reset (event);

  assert_said ("freed");
  g_assert_true (cothread_event_is_signalled (event));
}

static gpointer
time_out (gpointer event, G_GNUC_UNUSED GError **error)
{
  gpointer value = event;

  g_assert_false (cothread_event_wait_value (event, 0, &value, NULL));
  g_assert_true (value == event);
  return NULL;
}

static void
test_the_value_is_untouched_where_there_is_none (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", time_out, event);
  run_until_no_task_is_left ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/event/value/goes-to-the-waiter", test_the_waiter_gets_the_value);
  behaviour_add_virtual ("/sync/event/value/the-last-wins", test_the_last_value_wins);
  behaviour_add_virtual ("/sync/event/value/is-replaced-by-a-signal-without-one", test_a_signal_without_a_value_replaces_one);
  behaviour_add_virtual ("/sync/event/value/is-freed-if-the-waiter-does-not-want-it", test_a_value_that_the_waiter_does_not_want_is_freed);
  behaviour_add_virtual ("/sync/event/value/stays-the-events-if-latched", test_a_latched_value_stays_the_events);
  behaviour_add_virtual ("/sync/event/value/is-freed-if-nobody-takes-it", test_a_value_that_nobody_takes_is_freed);
  behaviour_add_virtual ("/sync/event/value/is-untouched-where-there-is-none", test_the_value_is_untouched_where_there_is_none);
  behaviour_add_virtual ("/sync/event/value/freeing-one-may-signal-the-event", test_freeing_a_value_may_signal_the_event);
  behaviour_add_virtual ("/sync/event/error/ends-one-wait-and-is-gone", test_an_error_ends_one_wait_and_is_gone);
  behaviour_add_virtual ("/sync/event/error/latched-ends-every-wait-until-it-is-reset", test_a_latched_error_ends_every_wait_until_it_is_reset);
  behaviour_add_virtual ("/sync/event/error/replaces-a-value-and-a-value-an-error", test_an_error_replaces_a_value_and_a_value_an_error);
  return g_test_run ();
}
