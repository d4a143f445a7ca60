/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_STACKLESS_RUNNER (cothread_stackless_runner_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_DERIVABLE_TYPE (CothreadStacklessRunner, cothread_stackless_runner, COTHREAD, STACKLESS_RUNNER, GObject)

/**
 * CothreadStacklessRunnerClass:
 * @parent_class: the parent
 *
 * Has no virtual functions: the class that a language derives has a writable
 * property `wakeup`.
 *
 * Since: 0.1
 */
struct _CothreadStacklessRunnerClass
{
  GObjectClass parent_class;
  /*< private >*/
  gpointer padding[8];
};

/**
 * CothreadStacklessWake:
 * @COTHREAD_STACKLESS_WAKE_NORMAL: what the task waited for has happened
 * @COTHREAD_STACKLESS_WAKE_TIMEOUT: its deadline has passed
 * @COTHREAD_STACKLESS_WAKE_CANCELLED: it was cancelled while it waited
 * @COTHREAD_STACKLESS_WAKE_ERROR: the wait failed; see
 *   cothread_stackless_runner_take_error()
 * @COTHREAD_STACKLESS_WAKE_NOTICE: it was cancelled while the language had it;
 *   its next wait is to fail
 *
 * Why a stackless task is handed over. @COTHREAD_STACKLESS_WAKE_CANCELLED and
 * @COTHREAD_STACKLESS_WAKE_NOTICE are handed over once; waits that begin later
 * (in a clean-up) are like any others.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_STACKLESS_WAKE_NORMAL = 0,
  COTHREAD_STACKLESS_WAKE_TIMEOUT = 1,
  COTHREAD_STACKLESS_WAKE_CANCELLED = 3,
  COTHREAD_STACKLESS_WAKE_ERROR = 4,
  COTHREAD_STACKLESS_WAKE_NOTICE = 5,
} CothreadStacklessWake;

/**
 * CothreadStacklessOp:
 * @COTHREAD_STACKLESS_OP_SPAWN: begin the task; the argument is a number from
 *   cothread_stackless_runner_define_function()
 * @COTHREAD_STACKLESS_OP_PARK: park it; the argument is a monotonic deadline in
 *   microseconds, or -1; the kind of wait (an index) stands in the bits from 8
 * @COTHREAD_STACKLESS_OP_RESUME: the language goes on with it by itself
 * @COTHREAD_STACKLESS_OP_FINISH: it is over
 * @COTHREAD_STACKLESS_OP_CANCEL: the language has cancelled it
 * @COTHREAD_STACKLESS_OP_COUNT: no task; as many as the argument says began and
 *   ended between two exchanges
 *
 * What a request record asks for.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_STACKLESS_OP_SPAWN = 1,
  COTHREAD_STACKLESS_OP_PARK = 2,
  COTHREAD_STACKLESS_OP_RESUME = 3,
  COTHREAD_STACKLESS_OP_FINISH = 4,
  COTHREAD_STACKLESS_OP_CANCEL = 5,
  COTHREAD_STACKLESS_OP_COUNT = 6,
} CothreadStacklessOp;

/**
 * CothreadStacklessFlags:
 * @COTHREAD_STACKLESS_REST: nothing is left to do
 * @COTHREAD_STACKLESS_MORE: tasks of the language are ready
 * @COTHREAD_STACKLESS_END_TURN: the turn is to end, since work is left for the
 *   rest of the main loop (promise jobs)
 * @COTHREAD_STACKLESS_TELL_ONLY: nothing is to be handed over this time
 *
 * What the language has left when it hands over its requests.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_STACKLESS_REST = 0,
  COTHREAD_STACKLESS_MORE = 1 << 0,
  COTHREAD_STACKLESS_END_TURN = 1 << 1,
  COTHREAD_STACKLESS_TELL_ONLY = 1 << 2,
} CothreadStacklessFlags;

/**
 * CothreadStacklessState:
 * @COTHREAD_STACKLESS_SLICE_USED_UP: the language's half of the turn's time slice
 *   is used up
 * @COTHREAD_STACKLESS_OTHERS_READY: tasks of others, or deadlines, are due
 * @COTHREAD_STACKLESS_CLOSED: the scheduler shuts down, or has done so
 *
 * What a language has to know while its tasks run.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_STACKLESS_SLICE_USED_UP = 1 << 0,
  COTHREAD_STACKLESS_OTHERS_READY = 1 << 1,
  COTHREAD_STACKLESS_CLOSED = 1 << 2,
} CothreadStacklessState;

COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_stackless_runner_get_scheduler (CothreadStacklessRunner *self);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_stackless_runner_get_language (CothreadStacklessRunner *self);

COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_define_function (CothreadStacklessRunner *self, const char *name, const char *location);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_spawn (CothreadStacklessRunner *self, guint function);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_park (CothreadStacklessRunner *self, guint id, gint64 deadline_us);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_resume (CothreadStacklessRunner *self, guint id);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_finish (CothreadStacklessRunner *self, guint id, const GError *failure);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_cancel (CothreadStacklessRunner *self, guint id);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_stackless_runner_next (CothreadStacklessRunner *self, guint *id, CothreadStacklessWake *wake, guint *which, double *value);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_rest (CothreadStacklessRunner *self, CothreadStacklessFlags left);

COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_set_name (CothreadStacklessRunner *self, guint id, const char *name);
COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_stackless_runner_get_task (CothreadStacklessRunner *self, guint id);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_add_task (CothreadStacklessRunner *self, guint id, CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_stackless_runner_take_error (CothreadStacklessRunner *self, guint id, GError **error);

COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_wake (CothreadStacklessRunner *self);
COTHREAD_AVAILABLE_IN_0_1
CothreadStacklessState cothread_stackless_runner_check (CothreadStacklessRunner *self);

COTHREAD_AVAILABLE_IN_0_1
GBytes *cothread_stackless_runner_get_memory (CothreadStacklessRunner *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_exchange (CothreadStacklessRunner *self, guint n_requests, guint n_acknowledged, CothreadStacklessFlags left);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_runner_write (CothreadStacklessRunner *self, const guint8 *bytes, gsize n_bytes);
COTHREAD_AVAILABLE_IN_0_1
GBytes *cothread_stackless_runner_read (CothreadStacklessRunner *self, gsize n_bytes);

COTHREAD_AVAILABLE_IN_0_1
const char *cothread_task_get_location (CothreadTask *task);

G_END_DECLS
