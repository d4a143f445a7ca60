/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-poller.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait.h"

/* A wait that calls back instead of suspending somebody: what is behind every
 * pair of _async() and _finish(). It stands in the same lines as a task that
 * waits, as a task without a stack, and calls back from that task's step, on the
 * thread's own stack.
 *
 * It is its own GAsyncResult. A GTask would call back at once or in an idle
 * handler, depending on when it was made, and so change the order in which the
 * waits ended; and at once may be on a task's stack. */

typedef struct _CothreadAsyncWait CothreadAsyncWait;

/* Whoever gives something to the first in line says so here: the wait may have
 * been undone before its task runs. */
typedef struct
{
  CtWaiter waiter;
  gboolean is_granted;
} CothreadGrantWaiter;

typedef struct
{
  const char *name; /* of the task; static */
  const char *reason;
  /* Whether the wait is over: the answer is in value and failure then.
   * Otherwise the waiter was put in line (with more of them behind its `next`, if
   * there are several lines). Called when the wait begins, and each
   * time that it is woken (fired: by which registration). */
  gboolean (*look) (CothreadAsyncWait *self, const CtWaiter *fired);
  /* The time is up or it is cancelled, and failure says so: whether the wait
   * ends with that; it may clear it. NULL: it ends. If it goes on, it is
   * shielded, and look() was called before. */
  gboolean (*give_up) (CothreadAsyncWait *self, CtWake wake);
  /* The wait is over, whatever its outcome. May be NULL. */
  void (*end) (CothreadAsyncWait *self);
} CothreadAsyncWaitKind;

struct _CothreadAsyncWait
{
  GObject parent_instance;

  const CothreadAsyncWaitKind *kind;
  CothreadScheduler *scheduler; /* not referenced: the task is gone before it */
  CothreadTask *task;
  gint64 deadline_us;
  gboolean is_over;     /* when it began */
  gboolean is_finished; /* somebody has the answer */
  GCancellable *cancellable;
  gulong cancelled_handler;

  GObject *source;
  GAsyncReadyCallback callback;
  gpointer user_data;
  GMainContext *context; /* the caller's */

  gpointer object; /* what is waited for */
  GDestroyNotify object_unref;
  union
  {
    CtFdWatch watch; /* the largest, so that all begin with nothing set */
    CothreadGrantWaiter grant;
    CtWaiter waiter;
  };

  gpointer value;
  GDestroyNotify value_destroy;
  GError *failure;
};

/* Begins a wait of the calling thread's scheduler. The object is for look();
 * the source is that of the GAsyncResult, and may be NULL. */
void cothread_async_wait (const CothreadAsyncWaitKind *kind, gpointer source, gint64 timeout_us,
                          gpointer object, GDestroyNotify object_unref,
                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);

/* The same with a value that is there from the beginning, which `look` may fill in. */
void cothread_async_wait_with_value (const CothreadAsyncWaitKind *kind, gpointer source, gint64 timeout_us,
                                     gpointer object, GDestroyNotify object_unref,
                                     gpointer value, GDestroyNotify value_destroy,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);

/* The value, whatever the outcome, as long as the result lives; NULL, after a
 * critical, for a result of something else. */
gpointer cothread_async_wait_peek (const CothreadAsyncWaitKind *kind, GAsyncResult *result);

/* FALSE with the wait's error, or after a critical for a result of something
 * else. Without `value` what the wait took is freed. */
gboolean cothread_async_wait_finish (const CothreadAsyncWaitKind *kind, gpointer source, GAsyncResult *result,
                                     gpointer *value, GError **error);

/* From now on what cancels the cancellable, in any thread, cancels the task.
 * Gives the handler, which is to be disconnected with
 * g_signal_handler_disconnect(): g_cancellable_disconnect() would wait for
 * handlers, and the caller may be inside one. NULL: 0. */
gulong cothread_task_follow_cancellable (CothreadTask *task, GCancellable *cancellable);
