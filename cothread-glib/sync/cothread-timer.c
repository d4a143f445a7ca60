/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait.h"
#include "sync/cothread-timer.h"

/**
 * CothreadTimer:
 *
 * Runs a function in a task of its own after a while, once or again and again.
 *
 * A timer belongs to the thread that made it. While it is pending, or its
 * function runs, it holds a reference to itself.
 *
 * Since: 0.1
 */
struct _CothreadTimer
{
  GObject parent_instance;

  CothreadScheduler *scheduler; /* referenced */
  CothreadTask *clock;          /* waits for the deadline; has no stack; NULL at rest */
  gint64 timeout_us;
  gint64 deadline_us; /* CT_TIME_NEVER: suspended */
  CothreadTimerFlags flags;
  CothreadTimerFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
  gboolean is_pending;
  gboolean is_running; /* a task for the function exists */
  gboolean is_due;     /* ... and has not called it yet */
};

G_DEFINE_FINAL_TYPE (CothreadTimer, cothread_timer, G_TYPE_OBJECT)

static void
cothread_timer_finalize (GObject *object)
{
  CothreadTimer *self = COTHREAD_TIMER (object);

  if (self->user_data_destroy != NULL)
    self->user_data_destroy (self->user_data);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_timer_parent_class)->finalize (object);
}

static void
cothread_timer_class_init (CothreadTimerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_timer_finalize;
}

static void
cothread_timer_init (G_GNUC_UNUSED CothreadTimer *self)
{
}

static void clock_step (CothreadTask *clock, gpointer data);

/* The clock looks at the timer anew. */
static void
nudge (CothreadTimer *self)
{
  if (self->clock != NULL)
    ct_task_fire (&self->clock->core, CT_WAKE_NORMAL, NULL);
}

static void
start (CothreadTimer *self, gint64 timeout_us)
{
  self->deadline_us = ct_clock_deadline (ct_scheduler_now (self->scheduler->core), timeout_us);
  self->is_pending = self->deadline_us != CT_TIME_NEVER;
  if (self->is_pending && self->clock == NULL)
    {
      g_object_ref (self); /* the clock's */
      self->clock = cothread_task_new_stackless (self->scheduler, "timer", clock_step, self);
      self->clock->is_service = TRUE;
    }
  nudge (self);
}

static gpointer
run_callback (gpointer data, G_GNUC_UNUSED GError **error)
{
  CothreadTimer *self = data;

  if (self->is_due)
    {
      self->is_due = FALSE;
      self->func (self, self->user_data);
    }
  self->is_running = FALSE;
  /* The function may have reset or cancelled its own timer: that counts. */
  if ((self->flags & COTHREAD_TIMER_RETRIGGER) != 0 && !self->is_pending && !self->scheduler->is_shut_down &&
      self->timeout_us != COTHREAD_FOREVER)
    start (self, self->timeout_us);
  nudge (self);
  return NULL;
}

static void
finish_clock (CothreadTimer *self)
{
  CothreadTask *clock = g_steal_pointer (&self->clock);

  self->is_pending = FALSE;
  ct_task_finish_stackless (&clock->core);
  cothread_task_unref (clock);
  g_object_unref (self);
}

static void
spawn_callback (CothreadTimer *self)
{
  CothreadSpawnOptions options = {
    .scheduler = self->scheduler,
    .function = "timer callback",
    .user_data_destroy = g_object_unref,
  };
  g_autoptr (CothreadTask) task = NULL;

  self->is_pending = FALSE;
  self->is_running = self->is_due = TRUE;
  /* Out of stacks is a critical; the timer tries again if it retriggers. */
  task = cothread_spawn_full (run_callback, g_object_ref (self), &options, NULL);
  if (task == NULL)
    self->is_running = self->is_due = FALSE;
}

static void
clock_step (CothreadTask *clock, gpointer data)
{
  CothreadTimer *self = data;

  if (clock->core.is_cancelled)
    {
      finish_clock (self);
      return;
    }
  if (self->is_pending && !self->is_running && self->deadline_us <= ct_scheduler_now (self->scheduler->core))
    spawn_callback (self);
  if (!self->is_pending && !self->is_running)
    {
      finish_clock (self);
      return;
    }
  clock->core.wait_reason = self->is_running ? "the end of its callback" : "deadline";
  /* While the function runs a deadline that comes meanwhile waits for its end. */
  ct_task_park (&clock->core, NULL, self->is_pending && !self->is_running ? self->deadline_us : CT_TIME_NEVER);
}

/**
 * cothread_timer_new: (skip)
 * @timeout_us: microseconds until it expires, or %COTHREAD_FOREVER to start it
 *   with cothread_timer_reset()
 * @flags: how it behaves
 * @func: called when it expires
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data with the timer
 *
 * Makes a timer of the calling thread's scheduler. When it expires, @func runs
 * in a new task. With %COTHREAD_TIMER_RETRIGGER the next period counts from the
 * end of @func.
 *
 * Returns: (transfer full): a new timer, or %NULL, after a critical, in a thread
 *   without a scheduler
 *
 * Since: 0.1
 */
CothreadTimer *
cothread_timer_new (gint64 timeout_us,
                    CothreadTimerFlags flags,
                    CothreadTimerFunc func,
                    gpointer user_data,
                    GDestroyNotify user_data_destroy)
{
  CothreadScheduler *scheduler;
  CothreadTimer *self;

  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, NULL);
  g_return_val_if_fail (func != NULL, NULL);
  scheduler = cothread_scheduler_get_default ();
  if (scheduler == NULL)
    return NULL;
  g_return_val_if_fail (!scheduler->is_shut_down, NULL);

  self = g_object_new (COTHREAD_TYPE_TIMER, NULL);
  self->scheduler = g_object_ref (scheduler);
  self->timeout_us = timeout_us;
  self->flags = flags;
  self->func = func;
  self->user_data = user_data;
  self->user_data_destroy = user_data_destroy;
  start (self, timeout_us);
  return self;
}

/**
 * cothread_timer_cancel:
 * @self: a timer
 *
 * Stops the timer: its function is not called any more, even if the timer is
 * due already. A function that is running goes on, but does not retrigger. A
 * timer made with %COTHREAD_TIMER_REUSE or %COTHREAD_TIMER_RETRIGGER can be
 * started again with cothread_timer_reset().
 *
 * Since: 0.1
 */
void
cothread_timer_cancel (CothreadTimer *self)
{
  g_return_if_fail (COTHREAD_IS_TIMER (self));

  if (self->scheduler == NULL || self->scheduler->is_shut_down)
    return;
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));
  self->is_pending = FALSE;
  self->is_due = FALSE;
  self->timeout_us = COTHREAD_FOREVER;
  nudge (self);
}

/**
 * cothread_timer_reset:
 * @self: a timer made with %COTHREAD_TIMER_REUSE or %COTHREAD_TIMER_RETRIGGER
 * @timeout_us: microseconds from now, or %COTHREAD_FOREVER to suspend it
 *
 * Starts the timer again, whether it is pending, has expired, or was cancelled.
 * For any other timer this is a critical.
 *
 * Returns: whether the timer is pending now
 *
 * Since: 0.1
 */
gboolean
cothread_timer_reset (CothreadTimer *self, gint64 timeout_us)
{
  g_return_val_if_fail (COTHREAD_IS_TIMER (self), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  g_return_val_if_fail ((self->flags & (COTHREAD_TIMER_REUSE | COTHREAD_TIMER_RETRIGGER)) != 0, FALSE);

  if (self->scheduler == NULL || self->scheduler->is_shut_down)
    return FALSE;
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self->scheduler), FALSE);
  self->timeout_us = timeout_us;
  self->is_due = FALSE;
  start (self, timeout_us);
  nudge (self); /* also where it does not start: the clock goes to rest */
  return self->is_pending;
}

/**
 * cothread_timer_is_pending:
 * @self: a timer
 *
 * Returns: whether the timer waits for its deadline
 *
 * Since: 0.1
 */
gboolean
cothread_timer_is_pending (CothreadTimer *self)
{
  g_return_val_if_fail (COTHREAD_IS_TIMER (self), FALSE);
  return self->is_pending;
}
