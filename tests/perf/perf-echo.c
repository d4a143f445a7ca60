/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "echo-peers.h"
#include "perf.h"

#include <cothread-glib.h>

/* Round trips of an echo server whose connections are tasks. */

static gpointer
serve (gpointer data, GError **error)
{
  g_autoptr (CothreadDescriptor) peer = data;
  char buffer[4096];
  gssize n;

  while ((n = cothread_descriptor_read (peer, buffer, sizeof buffer, COTHREAD_FOREVER, error)) > 0 &&
         cothread_descriptor_write_all (peer, buffer, (gsize) n, COTHREAD_FOREVER, error))
    echo_n_answered++;
  g_clear_error (error);
  return NULL;
}

static gpointer
accept_all (gpointer data, G_GNUC_UNUSED GError **error)
{
  gint fd;

  while ((fd = cothread_accept (GPOINTER_TO_INT (data), NULL, NULL, COTHREAD_FOREVER, NULL)) >= 0)
    cothread_task_unref (cothread_spawn (serve, cothread_descriptor_new (fd, NULL)));
  return NULL;
}

static void
iterate_default (G_GNUC_UNUSED gpointer data)
{
  g_main_context_iteration (NULL, TRUE);
}

static void
iterate_until_idle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static double
descriptors_in_tasks (gpointer load)
{
  guint16 port;
  gint listener = echo_listen (&port);
  double ns;

  cothread_task_unref (cothread_spawn (accept_all, GINT_TO_POINTER (listener)));
  ns = echo_measure (load, port, iterate_default, NULL);
  cothread_close (listener, NULL);
  iterate_until_idle ();
  return ns;
}

static void
serve_stream (GSocketConnection *connection, gpointer unused)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  char buffer[4096];
  gssize n;

  (void) unused;
  while ((n = cothread_stream_read (input, buffer, sizeof buffer, NULL)) > 0 &&
         cothread_stream_write_all (output, buffer, (gsize) n, NULL, NULL))
    echo_n_answered++;
}

static double
streams_in_tasks (gpointer data)
{
  EchoLoad *load = data;
  CothreadServer *server = cothread_server_new (load->n_connections, serve_stream, NULL, NULL);
  guint16 port = g_socket_listener_add_any_inet_port (cothread_server_get_listener (server), NULL, NULL);
  double ns;

  cothread_server_start (server, NULL);
  ns = echo_measure (load, port, iterate_default, NULL);
  cothread_server_stop (server);
  cothread_server_wait (server, COTHREAD_FOREVER, NULL);
  g_object_unref (server);
  iterate_until_idle ();
  return ns;
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Echo server: a round trip", &argc, &argv, NULL);
  const struct
  {
    const char *name;
    guint n_connections;
    guint n_rounds;
  } sizes[] = { { "1 connection", 1, 20000 }, { "100 connections", 100, 400 }, { "1 000 connections", 1000, 60 } };
  static const char *const measures[] = {
    [ECHO_BOTH] = "client included",
    [ECHO_ALONE] = "client not included",
    [ECHO_SERVER] = "processor time of the server",
    [ECHO_RATE] = "time between answers, client elsewhere",
  };

  for (guint measure = 0; measure < G_N_ELEMENTS (measures); measure++)
    /* One connection whose client is elsewhere measures how a processor wakes up. */
    for (guint i = measure == ECHO_RATE ? 1 : 0; i < G_N_ELEMENTS (sizes); i++)
      {
        EchoLoad load = { sizes[i].n_connections, perf_scale (perf, sizes[i].n_rounds), measure, G_MAXDOUBLE };
        g_autofree char *descriptors = g_strdup_printf ("descriptors, %s, %s", sizes[i].name, measures[measure]);
        g_autofree char *streams = g_strdup_printf ("streams, %s, %s", sizes[i].name, measures[measure]);
        const PerfPeer peers[] = {
          { "hand-written epoll loop", echo_bare_epoll, &load },
          { "GSocketService, callbacks", echo_socket_service, &load },
        };

        perf_compare (perf, descriptors, descriptors_in_tasks, &load, peers, G_N_ELEMENTS (peers));
        perf_compare (perf, streams, streams_in_tasks, &load, peers + 1, 1);
        perf_note (perf, "%s, %s: the client itself takes %.0f ns of its processor.", sizes[i].name, measures[measure],
                   load.client_ns);
      }
  return perf_finish (perf);
}
