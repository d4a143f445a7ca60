/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_CLIENTS 32
#define MESSAGE_BYTES 64
#define PAUSE_US 2000
#define BACKLOG 64

/* A server on the loopback interface that gives each connection a task, and the
 * clients that keep it busy, also a task each. */
struct _DashEcho
{
  DashToggle toggle;
  CothreadTask *task;
  CothreadScope *scope; /* of the server's and the clients' tasks */
  int listener;
  guint port;
  guint64 round_trips;
  char *problem;
};

/* What a connection's task is given. */
typedef struct
{
  DashEcho *echo;
  int fd;
} Connection;

static gboolean
send_all (int fd, const char *bytes, gsize length)
{
  while (length > 0)
    {
      gssize n = send (fd, bytes, length, MSG_NOSIGNAL);

      if (n < 0 && errno == EAGAIN && cothread_wait_fd (fd, G_IO_OUT, COTHREAD_FOREVER, NULL) != 0)
        continue;
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      bytes += n;
      length -= n;
    }
  return TRUE;
}

/* 0: the other side has ended, or this one shall. */
static gsize
receive (int fd, char *bytes, gsize size)
{
  for (;;)
    {
      gssize n = recv (fd, bytes, size, 0);

      if (n >= 0)
        return n;
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN || cothread_wait_fd (fd, G_IO_IN, COTHREAD_FOREVER, NULL) == 0)
        return 0;
    }
}

static gpointer
serve (gpointer user_data, GError **error)
{
  Connection *connection = user_data;
  char bytes[MESSAGE_BYTES];
  gsize n;

  while ((n = receive (connection->fd, bytes, sizeof bytes)) > 0 && send_all (connection->fd, bytes, n))
    ;

  return NULL;
}

static void
close_connection (gpointer data)
{
  Connection *connection = data;

  close (connection->fd);
  g_free (connection);
}

/* Takes the descriptor: it is closed with the task, however that ends. */
static void
spawn (DashEcho *self, CothreadTaskFunc func, const char *name, int fd)
{
  Connection *connection = g_new (Connection, 1);
  CothreadSpawnOptions options = { .name = name, .user_data_destroy = close_connection };

  *connection = (Connection) { self, fd };
  cothread_task_unref (cothread_scope_spawn_full (self->scope, func, connection, &options, NULL));
}

static gpointer
accept_all (gpointer user_data, GError **error)
{
  DashEcho *self = user_data;

  while (cothread_wait_fd (self->listener, G_IO_IN, COTHREAD_FOREVER, NULL) != 0)
    {
      int fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

      if (fd >= 0)
        spawn (self, serve, "echo connection", fd);
      else if (errno != EAGAIN && errno != EINTR && !cothread_sleep (100000, NULL)) /* out of descriptors, say */
        break;
    }

  return NULL;
}

static gboolean
exchange (Connection *connection, const char *message)
{
  char answer[MESSAGE_BYTES];
  gsize have = 0;

  if (!send_all (connection->fd, message, MESSAGE_BYTES))
    return FALSE;
  while (have < sizeof answer)
    {
      gsize n = receive (connection->fd, answer + have, sizeof answer - have);

      if (n == 0)
        return FALSE;
      have += n;
    }

  return memcmp (answer, message, sizeof answer) == 0;
}

static gpointer
talk (gpointer user_data, GError **error)
{
  Connection *connection = user_data;
  char message[MESSAGE_BYTES];

  for (guint round = 0;; round++)
    {
      memset (message, 'a' + round % 26, sizeof message);
      if (!exchange (connection, message))
        break;
      connection->echo->round_trips++;
      if (!cothread_sleep (PAUSE_US, NULL))
        break;
    }

  return NULL;
}

static gboolean
fail (DashEcho *self, const char *what)
{
  g_free (self->problem);
  self->problem = g_strdup_printf ("%s: %s", what, g_strerror (errno));
  return FALSE;
}

static gboolean
listen_on_loopback (DashEcho *self, struct sockaddr_in *address)
{
  socklen_t length = sizeof *address;

  *address = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  self->listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->listener < 0)
    return fail (self, "socket");
  if (bind (self->listener, (struct sockaddr *) address, sizeof *address) != 0 ||
      listen (self->listener, BACKLOG) != 0 ||
      getsockname (self->listener, (struct sockaddr *) address, &length) != 0)
    return fail (self, "listen");

  self->port = ntohs (address->sin_port);
  return TRUE;
}

static gboolean
start (DashEcho *self)
{
  struct sockaddr_in address;

  if (!listen_on_loopback (self, &address))
    return FALSE;

  self->scope = cothread_scope_new ();
  cothread_task_unref (cothread_scope_spawn_full (self->scope, accept_all, self,
                                                  &(CothreadSpawnOptions) { .name = "echo server" }, NULL));
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      int fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

      if (fd < 0)
        return fail (self, "socket");
      if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0 && errno != EINPROGRESS)
        {
          fail (self, "connect");
          close (fd);
          return FALSE;
        }
      spawn (self, talk, "echo client", fd);
    }

  return TRUE;
}

static void
end (DashEcho *self)
{
  if (self->scope != NULL)
    {
      cothread_scope_cancel (self->scope);
      cothread_scope_leave (self->scope, NULL);
      g_clear_pointer (&self->scope, cothread_scope_free);
    }
  if (self->listener >= 0)
    close (self->listener);
  self->listener = -1;
  self->port = 0;
}

static gpointer
run (gpointer user_data, GError **error)
{
  DashEcho *self = user_data;

  while (dash_toggle_await (&self->toggle, TRUE))
    {
      g_clear_pointer (&self->problem, g_free);
      start (self); /* or says why not, and waits until it is switched off */
      dash_toggle_await (&self->toggle, FALSE);
      end (self);
    }

  return NULL;
}

DashEcho *
dash_echo_new (void)
{
  DashEcho *self = g_new0 (DashEcho, 1);

  self->listener = -1;
  dash_toggle_init (&self->toggle);
  self->task = cothread_spawn_full (run, self, &(CothreadSpawnOptions) { .name = "echo" }, NULL);

  return self;
}

void
dash_echo_set_enabled (DashEcho *self, gboolean enabled)
{
  dash_toggle_set (&self->toggle, enabled);
}

guint64
dash_echo_get_round_trips (DashEcho *self)
{
  return self->round_trips;
}

/* 0: it does not listen. */
guint
dash_echo_get_port (DashEcho *self)
{
  return self->port;
}

const char *
dash_echo_get_problem (DashEcho *self)
{
  return self->problem;
}

/* In another task. */
void
dash_echo_stop (DashEcho *self)
{
  dash_toggle_stop (&self->toggle);
  if (self->task != NULL)
    cothread_task_join (self->task, COTHREAD_FOREVER, NULL, NULL);
}

void
dash_echo_free (DashEcho *self)
{
  g_clear_pointer (&self->task, cothread_task_unref);
  dash_toggle_clear (&self->toggle);
  g_free (self->problem);
  g_free (self);
}
