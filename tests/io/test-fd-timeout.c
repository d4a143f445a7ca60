/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* A wait for descriptors whose time is up looks at them before it says so. */

static gint ends[2];

static void
open_ends (gboolean is_readable)
{
  make_pipe (ends);
  if (is_readable)
    g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
}

static void
close_ends (void)
{
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
say_result (gint n, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  if (error == NULL)
    say ("%d", n);
  else
    say (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timeout" :
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled" : "failed");
}

static gpointer
wait_without_time (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  guint64 switches = own_switches ();
  GIOCondition condition = cothread_wait_fd (ends[0], G_IO_IN, 0, &error);

  g_assert_cmpuint (own_switches (), ==, switches + 1);
  say_result ((gint) condition, &error);
  return NULL;
}

static void
test_no_time_is_enough_for_what_is_ready (void)
{
  open_ends (TRUE);
  start ("reader", wait_without_time, NULL);
  start ("other", say_own_name, NULL);
  run_until_no_task_is_left ();
  assert_said ("other 1");
  close_ends ();
}

static void
test_no_time_is_not_enough_for_what_is_not (void)
{
  open_ends (FALSE);
  start ("reader", wait_without_time, NULL);
  start ("other", say_own_name, NULL);
  run_until_no_task_is_left ();
  assert_said ("other timeout");
  close_ends ();
}

static void
test_no_time_is_enough_in_main (void)
{
  g_autoptr (GError) error = NULL;

  open_ends (TRUE);
  say_result ((gint) cothread_wait_fd (ends[0], G_IO_IN, 0, &error), &error);
  assert_said ("1");
  close_ends ();
}

static gpointer
cancel_task (gpointer task, G_GNUC_UNUSED GError **error)
{
  cothread_task_cancel (task);
  return NULL;
}

static void
test_a_cancellation_outranks_the_look (void)
{
  g_autoptr (CothreadTask) task = NULL;

  open_ends (TRUE);
  task = spawn ("reader", wait_without_time, NULL);
  start ("canceller", cancel_task, task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  close_ends ();
}

static gpointer
poll_many_without_time (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  GPollFD fds[40];
  gint n;

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = (GPollFD) { ends[0], i % 2 == 0 ? G_IO_IN : G_IO_PRI, 0 };
  n = cothread_poll_list (fds, G_N_ELEMENTS (fds), 0, &error);
  say_result (n, &error);
  if (n > 0)
    for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
      g_assert_cmpint (fds[i].revents, ==, i % 2 == 0 ? G_IO_IN : 0);
  return NULL;
}

static void
test_a_list_is_looked_at_as_a_whole (void)
{
  open_ends (TRUE);
  start ("poller", poll_many_without_time, NULL);
  run_until_no_task_is_left ();
  assert_said ("20");
  close_ends ();
}

static void
test_a_list_of_nothing_ready_times_out (void)
{
  open_ends (FALSE);
  start ("poller", poll_many_without_time, NULL);
  run_until_no_task_is_left ();
  assert_said ("timeout");
  close_ends ();
}

static gpointer
wait_for_any_without_time (gpointer event, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  guint which = 9;
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = event },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[1], .condition = G_IO_IN },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[0], .condition = G_IO_IN },
  };

  cothread_wait_any (items, G_N_ELEMENTS (items), 0, &which, &error);
  say ("which:%u", which);
  say_result (which == 2 ? (gint) items[2].happened : -1, &error);
  return NULL;
}

static void
test_any_of_several_is_looked_at (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  open_ends (TRUE);
  start ("any", wait_for_any_without_time, event);
  run_until_no_task_is_left ();
  assert_said ("which:2 1");
  close_ends ();
}

static void
test_none_of_several_times_out (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  open_ends (FALSE);
  start ("any", wait_for_any_without_time, event);
  run_until_no_task_is_left ();
  assert_said ("which:3 timeout");
  close_ends ();
}

static gpointer
close_reading_end (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_close (ends[0], NULL);
  return NULL;
}

static void
test_what_was_closed_meanwhile_is_told (void)
{
  open_ends (FALSE);
  start ("reader", wait_without_time, NULL);
  start ("closer", close_reading_end, NULL);
  run_until_no_task_is_left ();
  assert_said ("32"); /* G_IO_NVAL */
  g_close (ends[1], NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/io/fd-timeout/no-time-is-enough-for-what-is-ready", test_no_time_is_enough_for_what_is_ready);
  behaviour_add ("/io/fd-timeout/no-time-is-not-enough-for-what-is-not", test_no_time_is_not_enough_for_what_is_not);
  behaviour_add ("/io/fd-timeout/no-time-is-enough-in-main", test_no_time_is_enough_in_main);
  behaviour_add ("/io/fd-timeout/a-cancellation-outranks-the-look", test_a_cancellation_outranks_the_look);
  behaviour_add ("/io/fd-timeout/a-list-is-looked-at-as-a-whole", test_a_list_is_looked_at_as_a_whole);
  behaviour_add ("/io/fd-timeout/a-list-of-nothing-ready-times-out", test_a_list_of_nothing_ready_times_out);
  behaviour_add ("/io/fd-timeout/any-of-several-is-looked-at", test_any_of_several_is_looked_at);
  behaviour_add ("/io/fd-timeout/none-of-several-times-out", test_none_of_several_times_out);
  behaviour_add ("/io/fd-timeout/what-was-closed-meanwhile-is-told", test_what_was_closed_meanwhile_is_told);
  return g_test_run ();
}
