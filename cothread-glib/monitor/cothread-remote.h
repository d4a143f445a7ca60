/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-statistics.h"
#include "monitor/cothread-bus.h"
#include "monitor/cothread-statistics.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_REMOTE (cothread_remote_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadRemote, cothread_remote, COTHREAD, REMOTE, GObject)

COTHREAD_AVAILABLE_IN_0_1
char **cothread_remote_list (GError **error);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_remote_dup_program (const char *bus_name);

COTHREAD_AVAILABLE_IN_0_1
CothreadRemote *cothread_remote_new (const char *process, GError **error);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_remote_get_bus_name (CothreadRemote *self);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_remote_get_process (CothreadRemote *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_remote_set_timeout (CothreadRemote *self, gint64 timeout_us);

COTHREAD_AVAILABLE_IN_0_1
CothreadStatistics *cothread_remote_get_statistics (CothreadRemote *self, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GArray *cothread_remote_get_recent_turns (CothreadRemote *self, gint64 *time_slice_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_remote_list_queues (CothreadRemote *self, char ***names, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_remote_list_task_infos (CothreadRemote *self, guint max, GError **error);
COTHREAD_AVAILABLE_IN_0_1
char **cothread_remote_dup_backtrace (CothreadRemote *self, guint64 task_id, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_remote_list_warnings (CothreadRemote *self, guint64 *last, GError **error);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_remote_dump_text (CothreadRemote *self, gboolean backtraces, guint max_tasks, GError **error);

G_END_DECLS
