/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An echo server: what a client sends comes back. Each connection is a task,
 * ten lines of waiting; no more than a thousand at once.
 *
 *   cothread-echo [PORT]
 */
#include <cothread-glib.h>
#include <glib-unix.h>

static void
echo (GSocketConnection *connection, G_GNUC_UNUSED gpointer user_data)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  char buffer[4096];
  gssize n;

  /* The connection is closed when we return, however that comes about. */
  while ((n = cothread_stream_read (input, buffer, sizeof buffer, NULL)) > 0)
    if (!cothread_stream_write_all (output, buffer, (gsize) n, NULL, NULL))
      return;
}

static gboolean
stop (gpointer server)
{
  cothread_server_stop (server);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  guint16 port = argc > 1 ? (guint16) g_ascii_strtoull (argv[1], NULL, 10) : 0;
  g_autoptr (CothreadServer) server = cothread_server_new (1000, echo, NULL, NULL);
  GSocketListener *listener = cothread_server_get_listener (server);
  g_autoptr (GError) error = NULL;

  if (port == 0)
    port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  else
    g_socket_listener_add_inet_port (listener, port, NULL, &error);
  if (error != NULL || !cothread_server_start (server, &error))
    {
      g_printerr ("cothread-echo: %s\n", error->message);
      return 1;
    }
  g_print ("Echo at port %u, until Ctrl-C\n", port);
  g_unix_signal_add (SIGINT, stop, server);
  g_unix_signal_add (SIGTERM, stop, server);

  /* Plain main() may wait too: it runs the main context meanwhile. */
  cothread_server_wait (server, COTHREAD_FOREVER, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return 0;
}
