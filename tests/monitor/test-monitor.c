/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

/* Statistics as properties. */

static CothreadMonitor *
new_monitor (void)
{
  CothreadMonitor *monitor = cothread_monitor_new (NULL);

  cothread_monitor_set_interval (monitor, 0);
  return monitor;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
say_notify (G_GNUC_UNUSED CothreadMonitor *monitor, GParamSpec *pspec, G_GNUC_UNUSED gpointer unused)
{
  say ("%s", pspec->name);
}

static void
test_whatever_happens_in_between_is_one_notification (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();

  g_signal_connect (monitor, "notify::tasks", G_CALLBACK (say_notify), NULL);
  g_signal_connect (monitor, "notify::spawned", G_CALLBACK (say_notify), NULL);
  g_signal_connect (monitor, "notify::descriptors", G_CALLBACK (say_notify), NULL);
  for (guint i = 0; i < 50; i++)
    start ("task", sleep_for_ever, NULL);
  settle ();
  assert_said ("");

  cothread_monitor_refresh (monitor);
  assert_said ("spawned tasks");
  cothread_monitor_refresh (monitor);
  assert_said ("");
}

static void
test_its_properties_are_the_snapshot (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();
  g_autoptr (CothreadStatistics) statistics = NULL;
  guint n = 0;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (monitor), &n);
  guint tasks, waiting;
  guint64 spawned, switches;

  for (guint i = 0; i < 3; i++)
    start ("task", sleep_for_ever, NULL);
  settle ();
  cothread_monitor_refresh (monitor);
  statistics = cothread_monitor_get_statistics (monitor);
  g_object_get (monitor, "tasks", &tasks, "waiting", &waiting, "spawned", &spawned, "switches", &switches, NULL);

  g_assert_cmpuint (tasks, ==, 3);
  g_assert_cmpuint (waiting, ==, 3);
  g_assert_cmpuint (spawned, ==, statistics->spawned);
  g_assert_cmpuint (switches, ==, statistics->switches);
  for (guint i = 0; i < n; i++)
    {
      GValue value = G_VALUE_INIT;

      g_object_get_property (G_OBJECT (monitor), pspecs[i]->name, &value);
      g_value_unset (&value);
    }
}

static gpointer
compute (gpointer us, G_GNUC_UNUSED GError **error)
{
  gint64 end_us = g_get_monotonic_time () + GPOINTER_TO_INT (us);

  while (g_get_monotonic_time () < end_us)
    ;
  return NULL;
}

static void
test_the_busy_share_is_that_of_turns (void)
{
  g_autoptr (CothreadMonitor) monitor = NULL;
  double idle;

  settle ();
  monitor = new_monitor ();
  g_usleep (50000);
  cothread_monitor_refresh (monitor);
  idle = cothread_monitor_get_busy_share (monitor);
  start ("busy", compute, GINT_TO_POINTER (200000));
  settle ();
  cothread_monitor_refresh (monitor);

  g_assert_cmpfloat (idle, <, 0.2);
  g_assert_cmpfloat (cothread_monitor_get_busy_share (monitor), >, 0.5);
  g_assert_cmpfloat (cothread_monitor_get_busy_share (monitor), <=, 1);
}

static void
test_it_looks_by_itself (void)
{
  g_autoptr (CothreadMonitor) monitor = cothread_monitor_new (NULL);
  gint64 end_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  guint tasks = 0;

  cothread_monitor_set_interval (monitor, 5);
  start ("task", sleep_for_ever, NULL);
  while (tasks == 0 && g_get_monotonic_time () < end_us)
    {
      g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
      g_object_get (monitor, "tasks", &tasks, NULL);
    }
  g_assert_cmpuint (tasks, ==, 1);
}

static void
test_it_outlives_its_scheduler (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();
  guint tasks;

  start ("task", sleep_for_ever, NULL);
  settle ();
  cothread_monitor_refresh (monitor);
  cothread_scheduler_shutdown (cothread_monitor_get_scheduler (monitor));
  cothread_monitor_refresh (monitor);
  g_object_get (monitor, "tasks", &tasks, NULL);
  g_assert_cmpuint (tasks, ==, 0);
}

static gpointer
read_from_outside (gpointer monitor)
{
  expect_critical ("*is_own_thread*");
  g_assert_null (cothread_scheduler_get_statistics (cothread_monitor_get_scheduler (monitor)));
  g_test_assert_expected_messages ();
  expect_critical ("*is_own_thread*");
  cothread_monitor_refresh (monitor);
  g_test_assert_expected_messages ();
  return NULL;
}

static void
test_another_thread_is_told_off_and_nothing_happens (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();

  start ("task", sleep_for_ever, NULL);
  settle ();
  g_signal_connect (monitor, "notify::tasks", G_CALLBACK (say_notify), NULL);
  g_thread_join (g_thread_new ("outside", read_from_outside, monitor));
  assert_said ("");
  cothread_monitor_refresh (monitor);
  assert_said ("tasks");
}

static gint pipe_ends[2];

static void
write_to_pipe (G_GNUC_UNUSED int number)
{
  if (write (pipe_ends[1], "", 1) < 0)
    _exit (1);
}

static gboolean
read_monitor (gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer monitor)
{
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_task_infos (cothread_scheduler_get_default (), 0);
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  cothread_monitor_refresh (monitor);
  say ("%u tasks", tasks->len);
  return G_SOURCE_CONTINUE;
}

static gpointer
raise_signal (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  raise (SIGUSR2);
  return NULL;
}

/* While a task runs, even. */
static void
test_it_can_be_read_at_the_other_end_of_a_signal_handlers_pipe (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();
  g_autoptr (GSource) source = NULL;
  struct sigaction action = { .sa_handler = write_to_pipe }, before;

  make_pipe (pipe_ends);
  source = g_unix_fd_source_new (pipe_ends[0], G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (read_monitor), monitor, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_assert_cmpint (sigaction (SIGUSR2, &action, &before), ==, 0);
  start ("sleeper", sleep_for_ever, NULL);
  start ("raiser", raise_signal, NULL);
  g_signal_connect (monitor, "notify::tasks", G_CALLBACK (say_notify), NULL);
  settle ();
  assert_said ("tasks 1 tasks");
  sigaction (SIGUSR2, &before, NULL);
  g_source_destroy (source);
  close (pipe_ends[0]);
  close (pipe_ends[1]);
}

static gpointer
read_at_the_end (gpointer monitor, GError **error)
{
  g_autoptr (CothreadStatistics) statistics = NULL;

  cothread_sleep (COTHREAD_FOREVER, error);
  cothread_monitor_refresh (monitor);
  statistics = cothread_monitor_get_statistics (monitor);
  say ("%u left", statistics->tasks);
  return NULL;
}

static void
test_it_can_be_read_during_a_shutdown (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();

  start ("reader", read_at_the_end, monitor);
  start ("reader", read_at_the_end, monitor);
  settle ();
  cothread_scheduler_shutdown (cothread_monitor_get_scheduler (monitor));
  assert_said ("2 left 1 left");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/monitor/notify/coalesced", test_whatever_happens_in_between_is_one_notification);
  behaviour_add ("/monitor/properties/are-the-snapshot", test_its_properties_are_the_snapshot);
  behaviour_add ("/monitor/busy-share", test_the_busy_share_is_that_of_turns);
  behaviour_add ("/monitor/looks-by-itself", test_it_looks_by_itself);
  behaviour_add ("/monitor/read/another-thread", test_another_thread_is_told_off_and_nothing_happens);
  behaviour_add ("/monitor/read/signal-handlers-pipe", test_it_can_be_read_at_the_other_end_of_a_signal_handlers_pipe);
  behaviour_add ("/monitor/read/during-a-shutdown", test_it_can_be_read_during_a_shutdown);
  behaviour_add ("/monitor/outlives-its-scheduler", test_it_outlives_its_scheduler);
  return g_test_run ();
}
