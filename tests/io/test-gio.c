/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The conveniences, with real peers: files, sockets, programs, a message bus. */

static GFile *
make_folder (void)
{
  g_autofree char *path = g_dir_make_tmp ("cothread-io-XXXXXX", NULL);

  g_assert_nonnull (path);
  return g_file_new_for_path (path);
}

static void
remove_folder (GFile *folder)
{
  g_autofree char *path = g_file_get_path (folder);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_unlink (child), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
run_in_task (CothreadTaskFunc func, gpointer data)
{
  g_autoptr (CothreadTask) task = spawn ("task", func, data);
  g_autoptr (GError) error = NULL;

  g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_no_error (error);
}

static gpointer
save_and_load (gpointer folder, GError **error)
{
  g_autoptr (GFile) file = g_file_get_child (folder, "file");
  g_autofree char *contents = NULL;
  gsize length = 0;

  g_assert_true (cothread_save_file (file, "first", -1, error));
  g_assert_true (cothread_save_file (file, "a\0b", 3, error));
  g_assert_true (cothread_load_file (file, &contents, &length, error));
  g_assert_cmpmem (contents, length, "a\0b", 3);
  g_clear_pointer (&contents, g_free);
  g_assert_true (cothread_save_file (file, NULL, 0, error));
  g_assert_true (cothread_load_file (file, &contents, &length, error));
  g_assert_cmpuint (length, ==, 0);
  return NULL;
}

static void
test_a_file_is_saved_and_loaded (void)
{
  g_autoptr (GFile) folder = make_folder ();

  run_in_task (save_and_load, folder);
  remove_folder (folder);
}

static gpointer
fail_to_load (gpointer folder, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GFile) file = g_file_get_child (folder, "missing");
  g_autoptr (GFile) below = g_file_get_child (file, "below");
  g_autoptr (GError) error = NULL;
  char *contents = NULL;

  g_assert_false (cothread_load_file (file, &contents, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_null (contents);
  g_clear_error (&error);
  g_assert_false (cothread_load_file (folder, &contents, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  g_clear_error (&error);
  g_assert_false (cothread_save_file (below, "x", 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (cothread_list_folder (file, "standard::name", G_FILE_QUERY_INFO_NONE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  return NULL;
}

static void
test_what_the_file_system_says_comes_as_it_is (void)
{
  g_autoptr (GFile) folder = make_folder ();

  run_in_task (fail_to_load, folder);
  remove_folder (folder);
}

#define N_FILES 50000

static gpointer
list_large_folder (gpointer folder, GError **error)
{
  g_autofree gboolean *seen = g_new0 (gboolean, N_FILES);
  g_autoptr (GPtrArray) infos = cothread_list_folder (folder, "standard::name", G_FILE_QUERY_INFO_NONE, error);

  g_assert_cmpuint (infos->len, ==, N_FILES);
  for (guint i = 0; i < infos->len; i++)
    {
      guint64 number = g_ascii_strtoull (g_file_info_get_name (infos->pdata[i]), NULL, 10);

      g_assert_cmpuint (number, <, N_FILES);
      g_assert_false (seen[number]);
      seen[number] = TRUE;
    }
  say ("listed");
  return NULL;
}

static gpointer
count_turns (gpointer n, G_GNUC_UNUSED GError **error)
{
  while (cothread_sleep (0, NULL))
    (*(guint *) n)++;
  return NULL;
}

static void
test_a_folder_of_50000_files (void)
{
  g_autoptr (GFile) folder = make_folder ();
  g_autofree char *path = g_file_get_path (folder);
  guint n_turns = 0;
  g_autoptr (CothreadTask) other = NULL;

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *child = g_strdup_printf ("%s/%u", path, i);
      int fd = open (child, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

      g_assert_cmpint (fd, >=, 0);
      close (fd);
    }
  use_default_time_slice ();
  other = spawn ("other", count_turns, &n_turns);
  run_in_task (list_large_folder, folder);
  cothread_task_cancel (other);
  g_assert_cmpuint (n_turns, >, N_FILES / 256); /* others ran between the portions */
  assert_said ("listed");
  run_until_no_task_is_left ();
  remove_folder (folder);
}

static gpointer
cancel_self_and_list (gpointer folder, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;

  cothread_task_cancel (cothread_task_self ());
  g_assert_null (cothread_list_folder (folder, "standard::name", G_FILE_QUERY_INFO_NONE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static void
test_a_cancelled_task_lists_nothing (void)
{
  g_autoptr (GFile) folder = make_folder ();

  run_in_task (cancel_self_and_list, folder);
  remove_folder (folder);
}

static gpointer
resolve_localhost (G_GNUC_UNUSED gpointer unused, GError **error)
{
  GList *addresses = cothread_resolve ("127.0.0.1", error);
  g_autoptr (GError) failure = NULL;

  g_assert_nonnull (addresses);
  g_assert_true (g_inet_address_get_is_loopback (addresses->data));
  g_resolver_free_addresses (addresses);
  g_assert_null (cothread_resolve ("no such host.invalid", &failure));
  g_assert_nonnull (failure);
  return NULL;
}

static void
test_a_name_is_resolved (void)
{
  run_in_task (resolve_localhost, NULL);
}

static gpointer
accept_one (gpointer listener, GError **error)
{
  g_autoptr (GSocketConnection) connection = cothread_accept_connection (listener, NULL, error);

  if (connection == NULL)
    return NULL;
  g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "hello", 5, NULL, NULL, error));
  say ("accepted");
  return NULL;
}

static gpointer
connect_and_read (gpointer port, GError **error)
{
  g_autoptr (GSocketConnection) connection = cothread_connect_to_host ("127.0.0.1", GPOINTER_TO_UINT (port), 30 * G_USEC_PER_SEC, error);
  g_autoptr (GAsyncResult) result = NULL;
  GInputStream *input;
  char text[5];
  gsize n = 0;

  g_assert_nonnull (connection);
  input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  result = cothread_await (error, g_input_stream_read_all_async, input, text, sizeof text, G_PRIORITY_DEFAULT);
  g_assert_true (g_input_stream_read_all_finish (input, result, &n, error));
  g_assert_cmpmem (text, n, "hello", 5);
  say ("read");
  return NULL;
}

static void
test_a_client_and_a_listener (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autoptr (CothreadTask) idle = NULL;

  start ("listener", accept_one, listener);
  start ("client", connect_and_read, GUINT_TO_POINTER (port));
  run_until_no_task_is_left ();
  assert_said ("accepted read");

  idle = spawn ("listener", accept_one, listener);
  settle ();
  cothread_task_cancel (idle);
  run_until_no_task_is_left ();
}

static gpointer
connect_to_nobody (gpointer port, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (cothread_connect_to_host ("127.0.0.1", GPOINTER_TO_UINT (port), COTHREAD_FOREVER, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  return NULL;
}

static void
test_nobody_listens (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  run_in_task (connect_to_nobody, GUINT_TO_POINTER (port));
}

#define MUCH (8 * 1024 * 1024)

static gpointer
run_cat (G_GNUC_UNUSED gpointer unused, GError **error)
{
  static const char *const argv[] = { "sh", "-c", "tee /dev/stderr", NULL };
  g_autofree char *text = g_malloc (MUCH);
  g_autoptr (GBytes) input = NULL, output = NULL, errors = NULL;

  for (guint i = 0; i < MUCH; i++)
    text[i] = (char) ('a' + i % 26);
  input = g_bytes_new_take (g_steal_pointer (&text), MUCH);
  g_assert_true (cothread_run (argv, input, &output, &errors, NULL, error));
  g_assert_true (g_bytes_equal (input, output));
  g_assert_true (g_bytes_equal (input, errors));
  return NULL;
}

static void
test_a_program_with_much_to_read_and_to_say (void)
{
  run_in_task (run_cat, NULL);
}

static gpointer
run_failing (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  static const char *const exits[] = { "sh", "-c", "exit 3", NULL };
  static const char *const missing[] = { "/nonexistent/program", NULL };
  g_autoptr (GError) error = NULL;
  gint status = 0;

  g_assert_false (cothread_run (exits, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_SPAWN_EXIT_ERROR, 3);
  g_clear_error (&error);
  g_assert_true (cothread_run (exits, NULL, NULL, NULL, &status, &error));
  g_assert_cmpint (WEXITSTATUS (status), ==, 3);
  g_assert_false (cothread_run (missing, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
  return NULL;
}

static void
test_a_program_that_fails (void)
{
  run_in_task (run_failing, NULL);
}

static gpointer
run_for_ever (gpointer path, GError **error)
{
  const char *const argv[] = { "sh", "-c", "echo $$ > \"$0\"; exec sleep 1000", path, NULL };
  g_autoptr (GBytes) output = NULL;

  cothread_run (argv, NULL, &output, NULL, NULL, error);
  return NULL;
}

static void
test_cancelling_kills_the_program (void)
{
  g_autoptr (GFile) folder = make_folder ();
  g_autofree char *base = g_file_get_path (folder);
  g_autofree char *path = g_build_filename (base, "pid", NULL);
  g_autofree char *text = NULL;
  g_autoptr (CothreadTask) task = spawn ("runner", run_for_ever, path);
  g_autoptr (GError) error = NULL;

  do
    {
      g_clear_pointer (&text, g_free);
      g_assert_true (cothread_sleep (5 * MS, NULL));
    }
  while (!g_file_get_contents (path, &text, NULL, NULL) || strchr (text, '\n') == NULL);
  cothread_task_cancel (task);
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (kill ((pid_t) g_ascii_strtoll (text, NULL, 10), 0), ==, -1);
  remove_folder (folder);
}

/* ---- a private message bus ---- */

static GDBusConnection *
connect_to_bus (GTestDBus *bus, GError **error)
{
  g_autoptr (GAsyncResult) result =
    cothread_await (error, g_dbus_connection_new_for_address, g_test_dbus_get_bus_address (bus),
                    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL);

  return result != NULL ? g_dbus_connection_new_for_address_finish (result, error) : NULL;
}

static GVariant *
call_bus (GDBusConnection *connection, const char *method, GVariant *parameters, const char *type, gint64 timeout_us, GError **error)
{
  return cothread_call_dbus (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                             parameters, G_VARIANT_TYPE (type), timeout_us, error);
}

static gpointer
talk_to_bus (gpointer bus, GError **error)
{
  g_autoptr (GDBusConnection) connection = connect_to_bus (bus, error);
  g_autoptr (GVariant) names = NULL, owner = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_nonnull (connection);
  names = call_bus (connection, "ListNames", NULL, "(as)", COTHREAD_FOREVER, error);
  g_assert_nonnull (names);
  g_assert_null (call_bus (connection, "GetNameOwner", g_variant_new ("(s)", "no.such.Name"), "(s)", COTHREAD_FOREVER, &failure));
  g_assert_error (failure, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
  g_clear_error (&failure);
  /* Nobody on the bus answers for us, least of all ourselves while we wait. */
  g_assert_null (cothread_call_dbus (connection, g_dbus_connection_get_unique_name (connection), "/", "no.such.Interface", "Method",
                                     NULL, NULL, COTHREAD_FOREVER, &failure));
  g_assert_error (failure, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
  result = cothread_await (error, g_dbus_connection_close, connection);
  g_assert_true (g_dbus_connection_close_finish (connection, result, error));
  g_clear_error (&failure);
  g_assert_null (call_bus (connection, "ListNames", NULL, "(as)", COTHREAD_FOREVER, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
  say ("talked");
  return NULL;
}

static void
test_a_private_bus (void)
{
  g_autoptr (GTestDBus) bus = NULL;
  g_autofree char *daemon = g_find_program_in_path ("dbus-daemon");

  if (daemon == NULL)
    {
      g_test_skip ("no dbus-daemon here");
      return;
    }
  bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (bus);
  run_in_task (talk_to_bus, bus);
  assert_said ("talked");
  g_test_dbus_stop (bus);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/gio/" path, test)
  ADD ("a-file-is-saved-and-loaded", test_a_file_is_saved_and_loaded);
  ADD ("what-the-file-system-says-comes-as-it-is", test_what_the_file_system_says_comes_as_it_is);
  ADD ("a-folder-of-50000-files", test_a_folder_of_50000_files);
  ADD ("a-cancelled-task-lists-nothing", test_a_cancelled_task_lists_nothing);
  ADD ("a-name-is-resolved", test_a_name_is_resolved);
  ADD ("a-client-and-a-listener", test_a_client_and_a_listener);
  ADD ("nobody-listens", test_nobody_listens);
  ADD ("a-program-with-much-to-read-and-to-say", test_a_program_with_much_to_read_and_to_say);
  ADD ("a-program-that-fails", test_a_program_that_fails);
  ADD ("cancelling-kills-the-program", test_cancelling_kills_the_program);
  ADD ("a-private-bus", test_a_private_bus);
  return g_test_run ();
}
