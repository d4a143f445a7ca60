/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-stream.h"
#include "io/cothread-fd-io-private.h"
#include "io/cothread-fd.h"

#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <limits.h>

/* Streams try first, as descriptors do. What then has to wait does so in the
 * scheduler's epoll set where the stream has a descriptor, and not by a source
 * of its own, which GLib would poll with all the others in every iteration. */

/* What is known of a stream of a socket: it does nothing but read or write its
 * descriptor, so that may as well be done here, without a GError for each try in
 * vain. The socket owns its descriptor, and tells when it was closed. */
typedef struct
{
  GSocket *socket; /* the stream's; NULL: it is no such stream */
  gint fd;
  CothreadFdState kept;
} SocketStream;

static SocketStream *
look_for_socket (gpointer stream)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (stream), "socket");
  SocketStream *self = g_new0 (SocketStream, 1);
  const char *type = G_OBJECT_TYPE_NAME (stream);

  /* The streams of a GSocketConnection are private types. */
  if (pspec != NULL && pspec->value_type == G_TYPE_SOCKET && (pspec->flags & G_PARAM_READABLE) != 0 &&
      (g_str_equal (type, "GSocketInputStream") || g_str_equal (type, "GSocketOutputStream")))
    {
      g_object_get (stream, "socket", &self->socket, NULL);
      if (self->socket != NULL)
        {
          self->fd = g_socket_get_fd (self->socket);
          g_object_unref (self->socket); /* the stream holds it */
        }
    }
  return self;
}

/* NULL where the stream's own way is the right one. */
static SocketStream *
socket_stream (gpointer stream)
{
  static GQuark quark;
  SocketStream *self;

  if (G_UNLIKELY (quark == 0))
    quark = g_quark_from_static_string ("cothread-socket-stream");
  self = g_object_get_qdata (stream, quark);
  if (G_UNLIKELY (self == NULL))
    {
      self = look_for_socket (stream);
      g_object_set_qdata_full (stream, quark, self, g_free);
    }
  if (self->socket == NULL || g_socket_get_fd (self->socket) != self->fd || self->fd < 0 || g_socket_get_timeout (self->socket) != 0)
    return NULL;
  return self;
}

static CothreadFdCall
call_of (SocketStream *self)
{
  return (CothreadFdCall) { .fd = self->fd, .timeout_us = COTHREAD_FOREVER, .kept = &self->kept, .socket = self->socket };
}

/* A try that failed: whether to try again. Otherwise it is for the operation of
 * the stream itself, unless it is a failure. */
static gboolean
wait_after (gpointer stream, GIOCondition condition, GError **failure)
{
  if (!g_error_matches (*failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) || !G_IS_FILE_DESCRIPTOR_BASED (stream))
    return FALSE;
  g_clear_error (failure);
  return cothread_wait_fd (g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (stream)), condition, COTHREAD_FOREVER,
                           failure) != 0;
}

static gboolean
begin (GError **error)
{
  CothreadFdCall none = { .fd = -1 };

  return cothread_fd_call_begin (&none, error);
}

static gssize
read_socket (SocketStream *socket, void *buffer, gsize n_bytes, GError **error)
{
  CothreadFdCall call = call_of (socket);
  struct iovec vector = { buffer, n_bytes };

  return cothread_fd_call_readv (&call, &vector, 1, error);
}

/* Somebody holds the stream: whoever else does may drop it while we wait. */
static gssize
read_held (GInputStream *stream, void *buffer, gsize n_bytes, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) failure = NULL;
  SocketStream *socket;

  if (!begin (error))
    return -1;
  socket = g_input_stream_is_closed (stream) ? NULL : socket_stream (stream);
  if (socket != NULL)
    return read_socket (socket, buffer, n_bytes, error);
  if (G_IS_POLLABLE_INPUT_STREAM (stream) && g_pollable_input_stream_can_poll (G_POLLABLE_INPUT_STREAM (stream)))
    {
      do
        {
          gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (stream), buffer, n_bytes, NULL, &failure);

          if (n >= 0)
            return n;
        }
      while (wait_after (stream, G_IO_IN, &failure));
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return -1;
        }
    }
  result = cothread_await (error, g_input_stream_read_async, stream, buffer, n_bytes, G_PRIORITY_DEFAULT);
  return result != NULL ? g_input_stream_read_finish (stream, result, error) : -1;
}

/**
 * cothread_stream_read: (skip)
 * @stream: a stream
 * @buffer: (out caller-allocates) (array length=n_bytes): where to put the bytes
 * @n_bytes: how many at the most
 * @error: return location for a #GError
 *
 * Reads what there is, as g_input_stream_read() does, but suspends only the
 * calling task. A stream that can be polled (a socket's, TLS, a pipe's) is tried
 * first, and read without suspending if there is something, except that a task
 * whose time slice is used up lets others run. The stream is held meanwhile.
 *
 * ```c
 * while ((n = cothread_stream_read (input, buffer, sizeof buffer, error)) > 0)
 *   if (!cothread_stream_write_all (output, buffer, n, NULL, error))
 *     break;
 * ```
 *
 * Fails like g_input_stream_read_finish() and cothread_await(). A cancelled task
 * reads nothing.
 *
 * Returns: how many bytes were read, 0 at the end; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_stream_read (GInputStream *stream, void *buffer, gsize n_bytes, GError **error)
{
  gssize n;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), -1);
  g_return_val_if_fail (buffer != NULL || n_bytes == 0, -1);

  g_object_ref (stream);
  n = read_held (stream, buffer, n_bytes, error);
  g_object_unref (stream);
  return n;
}

/**
 * cothread_stream_read_all: (skip)
 * @stream: a stream
 * @buffer: (out caller-allocates) (array length=n_bytes): where to put the bytes
 * @n_bytes: how many
 * @n_read: (out) (optional): how many there were; fewer at the end of the
 *   stream, and after a failure
 * @error: return location for a #GError
 *
 * Reads until there are as many bytes as asked for, or no more: whether the
 * stream ended before tells @n_read. Suspends, and fails, like
 * cothread_stream_read().
 *
 * Returns: %FALSE on failure
 *
 * Since: 0.1
 */
gboolean
cothread_stream_read_all (GInputStream *stream, void *buffer, gsize n_bytes, gsize *n_read, GError **error)
{
  gsize done = 0;
  gssize n = 1;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (buffer != NULL || n_bytes == 0, FALSE);

  g_object_ref (stream);
  while (done < n_bytes && n > 0)
    {
      n = read_held (stream, (char *) buffer + done, n_bytes - done, error);
      if (n > 0)
        done += (gsize) n;
    }
  g_object_unref (stream);
  if (n_read != NULL)
    *n_read = done;
  return n >= 0;
}

/* A descriptor that blocks takes all that it is given before it comes back, as
 * long as that may last; that it is ready promises room for this much. */
static gsize
largest_portion (GPollableOutputStream *stream, gsize n_bytes)
{
  gint flags;

  if (n_bytes <= PIPE_BUF || !G_IS_FILE_DESCRIPTOR_BASED (stream))
    return n_bytes;
  flags = fcntl (g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (stream)), F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0 ? PIPE_BUF : n_bytes;
}

/* As much as goes without the stream's own operation. */
static gboolean
write_what_fits (GPollableOutputStream *stream, const char *buffer, gsize n_bytes, gsize *done, GError **error)
{
  gsize portion = largest_portion (stream, n_bytes);
  g_autoptr (GError) failure = NULL;

  do
    {
      g_clear_error (&failure);
      while (*done < n_bytes)
        {
          gssize n = g_pollable_output_stream_write_nonblocking (stream, buffer + *done, MIN (portion, n_bytes - *done), NULL,
                                                                 &failure);

          if (n < 0)
            break;
          *done += (gsize) n;
          if (*done < n_bytes && !begin (error))
            return FALSE;
        }
    }
  while (failure != NULL && wait_after (stream, G_IO_OUT, &failure));
  if (failure == NULL || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
write_rest (GOutputStream *stream, const char *buffer, gsize n_bytes, gsize *done, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, g_output_stream_write_all_async, stream, buffer + *done,
                                                    n_bytes - *done, G_PRIORITY_DEFAULT);
  gsize n = 0;
  gboolean success = result != NULL && g_output_stream_write_all_finish (stream, result, &n, error);

  *done += n;
  return success;
}

static gboolean
write_socket (SocketStream *socket, const void *buffer, gsize n_bytes, gsize *done, GError **error)
{
  CothreadFdCall call = call_of (socket);

  return cothread_fd_call_write_all (&call, buffer, n_bytes, done, error);
}

/**
 * cothread_stream_write_all: (skip)
 * @stream: a stream
 * @buffer: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 * @n_written: (out) (optional): how many were written, also after a failure
 * @error: return location for a #GError
 *
 * Writes all the bytes, as g_output_stream_write_all() does, but suspends only
 * the calling task. A stream that can be polled is tried first; one of a pipe
 * that blocks is written in portions that it has room for. The stream is held
 * meanwhile. A pipe that nobody reads raises `SIGPIPE`, as write() does.
 *
 * Fails like g_output_stream_write_all_finish() and cothread_await(). A
 * cancelled task writes nothing.
 *
 * Returns: whether all were written
 *
 * Since: 0.1
 */
gboolean
cothread_stream_write_all (GOutputStream *stream, const void *buffer, gsize n_bytes, gsize *n_written, GError **error)
{
  SocketStream *socket;
  gsize done = 0;
  gboolean success;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (buffer != NULL || n_bytes == 0, FALSE);

  g_object_ref (stream); /* as in read_held() */
  success = begin (error);
  socket = success && !g_output_stream_is_closed (stream) ? socket_stream (stream) : NULL;
  if (socket != NULL)
    success = write_socket (socket, buffer, n_bytes, &done, error);
  else if (success && G_IS_POLLABLE_OUTPUT_STREAM (stream) &&
      g_pollable_output_stream_can_poll (G_POLLABLE_OUTPUT_STREAM (stream)))
    success = write_what_fits (G_POLLABLE_OUTPUT_STREAM (stream), buffer, n_bytes, &done, error);
  if (success && done < n_bytes)
    success = write_rest (stream, buffer, n_bytes, &done, error);
  g_object_unref (stream);
  if (n_written != NULL)
    *n_written = done;
  return success;
}

/**
 * cothread_stream_read_line: (skip)
 * @stream: a stream
 * @length: (out) (optional): how long the line is
 * @error: return location for a #GError
 *
 * Reads a line, as g_data_input_stream_read_line() does, but suspends only the
 * calling task. Half a line that was read before a cancellation stays in the
 * stream. Fails like g_data_input_stream_read_line_finish() (with
 * %G_IO_ERROR_PENDING while another task reads) and cothread_await().
 *
 * ```c
 * while ((line = cothread_stream_read_line (lines, NULL, &failure)) != NULL)
 *   {
 *     g_print ("%s\n", line);
 *     g_free (line);
 *   }
 * ```
 *
 * Returns: (transfer full) (nullable): the line, without its end; %NULL on
 *   failure, and without an error at the end of the stream
 *
 * Since: 0.1
 */
char *
cothread_stream_read_line (GDataInputStream *stream, gsize *length, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (G_IS_DATA_INPUT_STREAM (stream), NULL);

  result = cothread_await (error, g_data_input_stream_read_line_async, stream, G_PRIORITY_DEFAULT);
  return result != NULL ? g_data_input_stream_read_line_finish (stream, result, length, error) : NULL;
}

/**
 * cothread_stream_close: (skip)
 * @stream: a stream
 * @error: return location for a #GError
 *
 * Closes both directions of a stream, suspending the calling task meanwhile; a
 * TLS connection says good-bye. Fails like g_io_stream_close_finish() and
 * cothread_await(). A clean-up after a cancellation does it in a shielded section:
 *
 * ```c
 * cothread_shield_begin ();
 * cothread_stream_close (G_IO_STREAM (connection), NULL);
 * cothread_shield_end ();
 * ```
 *
 * Returns: whether all went well
 *
 * Since: 0.1
 */
gboolean
cothread_stream_close (GIOStream *stream, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (G_IS_IO_STREAM (stream), FALSE);

  result = cothread_await (error, g_io_stream_close_async, stream, G_PRIORITY_DEFAULT);
  return result != NULL && g_io_stream_close_finish (stream, result, error);
}
