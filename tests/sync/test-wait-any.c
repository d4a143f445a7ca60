/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <glib-unix.h>
#include <unistd.h>

/* One of each kind, in this order. */
enum { EVENT, QUEUE, PULSE, TASK, DESCRIPTOR, TIMER, N_KINDS };

static CothreadEvent *event;
static CothreadEventQueue *queue;
static CothreadPulse *pulse;
static CothreadTask *task;
static CothreadTimer *timer;
static gint ends[2];
static gint64 timeout_us;

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer data, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return (gpointer) "result";
}

static void
set_up (void)
{
  g_autoptr (GError) error = NULL;

  event = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, NULL);
  pulse = cothread_pulse_new ();
  task = spawn ("t", sleep_for_ever, NULL);
  timer = cothread_timer_new_plain (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE);
  g_unix_open_pipe (ends, FD_CLOEXEC, &error);
  g_assert_no_error (error);
  timeout_us = COTHREAD_FOREVER;
}

static void
tear_down (void)
{
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  close (ends[0]);
  close (ends[1]);
  g_clear_pointer (&task, cothread_task_unref);
  g_assert_finalize_object (event);
  g_assert_finalize_object (queue);
  g_assert_finalize_object (pulse);
  g_assert_finalize_object (timer);
}

/* Says the index of what came, its value, and how it went. */
static gpointer
wait_for_any (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  CothreadWaitItem items[N_KINDS] = {
    [EVENT] = { .kind = COTHREAD_WAIT_EVENT, .object = event },
    [QUEUE] = { .kind = COTHREAD_WAIT_EVENT_QUEUE, .object = queue },
    [PULSE] = { .kind = COTHREAD_WAIT_PULSE, .object = pulse },
    [TASK] = { .kind = COTHREAD_WAIT_TASK, .object = task },
    [DESCRIPTOR] = { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[0], .condition = G_IO_IN },
    [TIMER] = { .kind = COTHREAD_WAIT_TIMER, .object = timer },
  };
  g_autoptr (GError) error = NULL;
  guint which = 99;
  gboolean success = cothread_wait_any (items, N_KINDS, timeout_us, &which, &error);

  say ("%u", which);
  if (success && items[which].value != NULL)
    say ("%s", (const char *) items[which].value);
  if (success && which == DESCRIPTOR)
    g_assert_cmpint (items[which].happened, ==, G_IO_IN);
  say_outcome (success, &error);
  return NULL;
}

static void
let_come (guint kind)
{
  switch (kind)
    {
    case EVENT:
      cothread_event_signal_value (event, (gpointer) "value", NULL);
      break;
    case QUEUE:
      cothread_event_queue_signal (queue, (gpointer) "item");
      break;
    case PULSE:
      cothread_pulse_signal (pulse, TRUE);
      break;
    case TASK:
      cothread_task_cancel (task);
      break;
    case TIMER:
      cothread_timer_reset (timer, 10 * MS);
      g_assert_true (cothread_sleep (10 * MS, NULL));
      break;
    default:
      g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
    }
}

static const char *const expected[N_KINDS] = { "0 value a-ok", "1 item a-ok", "2 a-ok", "3 a-cancelled", "4 a-ok", "5 a-ok" };

static void
each_kind_ends_the_wait (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      set_up ();
      start ("a", wait_for_any, NULL);
      settle ();
      assert_said ("");
      let_come (kind);
      settle ();
      assert_said (expected[kind]);
      tear_down ();
    }
}

static void
what_came_already_is_taken_without_suspending (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      if (kind == PULSE || kind == DESCRIPTOR)
        continue;
      set_up ();
      settle ();
      let_come (kind);
      settle ();
      /* In plain main(): nothing may run meanwhile. */
      start ("b", (CothreadTaskFunc) sleep_for_ever, NULL);
      wait_for_any (NULL, NULL);
      g_assert_cmpuint (live_tasks (), ==, kind == TASK ? 1 : 2);
      assert_said (kind == EVENT ? "0 value main-ok" : kind == QUEUE ? "1 item main-ok" : kind == TASK ? "3 main-cancelled" : "5 main-ok");
      cothread_scheduler_shutdown (cothread_scheduler_get_default ());
      tear_down ();
    }
}

static void
a_descriptor_that_is_ready_ends_it (void)
{
  set_up ();
  let_come (DESCRIPTOR);
  start ("a", wait_for_any, NULL);
  settle ();
  assert_said ("4 a-ok");
  tear_down ();
}

static void
it_times_out (void)
{
  set_up ();
  timeout_us = 1 * MS;
  wait_for_any (NULL, NULL);
  timeout_us = 0;
  wait_for_any (NULL, NULL);
  assert_said ("6 main-timeout 6 main-timeout");
  tear_down ();
}

static void
it_is_cancelled (void)
{
  g_autoptr (CothreadTask) waiter = NULL;

  set_up ();
  waiter = spawn ("a", wait_for_any, NULL);
  settle ();
  cothread_task_cancel (waiter);
  settle ();
  assert_said ("6 a-cancelled");
  tear_down ();
}

static void
the_error_of_what_came_is_reported_with_its_index (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");

  set_up ();
  start ("a", wait_for_any, NULL);
  settle ();
  cothread_event_signal_error (event, error);
  settle ();
  cothread_event_queue_close (queue);
  start ("a", wait_for_any, NULL);
  settle ();
  assert_said ("0 a-failed 1 a-closed");
  tear_down ();

  set_up ();
  start ("a", wait_for_any, NULL);
  settle ();
  cothread_timer_cancel (timer);
  settle ();
  assert_said ("5 a-closed");
  tear_down ();
}

static void
a_closed_descriptor_is_an_error (void)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = -1, .condition = G_IO_IN },
  };
  g_autoptr (GError) error = NULL;
  guint which;

  items[0].object = event = cothread_event_new (TRUE);
  g_assert_false (cothread_wait_any (items, 2, COTHREAD_FOREVER, &which, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (which, ==, 1);
  g_assert_finalize_object (event);
}

static void
more_than_fit_on_the_stack (void)
{
  CothreadWaitItem items[20] = { 0 };
  guint which;

  for (guint i = 0; i < 20; i++)
    items[i] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_EVENT, .object = cothread_event_new (TRUE) };
  g_assert_false (cothread_wait_any (items, 20, 0, &which, NULL));
  cothread_event_signal (items[17].object);
  g_assert_true (cothread_wait_any (items, 20, 0, &which, NULL));
  g_assert_cmpuint (which, ==, 17);
  for (guint i = 0; i < 20; i++)
    g_assert_finalize_object (items[i].object);
}

static gpointer
wait_for_itself (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_TASK, .object = cothread_task_self () };
  guint which;

  expect_critical ("*cothread_task_self*");
  g_assert_false (cothread_wait_any (&item, 1, 0, &which, NULL));
  g_test_assert_expected_messages ();
  return NULL;
}

static void
bad_arguments_are_criticals (void)
{
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_EVENT };
  g_autoptr (GError) error = NULL;
  guint which = 99;

  expect_critical ("*items != NULL*");
  g_assert_false (cothread_wait_any (NULL, 1, 0, &which, NULL));
  expect_critical ("*which != NULL*");
  g_assert_false (cothread_wait_any (&item, 1, 0, NULL, NULL));
  expect_critical ("*timeout_us*");
  g_assert_false (cothread_wait_any (&item, 1, -2, &which, NULL));
  expect_critical ("*IS_EVENT*");
  g_assert_false (cothread_wait_any (&item, 1, 0, &which, NULL));
  item.kind = (CothreadWaitKind) 77;
  expect_critical ("*should not be reached*");
  g_assert_false (cothread_wait_any (&item, 1, 0, &which, NULL));
  g_test_assert_expected_messages ();
  say_outcome (cothread_wait_any (NULL, 0, 0, &which, &error), &error);
  g_assert_cmpuint (which, ==, 0);
  start ("a", wait_for_itself, NULL);
  settle ();
  assert_said ("main-timeout");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/wait-any/each-kind", each_kind_ends_the_wait);
  sync_test_add ("/wait-any/already-there", what_came_already_is_taken_without_suspending);
  sync_test_add ("/wait-any/descriptor-ready", a_descriptor_that_is_ready_ends_it);
  sync_test_add ("/wait-any/timeout", it_times_out);
  sync_test_add ("/wait-any/cancelled", it_is_cancelled);
  sync_test_add ("/wait-any/errors", the_error_of_what_came_is_reported_with_its_index);
  sync_test_add ("/wait-any/closed-descriptor", a_closed_descriptor_is_an_error);
  sync_test_add ("/wait-any/many", more_than_fit_on_the_stack);
  sync_test_add ("/wait-any/bad-arguments", bad_arguments_are_criticals);
  return g_test_run ();
}
