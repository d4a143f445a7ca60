/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Streams and servers in tasks. */

static void
make_connections (GSocketConnection *connections[2])
{
  gint fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GSocket) socket = g_socket_new_from_fd (fds[i], NULL);

      connections[i] = g_socket_connection_factory_create_connection (socket);
    }
}

static void
say_error (GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  if (error == NULL)
    say ("ok");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("cancelled");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    say ("closed");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    say ("broken-pipe");
  else
    say ("%s", error->message);
}

static gpointer
echo (gpointer connection, G_GNUC_UNUSED GError **unused)
{
  GInputStream *input = g_io_stream_get_input_stream (connection);
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  GError *error = NULL;
  char buffer[4096];
  gssize n;

  while ((n = cothread_stream_read (input, buffer, sizeof buffer, &error)) > 0)
    if (!cothread_stream_write_all (output, buffer, (gsize) n, NULL, &error))
      break;
  say_error (&error);
  return NULL;
}

#define MUCH (1024 * 1024)

static gpointer
send_much (gpointer connection, GError **error)
{
  g_autofree char *text = g_malloc (MUCH);
  gsize n = 0;

  for (guint i = 0; i < MUCH; i++)
    text[i] = (char) (i % 251);
  g_assert_true (cothread_stream_write_all (g_io_stream_get_output_stream (connection), text, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  return NULL;
}

static gpointer
receive_much (gpointer connection, GError **error)
{
  g_autofree guchar *text = g_malloc (MUCH);
  gsize n = 0;

  g_assert_true (cothread_stream_read_all (g_io_stream_get_input_stream (connection), text, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  for (guint i = 0; i < MUCH; i++)
    g_assert_cmpint (text[i], ==, i % 251);
  g_assert_true (cothread_stream_close (connection, error));
  return NULL;
}

static void
test_much_goes_to_and_fro (void)
{
  GSocketConnection *connections[2];

  make_connections (connections);
  start ("echo", echo, connections[0]);
  start ("sender", send_much, connections[1]);
  start ("receiver", receive_much, connections[1]);
  run_until_no_task_is_left ();
  assert_said ("ok");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static void
test_cancelled_while_it_reads (void)
{
  GSocketConnection *connections[2];
  g_autoptr (CothreadTask) task = NULL;

  make_connections (connections);
  task = spawn ("echo", echo, connections[0]);
  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static gpointer
close_connection (gpointer connection, G_GNUC_UNUSED GError **error)
{
  g_assert_true (g_io_stream_close (connection, NULL, NULL));
  return NULL;
}

/* By another task, and by GIO's own close. */
static void
test_closed_while_it_reads (void)
{
  GSocketConnection *connections[2];

  make_connections (connections);
  start ("echo", echo, connections[0]);
  settle ();
  start ("closer", close_connection, connections[0]);
  run_until_no_task_is_left ();
  assert_said ("closed");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static void
test_the_other_side_is_gone (void)
{
  GSocketConnection *connections[2];
  static char text[MUCH];
  gsize n = 0;
  GError *error = NULL;

  make_connections (connections);
  g_assert_true (g_io_stream_close (G_IO_STREAM (connections[1]), NULL, NULL));
  g_assert_false (cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connections[0])), text, MUCH, &n, &error));
  say_error (&error);
  assert_said ("broken-pipe");
  g_assert_cmpint (cothread_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connections[0])), text, 1, &error), ==, 0);
  g_assert_true (g_io_stream_close (G_IO_STREAM (connections[0]), NULL, NULL));
  g_assert_cmpint (cothread_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connections[0])), text, 1, &error), ==, -1);
  say_error (&error);
  assert_said ("closed");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static gpointer
read_lines (gpointer stream, GError **error)
{
  char *line;
  gsize length = 0;

  while ((line = cothread_stream_read_line (stream, &length, error)) != NULL)
    {
      g_assert_cmpuint (strlen (line), ==, length);
      say ("[%s]", line);
      g_free (line);
    }
  say ("end");
  return NULL;
}

static void
test_lines_are_read_as_they_come (void)
{
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  gint ends[2];

  make_pipe (ends);
  input = g_unix_input_stream_new (ends[0], TRUE);
  lines = g_data_input_stream_new (input);
  start ("reader", read_lines, lines);
  settle ();
  g_assert_cmpint (write (ends[1], "one\ntw", 6), ==, 6);
  while (!g_main_context_iteration (g_main_context_get_thread_default (), TRUE))
    ;
  g_assert_cmpint (write (ends[1], "o\n\n", 3), ==, 3);
  cothread_write_all (ends[1], "last", 4, COTHREAD_FOREVER, NULL);
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();
  assert_said ("[one] [two] [] [last] end");
}

static gpointer
use_memory (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GInputStream) input = g_memory_input_stream_new_from_data ("memory", 6, NULL);
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  char text[16];
  gsize n = 0;

  g_assert_true (cothread_stream_read_all (input, text, sizeof text, &n, error));
  g_assert_true (cothread_stream_write_all (output, text, n, &n, error));
  g_assert_cmpmem (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (output)), n, "memory", 6);
  return NULL;
}

static gpointer
use_file (gpointer path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = cothread_await (error, g_file_create_readwrite_async, file, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT);
  g_autoptr (GFileIOStream) stream = g_file_create_readwrite_finish (file, result, error);
  char text[16];
  gsize n = 0;

  g_assert_true (cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)), "file", 4, &n, error));
  g_assert_true (g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_SET, NULL, error));
  g_assert_true (cothread_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (stream)), text, sizeof text, &n, error));
  g_assert_cmpmem (text, n, "file", 4);
  g_assert_true (cothread_stream_close (G_IO_STREAM (stream), error));
  return NULL;
}

static void
test_streams_that_cannot_be_polled (void)
{
  g_autofree char *dir = g_dir_make_tmp (NULL, NULL), *path = g_build_filename (dir, "file", NULL);

  start ("memory", use_memory, NULL);
  start ("file", use_file, path);
  run_until_no_task_is_left ();
  g_unlink (path);
  g_rmdir (dir);
}

/* ---- CothreadServer ---- */

static guint n_serving, most_serving;

static void
serve_echo (GSocketConnection *connection, gpointer unused)
{
  (void) unused;
  n_serving++;
  most_serving = MAX (most_serving, n_serving);
  echo (connection, NULL);
  n_serving--;
}

static CothreadServer *
start_server (guint max_connections, guint16 *port)
{
  CothreadServer *server = cothread_server_new (max_connections, serve_echo, NULL, NULL);
  g_autoptr (GError) error = NULL;

  n_serving = most_serving = 0;
  *port = g_socket_listener_add_any_inet_port (cothread_server_get_listener (server), NULL, &error);
  g_assert_no_error (error);
  g_assert_true (cothread_server_start (server, &error));
  g_assert_no_error (error);
  return server;
}

static void
end_server (CothreadServer *server)
{
  cothread_server_stop (server);
  g_assert_true (cothread_server_wait (server, COTHREAD_FOREVER, NULL));
  g_assert_cmpuint (cothread_server_get_n_connections (server), ==, 0);
  g_object_unref (server);
  run_until_no_task_is_left ();
}

static GSocketConnection *
connect_to (guint16 port)
{
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = cothread_connect_to_host ("127.0.0.1", port, COTHREAD_FOREVER, &error);

  g_assert_no_error (error);
  return connection;
}

static void
talk (GSocketConnection *connection)
{
  char text[5];
  gsize n = 0;

  g_assert_true (cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "hello", 5, NULL, NULL));
  g_assert_true (cothread_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (connection)), text, 5, &n, NULL));
  g_assert_cmpmem (text, n, "hello", 5);
}

static gpointer
visit (gpointer port, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GSocketConnection) connection = connect_to ((guint16) GPOINTER_TO_UINT (port));

  for (guint i = 0; i < 3; i++)
    talk (connection);
  g_assert_true (cothread_stream_close (G_IO_STREAM (connection), NULL));
  return NULL;
}

static void
test_each_connection_has_a_task_and_there_is_a_bound (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  g_autofree char *oks = NULL;
  guint16 port;
  CothreadServer *server = start_server (3, &port);

  for (guint i = 0; i < 20; i++)
    cothread_task_unref (cothread_scope_spawn (scope, visit, GUINT_TO_POINTER (port)));
  g_assert_true (cothread_scope_leave (scope, NULL));
  g_assert_cmpuint (most_serving, <=, 3);
  g_assert_cmpuint (most_serving, >, 0);
  while (cothread_server_get_n_connections (server) > 0)
    g_assert_true (cothread_sleep (MS, NULL));
  assert_said ("ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok");
  end_server (server);
}

static void
test_stopping_hangs_up (void)
{
  guint16 port;
  CothreadServer *server = start_server (10, &port);
  g_autoptr (GSocketConnection) connection = connect_to (port);
  char byte;

  talk (connection);
  end_server (server);
  assert_said ("cancelled");
  g_assert_cmpint (cothread_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL), ==, 0);
}

static void
test_a_server_that_never_accepted_stops (void)
{
  guint16 port;
  CothreadServer *server = start_server (1, &port);

  end_server (server);
  server = start_server (1, &port);
  settle ();
  end_server (server);
}

static void
test_a_client_that_resets_harms_nobody (void)
{
  guint16 port;
  CothreadServer *server = start_server (10, &port);
  g_autoptr (GSocketConnection) other = connect_to (port);

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (GSocketConnection) connection = connect_to (port);
      GSocket *socket = g_socket_connection_get_socket (connection);
      struct linger at_once = { 1, 0 };

      talk (connection);
      g_assert_cmpint (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
      g_assert_true (g_socket_close (socket, NULL));
    }
  talk (other);
  while (cothread_server_get_n_connections (server) > 1)
    g_assert_true (cothread_sleep (MS, NULL));
  assert_said ("broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe broken-pipe");
  talk (other);
  end_server (server);
  assert_said ("cancelled");
}

static void
test_no_descriptor_is_left_and_the_server_goes_on (void)
{
  guint16 port;
  CothreadServer *server = start_server (100, &port);
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (gint));
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GSocketConnection) first = connect_to (port);
  gint fd;

  talk (first);
  /* Connecting takes descriptors too, so it is done before they are gone, while
   * nobody accepts. */
  fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  for (;;)
    {
      gint more = fcntl (fd, F_DUPFD_CLOEXEC, 0);

      if (more < 0)
        break;
      g_array_append_val (taken, more);
    }
  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "No connection can be accepted*");
  {
    g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);
    char native[64];

    g_assert_true (g_socket_address_to_native (address, native, sizeof native, NULL));
    g_assert_true (cothread_connect (fd, (struct sockaddr *) native, (socklen_t) g_socket_address_get_native_size (address), COTHREAD_FOREVER, NULL));
  }
  while (cothread_server_get_n_refused (server) == 0)
    g_assert_true (cothread_sleep (MS, NULL));
  g_test_assert_expected_messages ();
  talk (first); /* who is served goes on being served */
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, gint, i));
  connection = connect_to (port);
  talk (connection);
  g_assert_cmpuint (cothread_server_get_n_connections (server), ==, 3);
  end_server (server);
  assert_said ("cancelled cancelled cancelled");
  close (fd);
}

/* ---- TLS, with a certificate made for the occasion ---- */

static GTlsCertificate *certificate;

static gboolean
accept_any (G_GNUC_UNUSED GTlsConnection *connection, G_GNUC_UNUSED GTlsCertificate *peer,
            G_GNUC_UNUSED GTlsCertificateFlags errors, G_GNUC_UNUSED gpointer unused)
{
  return TRUE;
}

static gboolean
shake_hands (GIOStream *tls, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, g_tls_connection_handshake_async, G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT);

  return result != NULL && g_tls_connection_handshake_finish (G_TLS_CONNECTION (tls), result, error);
}

static gpointer
serve_tls (gpointer connection, GError **error)
{
  g_autoptr (GIOStream) tls = g_tls_server_connection_new (connection, certificate, error);

  g_assert_nonnull (tls);
  g_assert_true (shake_hands (tls, error));
  echo (tls, NULL);
  cothread_stream_close (tls, NULL); /* the other side may be gone already */
  return NULL;
}

static gpointer
talk_tls (gpointer connection, GError **error)
{
  g_autoptr (GIOStream) tls = g_tls_client_connection_new (connection, NULL, error);

  g_assert_nonnull (tls);
  g_signal_connect (tls, "accept-certificate", G_CALLBACK (accept_any), NULL);
  g_assert_true (shake_hands (tls, error));
  {
    g_autoptr (CothreadScope) scope = cothread_scope_new ();

    cothread_task_unref (cothread_scope_spawn (scope, send_much, tls));
    cothread_task_unref (cothread_scope_spawn (scope, receive_much, tls)); /* closes it */
    g_assert_true (cothread_scope_leave (scope, error));
  }
  say ("talked");
  return NULL;
}

static GTlsCertificate *
make_certificate (void)
{
  g_autofree char *dir = g_dir_make_tmp (NULL, NULL), *path = g_build_filename (dir, "pem", NULL);
  const char *const argv[] = { "sh", "-c", "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout \"$0.key\" "
                                 "-out \"$0.crt\" && cat \"$0.key\" \"$0.crt\" > \"$0\"", path, NULL };
  g_autofree char *program = g_find_program_in_path ("openssl");
  g_autofree char *key = g_strconcat (path, ".key", NULL), *crt = g_strconcat (path, ".crt", NULL);
  g_autoptr (GBytes) errors = NULL;
  g_autoptr (GError) error = NULL;
  GTlsCertificate *made = NULL;

  if (program != NULL && cothread_run (argv, NULL, NULL, &errors, NULL, &error))
    made = g_tls_certificate_new_from_file (path, &error);
  g_unlink (path);
  g_unlink (key);
  g_unlink (crt);
  g_rmdir (dir);
  if (made == NULL)
    g_test_message ("No certificate: %s", error != NULL ? error->message : "no openssl");
  return made;
}

static gboolean
have_tls (void)
{
#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("LeakSanitizer crashes at exit in the thread-local storage of GnuTLS's modules");
  return FALSE;
#endif
  certificate = g_tls_backend_supports_tls (g_tls_backend_get_default ()) ? make_certificate () : NULL;
  if (certificate == NULL)
    g_test_skip ("no TLS here: glib-networking and openssl are missing");
  return certificate != NULL;
}

static void
test_tls (void)
{
  GSocketConnection *connections[2];

  if (!have_tls ())
    return;
  make_connections (connections);
  start ("server", serve_tls, connections[0]);
  start ("client", talk_tls, connections[1]);
  run_until_no_task_is_left ();
  assert_said ("ok talked");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
  g_clear_object (&certificate);
}

static gpointer
serve_tls_or_fail (gpointer connection, GError **error)
{
  g_autoptr (GIOStream) tls = g_tls_server_connection_new (connection, certificate, NULL);

  return GINT_TO_POINTER (shake_hands (tls, error));
}

static gpointer
meet_a_stranger (gpointer connection, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GIOStream) tls = g_tls_client_connection_new (connection, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (shake_hands (tls, &error)); /* nobody vouches for it */
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  say ("bad-certificate");
  g_assert_true (g_io_stream_close (connection, NULL, NULL)); /* without a good-bye */
  return NULL;
}

static gpointer
serve_who_leaves (gpointer connection, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GIOStream) tls = g_tls_server_connection_new (connection, certificate, NULL);
  g_autoptr (GError) error = NULL;
  char byte;

  if (shake_hands (tls, &error))
    g_assert_cmpint (cothread_stream_read (g_io_stream_get_input_stream (tls), &byte, 1, &error), ==, -1);
  g_assert_nonnull (error);
  say (error->domain == G_TLS_ERROR || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ? "left" : "%s", error->message);
  return NULL;
}

static void
test_tls_with_a_certificate_that_nobody_trusts (void)
{
  GSocketConnection *connections[2];
  g_autofree char *said = NULL;

  if (!have_tls ())
    return;
  make_connections (connections);
  start ("server", serve_who_leaves, connections[0]);
  start ("client", meet_a_stranger, connections[1]);
  run_until_no_task_is_left ();
  said = take_said ();
  g_assert_nonnull (strstr (said, "bad-certificate"));
  g_assert_nonnull (strstr (said, "left"));
  g_object_unref (connections[1]);
  g_object_unref (connections[0]);
  g_clear_object (&certificate);
}

/* The other side is there, and silent. */
static void
test_cancelled_while_hands_are_shaken (void)
{
  GSocketConnection *connections[2];
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  if (!have_tls ())
    return;
  make_connections (connections);
  task = spawn ("server", serve_tls_or_fail, connections[0]);
  settle ();
  cothread_task_cancel (task);
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  run_until_no_task_is_left ();
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
  g_clear_object (&certificate);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/stream/" path, test)
  ADD ("much-goes-to-and-fro", test_much_goes_to_and_fro);
  ADD ("cancelled-while-it-reads", test_cancelled_while_it_reads);
  ADD ("closed-while-it-reads", test_closed_while_it_reads);
  ADD ("the-other-side-is-gone", test_the_other_side_is_gone);
  ADD ("lines-are-read-as-they-come", test_lines_are_read_as_they_come);
  ADD ("streams-that-cannot-be-polled", test_streams_that_cannot_be_polled);
  ADD ("each-connection-has-a-task-and-there-is-a-bound", test_each_connection_has_a_task_and_there_is_a_bound);
  ADD ("stopping-hangs-up", test_stopping_hangs_up);
  ADD ("a-server-that-never-accepted-stops", test_a_server_that_never_accepted_stops);
  ADD ("a-client-that-resets-harms-nobody", test_a_client_that_resets_harms_nobody);
  ADD ("no-descriptor-is-left-and-the-server-goes-on", test_no_descriptor_is_left_and_the_server_goes_on);
  ADD ("tls", test_tls);
  ADD ("tls-with-a-certificate-that-nobody-trusts", test_tls_with_a_certificate_that_nobody_trusts);
  ADD ("cancelled-while-hands-are-shaken", test_cancelled_while_hands_are_shaken);
  return g_test_run ();
}
