/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-sources-private.h"

/**
 * CothreadTimer:
 *
 * Runs a function in a task of its own after a while, once or again and again;
 * or only lets those go on who wait for it, with cothread_timer_wait().
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
  CothreadTimerFunc func; /* or NULL */
  gpointer user_data;
  GDestroyNotify user_data_destroy;
  gboolean is_pending;
  gboolean is_running; /* a task for the function exists */
  gboolean is_due;     /* ... and has not called it yet */
  gboolean has_expired;  /* since it was started */
  gboolean is_cancelled; /* and cannot be started again */
  guint n_expired;
  guint n_told; /* how often those who wait were woken */
  CothreadWaiters waiters;
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
cothread_timer_init (CothreadTimer *self)
{
  cothread_waiters_init (&self->waiters);
}

static void
wake_waiters (CothreadTimer *self)
{
  self->n_told++;
  cothread_waiters_wake_all (&self->waiters);
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
  self->has_expired = FALSE;
  self->is_pending = self->deadline_us != CT_TIME_NEVER;
  if (self->is_pending && self->clock == NULL)
    {
      g_object_ref (self); /* the clock's */
      self->clock = cothread_task_new_stackless (self->scheduler, "timer", clock_step, self);
      self->clock->is_service = TRUE;
    }
  nudge (self);
}

static gboolean
starts_again (const CothreadTimer *self)
{
  return (self->flags & COTHREAD_TIMER_RETRIGGER) != 0 && !self->is_pending && !self->scheduler->is_shut_down &&
         self->timeout_us != COTHREAD_FOREVER;
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
  if (starts_again (self))
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

  self->is_running = self->is_due = TRUE;
  /* Out of stacks is a critical; the timer tries again if it retriggers. */
  task = cothread_spawn_full (run_callback, g_object_ref (self), &options, NULL);
  if (task == NULL)
    self->is_running = self->is_due = FALSE;
}

/* The function, if there is one, begins before those who wait go on. */
static void
expire (CothreadTimer *self)
{
  self->is_pending = FALSE;
  self->has_expired = TRUE;
  self->n_expired++;
  if (self->func != NULL)
    spawn_callback (self);
  else if (starts_again (self))
    start (self, self->timeout_us);
  wake_waiters (self);
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
    expire (self);
  if (!self->is_pending && !self->is_running)
    {
      finish_clock (self);
      return;
    }
  clock->core.wait_reason = self->is_running ? "the end of its callback" : "deadline";
  /* While the function runs a deadline that comes meanwhile waits for its end. */
  ct_task_park (&clock->core, NULL, self->is_pending && !self->is_running ? self->deadline_us : CT_TIME_NEVER);
}

static CothreadTimer *
make (gint64 timeout_us, CothreadTimerFlags flags, CothreadTimerFunc func, gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadScheduler *scheduler;
  CothreadTimer *self;

  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, NULL);
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
  g_return_val_if_fail (func != NULL, NULL);

  return make (timeout_us, flags, func, user_data, user_data_destroy);
}

/**
 * cothread_timer_new_plain: (rename-to cothread_timer_new)
 * @timeout_us: microseconds until it expires, or %COTHREAD_FOREVER to start it
 *   with cothread_timer_reset()
 * @flags: how it behaves
 *
 * Makes a timer of the calling thread's scheduler that calls nothing when it
 * expires: cothread_timer_wait() and cothread_timer_wait_async() wait for that.
 *
 * Returns: (transfer full): a new timer, or %NULL, after a critical, in a thread
 *   without a scheduler
 *
 * Since: 0.1
 */
CothreadTimer *
cothread_timer_new_plain (gint64 timeout_us, CothreadTimerFlags flags)
{
  return make (timeout_us, flags, NULL, NULL, NULL);
}

/**
 * cothread_timer_cancel:
 * @self: a timer
 *
 * Stops the timer: its function is not called any more, even if the timer is
 * due already. A function that is running goes on, but does not retrigger. A
 * timer made with %COTHREAD_TIMER_REUSE or %COTHREAD_TIMER_RETRIGGER can be
 * started again with cothread_timer_reset(). Who waits for the timer fails, see
 * cothread_timer_wait().
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
  self->is_cancelled = (self->flags & (COTHREAD_TIMER_REUSE | COTHREAD_TIMER_RETRIGGER)) == 0 &&
                       (!self->has_expired || self->is_due);
  self->is_pending = FALSE;
  self->is_due = FALSE;
  self->timeout_us = COTHREAD_FOREVER;
  wake_waiters (self);
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

static void
set_cancelled_error (GError **error)
{
  g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The timer was cancelled");
}

/* One that starts again by itself has always expired some time. */
static gboolean
is_over (const CothreadTimer *self)
{
  return self->is_cancelled || (self->has_expired && (self->flags & COTHREAD_TIMER_RETRIGGER) == 0);
}

CothreadWaiters *
cothread_timer_get_waiters (CothreadTimer *self)
{
  g_return_val_if_fail (COTHREAD_IS_TIMER (self), NULL);
  g_return_val_if_fail (self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler), NULL);

  return &self->waiters;
}

guint
cothread_timer_get_n_told (CothreadTimer *self)
{
  return self->n_told;
}

guint
cothread_timer_get_n_expired (CothreadTimer *self)
{
  return self->n_expired;
}

gboolean
cothread_timer_is_over (CothreadTimer *self)
{
  return is_over (self);
}

gboolean
cothread_timer_take (CothreadTimer *self, guint n_expired, GError **error)
{
  if (self->n_expired != n_expired || (is_over (self) && !self->is_cancelled))
    return TRUE;
  set_cancelled_error (error);
  return FALSE;
}

/**
 * cothread_timer_wait:
 * @self: a timer of the calling thread
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Suspends the calling task until the timer expires; with
 * %COTHREAD_TIMER_RETRIGGER until it does so the next time. Does not suspend if
 * it has expired for good. Everybody who waits goes on, after the timer's
 * function, if it has one, has begun.
 *
 * Fails with %COTHREAD_ERROR_CLOSED if the timer is cancelled meanwhile, or was
 * and cannot be started again, with %G_IO_ERROR_TIMED_OUT, and like
 * cothread_sleep().
 *
 * Returns: %TRUE if the timer expired
 *
 * Since: 0.1
 */
gboolean
cothread_timer_wait (CothreadTimer *self, gint64 timeout_us, GError **error)
{
  CtScheduler *core;
  CtWaiter waiter;
  gint64 deadline_us;
  guint n_expired;
  gboolean was_woken;

  g_return_val_if_fail (COTHREAD_IS_TIMER (self), FALSE);
  g_return_val_if_fail (self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (is_over (self))
    {
      if (!cothread_wait_for_ready (error))
        return FALSE;
      if (self->is_cancelled)
        set_cancelled_error (error);
      return !self->is_cancelled;
    }
  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  n_expired = self->n_expired;
  cothread_waiters_begin (&self->waiters, &waiter, core->current);
  cothread_waiters_queue (&self->waiters, &waiter);
  g_object_ref (self);
  was_woken = cothread_wait_on (core, &waiter, deadline_us, "timer", self, error);
  if (was_woken && self->n_expired == n_expired)
    {
      set_cancelled_error (error);
      was_woken = FALSE;
    }
  g_object_unref (self);
  return was_woken;
}

static gboolean
take_expiry (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  CothreadTimer *self = wait->object;

  if (fired == NULL && !is_over (self))
    {
      wait->value = GUINT_TO_POINTER (self->n_expired);
      cothread_waiters_begin (&self->waiters, &wait->waiter, NULL);
      cothread_waiters_queue (&self->waiters, &wait->waiter);
      return FALSE;
    }
  if (fired != NULL ? self->n_expired == GPOINTER_TO_UINT (wait->value) : self->is_cancelled)
    set_cancelled_error (&wait->failure);
  return TRUE;
}

static const CothreadAsyncWaitKind wait_kind = { "timer wait", "timer", take_expiry, NULL, NULL };

/**
 * cothread_timer_wait_async:
 * @self: a timer of the calling thread
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait, not the timer
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits until the timer expires, as cothread_timer_wait() does, but calls back,
 * in the caller's thread-default context, instead of suspending a task.
 *
 * Since: 0.1
 */
void
cothread_timer_wait_async (CothreadTimer *self, gint64 timeout_us, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_TIMER (self));
  g_return_if_fail (self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler));
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&wait_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_timer_wait_finish:
 * @self: a timer
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_timer_wait_async() began. Fails like cothread_timer_wait().
 *
 * Returns: %TRUE if the timer expired
 *
 * Since: 0.1
 */
gboolean
cothread_timer_wait_finish (CothreadTimer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_TIMER (self), FALSE);

  return cothread_async_wait_finish (&wait_kind, self, result, NULL, error);
}
