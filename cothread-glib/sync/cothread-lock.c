/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-extra.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-lock-private.h"
#include "sync/cothread-waiters-private.h"

/**
 * CothreadLock:
 *
 * Lets one task at a time into a section that waits. The task that holds it may
 * acquire it again, and then has to release it as often.
 *
 * Releasing hands the lock to the task that has waited longest, at once: nobody
 * who comes later gets in between.
 *
 * A lock belongs to the thread that made it; between threads use #GMutex, and
 * do not wait with that locked. The thread's own stack, outside any task,
 * counts as one task.
 *
 * Code that has no task, such as a callback or a promise, acquires the lock with
 * cothread_lock_acquire_async(), in the same line as the tasks.
 *
 * Since: 0.1
 */
struct _CothreadLock
{
  GObject parent_instance;

  gsize thread;
  const CtTask *owner; /* NULL with a depth of 1: cothread_lock_acquire_async() */
  guint depth;         /* 0: nobody holds it */
  CothreadTaskEnding ending; /* of the owner */
  CothreadWaiters waiters;
};

G_DEFINE_FINAL_TYPE (CothreadLock, cothread_lock, G_TYPE_OBJECT)

static void
cothread_lock_finalize (GObject *object)
{
  CothreadLock *self = COTHREAD_LOCK (object);

  if (self->owner != NULL)
    {
      ct_link_unlink (&self->ending.link);
      g_critical ("A lock was destroyed while a task held it");
    }
  G_OBJECT_CLASS (cothread_lock_parent_class)->finalize (object);
}

const CtTask *
cothread_lock_peek_owner (CothreadLock *self)
{
  return self->owner;
}

static void
cothread_lock_class_init (CothreadLockClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_lock_finalize;
}

static gboolean
is_of_parent (const CothreadLock *self)
{
  return self->owner != NULL && self->owner->scheduler != NULL && ct_scheduler_is_abandoned (self->owner->scheduler);
}

/* In the child of a fork: of what the parent's tasks held the one that forked
 * goes on holding its own, and nobody holds the rest. */
static gboolean
is_owned_by (CothreadLock *self, const CtTask *task)
{
  return self->owner == task ||
         (G_UNLIKELY (is_of_parent (self)) && self->owner->state == CT_TASK_RUNNING);
}

static void
give_to (CothreadLock *self, CtTask *task)
{
  self->depth = 1;
  /* A callback's wait has a task, but what it acquires outlives that. */
  if (task == NULL || task->kind == CT_TASK_STACKLESS)
    return;
  self->owner = task;
  if (task->kind != CT_TASK_MAIN)
    cothread_task_add_ending ((CothreadTask *) task, &self->ending);
}

/* The lock is never free while somebody waits for it, so a task that was woken
 * has it, whatever else happens before it runs. */
static void
pass_on (CothreadLock *self)
{
  ct_link_unlink (&self->ending.link);
  self->owner = NULL;
  self->depth = 0;
  if (ct_link_is_linked (&self->waiters.head))
    {
      CtWaiter *first = CT_CONTAINER_OF (self->waiters.head.next, CtWaiter, link);

      CT_CONTAINER_OF (first, CothreadGrantWaiter, waiter)->is_granted = TRUE;
      give_to (self, first->task);
      ct_task_fire (first->task, CT_WAKE_NORMAL, first);
    }
}

static void
owner_ends (CothreadTaskEnding *ending, CothreadTask *task)
{
  CothreadLock *self = CT_CONTAINER_OF (ending, CothreadLock, ending);

  g_critical ("Task %s ended while it held a lock; the lock is released", cothread_task_get_name (task));
  pass_on (self);
}

static void
cothread_lock_init (CothreadLock *self)
{
  self->thread = cothread_thread_id ();
  self->ending.run = owner_ends;
  ct_link_init (&self->ending.link);
  cothread_waiters_init (&self->waiters);
}

/**
 * cothread_lock_new:
 *
 * Makes a lock of the calling thread that nobody holds.
 *
 * Returns: (transfer full): a new lock
 *
 * Since: 0.1
 */
CothreadLock *
cothread_lock_new (void)
{
  return g_object_new (COTHREAD_TYPE_LOCK, NULL);
}

static gboolean
wait_for_grant (CothreadLock *self, gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  CothreadGrantWaiter entry = { .is_granted = FALSE };
  gint64 deadline_us;
  gboolean was_woken;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  cothread_waiters_begin (&self->waiters, &entry.waiter, core->current);
  cothread_waiters_queue (&self->waiters, &entry.waiter);
  g_object_ref (self);
  was_woken = cothread_wait_on (core, &entry.waiter, deadline_us, "lock", self, error);
  /* An interrupt came between the grant and our turn. */
  if (!was_woken && entry.is_granted)
    pass_on (self);
  g_object_unref (self);
  return was_woken;
}

/**
 * cothread_lock_acquire:
 * @self: a lock
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Acquires the lock, waiting in line if another task holds it. Does not suspend
 * if the lock is free or the calling task's already.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, and like cothread_sleep(); then the lock was
 * not acquired. A clean-up that has to acquire one although its task was
 * cancelled does so in a shielded section (cothread_shield_begin()). A
 * cancellation that comes after the lock was handed over reaches the next wait
 * instead: the task holds the lock and has to release it.
 *
 * Returns: %TRUE if the calling task holds the lock now
 *
 * Since: 0.1
 */
gboolean
cothread_lock_acquire (CothreadLock *self, gint64 timeout_us, GError **error)
{
  CothreadScheduler *scheduler;
  CtTask *task;

  g_return_val_if_fail (COTHREAD_IS_LOCK (self), FALSE);
  g_return_val_if_fail (self->thread == cothread_thread_id (), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  scheduler = cothread_scheduler_ensure (error);
  if (scheduler == NULL)
    return FALSE;
  task = scheduler->core->current;
  if (self->depth > 0 && !is_owned_by (self, task))
    {
      if (G_LIKELY (!is_of_parent (self)))
        return wait_for_grant (self, timeout_us, error);
      pass_on (self);
    }
  if (!cothread_wait_for_ready (error))
    return FALSE;
  if (self->depth == 0)
    {
      give_to (self, task);
      return TRUE;
    }
  g_return_val_if_fail (self->depth < G_MAXUINT, FALSE);
  self->depth++;
  return TRUE;
}

static gboolean
take_lock (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  CothreadLock *self = wait->object;

  if (fired != NULL)
    return TRUE;
  if (self->depth == 0)
    {
      give_to (self, NULL);
      return TRUE;
    }
  cothread_waiters_begin (&self->waiters, &wait->waiter, NULL);
  cothread_waiters_queue (&self->waiters, &wait->waiter);
  return FALSE;
}

static const CothreadAsyncWaitKind acquire_kind = { "lock", "lock", take_lock, NULL, NULL };

/**
 * cothread_lock_acquire_async:
 * @self: a lock
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Acquires the lock, as cothread_lock_acquire() does, standing in the same line,
 * but calls back instead of suspending a task. The callback comes in the
 * caller's thread-default context; the lock is held from before it, whether
 * cothread_lock_acquire_finish() is called or not.
 *
 * It is held by no task, and until somebody calls cothread_lock_release() on the
 * thread's own stack, as callbacks and promises do. So it cannot be acquired
 * again by who holds it: another cothread_lock_acquire_async() waits for that
 * release.
 *
 * Since: 0.1
 */
void
cothread_lock_acquire_async (CothreadLock *self, gint64 timeout_us, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_LOCK (self));
  g_return_if_fail (self->thread == cothread_thread_id ());
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&acquire_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_lock_acquire_finish:
 * @self: a lock
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_lock_acquire_async() began. Fails with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like
 * cothread_sleep_finish(); then the lock was not acquired.
 *
 * Returns: %TRUE if the lock was acquired
 *
 * Since: 0.1
 */
gboolean
cothread_lock_acquire_finish (CothreadLock *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_LOCK (self), FALSE);

  return cothread_async_wait_finish (&acquire_kind, self, result, NULL, error);
}

/**
 * cothread_lock_release:
 * @self: a lock that the calling task holds
 *
 * Releases the lock; the last release hands it to whoever has waited longest.
 * Never suspends. A task that does not hold the lock cannot release it: that is
 * a critical and changes nothing. What cothread_lock_acquire_async() acquired
 * belongs to no task, and is released by whoever calls this on the thread's own
 * stack.
 *
 * A task that ends while it holds a lock is a critical; the lock is released
 * then.
 *
 * Since: 0.1
 */
void
cothread_lock_release (CothreadLock *self)
{
  g_return_if_fail (COTHREAD_IS_LOCK (self));
  g_return_if_fail (self->thread == cothread_thread_id ());

  if (!cothread_lock_is_own (self))
    {
      g_critical ("A task releases a lock that it does not hold");
      return;
    }
  if (--self->depth == 0)
    pass_on (self);
}

/**
 * cothread_lock_is_held:
 * @self: a lock
 *
 * Returns: whether anybody holds the lock
 *
 * Since: 0.1
 */
gboolean
cothread_lock_is_held (CothreadLock *self)
{
  g_return_val_if_fail (COTHREAD_IS_LOCK (self), FALSE);
  return self->depth > 0;
}

/**
 * cothread_lock_is_own:
 * @self: a lock
 *
 * Returns: whether the calling task holds the lock; on the thread's own stack
 *   also %TRUE while it is held for cothread_lock_acquire_async()
 *
 * Since: 0.1
 */
gboolean
cothread_lock_is_own (CothreadLock *self)
{
  CothreadScheduler *scheduler;

  g_return_val_if_fail (COTHREAD_IS_LOCK (self), FALSE);
  if (self->depth == 0 || self->thread != cothread_thread_id ())
    return FALSE;
  scheduler = cothread_scheduler_ensure (NULL);
  if (scheduler == NULL)
    return FALSE;
  if (self->owner == NULL)
    return scheduler->core->current->kind != CT_TASK_NATIVE;
  return is_owned_by (self, scheduler->core->current);
}
