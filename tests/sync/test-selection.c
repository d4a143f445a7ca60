/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <glib-unix.h>
#include <unistd.h>

/* The first of several things, with a callback: cothread_wait_any_async() and
 * the selection that languages use. */

static CothreadEvent *event;
static CothreadEventQueue *queue;
static CothreadPulse *pulse;
static gint ends[2];
static guint n_freed;

static void
set_up (void)
{
  g_autoptr (GError) error = NULL;

  event = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, g_free);
  pulse = cothread_pulse_new ();
  g_unix_open_pipe (ends, FD_CLOEXEC, &error);
  g_assert_no_error (error);
  n_freed = 0;
}

static void
tear_down (void)
{
  settle ();
  g_assert_cmpuint (live_tasks (), ==, 0);
  close (ends[0]);
  close (ends[1]);
  g_assert_finalize_object (event);
  g_assert_finalize_object (queue);
  g_assert_finalize_object (pulse);
}

static void
any_came (GObject *source, GAsyncResult *result, gpointer name)
{
  CothreadWaitItem item = { .value = NULL };
  g_autoptr (GError) error = NULL;
  guint which;

  g_assert_null (source);
  if (cothread_wait_any_finish (result, &which, &item, &error))
    {
      say ("%s-%u-%s", (const char *) name, which, item.kind == COTHREAD_WAIT_EVENT_QUEUE ? (const char *) item.value : "ok");
      if (item.kind == COTHREAD_WAIT_EVENT_QUEUE)
        g_free (item.value);
      if (item.kind == COTHREAD_WAIT_DESCRIPTOR)
        g_assert_cmpint (item.happened, ==, G_IO_IN);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("%s-%u-timeout", (const char *) name, which);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("%s-%u-cancelled", (const char *) name, which);
  else
    say ("%s-%u-%s", (const char *) name, which, error->message);
}

static void
wait_for_any (const char *name, gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback)
{
  const CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = event },
    { .kind = COTHREAD_WAIT_EVENT_QUEUE, .object = queue },
    { .kind = COTHREAD_WAIT_PULSE, .object = pulse },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[0], .condition = G_IO_IN },
  };

  cothread_wait_any_async (items, G_N_ELEMENTS (items), timeout_us, cancellable, callback, (gpointer) name);
}

static void
test_each_kind_ends_the_wait (void)
{
  set_up ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();
  assert_said ("a-0-ok");
  g_assert_false (cothread_event_is_signalled (event));

  wait_for_any ("b", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  cothread_event_queue_signal (queue, g_strdup ("item"));
  settle ();
  assert_said ("b-1-item");

  wait_for_any ("c", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  cothread_pulse_signal (pulse, TRUE);
  settle ();
  assert_said ("c-2-ok");

  wait_for_any ("d", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  settle ();
  assert_said ("d-3-ok");
  tear_down ();
}

static void
test_what_was_there_is_taken_before_the_call_returns_and_told_later (void)
{
  set_up ();
  cothread_event_queue_signal (queue, g_strdup ("item"));
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 0);
  assert_said ("");
  settle ();
  assert_said ("a-1-item");
  tear_down ();
}

static void
test_from_the_others_nothing_is_taken (void)
{
  set_up ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  cothread_event_signal (event);
  cothread_event_queue_signal (queue, g_strdup ("item"));
  settle ();
  assert_said ("a-0-ok");
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  wait_for_any ("b", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  assert_said ("b-1-item");
  tear_down ();
}

static gpointer
wait_for_event (G_GNUC_UNUSED gpointer data, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    say ("%s", own_name ());
  return NULL;
}

static void
test_it_stands_in_line_with_tasks (void)
{
  set_up ();
  start ("t1", wait_for_event, NULL);
  settle ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  start ("t2", wait_for_event, NULL);
  settle ();
  for (guint i = 0; i < 3; i++)
    {
      cothread_event_signal (event);
      settle ();
    }
  assert_said ("t1 a-0-ok t2");
  tear_down ();
}

static void
test_woken_in_vain_it_keeps_its_place (void)
{
  set_up ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  start ("t", wait_for_event, NULL);
  settle ();
  cothread_event_signal (event);
  cothread_event_reset (event); /* before it ran */
  settle ();
  assert_said ("");
  cothread_event_signal (event);
  settle ();
  assert_said ("a-0-ok");
  cothread_event_signal (event);
  settle ();
  assert_said ("t");
  tear_down ();
}

static void
test_timeout_and_cancellation (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  set_up ();
  wait_for_any ("a", MS, NULL, any_came);
  wait_for_any ("b", COTHREAD_FOREVER, cancellable, any_came);
  settle ();
  g_cancellable_cancel (cancellable);
  wait_for_any ("c", COTHREAD_FOREVER, cancellable, any_came);
  settle ();
  assert_said ("b-4-cancelled c-4-cancelled");
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("a-4-timeout");
  /* Nobody stands anywhere any more. */
  cothread_event_signal (event);
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0);
  settle ();
  assert_said ("");
  tear_down ();
}

static void
test_a_timeout_of_0_still_sees_a_readable_descriptor (void)
{
  set_up ();
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  wait_for_any ("a", 0, NULL, any_came);
  settle ();
  assert_said ("a-3-ok");
  tear_down ();
}

static void
test_an_error_is_that_of_the_item (void)
{
  g_autoptr (GError) failure = g_error_new_literal (COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "broken");

  set_up ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  cothread_event_signal_error (event, failure);
  settle ();
  assert_said ("a-0-broken");
  cothread_event_queue_close (queue);
  wait_for_any ("b", COTHREAD_FOREVER, NULL, any_came);
  settle ();
  assert_said ("b-1-The queue is closed");
  tear_down ();
}

static void
test_a_closed_descriptor_fails_and_is_named (void)
{
  const CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = 12345, .condition = G_IO_IN },
  };

  cothread_wait_any_async (items, 1, COTHREAD_FOREVER, NULL, any_came, (gpointer) "a");
  settle ();
  assert_said ("a-0-Descriptor 12345: Bad file descriptor");
}

static void
count_freed (gpointer item)
{
  n_freed++;
  g_free (item);
}

static void
forget (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result, gpointer name)
{
  say ("%s", (const char *) name);
}

static void
drop_value (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer name)
{
  guint which;

  g_assert_true (cothread_wait_any_finish (result, &which, NULL, NULL));
  say ("%s-%u", (const char *) name, which);
}

static void
test_a_value_that_nobody_takes_is_freed (void)
{
  set_up ();
  wait_for_any ("a", COTHREAD_FOREVER, NULL, forget);
  settle ();
  cothread_event_signal_value (event, g_strdup ("value"), count_freed);
  settle ();
  assert_said ("a");
  g_assert_cmpuint (n_freed, ==, 1);
  wait_for_any ("b", COTHREAD_FOREVER, NULL, drop_value);
  cothread_event_signal_value (event, g_strdup ("value"), count_freed);
  settle ();
  assert_said ("b-0");
  g_assert_cmpuint (n_freed, ==, 2);
  tear_down ();
}

static void
test_objects_live_as_long_as_somebody_waits (void)
{
  CothreadEvent *unknown = cothread_event_new (TRUE);
  const CothreadWaitItem items[] = { { .kind = COTHREAD_WAIT_EVENT, .object = unknown } };

  cothread_wait_any_async (items, 1, MS, NULL, any_came, (gpointer) "a");
  g_object_unref (unknown);
  settle ();
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("a-1-timeout");
}

static void
test_nothing_to_wait_for_is_a_sleep (void)
{
  cothread_wait_any_async (NULL, 0, MS, NULL, any_came, (gpointer) "a");
  settle ();
  assert_said ("");
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("a-0-timeout");
}

static gpointer
fail (G_GNUC_UNUSED gpointer data, GError **error)
{
  cothread_sleep (MS, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "failed");
  return NULL;
}

static void
selected (GObject *source, GAsyncResult *result, gpointer name)
{
  g_autoptr (GError) error = NULL;
  gint which = cothread_selection_wait_finish (COTHREAD_SELECTION (source), result, &error);

  g_assert_true ((which < 0) == (error != NULL));
  say ("%s-%d%s%s", (const char *) name, which, error != NULL ? "-" : "", error != NULL ? error->message : "");
}

static gpointer
select_one (gpointer selection, GError **error)
{
  gint which = cothread_selection_wait (selection, COTHREAD_FOREVER, error);

  say ("%s-%d", own_name (), which);
  return NULL;
}

static void
test_a_selection_is_waited_for_as_often_as_wanted (void)
{
  CothreadSelection *selection;
  CothreadTask *task;

  set_up ();
  selection = cothread_selection_new ();
  task = spawn ("f", fail, NULL);
  g_assert_cmpint (cothread_selection_add_event (selection, event), ==, 0);
  g_assert_cmpint (cothread_selection_add_pulse (selection, pulse), ==, 1);
  g_assert_cmpint (cothread_selection_add_descriptor (selection, ends[0], G_IO_IN), ==, 2);
  g_assert_cmpint (cothread_selection_add_task (selection, task), ==, 3);

  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, (gpointer) "a");
  start ("t", select_one, selection);
  settle ();
  cothread_pulse_signal (pulse, TRUE);
  settle ();
  assert_said ("a-1 t-1");
  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, (gpointer) "b");
  cothread_event_signal_value (event, g_strdup ("value"), count_freed);
  settle ();
  assert_said ("b-0");
  start ("u", select_one, selection);
  settle ();
  cothread_event_signal_value (event, g_strdup ("value"), count_freed);
  settle ();
  assert_said ("u-0");
  g_assert_cmpuint (n_freed, ==, 2);
  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, (gpointer) "c");
  settle ();
  cothread_test_scheduler_advance (test_scheduler (), MS);
  settle ();
  assert_said ("c--1-failed");
  g_assert_finalize_object (selection);
  cothread_task_unref (task);
  tear_down ();
}

static void
test_a_selection_lives_as_long_as_somebody_waits (void)
{
  CothreadSelection *selection;

  set_up ();
  selection = cothread_selection_new ();
  cothread_selection_add_event (selection, event);
  cothread_selection_wait_async (selection, COTHREAD_FOREVER, NULL, selected, (gpointer) "a");
  g_object_unref (selection);
  settle ();
  cothread_event_signal (event);
  settle ();
  assert_said ("a-0");
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) sync_test_add ("/selection/" #name, test_##name)
  ADD (each_kind_ends_the_wait);
  ADD (what_was_there_is_taken_before_the_call_returns_and_told_later);
  ADD (from_the_others_nothing_is_taken);
  ADD (it_stands_in_line_with_tasks);
  ADD (woken_in_vain_it_keeps_its_place);
  ADD (timeout_and_cancellation);
  ADD (a_timeout_of_0_still_sees_a_readable_descriptor);
  ADD (an_error_is_that_of_the_item);
  ADD (a_closed_descriptor_fails_and_is_named);
  ADD (a_value_that_nobody_takes_is_freed);
  ADD (objects_live_as_long_as_somebody_waits);
  ADD (nothing_to_wait_for_is_a_sleep);
  ADD (a_selection_is_waited_for_as_often_as_wanted);
  ADD (a_selection_lives_as_long_as_somebody_waits);
  return g_test_run ();
}
