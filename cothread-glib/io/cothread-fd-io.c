/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-fd-io-private.h"
#include "io/cothread-fd-private.h"
#include "loop/cothread-wait-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

/* How long to wait for room in the backlog of a local socket, which nothing
 * announces. */
#define BACKLOG_PAUSE_US 2000

static gboolean
fail (gint fd, int failure, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Descriptor %d: %s", fd, g_strerror (failure));
  return FALSE;
}

static gboolean
is_closed (const CothreadFdCall *call, GError **error)
{
  if ((call->own == NULL || *call->own == call->fd) && (call->socket == NULL || g_socket_get_fd (call->socket) == call->fd))
    return FALSE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Descriptor %d was closed while it was waited for", call->fd);
  return TRUE;
}

gboolean
cothread_fd_call_begin (CothreadFdCall *call, GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;

  if (self == NULL || self->core->current->kind != CT_TASK_NATIVE)
    return TRUE;
  return cothread_checkpoint (error) && !is_closed (call, error);
}

/* What an edge may report together with data, and never again. */
#define ODDITIES (POLLRDHUP | POLLPRI)

static void
note_what_happened (CothreadFdState *state, GIOCondition happened)
{
  state->is_drained = FALSE;
  if ((happened & (ODDITIES | G_IO_HUP | G_IO_ERR)) != 0)
    state->has_hung_up = TRUE;
}

static gboolean
is_tcp (CothreadFdState *state, gint fd)
{
  gint protocol = 0;
  socklen_t n_bytes = sizeof protocol;

  if (state->kind == COTHREAD_FD_UNKNOWN)
    state->kind = getsockopt (fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n_bytes) == 0 && protocol == IPPROTO_TCP
                    ? COTHREAD_FD_TCP : COTHREAD_FD_OTHER;
  return state->kind == COTHREAD_FD_TCP;
}

/* TCP gives all that it has. So after less than was asked for the next read would
 * be in vain, as long as each edge is reported: what comes after the report that
 * led to this read makes another one, if the file stayed registered, and if it
 * did not, registering it looks. Only what was in the same report as the data
 * would be missed: the end of the stream, urgent data (a read stops before it),
 * an error. Other files stop a read earlier: at a line, a message, a sender. */
static void
note_read (const CothreadFdCall *call, gsize n_read, gsize n_wanted)
{
  CothreadFdState *state = call->kept;

  if (state != NULL && n_read > 0 && n_read < n_wanted && (state->events & G_IO_IN) != 0 && !state->has_hung_up)
    state->is_drained = is_tcp (state, call->fd);
}

static gsize
count_bytes (const struct iovec *vectors, guint n_vectors)
{
  gsize n = 0;

  for (guint i = 0; i < n_vectors; i++)
    n += vectors[i].iov_len;
  return n;
}

gboolean
cothread_fd_call_retry (CothreadFdCall *call, int failure, GIOCondition condition, GError **error)
{
  gboolean was_kept = call->kept != NULL && (call->kept->events & condition) == condition;
  GIOCondition happened;

  if (failure == EINTR)
    return TRUE;
  if (failure != EAGAIN && failure != EWOULDBLOCK)
    return fail (call->fd, failure, error);
  if (call->core == NULL)
    {
      call->core = cothread_wait_begin (error);
      if (call->core == NULL || !cothread_deadline_from_timeout (call->core, call->timeout_us, &call->deadline_us))
        return FALSE;
    }
  if (was_kept && condition == G_IO_IN && call->core->poller->klass->can_keep)
    condition |= (GIOCondition) ODDITIES;
  happened = cothread_wait_fd_until (call->core, call->fd, condition, was_kept, call->deadline_us, error);
  if (call->kept != NULL)
    note_what_happened (call->kept, happened);
  if (happened == 0)
    return FALSE;
  if ((happened & G_IO_NVAL) != 0)
    {
      /* Its number may be another file's by now. */
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Descriptor %d was closed while it was waited for", call->fd);
      return FALSE;
    }
  if (is_closed (call, error))
    return FALSE;
  if (call->kept != NULL)
    call->kept->events |= (gushort) condition & (G_IO_IN | G_IO_OUT);
  return TRUE;
}

gssize
cothread_fd_call_readv (CothreadFdCall *call, const struct iovec *vectors, guint n_vectors, GError **error)
{
  gsize n_wanted = count_bytes (vectors, n_vectors);

  if (!cothread_fd_call_begin (call, error))
    return -1;
  if (call->kept != NULL && call->kept->is_drained && n_wanted > 0 && call->timeout_us != 0 &&
      !cothread_fd_call_retry (call, EAGAIN, G_IO_IN, error))
    return -1;
  for (;;)
    {
      gssize n = n_vectors == 1 ? read (call->fd, vectors[0].iov_base, vectors[0].iov_len)
                                : readv (call->fd, vectors, (int) n_vectors);

      if (n >= 0)
        {
          note_read (call, (gsize) n, n_wanted);
          return n;
        }
      if (!cothread_fd_call_retry (call, errno, G_IO_IN, error))
        return -1;
    }
}

static gssize
try_write (gint fd, const struct iovec *vectors, guint n_vectors)
{
  struct msghdr message = { .msg_iov = (struct iovec *) vectors, .msg_iovlen = n_vectors };
  gssize n = n_vectors == 1 ? send (fd, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL)
                            : sendmsg (fd, &message, MSG_NOSIGNAL);

  if (n >= 0 || errno != ENOTSOCK)
    return n;
  return writev (fd, vectors, (int) n_vectors);
}

gssize
cothread_fd_call_writev (CothreadFdCall *call, const struct iovec *vectors, guint n_vectors, GError **error)
{
  if (!cothread_fd_call_begin (call, error))
    return -1;
  for (;;)
    {
      gssize n = try_write (call->fd, vectors, n_vectors);

      if (n >= 0)
        return n;
      if (!cothread_fd_call_retry (call, errno, G_IO_OUT, error))
        return -1;
    }
}

gboolean
cothread_fd_call_write_all (CothreadFdCall *call, const void *buffer, gsize n_bytes, gsize *n_written, GError **error)
{
  gsize done = 0;

  while (done < n_bytes)
    {
      struct iovec rest = { (char *) buffer + done, n_bytes - done };
      gssize n = cothread_fd_call_writev (call, &rest, 1, error);

      if (n < 0)
        break;
      done += (gsize) n;
    }
  if (n_written != NULL)
    *n_written = done;
  return done == n_bytes;
}

/**
 * cothread_read: (skip)
 * @fd: an open descriptor
 * @buffer: (out caller-allocates) (array length=n_bytes): where to put the bytes
 * @n_bytes: how many at the most
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Reads, as read() does, but suspends only the calling task until there is
 * something to read. It tries first: what is there already is read without
 * suspending, except that a task whose time slice is used up lets others run.
 * Regular files are always ready.
 *
 * The descriptor has to be non-blocking (g_unix_set_fd_nonblocking()); from any
 * other, read() blocks the whole thread. See also #CothreadDescriptor, which
 * knows its descriptor, and so can wait for less.
 *
 * Fails with the code of %G_IO_ERROR for what the system says
 * (%G_IO_ERROR_CONNECTION_CLOSED for a connection that was reset), with
 * %G_IO_ERROR_CLOSED if the descriptor is closed meanwhile with
 * cothread_close(), with %G_IO_ERROR_TIMED_OUT, and like cothread_sleep(). A
 * cancelled task reads nothing. Where nothing can wait (in a handler of the main
 * loop) it reads what is there, and fails with %COTHREAD_ERROR_WRONG_CONTEXT only
 * if nothing is.
 *
 * ```c
 * while ((n = cothread_read (fd, buffer, sizeof buffer, 10 * G_USEC_PER_SEC, error)) > 0)
 *   g_string_append_len (text, buffer, n);
 * ```
 *
 * Returns: how many bytes were read, 0 at the end; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_read (gint fd, void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  struct iovec vector = { buffer, n_bytes };

  g_return_val_if_fail (buffer != NULL || n_bytes == 0, -1);

  return cothread_readv (fd, &vector, 1, timeout_us, error);
}

/**
 * cothread_readv: (skip)
 * @fd: an open descriptor
 * @vectors: (array length=n_vectors): where to put the bytes
 * @n_vectors: how many
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Reads into several places, as readv() does; otherwise like cothread_read().
 *
 * Returns: how many bytes were read, 0 at the end; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_readv (gint fd, const struct iovec *vectors, guint n_vectors, gint64 timeout_us, GError **error)
{
  CothreadFdCall call = { .fd = fd, .timeout_us = timeout_us };

  g_return_val_if_fail (vectors != NULL || n_vectors == 0, -1);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, -1);

  return cothread_fd_call_readv (&call, vectors, n_vectors, error);
}

/**
 * cothread_write: (skip)
 * @fd: an open descriptor
 * @buffer: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes, as write() does, and perhaps fewer bytes than there are, but suspends
 * only the calling task until there is room. It tries first. To a socket it
 * writes without raising `SIGPIPE`; to a pipe that nobody reads it raises it, as
 * write() does. See cothread_read() for all else, and cothread_write_all().
 *
 * Fails with %G_IO_ERROR_BROKEN_PIPE if nobody reads any more, and like
 * cothread_read().
 *
 * Returns: how many bytes were written; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_write (gint fd, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  struct iovec vector = { (void *) buffer, n_bytes };

  g_return_val_if_fail (buffer != NULL || n_bytes == 0, -1);

  return cothread_writev (fd, &vector, 1, timeout_us, error);
}

/**
 * cothread_writev: (skip)
 * @fd: an open descriptor
 * @vectors: (array length=n_vectors): what to write
 * @n_vectors: how many
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes from several places, as writev() does; otherwise like cothread_write().
 *
 * Returns: how many bytes were written; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_writev (gint fd, const struct iovec *vectors, guint n_vectors, gint64 timeout_us, GError **error)
{
  CothreadFdCall call = { .fd = fd, .timeout_us = timeout_us };

  g_return_val_if_fail (vectors != NULL || n_vectors == 0, -1);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, -1);

  return cothread_fd_call_writev (&call, vectors, n_vectors, error);
}

/**
 * cothread_write_all: (skip)
 * @fd: an open descriptor
 * @buffer: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 * @timeout_us: microseconds for all of it, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes all the bytes; otherwise like cothread_write(). How many of them were
 * written before a failure is not told.
 *
 * ```c
 * cothread_write_all (fd, "hello\n", 6, COTHREAD_FOREVER, error);
 * ```
 *
 * Returns: whether all were written
 *
 * Since: 0.1
 */
gboolean
cothread_write_all (gint fd, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  CothreadFdCall call = { .fd = fd, .timeout_us = timeout_us };

  g_return_val_if_fail (buffer != NULL || n_bytes == 0, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  return cothread_fd_call_write_all (&call, buffer, n_bytes, NULL, error);
}

/* The network lost this one; there will be others. */
static gboolean
is_transient (int failure)
{
  switch (failure)
    {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return TRUE;
    default:
      return FALSE;
    }
}

/**
 * cothread_accept: (skip)
 * @fd: a socket that listens, non-blocking
 * @address: (out caller-allocates) (optional): who connects
 * @address_bytes: (inout) (optional): its size
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Accepts a connection, as accept4() does, but suspends only the calling task
 * until somebody connects. It tries first. The new socket is non-blocking and
 * closed on exec. Connections that were lost before they could be accepted are
 * passed over.
 *
 * Fails with %G_IO_ERROR_TOO_MANY_OPEN_FILES if there is no descriptor left;
 * the connection then still waits. Otherwise fails like cothread_read().
 *
 * ```c
 * while ((peer = cothread_accept (listener, NULL, NULL, COTHREAD_FOREVER, error)) >= 0)
 *   cothread_task_unref (cothread_spawn (serve, GINT_TO_POINTER (peer)));
 * ```
 *
 * Returns: the new socket, or -1
 *
 * Since: 0.1
 */
gint
cothread_accept (gint fd, struct sockaddr *address, socklen_t *address_bytes, gint64 timeout_us, GError **error)
{
  CothreadFdCall call = { .fd = fd, .timeout_us = timeout_us };

  g_return_val_if_fail (address == NULL || address_bytes != NULL, -1);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, -1);

  if (!cothread_fd_call_begin (&call, error))
    return -1;
  for (;;)
    {
      gint accepted = accept4 (fd, address, address_bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);

      if (accepted >= 0)
        return accepted;
      if (!is_transient (errno) && !cothread_fd_call_retry (&call, errno, G_IO_IN, error))
        return -1;
    }
}

/* Also after an interruption the connection goes on being made. */
static gboolean
wait_for_connection (CothreadFdCall *call, GError **error)
{
  int failure = 0;
  socklen_t n_bytes = sizeof failure;

  if (!cothread_fd_call_retry (call, EAGAIN, G_IO_OUT, error))
    return FALSE;
  if (getsockopt (call->fd, SOL_SOCKET, SO_ERROR, &failure, &n_bytes) != 0)
    failure = errno;
  return failure == 0 || fail (call->fd, failure, error);
}

static gboolean
wait_for_backlog (CothreadFdCall *call, GError **error)
{
  gint64 now_us;

  if (call->core == NULL)
    {
      call->core = cothread_wait_begin (error);
      if (call->core == NULL || !cothread_deadline_from_timeout (call->core, call->timeout_us, &call->deadline_us))
        return FALSE;
    }
  now_us = ct_scheduler_now (call->core);
  if (now_us >= call->deadline_us)
    return cothread_wait_result (CT_WAKE_TIMEOUT, error);
  return cothread_sleep_until (MIN (call->deadline_us, now_us + BACKLOG_PAUSE_US), error);
}

/**
 * cothread_connect: (skip)
 * @fd: a socket, non-blocking
 * @address: whom to connect to
 * @address_bytes: its size
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Connects a socket, as connect() does, but suspends only the calling task until
 * the other side has answered. After a failure, a timeout or a cancellation the
 * socket is in no defined state: close it.
 *
 * Fails with the code of %G_IO_ERROR for what the system says, such as
 * %G_IO_ERROR_CONNECTION_REFUSED, and otherwise like cothread_read().
 *
 * ```c
 * struct sockaddr_un address = { AF_UNIX, "/run/service/socket" };
 * int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
 *
 * if (!cothread_connect (fd, (struct sockaddr *) &address, sizeof address, 5 * G_USEC_PER_SEC, error))
 *   cothread_close (fd, NULL);
 * ```
 *
 * Returns: whether it is connected
 *
 * Since: 0.1
 */
gboolean
cothread_connect (gint fd, const struct sockaddr *address, socklen_t address_bytes, gint64 timeout_us, GError **error)
{
  CothreadFdCall call = { .fd = fd, .timeout_us = timeout_us };

  g_return_val_if_fail (address != NULL, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (!cothread_fd_call_begin (&call, error))
    return FALSE;
  while (connect (fd, address, address_bytes) != 0)
    {
      if (errno == EISCONN)
        break;
      if (errno == EINPROGRESS || errno == EINTR || errno == EALREADY)
        return wait_for_connection (&call, error);
      if (errno != EAGAIN)
        return fail (fd, errno, error);
      if (!wait_for_backlog (&call, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * cothread_close: (skip)
 * @fd: an open descriptor
 * @error: return location for a #GError
 *
 * Closes a descriptor, and wakes the tasks of the calling thread's scheduler
 * that wait for it: cothread_wait_fd() returns %G_IO_NVAL, and cothread_read()
 * and its like fail with %G_IO_ERROR_CLOSED. (The system takes a closed descriptor
 * off its lists without a word. After a plain close() the loop notices it by
 * itself, but about a second later.)
 *
 * Never suspends. Fails with what close() says; the descriptor is closed all the
 * same, unless it was not open.
 *
 * Returns: whether all went well
 *
 * Since: 0.1
 */
gboolean
cothread_close (gint fd, GError **error)
{
  CothreadScheduler *scheduler = cothread_scheduler_ensure (NULL);

  if (scheduler != NULL && scheduler->core != NULL)
    ct_poller_forget (scheduler->core->poller, fd);
  if (close (fd) == 0 || errno == EINTR)
    return TRUE;
  return fail (fd, errno, error);
}
