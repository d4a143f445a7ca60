/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
GIOCondition cothread_wait_fd (gint fd, GIOCondition condition, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GIOCondition cothread_wait_fd_again (gint fd, GIOCondition condition, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_poll_list (GPollFD *fds, guint n_fds, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_wait_fd_async (gint fd,
                             GIOCondition condition,
                             gint64 timeout_us,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
GIOCondition cothread_wait_fd_finish (GAsyncResult *result, GError **error);

G_END_DECLS
