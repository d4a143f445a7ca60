/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "echo-peers.h"
#include "perf.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_A_CALL 256
/* Of a measurement; the least disturbed one counts. */
#define PARTS 20

guint echo_n_answered;

gint
echo_listen (guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t n_bytes = sizeof address;
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (bind (fd, (struct sockaddr *) &address, n_bytes) != 0 || listen (fd, 4096) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &n_bytes) != 0)
    g_error ("Cannot listen: %s", g_strerror (errno));
  *port = ntohs (address.sin_port);
  return fd;
}

static gint
connect_to (guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK), .sin_port = htons (port) };
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    g_error ("Cannot connect: %s", g_strerror (errno));
  return fd;
}

/* Gives what the client itself took. */
static double
run_round (const gint *fds, guint n, void (*iterate) (gpointer data), gpointer data)
{
  char message[ECHO_MESSAGE_BYTES] = { 0 };
  guint wanted = echo_n_answered + n;
  double start_ns = perf_now_ns (), ns;

  for (guint i = 0; i < n; i++)
    if (write (fds[i], message, sizeof message) != sizeof message)
      g_error ("Cannot write: %s", g_strerror (errno));
  ns = perf_now_ns () - start_ns;
  while (echo_n_answered != wanted)
    iterate (data);
  start_ns = perf_now_ns ();
  for (guint i = 0; i < n; i++)
    if (read (fds[i], message, sizeof message) != sizeof message)
      g_error ("Cannot read: %s", g_strerror (errno));
  return ns + perf_now_ns () - start_ns;
}

/* ---- the client in a process of its own, where it calls nothing but the system ---- */

static void
exchange (gint fd, gboolean does_write, gboolean does_read)
{
  char message[ECHO_MESSAGE_BYTES] = { 0 };

  if ((does_write && write (fd, message, sizeof message) != sizeof message) ||
      (does_read && read (fd, message, sizeof message) != sizeof message))
    _exit (1);
}

static void
go_round_by_round (const gint *fds, guint n, guint n_rounds)
{
  for (guint round = 0; round < n_rounds; round++)
    {
      for (guint i = 0; i < n; i++)
        exchange (fds[i], TRUE, FALSE);
      for (guint i = 0; i < n; i++)
        exchange (fds[i], FALSE, TRUE);
    }
}

/* Each connection by itself: the server never waits for the slowest of them. */
static void
go_at_once (const gint *fds, guint n, guint n_rounds)
{
  struct epoll_event events[EVENTS_A_CALL];
  gint epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  guint64 left = (guint64) n * n_rounds;

  for (guint i = 0; i < n; i++)
    {
      events[0] = (struct epoll_event) { .events = EPOLLIN, .data.fd = fds[i] };
      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fds[i], &events[0]);
      exchange (fds[i], TRUE, FALSE);
    }
  while (left > 0)
    {
      int n_ready = epoll_wait (epoll_fd, events, EVENTS_A_CALL, -1);

      for (int i = 0; i < n_ready; i++, left--)
        exchange (events[i].data.fd, left > n, TRUE);
    }
}

/* Never returns. */
static void
be_client (const EchoLoad *load, guint16 port, guint n_rounds)
{
  gint *fds = g_new (gint, load->n_connections);
  cpu_set_t any;

  memset (&any, 0xff, sizeof any);
  sched_setaffinity (0, sizeof any, &any);
  for (guint i = 0; i < load->n_connections; i++)
    {
      fds[i] = connect_to (port);
      exchange (fds[i], TRUE, TRUE);
    }
  if (load->what == ECHO_RATE)
    go_at_once (fds, load->n_connections, n_rounds);
  else
    go_round_by_round (fds, load->n_connections, n_rounds);
  _exit (0);
}

/* What the client has used, of one that has ended. */
static double
processor_ns_of (const struct rusage *usage)
{
  return ((double) usage->ru_utime.tv_sec + (double) usage->ru_stime.tv_sec) * 1e9 +
         ((double) usage->ru_utime.tv_usec + (double) usage->ru_stime.tv_usec) * 1e3;
}

static double
measure_server (EchoLoad *load, guint16 port, void (*iterate) (gpointer data), gpointer data)
{
  clockid_t clock = load->what == ECHO_RATE ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
  guint n_rounds = MAX (1, load->n_rounds / PARTS), wanted = echo_n_answered + load->n_connections;
  double best_ns = G_MAXDOUBLE, client_ns;
  struct rusage usage;
  pid_t client = fork ();
  int status;

  if (client == 0)
    be_client (load, port, n_rounds * PARTS);
  while (echo_n_answered < wanted)
    iterate (data);
  for (guint part = 0; part < PARTS; part++)
    {
      double start_ns = perf_clock_ns (clock), ns;

      wanted += n_rounds * load->n_connections;
      while (echo_n_answered < wanted)
        iterate (data);
      ns = (perf_clock_ns (clock) - start_ns) / n_rounds / load->n_connections;
      best_ns = MIN (best_ns, ns);
    }
  if (wait4 (client, &status, 0, &usage) != client || status != 0)
    g_error ("The client failed");
  client_ns = processor_ns_of (&usage) / n_rounds / PARTS / load->n_connections;
  load->client_ns = MIN (load->client_ns, client_ns);
  return best_ns;
}

double
echo_measure (EchoLoad *load, guint16 port, void (*iterate) (gpointer data), gpointer data)
{
  g_autofree gint *fds = g_new (gint, load->n_connections);
  guint n_rounds = MAX (1, load->n_rounds / PARTS);
  double best_ns = G_MAXDOUBLE;

  if (load->what == ECHO_SERVER || load->what == ECHO_RATE)
    return measure_server (load, port, iterate, data);
  /* One after another: a GSocketService has a backlog of ten. */
  for (guint i = 0; i < load->n_connections; i++)
    {
      fds[i] = connect_to (port);
      run_round (&fds[i], 1, iterate, data);
    }
  for (guint part = 0; part < PARTS; part++)
    {
      double start_ns = perf_now_ns (), client_ns = 0, ns;

      for (guint i = 0; i < n_rounds; i++)
        client_ns += run_round (fds, load->n_connections, iterate, data);
      ns = (perf_now_ns () - start_ns) / n_rounds / load->n_connections;
      client_ns = client_ns / n_rounds / load->n_connections;
      if (load->what == ECHO_ALONE)
        ns -= client_ns;
      best_ns = MIN (best_ns, ns);
      load->client_ns = MIN (load->client_ns, client_ns);
    }
  for (guint i = 0; i < load->n_connections; i++)
    close (fds[i]);
  return best_ns;
}

/* ---- as one writes it by hand ---- */

typedef struct
{
  gint epoll_fd;
  gint listener;
} BareServer;

static void
bare_accept (BareServer *self)
{
  gint fd;

  while ((fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    {
      struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

      epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void
bare_serve (gint fd)
{
  char buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    if (write (fd, buffer, (gsize) n) == n)
      echo_n_answered++;
  if (n == 0 || errno != EAGAIN)
    close (fd);
}

static void
bare_iterate (gpointer data)
{
  BareServer *self = data;
  struct epoll_event events[EVENTS_A_CALL];
  int n = epoll_wait (self->epoll_fd, events, EVENTS_A_CALL, -1);

  for (int i = 0; i < n; i++)
    if (events[i].data.fd == self->listener)
      bare_accept (self);
    else
      bare_serve (events[i].data.fd);
}

double
echo_bare_epoll (gpointer data)
{
  EchoLoad *load = data;
  guint16 port;
  BareServer self = { .epoll_fd = epoll_create1 (EPOLL_CLOEXEC), .listener = echo_listen (&port) };
  struct epoll_event event = { .events = EPOLLIN, .data.fd = self.listener };
  double ns;

  epoll_ctl (self.epoll_fd, EPOLL_CTL_ADD, self.listener, &event);
  ns = echo_measure (load, port, bare_iterate, &self);
  for (guint i = 0; i < 3; i++)
    {
      struct epoll_event events[EVENTS_A_CALL];
      int n = epoll_wait (self.epoll_fd, events, EVENTS_A_CALL, 0);

      for (int j = 0; j < n; j++)
        bare_serve (events[j].data.fd);
    }
  close (self.listener);
  close (self.epoll_fd);
  return ns;
}

/* ---- GSocketService, with callbacks ---- */

typedef struct
{
  GIOStream *stream;
  char buffer[4096];
} Visitor;

static void visitor_read (Visitor *self);

static void
visitor_free (Visitor *self)
{
  g_object_unref (self->stream);
  g_free (self);
}

static void
written (GObject *source, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL))
    {
      visitor_free (self);
      return;
    }
  echo_n_answered++;
  visitor_read (self);
}

static void
was_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Visitor *self = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  if (n <= 0)
    {
      visitor_free (self);
      return;
    }
  g_output_stream_write_all_async (g_io_stream_get_output_stream (self->stream), self->buffer, (gsize) n, G_PRIORITY_DEFAULT, NULL,
                                   written, self);
}

static void
visitor_read (Visitor *self)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (self->stream), self->buffer, sizeof self->buffer, G_PRIORITY_DEFAULT, NULL,
                             was_read, self);
}

static gboolean
visit (G_GNUC_UNUSED GSocketService *service, GSocketConnection *connection, G_GNUC_UNUSED GObject *source,
       G_GNUC_UNUSED gpointer unused)
{
  Visitor *self = g_new (Visitor, 1);

  self->stream = G_IO_STREAM (g_object_ref (connection));
  visitor_read (self);
  return TRUE;
}

static void
iterate_default (G_GNUC_UNUSED gpointer data)
{
  g_main_context_iteration (NULL, TRUE);
}

double
echo_socket_service (gpointer data)
{
  EchoLoad *load = data;
  g_autoptr (GSocketService) service = g_socket_service_new ();
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
  double ns;

  g_signal_connect (service, "incoming", G_CALLBACK (visit), NULL);
  ns = echo_measure (load, port, iterate_default, NULL);
  g_socket_service_stop (service);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return ns;
}
