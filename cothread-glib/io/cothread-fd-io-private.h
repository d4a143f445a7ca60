/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "core/ct-scheduler.h"
#include "io/cothread-fd-io.h"

/* What is known of a descriptor whose owner knows that it is still the same
 * file. */
typedef struct
{
  gushort events; /* that were waited for since it was opened: it stays registered */
  /* Nothing was left by the last read, and what comes is reported: the next one
   * may wait before it tries. */
  gboolean is_drained;
  gboolean has_hung_up; /* or has urgent data, or an error: always try */
  enum { COTHREAD_FD_UNKNOWN, COTHREAD_FD_TCP, COTHREAD_FD_OTHER } kind;
} CothreadFdState;

/* One call that is tried until it gets somewhere. */
typedef struct
{
  gint fd;
  gint64 timeout_us;
  CothreadFdState *kept; /* NULL: nobody knows */
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
