/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
char **cothread_task_dup_backtrace (CothreadTask *task);

/**
 * CothreadFramesFunc:
 * @task: a task of the calling thread
 * @user_data: what the hook was set with
 *
 * For language bindings: where a task stands in its own language.
 *
 * Called on the thread of the task's scheduler; must not wait.
 *
 * Returns: (transfer full) (array zero-terminated=1) (nullable): a line a frame,
 *   innermost first
 *
 * Since: 0.1
 */
typedef char **(*CothreadFramesFunc) (CothreadTask *task, gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
void cothread_monitor_set_frames_hook (const char *language, CothreadFramesFunc func, gpointer user_data);

G_END_DECLS
