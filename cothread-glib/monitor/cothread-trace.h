/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TRACE (cothread_trace_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadTrace, cothread_trace, COTHREAD, TRACE, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadTrace *cothread_trace_new (CothreadScheduler *scheduler, guint max_events, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_trace_stop (CothreadTrace *self);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_trace_get_n_events (CothreadTrace *self);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_trace_get_n_lost (CothreadTrace *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_trace_write (CothreadTrace *self, const char *path, GError **error);

G_END_DECLS
