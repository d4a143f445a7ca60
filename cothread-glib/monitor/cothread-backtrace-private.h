/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task-private.h"
#include "monitor/cothread-backtrace.h"

/* Names of addresses, for many tasks that stand at few places: give it to every
 * call. Freed with g_hash_table_unref(). */
GHashTable *cothread_backtrace_names_new (void);

char **cothread_backtrace_of_task (CothreadTask *task, GHashTable *names);
/* Names frames that were found before. */
char **cothread_backtrace_of_frames (gpointer *frames, guint n, gboolean first_is_exact, GHashTable *names);
