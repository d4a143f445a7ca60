/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A system that interrupts, promises too much and does things by halves. The
 * functions of the C library that the library calls are this program's own
 * while a test asks for faults. */

/* That a call would block though it need not is for those alone who ask anew
 * whether it does: who keeps a descriptor registered is told of what is new. */
typedef enum { FAULTLESS, EVERY_FAULT, NO_REFUSALS, ALWAYS_SHORT } Mode;

static Mode mode;
static guint32 state;
static guint n_interrupted, n_refused, n_short, n_lost;

static guint
dice (guint n_sides)
{
  state = state * 1664525u + 1013904223u;
  return (state >> 16) % n_sides;
}

/* -1 with errno, or how many bytes to do: 0 for all of them. */
static gssize
meddle (void)
{
  if (mode == ALWAYS_SHORT)
    return ++n_short, 1;
  if (mode == FAULTLESS || dice (2) == 0)
    return 0;
  switch (dice (mode == EVERY_FAULT ? 3 : 2))
    {
    case 1:
      n_interrupted++;
      errno = EINTR;
      return -1;
    case 2:
      n_refused++; /* ready a moment ago, and somebody else was faster */
      errno = EAGAIN;
      return -1;
    default:
      n_short++;
      return 1 + dice (3);
    }
}

static gboolean
is_socket (gint fd)
{
  gint type;
  socklen_t n_bytes = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &n_bytes) == 0;
}

/* Only what the tests themselves made: GLib's descriptors stay as they are. */
static gint lowest = G_MAXINT;

#define FAULTS(fd, n_bytes) \
  if ((fd) >= lowest && (n_bytes) > 0) \
    { \
      gssize n_meddled = meddle (); \
      if (n_meddled < 0) \
        return -1; \
      if (n_meddled > 0) \
        (n_bytes) = MIN ((n_bytes), (gsize) n_meddled); \
    }

/* To be found by the library, before those of the C library. */
#pragma GCC visibility push(default)

ssize_t
read (int fd, void *buffer, size_t n_bytes)
{
  FAULTS (fd, n_bytes)
  return syscall (SYS_read, fd, buffer, n_bytes);
}

ssize_t
write (int fd, const void *buffer, size_t n_bytes)
{
  FAULTS (fd, n_bytes)
  return syscall (SYS_write, fd, buffer, n_bytes);
}

ssize_t
send (int fd, const void *buffer, size_t n_bytes, int flags)
{
  if (is_socket (fd))
    FAULTS (fd, n_bytes)
  return syscall (SYS_sendto, fd, buffer, n_bytes, flags, NULL, 0);
}

/* One vector, and perhaps not all of it. */
static gsize
shorten (const struct iovec *vectors, gsize n_vectors, struct iovec *first, gssize n_bytes)
{
  gsize i = 0;

  while (i < n_vectors && vectors[i].iov_len == 0)
    i++;
  if (i == n_vectors)
    return 0;
  *first = vectors[i];
  first->iov_len = MIN (first->iov_len, (gsize) n_bytes);
  return 1;
}

ssize_t
readv (int fd, const struct iovec *vectors, int n_vectors)
{
  gssize n = fd >= lowest ? meddle () : 0;
  struct iovec first;

  if (n < 0)
    return -1;
  if (n > 0 && shorten (vectors, (gsize) n_vectors, &first, n) == 1)
    return syscall (SYS_readv, fd, &first, 1);
  return syscall (SYS_readv, fd, vectors, n_vectors);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  gssize n = fd >= lowest ? meddle () : 0;
  struct iovec first;

  if (n < 0)
    return -1;
  if (n > 0 && shorten (message->msg_iov, message->msg_iovlen, &first, n) == 1)
    return syscall (SYS_sendto, fd, first.iov_base, first.iov_len, flags, NULL, 0);
  return syscall (SYS_sendmsg, fd, message, flags);
}

static const int lost[] = { EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EAGAIN };

int
accept4 (int fd, struct sockaddr *address, socklen_t *n_bytes, int flags)
{
  if (mode != FAULTLESS && fd >= lowest && dice (4) != 0)
    {
      n_lost++;
      errno = lost[dice (G_N_ELEMENTS (lost))];
      return -1;
    }
  return (int) syscall (SYS_accept4, fd, address, n_bytes, flags);
}

/* Interrupted, it goes on by itself. */
int
connect (int fd, const struct sockaddr *address, socklen_t n_bytes)
{
  int result = (int) syscall (SYS_connect, fd, address, n_bytes);

  if (mode != FAULTLESS && fd >= lowest && result != 0 && errno == EINPROGRESS)
    {
      n_interrupted++;
      errno = EINTR;
    }
  return result;
}

#pragma GCC visibility pop

static void
begin_faults (Mode wanted, guint32 seed, gint first_fd)
{
  lowest = first_fd;
  state = seed;
  n_interrupted = n_refused = n_short = n_lost = 0;
  mode = wanted;
}

static void
end_faults (void)
{
  mode = FAULTLESS;
  lowest = G_MAXINT;
}

/* ---- what goes through all the same ---- */

#define MUCH 60000

typedef struct
{
  gint fd;
  CothreadDescriptor *descriptor; /* or NULL */
  gboolean is_vectored;
} End;

static guchar
byte_at (gsize i)
{
  return (guchar) (i * 31 % 251);
}

static gssize
write_some (End *end, const guchar *bytes, gsize n_bytes, GError **error)
{
  struct iovec vectors[3] = { { (guchar *) bytes, n_bytes / 3 }, { NULL, 0 } };

  vectors[2] = (struct iovec) { (guchar *) bytes + n_bytes / 3, n_bytes - n_bytes / 3 };
  if (end->descriptor != NULL && end->is_vectored)
    return cothread_descriptor_writev (end->descriptor, vectors, 3, COTHREAD_FOREVER, error);
  if (end->descriptor != NULL)
    return cothread_descriptor_write (end->descriptor, bytes, n_bytes, COTHREAD_FOREVER, error);
  if (end->is_vectored)
    return cothread_writev (end->fd, vectors, 3, COTHREAD_FOREVER, error);
  return cothread_write (end->fd, bytes, n_bytes, COTHREAD_FOREVER, error);
}

static gpointer
write_much (gpointer data, GError **error)
{
  End *end = data;
  g_autofree guchar *bytes = g_malloc (MUCH);
  gsize done = 0;

  for (gsize i = 0; i < MUCH; i++)
    bytes[i] = byte_at (i);
  while (done < MUCH / 2)
    {
      gssize n = write_some (end, bytes + done, MIN (1000, MUCH / 2 - done), error);

      g_assert_no_error (*error);
      g_assert_cmpint (n, >, 0);
      done += (gsize) n;
    }
  if (end->descriptor != NULL)
    g_assert_true (cothread_descriptor_write_all (end->descriptor, bytes + done, MUCH - done, COTHREAD_FOREVER, error));
  else
    g_assert_true (cothread_write_all (end->fd, bytes + done, MUCH - done, COTHREAD_FOREVER, error));
  if (end->descriptor != NULL)
    g_assert_true (cothread_descriptor_close (end->descriptor, error));
  else
    g_assert_true (cothread_close (end->fd, error));
  return NULL;
}

static gssize
read_some (End *end, guchar *bytes, gsize n_bytes, GError **error)
{
  struct iovec vectors[2] = { { bytes, n_bytes / 3 }, { bytes + n_bytes / 3, n_bytes - n_bytes / 3 } };

  if (end->descriptor != NULL && end->is_vectored)
    return cothread_descriptor_readv (end->descriptor, vectors, 2, COTHREAD_FOREVER, error);
  if (end->descriptor != NULL)
    return cothread_descriptor_read (end->descriptor, bytes, n_bytes, COTHREAD_FOREVER, error);
  if (end->is_vectored)
    return cothread_readv (end->fd, vectors, 2, COTHREAD_FOREVER, error);
  return cothread_read (end->fd, bytes, n_bytes, COTHREAD_FOREVER, error);
}

static gpointer
read_much (gpointer data, GError **error)
{
  gsize total = 0;
  gssize n;

  do
    {
      guchar bytes[700];

      n = read_some (data, bytes, sizeof bytes, error);
      g_assert_no_error (*error);
      for (gssize i = 0; i < n; i++)
        g_assert_cmpint (bytes[i], ==, byte_at (total++));
    }
  while (n > 0);
  g_assert_cmpuint (total, ==, MUCH);
  say ("all");
  return NULL;
}

static void
open_ends (gint kind, gint fds[2])
{
  gint one = 1;

  if (kind == 0)
    {
      g_assert_cmpint (pipe2 (fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
      return;
    }
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
  if (kind == 2) /* and no room */
    for (guint i = 0; i < 2; i++)
      {
        g_assert_cmpint (setsockopt (fds[i], SOL_SOCKET, SO_SNDBUF, &one, sizeof one), ==, 0);
        g_assert_cmpint (setsockopt (fds[i], SOL_SOCKET, SO_RCVBUF, &one, sizeof one), ==, 0);
      }
}

/* Pipes, sockets, tiny sockets; plain numbers and descriptors; in one piece and
 * in several. */
static void
send_much (Mode wanted, guint32 seed)
{
  for (gint way = 0; way < 12; way++)
    {
      End reader = { .is_vectored = way % 2 }, writer = reader;
      gint fds[2];

      open_ends (way / 4, fds);
      reader.fd = fds[0];
      writer.fd = fds[1];
      if (way / 2 % 2 == 1)
        {
          reader.descriptor = cothread_descriptor_new (fds[0], NULL);
          writer.descriptor = cothread_descriptor_new (fds[1], NULL);
        }
      start ("reader", read_much, &reader);
      start ("writer", write_much, &writer);
      begin_faults (reader.descriptor != NULL && wanted == EVERY_FAULT ? NO_REFUSALS : wanted, seed + (guint32) way,
                    MIN (fds[0], fds[1]));
      run_until_no_task_is_left ();
      end_faults ();
      assert_said ("all");
      g_assert_cmpuint (n_short, >, 0);
      g_assert_true ((n_interrupted > 0) == (wanted == EVERY_FAULT));
      g_assert_true ((n_refused > 0) == (wanted == EVERY_FAULT && reader.descriptor == NULL));
      if (reader.descriptor == NULL)
        close (fds[0]);
      cothread_descriptor_free (reader.descriptor);
      cothread_descriptor_free (writer.descriptor);
    }
}

static void
test_all_goes_through_whatever_the_system_does (void)
{
  for (guint32 seed = 1; seed <= 5; seed++)
    send_much (EVERY_FAULT, seed * 1000);
}

static void
test_all_goes_through_byte_by_byte (void)
{
  send_much (ALWAYS_SHORT, 1);
}

/* ---- connections ---- */

#define N_VISITS 50

static gint
listen_at (struct sockaddr_in *address)
{
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t n_bytes = sizeof *address;

  *address = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  g_assert_cmpint (bind (fd, (struct sockaddr *) address, n_bytes), ==, 0);
  g_assert_cmpint (listen (fd, 128), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) address, &n_bytes), ==, 0);
  return fd;
}

static gpointer
accept_visits (gpointer listener, GError **error)
{
  for (guint i = 0; i < N_VISITS; i++)
    {
      gint fd = cothread_accept (GPOINTER_TO_INT (listener), NULL, NULL, COTHREAD_FOREVER, error);

      g_assert_no_error (*error);
      g_assert_true (cothread_write_all (fd, "hello", 5, COTHREAD_FOREVER, error));
      g_assert_true (cothread_close (fd, error));
    }
  say ("served");
  return NULL;
}

static gpointer
visit (gpointer address, GError **error)
{
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gsize n_read = 0;
  char text[8];
  gssize n;

  g_assert_true (cothread_connect (fd, address, sizeof (struct sockaddr_in), COTHREAD_FOREVER, error));
  while ((n = cothread_read (fd, text + n_read, sizeof text - n_read, COTHREAD_FOREVER, error)) > 0)
    n_read += (gsize) n;
  g_assert_no_error (*error);
  g_assert_cmpmem (text, n_read, "hello", 5);
  g_assert_true (cothread_close (fd, error));
  return NULL;
}

static void
test_connections_are_made_and_taken_whatever_the_system_does (void)
{
  struct sockaddr_in address;
  gint listener = listen_at (&address);

  start ("server", accept_visits, GINT_TO_POINTER (listener));
  for (guint i = 0; i < N_VISITS; i++)
    start ("client", visit, &address);
  begin_faults (EVERY_FAULT, 7, listener);
  run_until_no_task_is_left ();
  end_faults ();
  assert_said ("served");
  g_assert_cmpuint (n_lost, >, 0);
  g_assert_cmpuint (n_interrupted, >, 0);
  close (listener);
}

/* ---- streams, which read and write their sockets in the same way ---- */

static gpointer
stream_in (gpointer stream, GError **error)
{
  guchar bytes[MUCH];
  gsize n = 0;

  g_assert_true (cothread_stream_read_all (stream, bytes, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  for (gsize i = 0; i < MUCH; i++)
    g_assert_cmpint (bytes[i], ==, byte_at (i));
  say ("all");
  return NULL;
}

static gpointer
stream_out (gpointer stream, GError **error)
{
  guchar bytes[MUCH];
  gsize n = 0;

  for (gsize i = 0; i < MUCH; i++)
    bytes[i] = byte_at (i);
  g_assert_true (cothread_stream_write_all (stream, bytes, MUCH, &n, error));
  g_assert_cmpuint (n, ==, MUCH);
  return NULL;
}

static void
test_streams_go_through_whatever_the_system_does (void)
{
  for (guint32 seed = 1; seed <= 5; seed++)
    {
      GSocketConnection *connections[2];
      gint fds[2];

      open_ends (2, fds);
      for (guint i = 0; i < 2; i++)
        {
          g_autoptr (GSocket) socket = g_socket_new_from_fd (fds[i], NULL);

          connections[i] = g_socket_connection_factory_create_connection (socket);
        }
      start ("in", stream_in, g_io_stream_get_input_stream (G_IO_STREAM (connections[0])));
      start ("out", stream_out, g_io_stream_get_output_stream (G_IO_STREAM (connections[1])));
      begin_faults (NO_REFUSALS, seed, MIN (fds[0], fds[1]));
      run_until_no_task_is_left ();
      end_faults ();
      assert_said ("all");
      g_assert_cmpuint (n_interrupted, >, 0);
      g_assert_cmpuint (n_short, >, 0);
      g_object_unref (connections[0]);
      g_object_unref (connections[1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/fd-faults/" #name, test_##name)
  ADD (all_goes_through_whatever_the_system_does);
  ADD (all_goes_through_byte_by_byte);
  ADD (connections_are_made_and_taken_whatever_the_system_does);
  ADD (streams_go_through_whatever_the_system_does);
  return g_test_run ();
}
