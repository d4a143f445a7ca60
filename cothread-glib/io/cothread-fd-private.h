/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"
#include "io/cothread-fd.h"

/* cothread_wait_fd(), or cothread_wait_fd_again() for one that is drained. */
GIOCondition cothread_wait_fd_until (CtScheduler *core, gint fd, GIOCondition condition, gboolean is_drained,
                                     gint64 deadline_us, GError **error);
