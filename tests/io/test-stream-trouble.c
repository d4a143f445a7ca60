/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Streams whose objects, peers and lines do what a task does not expect. */

static void
say_how (gboolean success, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  g_assert_true (success == (error == NULL));
  if (error == NULL)
    say ("ok");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("cancelled");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    say ("closed");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    say ("connection-closed");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING))
    say ("pending");
  else
    say ("%s", error->message);
}

/* ---- the object is dropped while its task waits ---- */

static gpointer
read_what_is_dropped (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  char buffer[8];
  gsize n = 0;

  say_how (cothread_stream_read_all (stream, buffer, sizeof buffer, &n, &error), &error);
  say ("%.*s", (int) n, buffer);
  return NULL;
}

static void
test_an_input_is_dropped_while_it_is_read (void)
{
  gint ends[2];
  GInputStream *stream;

  make_pipe (ends);
  stream = g_unix_input_stream_new (ends[0], TRUE);
  start ("reader", read_what_is_dropped, stream);
  settle ();
  g_assert_cmpint (write (ends[1], "one", 3), ==, 3);
  settle ();
  g_object_add_weak_pointer (G_OBJECT (stream), (gpointer *) &stream);
  g_object_unref (stream); /* the last reference but the reader's */
  settle ();
  g_assert_nonnull (stream);
  g_assert_cmpint (write (ends[1], "two", 3), ==, 3);
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();
  assert_said ("ok onetwo");
  g_assert_null (stream);
}

#define MUCH (1024 * 1024)

static gpointer
write_what_is_dropped (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  g_autofree char *text = g_strnfill (MUCH, 'x');
  GError *error = NULL;
  gsize n = 0;

  say_how (cothread_stream_write_all (stream, text, MUCH, &n, &error), &error);
  g_assert_cmpuint (n, <=, MUCH);
  return NULL;
}

static void
test_an_output_is_dropped_while_it_is_written (void)
{
  gint ends[2];
  GOutputStream *stream;
  char buffer[4096];
  gsize n_read = 0;
  gssize n;

  make_pipe (ends);
  g_assert_true (g_unix_set_fd_nonblocking (ends[0], TRUE, NULL));
  stream = g_unix_output_stream_new (ends[1], TRUE);
  start ("writer", write_what_is_dropped, stream);
  settle ();
  g_object_add_weak_pointer (G_OBJECT (stream), (gpointer *) &stream);
  g_object_unref (stream);
  settle ();
  g_assert_nonnull (stream);
  /* To the end: the writer's is the only other side. */
  while ((n = cothread_read (ends[0], buffer, sizeof buffer, COTHREAD_FOREVER, NULL)) > 0)
    n_read += (gsize) n;
  run_until_no_task_is_left ();
  assert_said ("ok");
  g_assert_cmpuint (n_read, ==, MUCH);
  g_assert_null (stream);
  g_close (ends[0], NULL);
}

static gpointer
say_own (gpointer text, G_GNUC_UNUSED GError **error)
{
  say ("%s", (const char *) text);
  return NULL;
}

/* A pipe that was not made non-blocking takes all of a write or never ends. */
static void
test_a_pipe_that_blocks_holds_up_its_writer_alone (void)
{
  gint ends[2];
  g_autoptr (GOutputStream) stream = NULL;
  g_autoptr (CothreadTask) writer = NULL;

  make_pipe (ends);
  stream = g_unix_output_stream_new (ends[1], TRUE);
  writer = spawn ("writer", write_what_is_dropped, stream);
  start ("other", say_own, "other");
  settle ();
  assert_said ("other");
  cothread_task_cancel (writer);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  g_close (ends[0], NULL);
}

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

static gpointer
read_one (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  char byte;
  gssize n = cothread_stream_read (stream, &byte, 1, &error);

  if (n >= 0)
    say ("%" G_GSSIZE_FORMAT, n);
  else
    say_how (FALSE, &error);
  return NULL;
}

/* The socket lives as long as a stream of it is waited for, as in GIO. */
static void
test_a_connection_is_dropped_while_it_is_read (void)
{
  GSocketConnection *connections[2];
  GInputStream *input;
  GError *error = NULL;

  make_connections (connections);
  input = g_io_stream_get_input_stream (G_IO_STREAM (connections[0]));
  start ("reader", read_one, input);
  settle ();
  g_object_add_weak_pointer (G_OBJECT (input), (gpointer *) &input);
  g_object_unref (connections[0]);
  settle ();
  g_assert_nonnull (input);
  say_how (cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connections[1])), "x", 1, NULL, &error), &error);
  run_until_no_task_is_left ();
  assert_said ("ok 1");
  g_assert_null (input);
  g_object_unref (connections[1]);
}

/* ---- peers ---- */

static void
test_half_closed (void)
{
  GSocketConnection *connections[2];
  GOutputStream *output;
  GError *error = NULL;

  make_connections (connections);
  output = g_io_stream_get_output_stream (G_IO_STREAM (connections[0]));
  start ("reader", read_one, g_io_stream_get_input_stream (G_IO_STREAM (connections[0])));
  settle ();
  g_assert_true (g_socket_shutdown (g_socket_connection_get_socket (connections[1]), FALSE, TRUE, NULL));
  run_until_no_task_is_left ();
  assert_said ("0"); /* it will say no more, and listens */
  say_how (cothread_stream_write_all (output, "x", 1, NULL, &error), &error);
  start ("reader", read_one, g_io_stream_get_input_stream (G_IO_STREAM (connections[1])));
  run_until_no_task_is_left ();
  assert_said ("ok 1");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static void
make_tcp_connections (GSocketConnection *connections[2])
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  connections[0] = cothread_connect_to_host ("127.0.0.1", port, COTHREAD_FOREVER, NULL);
  g_assert_nonnull (connections[0]);
  connections[1] = cothread_accept_connection (listener, NULL, NULL);
  g_assert_nonnull (connections[1]);
}

static void
set_option (GSocketConnection *connection, gint option, gconstpointer value, socklen_t n_bytes)
{
  GSocket *socket = g_socket_connection_get_socket (connection);

  g_assert_cmpint (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, option, value, n_bytes), ==, 0);
}

static void
test_the_peer_resets_while_it_is_read (void)
{
  GSocketConnection *connections[2];
  struct linger at_once = { 1, 0 };
  GError *error = NULL;

  make_tcp_connections (connections);
  start ("reader", read_one, g_io_stream_get_input_stream (G_IO_STREAM (connections[0])));
  settle ();
  set_option (connections[1], SO_LINGER, &at_once, sizeof at_once);
  g_assert_true (g_io_stream_close (G_IO_STREAM (connections[1]), NULL, NULL));
  run_until_no_task_is_left ();
  assert_said ("connection-closed");
  say_how (cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connections[0])), "x", 1, NULL, &error), &error);
  assert_said ("connection-closed");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

static gpointer
send_numbers (gpointer connection, GError **error)
{
  g_autofree guchar *text = g_malloc (MUCH);
  gsize n = 0;

  for (guint i = 0; i < MUCH; i++)
    text[i] = (guchar) (i % 251);
  g_assert_true (cothread_stream_write_all (g_io_stream_get_output_stream (connection), text, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  return NULL;
}

static gpointer
receive_numbers (gpointer connection, GError **error)
{
  g_autofree guchar *text = g_malloc (MUCH);
  gsize n = 0;

  g_assert_true (cothread_stream_read_all (g_io_stream_get_input_stream (connection), text, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  for (guint i = 0; i < MUCH; i++)
    g_assert_cmpint (text[i], ==, i % 251);
  say ("received");
  return NULL;
}

/* The smallest that the system has: each write and each read is a short one. */
static void
test_buffers_that_hold_next_to_nothing (void)
{
  GSocketConnection *connections[2];
  gint one = 1;

  make_connections (connections);
  for (guint i = 0; i < 2; i++)
    {
      set_option (connections[i], SO_SNDBUF, &one, sizeof one);
      set_option (connections[i], SO_RCVBUF, &one, sizeof one);
    }
  for (guint i = 0; i < 2; i++)
    {
      start ("sender", send_numbers, connections[i]);
      start ("receiver", receive_numbers, connections[i]);
    }
  run_until_no_task_is_left ();
  assert_said ("received received");
  g_object_unref (connections[0]);
  g_object_unref (connections[1]);
}

/* ---- lines ---- */

static gpointer
read_line (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  gsize length = 0;
  g_autofree char *line = cothread_stream_read_line (stream, &length, &error);

  if (line != NULL && length < 20)
    say ("[%s]", line);
  else if (line != NULL)
    say ("%" G_GSIZE_FORMAT, length);
  else if (error != NULL)
    say_how (FALSE, &error);
  else
    say ("end");
  return NULL;
}

static GDataInputStream *
open_lines (gint ends[2])
{
  g_autoptr (GInputStream) input = NULL;

  make_pipe (ends);
  input = g_unix_input_stream_new (ends[0], TRUE);
  return g_data_input_stream_new (input);
}

static void
write_text (gint fd, const char *text)
{
  g_assert_true (cothread_write_all (fd, text, strlen (text), COTHREAD_FOREVER, NULL));
}

static void
test_half_a_line_is_kept_for_the_next_who_reads (void)
{
  gint ends[2];
  g_autoptr (GDataInputStream) lines = open_lines (ends);
  g_autoptr (CothreadTask) task = spawn ("reader", read_line, lines);

  settle ();
  write_text (ends[1], "hal");
  /* Until the first half was read, which nothing announces. */
  while (g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (lines)) < 3)
    g_assert_true (cothread_sleep (MS, NULL));
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  write_text (ends[1], "f\nrest");
  g_close (ends[1], NULL);
  start ("reader", read_line, lines);
  run_until_no_task_is_left ();
  start ("reader", read_line, lines);
  run_until_no_task_is_left ();
  start ("reader", read_line, lines);
  run_until_no_task_is_left ();
  assert_said ("[half] [rest] end");
}

static void
test_two_who_read_lines_at_once (void)
{
  gint ends[2];
  g_autoptr (GDataInputStream) lines = open_lines (ends);

  start ("first", read_line, lines);
  start ("second", read_line, lines);
  settle ();
  assert_said ("pending"); /* as GIO says */
  write_text (ends[1], "one\n");
  run_until_no_task_is_left ();
  assert_said ("[one]");
  g_close (ends[1], NULL);
}

static gpointer
write_long_line (gpointer fd, G_GNUC_UNUSED GError **error)
{
  g_autofree char *text = g_strnfill (MUCH, 'x');

  write_text (GPOINTER_TO_INT (fd), text);
  write_text (GPOINTER_TO_INT (fd), "\r");
  g_assert_true (cothread_sleep (0, NULL));
  write_text (GPOINTER_TO_INT (fd), "\nlast\r\n");
  g_close (GPOINTER_TO_INT (fd), NULL);
  return NULL;
}

static gpointer
read_three_lines (gpointer lines, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 3; i++)
    read_line (lines, NULL);
  return NULL;
}

static void
test_a_line_that_is_longer_than_every_buffer (void)
{
  gint ends[2];
  g_autoptr (GDataInputStream) lines = open_lines (ends);

  g_assert_true (g_unix_set_fd_nonblocking (ends[1], TRUE, NULL));
  g_data_input_stream_set_newline_type (lines, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  start ("reader", read_three_lines, lines);
  start ("writer", write_long_line, GINT_TO_POINTER (ends[1]));
  run_until_no_task_is_left ();
  assert_said ("1048576 [last] end");
}

static void
test_lines_are_dropped_while_they_are_read (void)
{
  gint ends[2];
  GDataInputStream *lines = open_lines (ends);

  start ("reader", read_line, lines);
  settle ();
  g_object_add_weak_pointer (G_OBJECT (lines), (gpointer *) &lines);
  g_object_unref (lines);
  g_assert_nonnull (lines);
  write_text (ends[1], "one\n");
  run_until_no_task_is_left ();
  assert_said ("[one]");
  settle ();
  g_assert_null (lines);
  g_close (ends[1], NULL);
}

/* ---- servers ---- */

static void
hang_up (G_GNUC_UNUSED GSocketConnection *connection, G_GNUC_UNUSED gpointer unused)
{
  say ("served");
}

static gpointer
start_at_the_end (gpointer server, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_sleep (COTHREAD_FOREVER, NULL));
  g_assert_false (cothread_server_start (server, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  say ("refused");
  return NULL;
}

/* By a scheduler that is shutting down; the thread's next one does it. */
static void
test_a_server_that_could_not_be_started_is_as_it_was (void)
{
  g_autoptr (CothreadServer) server = cothread_server_new (1, hang_up, NULL, NULL);
  guint16 port = g_socket_listener_add_any_inet_port (cothread_server_get_listener (server), NULL, NULL);
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  start ("starter", start_at_the_end, server);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  assert_said ("refused");
  g_assert_true (cothread_server_start (server, &error));
  g_assert_no_error (error);
  connection = cothread_connect_to_host ("127.0.0.1", port, COTHREAD_FOREVER, &error);
  g_assert_no_error (error);
  g_assert_cmpint (cothread_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, &error), ==, 0);
  assert_said ("served");
  cothread_server_stop (server);
  g_assert_true (cothread_server_wait (server, COTHREAD_FOREVER, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/stream-trouble/" #name, test_##name)
  ADD (an_input_is_dropped_while_it_is_read);
  ADD (an_output_is_dropped_while_it_is_written);
  ADD (a_pipe_that_blocks_holds_up_its_writer_alone);
  ADD (a_connection_is_dropped_while_it_is_read);
  ADD (half_closed);
  ADD (the_peer_resets_while_it_is_read);
  ADD (buffers_that_hold_next_to_nothing);
  ADD (half_a_line_is_kept_for_the_next_who_reads);
  ADD (two_who_read_lines_at_once);
  ADD (a_line_that_is_longer_than_every_buffer);
  ADD (lines_are_dropped_while_they_are_read);
  ADD (a_server_that_could_not_be_started_is_as_it_was);
  return g_test_run ();
}
