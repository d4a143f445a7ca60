/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <unistd.h>

/* A scheduler seen through a private session bus: here by its own process, which
 * makes it easy to compare. */

static GTestDBus *bus;

static gboolean
begin (void)
{
  g_autofree char *daemon = g_find_program_in_path ("dbus-daemon");

  if (daemon == NULL)
    {
      g_test_skip ("no dbus-daemon here");
      return FALSE;
    }
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  return TRUE;
}

/* Not g_test_dbus_down(), nor dropped: that waits for the connection to go, which
 * others hold. The process ends anyway. */
static void
end (CothreadBusMonitor *monitor)
{
  if (monitor != NULL)
    cothread_bus_monitor_stop (monitor);
  g_test_dbus_stop (bus);
}

/* The name comes to the bus a moment later. */
static CothreadRemote *
find (const char *process)
{
  gint64 patience_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  g_autoptr (GError) error = NULL;
  CothreadRemote *remote;

  while ((remote = cothread_remote_new (process, &error)) == NULL)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      g_assert_cmpint (g_get_monotonic_time (), <, patience_us);
      g_clear_error (&error);
      cothread_sleep (10 * MS, NULL);
    }
  return remote;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
nothing (G_GNUC_UNUSED gpointer unused)
{
}

static void
test_tells_what_the_scheduler_tells (void)
{
  g_autoptr (CothreadBusMonitor) monitor = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (CothreadStatistics) there = NULL;
  g_autoptr (CothreadStatistics) here = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GArray) turns = NULL;
  g_auto (GStrv) backtrace = NULL;
  g_autofree char *dump = NULL;
  g_autoptr (GError) error = NULL;
  const CothreadTaskInfo *info;
  gint64 slice_us = 0;

  if (!begin ())
    return;
  monitor = cothread_bus_monitor_new (NULL);
  remote = find (cothread_bus_monitor_get_bus_name (monitor));
  start ("dormouse\xff", sleep_for_ever, NULL);
  settle ();

  there = cothread_remote_get_statistics (remote, &error);
  g_assert_no_error (error);
  here = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  g_assert_cmpuint (there->tasks, ==, here->tasks);
  g_assert_cmpuint (there->spawned, ==, here->spawned);
  g_assert_cmpint (there->age_us, <=, here->age_us);

  turns = cothread_remote_get_recent_turns (remote, &slice_us, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (turns->len, >, 0);
  g_assert_cmpint (slice_us, ==, cothread_scheduler_get_time_slice (cothread_scheduler_get_default ()));

  tasks = cothread_remote_list_task_infos (remote, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tasks->len, ==, 1);
  info = tasks->pdata[0];
  g_assert_cmpstr (info->name, ==, "dormouse\357\277\275");
  g_assert_cmpint (info->state, ==, COTHREAD_TASK_WAITING);
  g_assert_cmpstr (info->wait_reason, ==, "sleep");
  g_assert_cmpstr (info->language, ==, "C");
  g_assert_cmpint (info->deadline_us, ==, -1);

  backtrace = cothread_remote_dup_backtrace (remote, info->id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (backtrace), >, 0);
  g_clear_pointer (&backtrace, g_strfreev);
  backtrace = cothread_remote_dup_backtrace (remote, 123456, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (backtrace), ==, 0);

  dump = cothread_remote_dump_text (remote, FALSE, 0, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (dump, "dormouse"));
  end (monitor);
}

static void
test_tells_queues_with_their_histograms (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  g_autoptr (CothreadBusMonitor) monitor = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (GPtrArray) queues = NULL;
  g_autoptr (CothreadCallbackStatistics) here = NULL;
  g_autoptr (CothreadHistogram) waits_here = NULL;
  g_autoptr (CothreadHistogram) waits_there = NULL;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  const CothreadCallbackStatistics *there;

  if (!begin ())
    return;
  for (guint i = 0; i < 500; i++)
    {
      cothread_callback_queue_post (queue, nothing, NULL, NULL, NULL);
      settle ();
    }
  cothread_callback_queue_pause (queue);
  for (guint i = 0; i < 7; i++)
    cothread_callback_queue_post (queue, nothing, NULL, NULL, NULL);
  monitor = cothread_bus_monitor_new (NULL);
  remote = find (cothread_bus_monitor_get_bus_name (monitor));

  queues = cothread_remote_list_queues (remote, &names, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (queues->len, ==, 1);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_cmpstr (names[0], ==, cothread_callback_queue_get_name (queue));
  there = queues->pdata[0];
  here = cothread_callback_queue_get_statistics (queue);
  g_assert_cmpuint (there->length, ==, 7);
  g_assert_cmpuint (there->run, ==, here->run);
  g_assert_cmpuint (there->max_length, ==, here->max_length);

  waits_here = cothread_callback_statistics_get_time_in_queue (here);
  waits_there = cothread_callback_statistics_get_time_in_queue (there);
  g_assert_cmpuint (cothread_histogram_get_count (waits_here), >, 100);
  g_assert_cmpuint (cothread_histogram_get_count (waits_there), ==, cothread_histogram_get_count (waits_here));
  g_assert_cmpuint (cothread_histogram_get_max (waits_there), ==, cothread_histogram_get_max (waits_here));
  g_assert_cmpuint (cothread_histogram_get_quantile (waits_there, 0.9), ==, cothread_histogram_get_quantile (waits_here, 0.9));
  end (monitor);
}

static gpointer
join (gpointer task, GError **error)
{
  cothread_task_join (*(CothreadTask **) task, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static void
test_tells_each_warning_once (void)
{
  g_autoptr (CothreadBusMonitor) monitor = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (CothreadTask) one = NULL;
  g_autoptr (CothreadTask) other = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GError) error = NULL;
  gint64 patience_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  guint64 last = 0;

  if (!begin ())
    return;
  monitor = cothread_bus_monitor_new (NULL);
  remote = find (cothread_bus_monitor_get_bus_name (monitor));
  one = spawn ("one", join, &other);
  other = spawn ("other", join, &one);

  for (;;)
    {
      warnings = cothread_remote_list_warnings (remote, &last, &error);
      g_assert_no_error (error);
      if (warnings->len > 0)
        break;
      g_assert_cmpint (g_get_monotonic_time (), <, patience_us);
      g_clear_pointer (&warnings, g_ptr_array_unref);
      cothread_sleep (50 * MS, NULL);
    }
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_cmpuint (last, ==, 1);
  g_assert_cmpint (((CothreadWarning *) warnings->pdata[0])->kind, ==, COTHREAD_WARNING_DEADLOCK);
  g_assert_cmpstr (((CothreadWarning *) warnings->pdata[0])->task_name, ==, "one");
  g_clear_pointer (&warnings, g_ptr_array_unref);
  warnings = cothread_remote_list_warnings (remote, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 0);

  cothread_task_cancel (one);
  cothread_task_cancel (other);
  settle ();
  end (monitor);
}

static void
test_one_that_stops_is_said_to_have_ended (void)
{
  g_autoptr (CothreadBusMonitor) monitor = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (CothreadStatistics) statistics = NULL;
  g_autoptr (GError) error = NULL;

  if (!begin ())
    return;
  monitor = cothread_bus_monitor_new (NULL);
  remote = find (cothread_bus_monitor_get_bus_name (monitor));
  cothread_bus_monitor_stop (monitor);
  statistics = cothread_remote_get_statistics (remote, &error);
  g_assert_null (statistics);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  end (monitor);
}

static void
test_what_is_not_there_is_an_error (void)
{
  static const char *const bad[] = { "1/2", "", "no such.name", ".", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;

  if (!begin ())
    return;
  g_assert_null (cothread_remote_new (NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (cothread_remote_new ("999999999", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_assert_null (cothread_remote_new (bad[i], &error));
      g_assert_nonnull (error);
      g_clear_error (&error);
    }
  names = cothread_remote_list (&error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (names), ==, 0);
  end (NULL);
}

static void
test_without_a_session_bus_there_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  g_assert_null (cothread_remote_new ("1", &error));
  g_assert_true (g_str_has_prefix (error->message, "There is no session bus: "));
}

/* One that lies about everything. */
static void
lie (G_GNUC_UNUSED GDBusConnection *connection, G_GNUC_UNUSED const char *sender, G_GNUC_UNUSED const char *path,
     G_GNUC_UNUSED const char *interface, const char *method, G_GNUC_UNUSED GVariant *parameters,
     GDBusMethodInvocation *invocation, G_GNUC_UNUSED gpointer data)
{
  const char *answer = g_str_equal (method, "GetStatistics")  ? "({'tasks': <'many'>, 'ready': <int64 -5>, 'spawned': <uint64 18446744073709551615>},)"
                       : g_str_equal (method, "ListQueues")   ? "([{'name': <7>, 'length': <'x'>, 'time_in_queue': <(uint64 5, uint64 0, uint64 1, "
                                                                "[(uint64 18446744073709551615, uint64 18446744073709551615), (0, 1)])>, 'run_time': <'?'>}],)"
                       : g_str_equal (method, "PackTasks")    ? "(['state', 'name', 'wait_fd', 'news'], 'sust', [byte 1, 0x64, 0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x78])"
                       : g_str_equal (method, "ListWarnings") ? "(uint64 3, [(uint32 4000000000, uint64 1, '', '')])"
                                                              : "('what?',)";

  g_dbus_method_invocation_return_value (invocation, g_variant_new_parsed (answer));
}

static void
test_one_that_lies_is_not_believed (void)
{
  static const GDBusInterfaceVTable vtable = { lie, NULL, NULL, { NULL } };
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GDBusNodeInfo) node = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (CothreadStatistics) statistics = NULL;
  g_autoptr (GPtrArray) queues = NULL;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (CothreadHistogram) waits = NULL;
  g_auto (GStrv) names = NULL;
  g_autoptr (GError) error = NULL;
  guint64 last = 0;
  guint name_id;

  if (!begin ())
    return;
  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  g_assert_no_error (error);
  node = g_dbus_node_info_new_for_xml ("<node><interface name='org.cothread.Monitor1'>"
                                       "<method name='GetStatistics'><arg type='a{sv}' direction='out'/></method>"
                                       "<method name='GetTurns'><arg type='s' direction='out'/></method>"
                                       "<method name='ListQueues'><arg type='aa{sv}' direction='out'/></method>"
                                       "<method name='PackTasks'><arg type='u' direction='in'/><arg type='as' direction='out'/>"
                                       "<arg type='s' direction='out'/><arg type='ay' direction='out'/></method>"
                                       "<method name='ListWarnings'><arg type='t' direction='in'/><arg type='t' direction='out'/>"
                                       "<arg type='a(utss)' direction='out'/></method></interface></node>", &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (connection, COTHREAD_MONITOR_OBJECT_PATH, node->interfaces[0], &vtable, NULL, NULL, &error);
  g_assert_no_error (error);
  name_id = g_bus_own_name_on_connection (connection, "org.cothread.Monitor.pliar", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
  remote = find ("liar");

  statistics = cothread_remote_get_statistics (remote, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (statistics->tasks, ==, 0);
  g_assert_cmpuint (statistics->spawned, ==, G_MAXUINT64);
  g_assert_null (cothread_remote_get_recent_turns (remote, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  queues = cothread_remote_list_queues (remote, &names, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (names[0], ==, "");
  waits = cothread_callback_statistics_get_time_in_queue (queues->pdata[0]);
  cothread_histogram_get_quantile (waits, 0.5);
  tasks = cothread_remote_list_task_infos (remote, 10, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tasks->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const CothreadTaskInfo *info = tasks->pdata[i];
      g_autofree char *wait = cothread_task_info_dup_wait_text (info);

      g_assert_cmpstr (info->name, ==, "");
      g_assert_nonnull (cothread_task_state_to_string (info->state));
    }
  warnings = cothread_remote_list_warnings (remote, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpint (((CothreadWarning *) warnings->pdata[0])->kind, <=, COTHREAD_WARNING_FORGOTTEN_FAILURE);
  g_assert_null (cothread_remote_dump_text (remote, TRUE, 0, &error)); /* it has no such method */
  g_assert_nonnull (error);
  g_bus_unown_name (name_id);
  end (NULL);
}

static gpointer
look (gpointer remote, GError **error)
{
  g_autoptr (CothreadStatistics) statistics = cothread_remote_get_statistics (remote, error);

  g_assert_null (statistics);
  return NULL;
}

static void
test_a_cancelled_task_stops_asking (void)
{
  g_autoptr (CothreadBusMonitor) monitor = NULL;
  g_autoptr (CothreadRemote) remote = NULL;
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  if (!begin ())
    return;
  monitor = cothread_bus_monitor_new (NULL);
  remote = find (cothread_bus_monitor_get_bus_name (monitor));
  task = spawn ("look", look, remote);
  cothread_task_cancel (task);
  cothread_task_join (task, COTHREAD_FOREVER, NULL, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  end (monitor);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  behaviour_add_isolated ("/remote/tells-what-the-scheduler-tells", test_tells_what_the_scheduler_tells);
  behaviour_add_isolated ("/remote/tells-queues-with-their-histograms", test_tells_queues_with_their_histograms);
  behaviour_add_isolated ("/remote/tells-each-warning-once", test_tells_each_warning_once);
  behaviour_add_isolated ("/remote/one-that-stops-is-said-to-have-ended", test_one_that_stops_is_said_to_have_ended);
  behaviour_add_isolated ("/remote/what-is-not-there-is-an-error", test_what_is_not_there_is_an_error);
  behaviour_add_isolated ("/remote/without-a-session-bus-there-is-an-error", test_without_a_session_bus_there_is_an_error);
  behaviour_add_isolated ("/remote/one-that-lies-is-not-believed", test_one_that_lies_is_not_believed);
  behaviour_add_isolated ("/remote/a-cancelled-task-stops-asking", test_a_cancelled_task_stops_asking);

  return g_test_run ();
}
