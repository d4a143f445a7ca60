/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Event queues: items in order, a bound, an end. */

static char letters[] = "abcdefgh";

static gpointer
take_one (gpointer queue, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  char *item = NULL;

  if (cothread_event_queue_wait (queue, COTHREAD_FOREVER, (gpointer *) &item, &failure))
    say ("%s:%c", own_name (), *item);
  else if (g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
    say ("%s:closed", own_name ());
  else
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static gpointer
take_until_closed (gpointer queue, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  char *item = NULL;

  while (cothread_event_queue_wait (queue, COTHREAD_FOREVER, (gpointer *) &item, &failure))
    say ("%c", *item);
  g_assert_error (failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  say ("closed");
  return NULL;
}

static void
put (CothreadEventQueue *queue, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (cothread_event_queue_signal (queue, &letters[i]));
}

static void
test_items_come_out_in_the_order_they_went_in (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  put (queue, 5);
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 5);
  cothread_event_queue_close (queue);
  start ("task", take_until_closed, queue);
  settle ();

  assert_said ("a b c d e closed");
}

static void
test_waiters_are_served_in_the_order_they_began_to_wait (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  start ("x", take_one, queue);
  start ("y", take_one, queue);
  start ("z", take_one, queue);
  settle ();
  put (queue, 3);
  settle ();

  assert_said ("x:a y:b z:c");
}

static gpointer
take_without_suspending (gpointer queue, G_GNUC_UNUSED GError **error)
{
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  take_one (queue, NULL);
  g_assert_cmpuint (own_switches (), ==, before);
  return NULL;
}

static void
test_taking_from_a_queue_with_items_does_not_suspend (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  put (queue, 1);
  start ("x", take_without_suspending, queue);
  settle ();

  assert_said ("x:a bystander");
}

static gpointer
put_and_take (gpointer queue, GError **error)
{
  put (queue, 1);
  return take_one (queue, error);
}

static void
test_a_waiter_whose_item_was_taken_goes_on_waiting_in_its_place (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  start ("x", take_one, queue);
  start ("y", take_one, queue);
  settle ();
  start ("thief", put_and_take, queue);
  settle ();
  assert_said ("thief:a");
  put (queue, 2);
  settle ();

  assert_said ("x:a y:b");
}

static void
test_a_full_queue_refuses_and_the_item_stays_with_the_caller (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (2, g_free);
  char *item = g_strdup ("x");

  g_assert_cmpuint (cothread_event_queue_get_max_length (queue), ==, 2);
  g_assert_true (cothread_event_queue_signal (queue, g_strdup ("a")));
  g_assert_true (cothread_event_queue_signal (queue, g_strdup ("b")));
  g_assert_false (cothread_event_queue_signal (queue, item));
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 2);
  g_assert_true (cothread_event_queue_wait (queue, 0, NULL, NULL));
  g_assert_true (cothread_event_queue_signal (queue, item));
}

static void
test_closing_lets_the_queue_drain_and_then_ends_every_wait (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  put (queue, 2);
  g_assert_false (cothread_event_queue_is_closed (queue));
  cothread_event_queue_close (queue);
  g_assert_true (cothread_event_queue_is_closed (queue));
  start ("x", take_one, queue);
  start ("y", take_one, queue);
  start ("z", take_one, queue);
  settle ();

  assert_said ("x:a y:b z:closed");
}

static void
test_closing_wakes_all_who_wait (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  start ("x", take_one, queue);
  start ("y", take_one, queue);
  settle ();
  cothread_event_queue_close (queue);
  cothread_event_queue_close (queue);
  settle ();

  assert_said ("x:closed y:closed");
}

static void
test_signalling_a_closed_queue_is_a_critical (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  cothread_event_queue_close (queue);
  expect_critical ("*is_closed*");
  g_assert_false (cothread_event_queue_signal (queue, letters));
  g_test_assert_expected_messages ();
}

static void
test_a_waiter_that_left_takes_nothing (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);
  g_autoptr (CothreadTask) gone = spawn ("gone", take_one, queue);

  start ("next", take_one, queue);
  settle ();
  cothread_task_cancel (gone);
  put (queue, 1);
  settle ();

  assert_said ("next:a");
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 0);
}

static void
say_freed (gpointer item)
{
  say ("freed:%c", *(char *) item);
}

static void
test_items_that_nobody_takes_are_freed_once (void)
{
  CothreadEventQueue *queue = cothread_event_queue_new (0, say_freed);

  put (queue, 3);
  g_assert_true (cothread_event_queue_wait (queue, 0, NULL, NULL));
  assert_said ("freed:a");
  cothread_event_queue_reset (queue);
  assert_said ("freed:b freed:c");
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 0);
  put (queue, 2);
  g_object_unref (queue);

  assert_said ("freed:a freed:b");
}

static void
test_abort_wait_takes_the_item_that_is_there_or_else_the_next (void)
{
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, say_freed);

  put (queue, 2);
  cothread_event_queue_abort_wait (queue);
  assert_said ("freed:a");
  g_assert_true (cothread_event_queue_wait (queue, 0, NULL, NULL));
  assert_said ("freed:b");
  cothread_event_queue_abort_wait (queue);
  start ("x", take_one, queue);
  settle ();
  put (queue, 1);
  settle ();
  assert_said ("freed:a");
  put (queue, 1);
  settle ();

  assert_said ("x:a");
}

static void
signal_again (gpointer queue)
{
  say ("freed");
  if (cothread_event_queue_get_length (queue) == 0)
    cothread_event_queue_signal (queue, queue);
}

static void
test_freeing_an_item_may_signal_the_queue (void)
{
  CothreadEventQueue *queue = cothread_event_queue_new (0, signal_again);

  cothread_event_queue_signal (queue, queue);
  cothread_event_queue_signal (queue, queue);
  cothread_event_queue_reset (queue);

  assert_said ("freed freed");
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  g_assert_true (cothread_event_queue_wait (queue, 0, (gpointer *) &queue, NULL));
  g_object_unref (queue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/event-queue/items-come-out-in-the-order-they-went-in", test_items_come_out_in_the_order_they_went_in);
  behaviour_add_virtual ("/sync/event-queue/waiters-are-served-in-the-order-they-began-to-wait", test_waiters_are_served_in_the_order_they_began_to_wait);
  behaviour_add_virtual ("/sync/event-queue/taking-what-is-there-does-not-suspend", test_taking_from_a_queue_with_items_does_not_suspend);
  behaviour_add_virtual ("/sync/event-queue/who-lost-an-item-goes-on-waiting-in-its-place", test_a_waiter_whose_item_was_taken_goes_on_waiting_in_its_place);
  behaviour_add_virtual ("/sync/event-queue/a-full-one-refuses-and-the-item-stays-with-the-caller", test_a_full_queue_refuses_and_the_item_stays_with_the_caller);
  behaviour_add_virtual ("/sync/event-queue/closing-lets-it-drain-and-then-ends-every-wait", test_closing_lets_the_queue_drain_and_then_ends_every_wait);
  behaviour_add_virtual ("/sync/event-queue/closing-wakes-all-who-wait", test_closing_wakes_all_who_wait);
  behaviour_add_virtual ("/sync/event-queue/signalling-a-closed-one-is-a-critical", test_signalling_a_closed_queue_is_a_critical);
  behaviour_add_virtual ("/sync/event-queue/a-waiter-that-left-takes-nothing", test_a_waiter_that_left_takes_nothing);
  behaviour_add_virtual ("/sync/event-queue/items-that-nobody-takes-are-freed-once", test_items_that_nobody_takes_are_freed_once);
  behaviour_add_virtual ("/sync/event-queue/abort-wait-takes-the-item-that-is-there-or-else-the-next", test_abort_wait_takes_the_item_that_is_there_or_else_the_next);
  behaviour_add_virtual ("/sync/event-queue/freeing-an-item-may-signal-it", test_freeing_an_item_may_signal_the_queue);
  return g_test_run ();
}
