/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_sleep_precisely (gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_sleep_precisely_until (gint64 deadline_us, GError **error);

G_END_DECLS
