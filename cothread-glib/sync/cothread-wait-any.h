/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"
#include "sync/cothread-event-queue.h"
#include "sync/cothread-event.h"
#include "sync/cothread-pulse.h"
#include "sync/cothread-timer.h"

G_BEGIN_DECLS

/**
 * CothreadWaitKind: (skip)
 * @COTHREAD_WAIT_EVENT: a #CothreadEvent to be signalled
 * @COTHREAD_WAIT_EVENT_QUEUE: a #CothreadEventQueue to have an item or be closed
 * @COTHREAD_WAIT_PULSE: a #CothreadPulse
 * @COTHREAD_WAIT_TASK: a #CothreadTask to return
 * @COTHREAD_WAIT_DESCRIPTOR: a descriptor to be ready
 * @COTHREAD_WAIT_TIMER: a #CothreadTimer to expire
 *
 * What one item of cothread_wait_any() waits for.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_WAIT_EVENT,
  COTHREAD_WAIT_EVENT_QUEUE,
  COTHREAD_WAIT_PULSE,
  COTHREAD_WAIT_TASK,
  COTHREAD_WAIT_DESCRIPTOR,
  COTHREAD_WAIT_TIMER,
} CothreadWaitKind;

/**
 * CothreadWaitItem: (skip)
 * @kind: what to wait for
 * @object: the event, queue, pulse, task or timer; not used for a descriptor
 * @fd: the descriptor
 * @condition: for a descriptor: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 * @value: set if this item came: the event's value (the caller's if the event
 *   resets by itself), the queue's item (the caller's) or the task's result (the
 *   task's)
 * @happened: set if this item came: what the descriptor is ready for, with
 *   %G_IO_ERR, %G_IO_HUP or %G_IO_NVAL if such a thing happened
 *
 * One of the things that cothread_wait_any() waits for. Initialise it with a
 * designated initialiser, so that members that come later are zero:
 * `{ .kind = COTHREAD_WAIT_EVENT, .object = event }`.
 *
 * Since: 0.1
 */
typedef struct
{
  CothreadWaitKind kind;
  gpointer object;
  gint fd;
  GIOCondition condition;
  gpointer value;
  GIOCondition happened;
  /*< private >*/
  gpointer padding[2];
} CothreadWaitItem;

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_any (CothreadWaitItem *items, guint n_items, gint64 timeout_us, guint *which, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_wait_any_async (const CothreadWaitItem *items,
                              guint n_items,
                              gint64 timeout_us,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_any_finish (GAsyncResult *result, guint *which, CothreadWaitItem *item, GError **error);

G_END_DECLS
