/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

/**
 * CothreadDumpFlags:
 * @COTHREAD_DUMP_DEFAULT: statistics and tasks
 * @COTHREAD_DUMP_BACKTRACES: where each task stands as well; takes some ten
 *   microseconds for each
 *
 * What a dump contains.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_DUMP_DEFAULT = 0,
  COTHREAD_DUMP_BACKTRACES = 1 << 0,
} CothreadDumpFlags;

COTHREAD_AVAILABLE_IN_0_1
char *cothread_scheduler_dump_text (CothreadScheduler *scheduler, CothreadDumpFlags flags, guint max_tasks);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_scheduler_dump_json (CothreadScheduler *scheduler, CothreadDumpFlags flags, guint max_tasks);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_dump_on_signal (CothreadScheduler *scheduler, int signal_number, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_ignore_signal (CothreadScheduler *scheduler, int signal_number);

G_END_DECLS
