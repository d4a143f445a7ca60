/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_WARNING (cothread_warning_get_type ())

typedef struct _CothreadWarning CothreadWarning;

/**
 * CothreadWarningKind:
 * @COTHREAD_WARNING_DEADLOCK: tasks wait for each other, in a circle
 * @COTHREAD_WARNING_LOST_WAITER: a task waits for an object that nobody but its
 *   waiters has a reference to, so that nobody can signal it
 * @COTHREAD_WARNING_FORGOTTEN_FAILURE: a task failed, and its last reference was
 *   dropped before anybody joined it
 *
 * What looks wrong.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_WARNING_DEADLOCK,
  COTHREAD_WARNING_LOST_WAITER,
  COTHREAD_WARNING_FORGOTTEN_FAILURE,
} CothreadWarningKind;

/**
 * CothreadWarning:
 * @kind: what looks wrong
 * @task_id: the task it is about (of a deadlock, the oldest)
 * @task_name: its name
 * @message: a sentence for people
 *
 * Something about a task that looks wrong.
 *
 * Since: 0.1
 */
struct _CothreadWarning
{
  CothreadWarningKind kind;
  guint64 task_id;
  char *task_name;
  char *message;
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_warning_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadWarning *cothread_warning_copy (const CothreadWarning *warning);
COTHREAD_AVAILABLE_IN_0_1
void cothread_warning_free (CothreadWarning *warning);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadWarning, cothread_warning_free)

COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_scheduler_find_lost_waiters (CothreadScheduler *scheduler);

G_END_DECLS
