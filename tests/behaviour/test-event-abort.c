/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Waits that were given up, and how long an event lives. */

static gpointer
wait_and_say (gpointer event, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (cothread_event_wait (event, COTHREAD_FOREVER, &failure))
    say ("%s", own_name ());
  else if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s:%s", own_name (), failure->message);
  return NULL;
}

static void
test_abort_wait_eats_one_future_signal (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", wait_and_say, event);
  settle ();
  cothread_event_abort_wait (event);
  cothread_event_signal (event);
  g_assert_false (cothread_event_is_signalled (event));
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();

  assert_said ("a");
}

static void
test_abort_wait_eats_the_signal_that_is_there (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal (event);
  cothread_event_abort_wait (event);
  g_assert_false (cothread_event_is_signalled (event));
  cothread_event_signal (event);

  g_assert_true (cothread_event_is_signalled (event));
}

static void
test_abort_wait_does_nothing_to_a_latched_event (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);

  cothread_event_abort_wait (event);
  cothread_event_signal (event);
  g_assert_true (cothread_event_is_signalled (event));
  cothread_event_abort_wait (event);

  g_assert_true (cothread_event_is_signalled (event));
}

static void
test_an_event_lives_while_somebody_waits_for_it (void)
{
  CothreadEvent *event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("a", wait_and_say, event);

  settle ();
  g_object_add_weak_pointer (G_OBJECT (event), (gpointer *) &event);
  g_object_unref (event);
  g_assert_nonnull (event);
  cothread_task_cancel (task);
  settle ();

  g_assert_null (event);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/event/abort-wait-eats-one-future-signal", test_abort_wait_eats_one_future_signal);
  behaviour_add_virtual ("/sync/event/abort-wait-eats-the-signal-that-is-there", test_abort_wait_eats_the_signal_that_is_there);
  behaviour_add_virtual ("/sync/event/abort-wait-does-nothing-to-a-latched-one", test_abort_wait_does_nothing_to_a_latched_event);
  behaviour_add_virtual ("/sync/event/lives-while-somebody-waits-for-it", test_an_event_lives_while_somebody_waits_for_it);
  return g_test_run ();
}
