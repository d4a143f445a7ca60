/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_STALL (cothread_stall_get_type ())

typedef struct _CothreadStall CothreadStall;

/**
 * CothreadStall:
 * @held_us: how long the main loop was held, in microseconds; while it still
 *   is, how long so far
 * @task_id: the task that held it; 0: none did
 * @task_name: (nullable): that task's name
 * @has_never_suspended: whether the task had not suspended even once yet
 * @callback: (nullable): the function of the callback that held it
 * @backtrace: (array zero-terminated=1): what it was doing when the threshold
 *   had passed, a line for each frame, innermost first
 *
 * Something that held the main loop for too long: a task, a callback, or
 * neither, which is a handler that the main loop called.
 *
 * Since: 0.1
 */
struct _CothreadStall
{
  gint64 held_us;
  guint64 task_id;
  char *task_name;
  gboolean has_never_suspended;
  char *callback;
  char **backtrace;
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_stall_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadStall *cothread_stall_copy (const CothreadStall *stall);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stall_free (CothreadStall *stall);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadStall, cothread_stall_free)

#define COTHREAD_TYPE_STALL_DETECTOR (cothread_stall_detector_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadStallDetector, cothread_stall_detector, COTHREAD, STALL_DETECTOR, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadStallDetector *cothread_stall_detector_new (CothreadScheduler *scheduler, gint64 threshold_us);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stall_detector_stop (CothreadStallDetector *self);
COTHREAD_AVAILABLE_IN_0_1
gint64 cothread_stall_detector_get_threshold (CothreadStallDetector *self);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_stall_detector_get_n_stalls (CothreadStallDetector *self);
COTHREAD_AVAILABLE_IN_0_1
CothreadStall *cothread_stall_detector_dup_last (CothreadStallDetector *self);

G_END_DECLS
