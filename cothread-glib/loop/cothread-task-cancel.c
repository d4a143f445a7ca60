/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-sanitizer-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-extra.h"

#include <pthread.h>

/* Ties a task to its GCancellable, in both directions. Another thread that
 * cancels the cancellable may be in the middle of it while the task ends: hence
 * references, and the way to the scheduler is cut under a lock.
 *
 * It listens by its class, not by a handler: of objects that have handlers GLib
 * keeps a table, in which everything that is freed is looked up, and each
 * operation of GIO frees some. */
struct _CothreadTaskCanceller
{
  GCancellable parent_instance;

  CothreadTask *task; /* used only on the scheduler's thread */

  pthread_mutex_t lock;
  CothreadScheduler *scheduler; /* under the lock; NULL: nobody to cancel */
  gboolean is_posted;           /* under the lock; the mail holds a reference */
  CothreadMail mail;

  CothreadTaskEnding ending;
  CothreadShutdownHook hook;
};

typedef struct
{
  GCancellableClass parent_class;
} CothreadTaskCancellerClass;

GType cothread_task_canceller_get_type (void);

G_DEFINE_TYPE (CothreadTaskCanceller, cothread_task_canceller, G_TYPE_CANCELLABLE)

static void
deliver (CothreadMail *mail)
{
  CothreadTaskCanceller *self = CT_CONTAINER_OF (mail, CothreadTaskCanceller, mail);

  if (self->scheduler != NULL)
    ct_task_cancel (&self->task->core);
  COTHREAD_BEFORE_UNREF (self);
  g_object_unref (self);
}

/* Any thread, any stack. */
static void
cothread_task_canceller_cancelled (GCancellable *cancellable)
{
  CothreadTaskCanceller *self = (CothreadTaskCanceller *) cancellable;
  gboolean is_here = FALSE;

  COTHREAD_IN_HANDLER (self);
  pthread_mutex_lock (&self->lock);
  if (self->scheduler != NULL)
    {
      is_here = cothread_scheduler_is_own_thread (self->scheduler);
      if (!is_here && !self->is_posted)
        {
          self->is_posted = TRUE;
          g_object_ref (self);
          cothread_scheduler_post_mail (self->scheduler, &self->mail);
        }
    }
  pthread_mutex_unlock (&self->lock);
  if (is_here && !self->task->core.is_cancelled)
    ct_task_cancel (&self->task->core);
}

static void
cothread_task_canceller_finalize (GObject *object)
{
  CothreadTaskCanceller *self = (CothreadTaskCanceller *) object;

  COTHREAD_IN_FINALIZE (self);
  pthread_mutex_destroy (&self->lock);
  G_OBJECT_CLASS (cothread_task_canceller_parent_class)->finalize (object);
}

static void
cothread_task_canceller_class_init (CothreadTaskCancellerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_task_canceller_finalize;
  G_CANCELLABLE_CLASS (klass)->cancelled = cothread_task_canceller_cancelled;
}

static void
cut_off (CothreadTaskCanceller *self)
{
  pthread_mutex_lock (&self->lock);
  self->scheduler = NULL;
  pthread_mutex_unlock (&self->lock);
}

static void
task_ends (CothreadTaskEnding *ending, G_GNUC_UNUSED CothreadTask *task)
{
  CothreadTaskCanceller *self = CT_CONTAINER_OF (ending, CothreadTaskCanceller, ending);

  cut_off (self);
  ct_link_unlink (&self->hook.link);
}

/* The tasks are cancelled next, without anybody's help. */
static void
scheduler_shuts_down (CtLink *link)
{
  cut_off (CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadTaskCanceller, hook));
}

static void
cothread_task_canceller_init (CothreadTaskCanceller *self)
{
  pthread_mutex_init (&self->lock, NULL);
  self->mail.deliver = deliver;
  self->hook.run = self->hook.forked = scheduler_shuts_down;
  self->ending.run = task_ends;
  ct_link_init (&self->hook.link);
  ct_link_init (&self->ending.link);
}

static CothreadTaskCanceller *
canceller_new (CothreadTask *task)
{
  CothreadTaskCanceller *self = g_object_new (cothread_task_canceller_get_type (), NULL);

  self->task = task;
  /* One without a stack has its whole clean-up shielded. */
  if (ct_task_is_cancelled (&task->core) || (task->core.is_cancelled && task->core.kind == CT_TASK_STACKLESS))
    g_cancellable_cancel (&self->parent_instance); /* nobody listens yet */
  if (task->scheduler == NULL)
    return self;
  self->scheduler = task->scheduler;
  if (!task->scheduler->is_shut_down)
    ct_link_insert_before (&task->scheduler->shutdown_hooks, &self->hook.link);
  cothread_task_add_ending (task, &self->ending);
  COTHREAD_BEFORE_CONNECTING (self); /* whoever gets it may give it to other threads */
  return self;
}

void
cothread_task_canceller_free (CothreadTaskCanceller *self)
{
  if (self == NULL)
    return;
  COTHREAD_BEFORE_UNREF (self);
  g_object_unref (self);
}

/**
 * cothread_task_get_cancellable:
 * @task: a task of the calling thread
 *
 * The task's #GCancellable, for functions of GIO and others that take one. It
 * is made at the first call.
 *
 * Cancelling the task cancels it; its signal is emitted on the thread's own
 * stack, whatever stack cothread_task_cancel() was called on, except in a
 * shielded section (cothread_shield_begin()), where it comes at the end of the
 * section.
 *
 * The other way round, g_cancellable_cancel() on it cancels the task, after it
 * has called the handlers, and may be called in any thread. Since that emits the signal where it is called, tasks
 * should use cothread_task_cancel(). g_cancellable_reset() does not undo the
 * task's own cancellation.
 *
 * After the task has returned, the cancellable stays as it is. To be called on
 * the thread of the task's scheduler; never suspends.
 *
 * Returns: (transfer none): the cancellable; it lives as long as @task
 *
 * Since: 0.1
 */
GCancellable *
cothread_task_get_cancellable (CothreadTask *task)
{
  CothreadTaskExtra *extra;

  g_return_val_if_fail (task != NULL, NULL);
  g_return_val_if_fail (task->scheduler == NULL || cothread_scheduler_is_own_thread (task->scheduler), NULL);

  extra = cothread_task_ensure_extra (task);
  if (extra->canceller == NULL)
    extra->canceller = canceller_new (task);
  return &extra->canceller->parent_instance;
}

static void
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

void
cothread_task_tell_canceller (CothreadTask *task)
{
  g_autoptr (GCancellable) cancellable = NULL;

  if (task->extra == NULL || task->extra->canceller == NULL || task->core.shield_depth > 0)
    return;
  cancellable = g_object_ref (&task->extra->canceller->parent_instance);
  if (!g_cancellable_is_cancelled (cancellable))
    ct_scheduler_call_on_thread_stack (task->scheduler->core, cancel_cancellable, cancellable);
}

void
cothread_task_cancel_and_tell (CothreadTask *task)
{
  ct_task_cancel (&task->core);
  cothread_task_tell_canceller (task);
}

/**
 * cothread_task_cancel:
 * @task: a task of the calling thread
 *
 * Cancels a task: its present wait, and every wait that it begins from now on,
 * fails with %G_IO_ERROR_CANCELLED; only shielded sections
 * (cothread_shield_begin()) are spared. A task that never ran does not begin. A
 * task that has finished is left as it is.
 *
 * Of what happens in one turn the first to come ends the wait, except that a
 * cancellation outranks a timeout that came before it.
 *
 * Never suspends, but calls the handlers of the task's cancellable if
 * cothread_task_get_cancellable() was used, on the thread's own stack.
 *
 * Since: 0.1
 */
void
cothread_task_cancel (CothreadTask *task)
{
  g_return_if_fail (task != NULL);

  if (cothread_task_is_finished (task) || task->scheduler == NULL)
    return;
  g_return_if_fail (cothread_scheduler_is_own_thread (task->scheduler));
  cothread_task_cancel_and_tell (task);
}

/**
 * cothread_task_is_cancelled:
 * @task: a task
 *
 * Returns: whether the task was cancelled before it returned; also inside a
 *   shielded section
 *
 * Since: 0.1
 */
gboolean
cothread_task_is_cancelled (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, FALSE);
  return task->core.is_cancelled;
}
