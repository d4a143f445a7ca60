/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-descriptor.h"
#include "io/cothread-fd-io-private.h"

#include <glib-unix.h>

/**
 * CothreadDescriptor: (skip)
 *
 * A descriptor that belongs to the program alone: a socket, a pipe, a device.
 *
 * It reads and writes as cothread_read() and cothread_write() do. But it knows
 * that its number still means the same open file, and so keeps it registered
 * from one wait to the next: on a busy connection a wait costs no system call.
 * And closing it wakes whoever waits for it.
 *
 * One task may read while another writes. It belongs to the thread that made it.
 *
 * ```c
 * g_autoptr (CothreadDescriptor) peer = cothread_descriptor_new (cothread_accept (listener, NULL, NULL, COTHREAD_FOREVER, NULL), NULL);
 * char buffer[4096];
 * gssize n = 0;
 *
 * while (peer != NULL && (n = cothread_descriptor_read (peer, buffer, sizeof buffer, COTHREAD_FOREVER, error)) > 0 &&
 *        cothread_descriptor_write_all (peer, buffer, n, COTHREAD_FOREVER, error))
 *   ;
 * ```
 *
 * Since: 0.1
 */
struct _CothreadDescriptor
{
  gint fd; /* -1: closed */
  CothreadFdState kept;
  guint n_calls;     /* in progress */
  gboolean is_freed; /* the last of them frees it */
};

/**
 * cothread_descriptor_new: (skip)
 * @fd: an open descriptor, which is taken and made non-blocking
 * @error: return location for a #GError
 *
 * Takes a descriptor over, whose other users have to leave it alone from now on.
 * Never suspends. Fails with %G_IO_ERROR_INVALID_ARGUMENT for a descriptor that is
 * not open; it is not taken then.
 *
 * Returns: (transfer full): the descriptor, or %NULL
 *
 * Since: 0.1
 */
CothreadDescriptor *
cothread_descriptor_new (gint fd, GError **error)
{
  g_autoptr (GError) failure = NULL;
  CothreadDescriptor *self;

  if (!g_unix_set_fd_nonblocking (fd, TRUE, &failure))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, failure->message);
      return NULL;
    }
  self = g_new0 (CothreadDescriptor, 1);
  self->fd = fd;
  return self;
}

/**
 * cothread_descriptor_free: (skip)
 * @self: (nullable) (transfer full): a descriptor
 *
 * Closes the descriptor, wakes whoever waits for it (as
 * cothread_descriptor_close() does), and frees it as soon as they have left.
 * Never suspends.
 *
 * Since: 0.1
 */
void
cothread_descriptor_free (CothreadDescriptor *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    cothread_descriptor_close (self, NULL);
  if (self->n_calls > 0)
    self->is_freed = TRUE;
  else
    g_free (self);
}

/**
 * cothread_descriptor_get_fd: (skip)
 * @self: a descriptor
 *
 * To set options of a socket, for instance; it still belongs to the descriptor.
 *
 * Returns: its number; -1 after it was closed
 *
 * Since: 0.1
 */
gint
cothread_descriptor_get_fd (CothreadDescriptor *self)
{
  g_return_val_if_fail (self != NULL, -1);
  return self->fd;
}

static gboolean
begin (CothreadDescriptor *self, CothreadFdCall *call, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (self->fd < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The descriptor was closed");
      return FALSE;
    }
  *call = (CothreadFdCall) { .fd = self->fd, .timeout_us = timeout_us, .kept = &self->kept, .own = &self->fd };
  self->n_calls++;
  return TRUE;
}

static void
end (CothreadDescriptor *self)
{
  if (--self->n_calls == 0 && self->is_freed)
    g_free (self);
}

/**
 * cothread_descriptor_readv: (skip)
 * @self: a descriptor
 * @vectors: (array length=n_vectors): where to put the bytes
 * @n_vectors: how many
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Reads; see cothread_readv(). Fails with %G_IO_ERROR_CLOSED also after it was
 * closed.
 *
 * Returns: how many bytes were read, 0 at the end; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_descriptor_readv (CothreadDescriptor *self, const struct iovec *vectors, guint n_vectors, gint64 timeout_us,
                           GError **error)
{
  CothreadFdCall call;
  gssize n;

  g_return_val_if_fail (vectors != NULL || n_vectors == 0, -1);
  if (!begin (self, &call, timeout_us, error))
    return -1;
  n = cothread_fd_call_readv (&call, vectors, n_vectors, error);
  end (self);
  return n;
}

/**
 * cothread_descriptor_read: (skip)
 * @self: a descriptor
 * @buffer: (out caller-allocates) (array length=n_bytes): where to put the bytes
 * @n_bytes: how many at the most
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Reads; see cothread_descriptor_readv().
 *
 * Returns: how many bytes were read, 0 at the end; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_descriptor_read (CothreadDescriptor *self, void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  struct iovec vector = { buffer, n_bytes };

  return cothread_descriptor_readv (self, &vector, 1, timeout_us, error);
}

/**
 * cothread_descriptor_writev: (skip)
 * @self: a descriptor
 * @vectors: (array length=n_vectors): what to write
 * @n_vectors: how many
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes, perhaps fewer bytes than there are; see cothread_writev(). Fails with
 * %G_IO_ERROR_CLOSED also after it was closed.
 *
 * Returns: how many bytes were written; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_descriptor_writev (CothreadDescriptor *self, const struct iovec *vectors, guint n_vectors, gint64 timeout_us,
                            GError **error)
{
  CothreadFdCall call;
  gssize n;

  g_return_val_if_fail (vectors != NULL || n_vectors == 0, -1);
  if (!begin (self, &call, timeout_us, error))
    return -1;
  n = cothread_fd_call_writev (&call, vectors, n_vectors, error);
  end (self);
  return n;
}

/**
 * cothread_descriptor_write: (skip)
 * @self: a descriptor
 * @buffer: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes, perhaps fewer bytes than there are; see cothread_descriptor_writev().
 *
 * Returns: how many bytes were written; -1 on failure
 *
 * Since: 0.1
 */
gssize
cothread_descriptor_write (CothreadDescriptor *self, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  struct iovec vector = { (void *) buffer, n_bytes };

  return cothread_descriptor_writev (self, &vector, 1, timeout_us, error);
}

/**
 * cothread_descriptor_write_all: (skip)
 * @self: a descriptor
 * @buffer: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 * @timeout_us: microseconds for all of it, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Writes all the bytes; see cothread_descriptor_writev().
 *
 * Returns: whether all were written
 *
 * Since: 0.1
 */
gboolean
cothread_descriptor_write_all (CothreadDescriptor *self, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error)
{
  CothreadFdCall call;
  gboolean success;

  g_return_val_if_fail (buffer != NULL || n_bytes == 0, FALSE);
  if (!begin (self, &call, timeout_us, error))
    return FALSE;
  success = cothread_fd_call_write_all (&call, buffer, n_bytes, NULL, error);
  end (self);
  return success;
}

/**
 * cothread_descriptor_close: (skip)
 * @self: a descriptor
 * @error: return location for a #GError
 *
 * Closes the descriptor and wakes whoever waits for it, with
 * %G_IO_ERROR_CLOSED; see cothread_close(). Closing it again does nothing.
 * Never suspends. Fails with the code of %G_IO_ERROR for what close() says.
 *
 * Returns: whether all went well
 *
 * Since: 0.1
 */
gboolean
cothread_descriptor_close (CothreadDescriptor *self, GError **error)
{
  gint fd;

  g_return_val_if_fail (self != NULL, FALSE);
  fd = self->fd;
  self->fd = -1;
  return fd < 0 || cothread_close (fd, error);
}
