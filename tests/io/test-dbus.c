/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <string.h>

/* Tasks that call, and tasks that answer, over a private message bus. */

#define PATH "/org/cothread/Test"
#define INTERFACE "org.cothread.Test"
#define N_CALLS 100 /* a bus allows 128 */
#define MUCH (4 * 1024 * 1024)

static const char introspection[] =
  "<node><interface name='" INTERFACE "'>"
  "<method name='Echo'><arg type='s' direction='in'/><arg type='s' direction='out'/></method>"
  "<method name='Fail'/>"
  "<method name='Never'/>"
  "<signal name='Changed'><arg type='i'/></signal>"
  "</interface></node>";

static GTestDBus *bus;
static GDBusConnection *ours, *theirs;
static GDBusMethodInvocation *unanswered;

/* ---- who answers: a task for each call ---- */

static gpointer
answer (gpointer data, GError **error)
{
  GDBusMethodInvocation *invocation = data;
  const char *method = g_dbus_method_invocation_get_method_name (invocation);

  if (!cothread_sleep (MS, error))
    return NULL;
  if (g_str_equal (method, "Echo"))
    g_dbus_method_invocation_return_value (invocation, g_dbus_method_invocation_get_parameters (invocation));
  else if (g_str_equal (method, "Fail"))
    g_dbus_method_invocation_return_dbus_error (invocation, INTERFACE ".Error.Odd", "it is odd");
  else
    unanswered = invocation;
  return NULL;
}

static void
called (G_GNUC_UNUSED GDBusConnection *connection, G_GNUC_UNUSED const char *sender, G_GNUC_UNUSED const char *path,
        G_GNUC_UNUSED const char *interface, G_GNUC_UNUSED const char *method, G_GNUC_UNUSED GVariant *parameters,
        GDBusMethodInvocation *invocation, G_GNUC_UNUSED gpointer unused)
{
  start ("answer", answer, invocation);
}

static GDBusConnection *
connect_to_bus (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result =
    cothread_await (&error, g_dbus_connection_new_for_address, g_test_dbus_get_bus_address (bus),
                    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL);
  GDBusConnection *connection;

  g_assert_no_error (error);
  connection = g_dbus_connection_new_for_address_finish (result, &error);
  g_assert_no_error (error);
  return connection;
}

static gboolean
set_up (void)
{
  static const GDBusInterfaceVTable vtable = { .method_call = called };
  g_autofree char *daemon = g_find_program_in_path ("dbus-daemon");
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);

  if (daemon == NULL)
    {
      g_test_skip ("no dbus-daemon here");
      return FALSE;
    }
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  theirs = connect_to_bus ();
  ours = connect_to_bus ();
  g_assert_cmpuint (g_dbus_connection_register_object (theirs, PATH, node->interfaces[0], &vtable, NULL, NULL, NULL), >, 0);
  return TRUE;
}

static void
close_connection (GDBusConnection *connection)
{
  g_autoptr (GAsyncResult) result = cothread_await (NULL, g_dbus_connection_close, connection);

  g_dbus_connection_close_finish (connection, result, NULL);
  g_object_unref (connection);
}

static void
tear_down (void)
{
  g_clear_object (&unanswered);
  close_connection (g_steal_pointer (&ours));
  close_connection (g_steal_pointer (&theirs));
  g_test_dbus_stop (bus);
  g_clear_object (&bus);
  settle ();
}

static GVariant *
call (const char *method, GVariant *parameters, const char *type, gint64 timeout_us, GError **error)
{
  return cothread_call_dbus (ours, g_dbus_connection_get_unique_name (theirs), PATH, INTERFACE, method, parameters,
                             type != NULL ? G_VARIANT_TYPE (type) : NULL, timeout_us, error);
}

/* ---- calls ---- */

static gpointer
call_echo (gpointer number, GError **error)
{
  g_autofree char *text = g_strdup_printf ("call %u", GPOINTER_TO_UINT (number));
  g_autoptr (GVariant) back = call ("Echo", g_variant_new ("(s)", text), "(s)", COTHREAD_FOREVER, error);
  const char *said = NULL;

  g_assert_nonnull (back);
  g_variant_get (back, "(&s)", &said);
  g_assert_cmpstr (said, ==, text);
  return NULL;
}

static void
test_many_call_at_once_and_a_task_answers_each (void)
{
  if (!set_up ())
    return;
  for (guint i = 0; i < N_CALLS; i++)
    start ("caller", call_echo, GUINT_TO_POINTER (i));
  run_until_no_task_is_left ();
  tear_down ();
}

static gpointer
call_with_much (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autofree char *text = g_strnfill (MUCH, 'x');
  g_autoptr (GVariant) back = call ("Echo", g_variant_new ("(s)", text), "(s)", COTHREAD_FOREVER, error);
  const char *said = NULL;

  g_assert_nonnull (back);
  g_variant_get (back, "(&s)", &said);
  g_assert_cmpuint (strlen (said), ==, MUCH);
  return NULL;
}

static void
test_a_call_with_much_to_say (void)
{
  if (!set_up ())
    return;
  start ("caller", call_with_much, NULL);
  run_until_no_task_is_left ();
  tear_down ();
}

static gpointer
call_in_vain (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  g_assert_null (call ("Fail", NULL, NULL, COTHREAD_FOREVER, &error));
  name = g_dbus_error_get_remote_error (error);
  g_assert_cmpstr (name, ==, INTERFACE ".Error.Odd");
  g_clear_error (&error);
  g_assert_null (call ("NoSuchMethod", NULL, NULL, COTHREAD_FOREVER, &error));
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
  g_clear_error (&error);
  /* An answer of another type than was asked for. */
  g_assert_null (call ("Echo", g_variant_new ("(s)", "x"), "(i)", COTHREAD_FOREVER, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  /* Arguments that the other side does not take. */
  g_assert_null (call ("Echo", g_variant_new ("(i)", 1), NULL, COTHREAD_FOREVER, &error));
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
  say ("told");
  return NULL;
}

static void
test_what_the_other_side_says_comes_as_it_is (void)
{
  if (!set_up ())
    return;
  start ("caller", call_in_vain, NULL);
  run_until_no_task_is_left ();
  assert_said ("told");
  tear_down ();
}

static gpointer
call_never (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (call ("Never", NULL, NULL, GPOINTER_TO_INT (timeout_us), &error));
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("timeout");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("cancelled");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    say ("closed");
  else
    say ("%s", error->message);
  return NULL;
}

static void
wait_until_called (void)
{
  while (unanswered == NULL)
    g_assert_true (cothread_sleep (MS, NULL));
}

static void
test_who_gets_no_answer_in_time (void)
{
  if (!set_up ())
    return;
  start ("caller", call_never, GINT_TO_POINTER (50 * MS));
  run_until_no_task_is_left ();
  assert_said ("timeout");
  wait_until_called ();
  tear_down ();
}

static void
test_who_is_cancelled_while_the_other_side_works (void)
{
  g_autoptr (CothreadTask) task = NULL;

  if (!set_up ())
    return;
  task = spawn ("caller", call_never, GINT_TO_POINTER (COTHREAD_FOREVER));
  wait_until_called ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  /* The answer comes after all, to nobody. */
  g_dbus_method_invocation_return_value (g_steal_pointer (&unanswered), NULL);
  tear_down ();
}

static void
test_the_bus_ends_in_the_middle_of_a_call (void)
{
  if (!set_up ())
    return;
  start ("caller", call_never, GINT_TO_POINTER (COTHREAD_FOREVER));
  wait_until_called ();
  g_test_dbus_stop (bus);
  run_until_no_task_is_left ();
  assert_said ("closed");
  g_clear_object (&unanswered);
  g_clear_object (&ours);
  g_clear_object (&theirs);
  g_clear_object (&bus);
  settle ();
}

/* ---- a signal of the other side ---- */

static gpointer
wait_for_change (gpointer proxy, GError **error)
{
  g_autoptr (GArray) arguments = NULL;
  g_autoptr (GVariant) parameters = NULL;
  gint number = 0;

  g_assert_true (cothread_wait_signal (proxy, "g-signal::Changed", COTHREAD_FOREVER, &arguments, error));
  g_assert_cmpuint (arguments->len, ==, 3);
  parameters = g_value_dup_variant (&g_array_index (arguments, GValue, 2));
  g_variant_get (parameters, "(i)", &number);
  say ("%d", number);
  return NULL;
}

static void
test_a_signal_of_the_other_side_is_waited_for (void)
{
  g_autoptr (GDBusProxy) proxy = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!set_up ())
    return;
  result = cothread_await (&error, g_dbus_proxy_new, ours, G_DBUS_PROXY_FLAGS_NONE, NULL,
                           g_dbus_connection_get_unique_name (theirs), PATH, INTERFACE);
  proxy = g_dbus_proxy_new_finish (result, &error);
  g_assert_no_error (error);
  start ("waiter", wait_for_change, proxy);
  settle ();
  g_assert_true (g_dbus_connection_emit_signal (theirs, NULL, PATH, INTERFACE, "Changed", g_variant_new ("(i)", 42), NULL));
  run_until_no_task_is_left ();
  assert_said ("42");
  g_clear_object (&result); /* which holds it too */
  g_clear_object (&proxy);
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/dbus/" #name, test_##name)
  ADD (many_call_at_once_and_a_task_answers_each);
  ADD (a_call_with_much_to_say);
  ADD (what_the_other_side_says_comes_as_it_is);
  ADD (who_gets_no_answer_in_time);
  ADD (who_is_cancelled_while_the_other_side_works);
  ADD (the_bus_ends_in_the_middle_of_a_call);
  ADD (a_signal_of_the_other_side_is_waited_for);
  return g_test_run ();
}
