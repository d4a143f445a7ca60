/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gssize cothread_read (gint fd, void *buffer, gsize n_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_write (gint fd, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_write_all (gint fd, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_readv (gint fd, const struct iovec *vectors, guint n_vectors, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_writev (gint fd, const struct iovec *vectors, guint n_vectors, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_accept (gint fd, struct sockaddr *address, socklen_t *address_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_connect (gint fd, const struct sockaddr *address, socklen_t address_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_close (gint fd, GError **error);

G_END_DECLS
