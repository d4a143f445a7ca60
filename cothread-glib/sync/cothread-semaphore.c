/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-semaphore.h"
#include "sync/cothread-waiters-private.h"

/**
 * CothreadSemaphore:
 *
 * A number of permits: to limit how many tasks do something at once, or to
 * count what is there to be taken.
 *
 * A permit that is released goes to the task that has waited longest, at once:
 * nobody who comes later gets in between. Permits belong to nobody; any task of
 * the thread may release one.
 *
 * A semaphore belongs to the thread that made it.
 *
 * Since: 0.1
 */
struct _CothreadSemaphore
{
  GObject parent_instance;

  gsize thread;
  guint available;
  guint maximum;
  CothreadWaiters waiters;
};

G_DEFINE_FINAL_TYPE (CothreadSemaphore, cothread_semaphore, G_TYPE_OBJECT)

static void
cothread_semaphore_class_init (G_GNUC_UNUSED CothreadSemaphoreClass *klass)
{
}

static void
cothread_semaphore_init (CothreadSemaphore *self)
{
  self->thread = cothread_thread_id ();
  self->maximum = G_MAXUINT;
  cothread_waiters_init (&self->waiters);
}

/**
 * cothread_semaphore_new:
 * @available: how many permits there are to begin with
 * @maximum: how many there can ever be, at least @available; 0 for no limit
 *
 * Makes a semaphore of the calling thread. With @available and @maximum the same
 * it is a limiter, and releasing more than was acquired is noticed.
 *
 * Returns: (transfer full): a new semaphore
 *
 * Since: 0.1
 */
CothreadSemaphore *
cothread_semaphore_new (guint available, guint maximum)
{
  CothreadSemaphore *self;

  g_return_val_if_fail (maximum == 0 || available <= maximum, NULL);
  self = g_object_new (COTHREAD_TYPE_SEMAPHORE, NULL);
  self->available = available;
  self->maximum = maximum != 0 ? maximum : G_MAXUINT;
  return self;
}

/* No permit is available while somebody waits for one. */
static void
give_back (CothreadSemaphore *self)
{
  if (ct_link_is_linked (&self->waiters.head))
    {
      CtWaiter *first = CT_CONTAINER_OF (self->waiters.head.next, CtWaiter, link);

      CT_CONTAINER_OF (first, CothreadGrantWaiter, waiter)->is_granted = TRUE;
      ct_task_fire (first->task, CT_WAKE_NORMAL, first);
    }
  else
    self->available++;
}

/**
 * cothread_semaphore_acquire:
 * @self: a semaphore
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Takes a permit, waiting in line for one if there is none. Does not suspend if
 * there is.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, and like cothread_sleep(); then no permit
 * was taken. A cancellation that comes after the permit was handed over reaches
 * the next wait instead: the permit is the caller's.
 *
 * Returns: %TRUE if a permit was taken
 *
 * Since: 0.1
 */
gboolean
cothread_semaphore_acquire (CothreadSemaphore *self, gint64 timeout_us, GError **error)
{
  CothreadGrantWaiter entry = { .is_granted = FALSE };
  CtScheduler *core;
  gint64 deadline_us;
  gboolean was_woken;

  g_return_val_if_fail (COTHREAD_IS_SEMAPHORE (self), FALSE);
  g_return_val_if_fail (self->thread == cothread_thread_id (), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (self->available > 0)
    {
      if (!cothread_wait_for_ready (error))
        return FALSE;
      self->available--;
      return TRUE;
    }
  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  cothread_waiters_begin (&self->waiters, &entry.waiter, core->current);
  cothread_waiters_queue (&self->waiters, &entry.waiter);
  g_object_ref (self);
  was_woken = cothread_wait_on (core, &entry.waiter, deadline_us, "semaphore", self, error);
  /* An interrupt came between the grant and our turn. */
  if (!was_woken && entry.is_granted)
    give_back (self);
  g_object_unref (self);
  return was_woken;
}

static gboolean
take_permit (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  CothreadSemaphore *self = wait->object;

  if (fired != NULL)
    return TRUE;
  if (self->available > 0)
    {
      self->available--;
      return TRUE;
    }
  cothread_waiters_begin (&self->waiters, &wait->waiter, NULL);
  cothread_waiters_queue (&self->waiters, &wait->waiter);
  return FALSE;
}

static const CothreadAsyncWaitKind acquire_kind = { "semaphore", "semaphore", take_permit, NULL, NULL };

/**
 * cothread_semaphore_acquire_async:
 * @self: a semaphore
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Takes a permit, as cothread_semaphore_acquire() does, standing in the same
 * line, but calls back instead of suspending a task. The callback comes in the
 * caller's thread-default context; the permit is the caller's from before it.
 *
 * Since: 0.1
 */
void
cothread_semaphore_acquire_async (CothreadSemaphore *self, gint64 timeout_us, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_SEMAPHORE (self));
  g_return_if_fail (self->thread == cothread_thread_id ());
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&acquire_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_semaphore_acquire_finish:
 * @self: a semaphore
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_semaphore_acquire_async() began. Fails with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like
 * cothread_sleep_finish(); then no permit was taken.
 *
 * Returns: %TRUE if a permit was taken
 *
 * Since: 0.1
 */
gboolean
cothread_semaphore_acquire_finish (CothreadSemaphore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_SEMAPHORE (self), FALSE);

  return cothread_async_wait_finish (&acquire_kind, self, result, NULL, error);
}

/**
 * cothread_semaphore_release:
 * @self: a semaphore
 *
 * Adds a permit, or hands it to the task that has waited longest. Never
 * suspends. Where there would be more permits than the maximum it is a critical
 * and changes nothing.
 *
 * Since: 0.1
 */
void
cothread_semaphore_release (CothreadSemaphore *self)
{
  g_return_if_fail (COTHREAD_IS_SEMAPHORE (self));
  g_return_if_fail (self->thread == cothread_thread_id ());

  if (self->available == self->maximum)
    {
      g_critical ("A semaphore has all its %u permits: one is released that was never acquired", self->maximum);
      return;
    }
  give_back (self);
}

/**
 * cothread_semaphore_get_available:
 * @self: a semaphore
 *
 * Returns: how many permits can be taken without waiting
 *
 * Since: 0.1
 */
guint
cothread_semaphore_get_available (CothreadSemaphore *self)
{
  g_return_val_if_fail (COTHREAD_IS_SEMAPHORE (self), 0);
  return self->available;
}

/**
 * cothread_semaphore_get_maximum:
 * @self: a semaphore
 *
 * Returns: how many permits there can be; %G_MAXUINT without a limit
 *
 * Since: 0.1
 */
guint
cothread_semaphore_get_maximum (CothreadSemaphore *self)
{
  g_return_val_if_fail (COTHREAD_IS_SEMAPHORE (self), 0);
  return self->maximum;
}
