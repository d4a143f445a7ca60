/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "core/ct-scheduler.h"
#include "io/cothread-fd-io.h"

/* One call that is tried until it gets somewhere. */
typedef struct
{
  gint fd;
  gint64 timeout_us;
  /* Whether the descriptor was waited for since it was opened, and stays
   * registered: its events, or NULL where nobody knows that it is still the same
   * file. */
  gushort *kept;
  /* Where the descriptor's owner keeps its number, or NULL: it may close it while
   * the call is suspended, and the number may become another file's. */
  const gint *own;
  GSocket *socket; /* the owner, likewise, or NULL */

  CtScheduler *core; /* NULL until it waits */
  gint64 deadline_us;
} CothreadFdCall;

/* Before the first try: a task that never has to wait must let the others run
 * now and then, and learn that it was cancelled. */
gboolean cothread_fd_call_begin (CothreadFdCall *call, GError **error);
/* After a try that failed with errno: TRUE to try again. */
gboolean cothread_fd_call_retry (CothreadFdCall *call, int failure, GIOCondition condition, GError **error);

gssize cothread_fd_call_readv (CothreadFdCall *call, const struct iovec *vectors, guint n_vectors, GError **error);
/* Sockets do not raise SIGPIPE. */
gssize cothread_fd_call_writev (CothreadFdCall *call, const struct iovec *vectors, guint n_vectors, GError **error);
/* Stops at the first failure; *n_written tells how far it came. */
gboolean cothread_fd_call_write_all (CothreadFdCall *call, const void *buffer, gsize n_bytes, gsize *n_written, GError **error);
