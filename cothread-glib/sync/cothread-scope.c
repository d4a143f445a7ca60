/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync/cothread-scope.h"
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-shield.h"
#include "loop/cothread-task-extra.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-waiters-private.h"

/**
 * CothreadScope: (skip)
 *
 * Owns the tasks that are spawned in it, so that none outlives the block of
 * code that needs them.
 *
 * ```c
 * g_autoptr (CothreadScope) scope = cothread_scope_new ();
 *
 * cothread_task_unref (cothread_scope_spawn (scope, fetch, "left"));
 * cothread_task_unref (cothread_scope_spawn (scope, fetch, "right"));
 * return cothread_scope_leave (scope, error);
 * ```
 *
 * cothread_scope_leave() waits for all of them. The first that fails cancels
 * the others, and its error is the scope's; an end by cancellation is no
 * failure. On any other way out of the block g_autoptr() cancels the tasks and
 * waits for them.
 *
 * Scopes nest through their tasks: one that is cancelled fails in its own
 * cothread_scope_leave(), which cancels what it spawned.
 *
 * A scope belongs to the thread that made it.
 *
 * Since: 0.1
 */
struct _CothreadScope
{
  gsize thread;
  CothreadScheduler *scheduler; /* not referenced; NULL once it shuts down */
  CothreadShutdownHook hook;

  CtLink members;
  CtLink cancelled_members;
  guint n_members;
  CothreadWaiters waiters; /* for n_members to be 0 */
  guint n_leaving;

  GError *error; /* the first */
  gboolean is_cancelled;
  gboolean is_left;
  gboolean is_orphan; /* freed where nothing can wait: the last task frees it */

  gint64 deadline_us;
  CothreadTask *clock; /* waits for the deadline; has no stack */
};

typedef struct
{
  CothreadTaskEnding ending;
  CtLink link;
  CothreadScope *scope;
  CothreadTask *task; /* not referenced */
} Member;

static gboolean
is_here (CothreadScope *scope)
{
  cothread_fork_clean_up ();
  return scope->thread == cothread_thread_id ();
}

static void
end_clock (CothreadScope *scope)
{
  CothreadTask *clock = g_steal_pointer (&scope->clock);

  if (clock == NULL)
    return;
  ct_task_finish_stackless (&clock->core);
  cothread_task_unref (clock);
}

static void
destroy (CothreadScope *scope)
{
  end_clock (scope);
  ct_link_unlink (&scope->hook.link);
  g_clear_error (&scope->error);
  g_free (scope);
}

/* The handlers of the tasks' cancellables may do anything, also end or spawn
 * tasks here: so each member is moved before it is told. */
static void
cancel_members (CothreadScope *scope)
{
  scope->is_cancelled = TRUE;
  while (ct_link_is_linked (&scope->members))
    {
      Member *member = CT_CONTAINER_OF (scope->members.next, Member, link);
      g_autoptr (CothreadTask) task = cothread_task_ref (member->task);

      ct_link_unlink (&member->link);
      ct_link_insert_before (&scope->cancelled_members, &member->link);
      cothread_task_cancel_and_tell (task);
    }
}

static void
fail (CothreadScope *scope, const GError *error)
{
  if (scope->error == NULL)
    scope->error = g_error_copy (error);
  cancel_members (scope);
}

static gboolean
is_failure (const CothreadTask *task)
{
  return task->error != NULL &&
         !(task->core.is_cancelled && g_error_matches (task->error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

static void
member_ends (CothreadTaskEnding *ending, CothreadTask *task)
{
  Member *member = CT_CONTAINER_OF (ending, Member, ending);
  CothreadScope *scope = member->scope;

  ct_link_unlink (&member->link);
  g_free (member);
  if (is_failure (task) && !scope->is_orphan)
    {
      task->failure_was_seen = TRUE;
      fail (scope, task->error);
    }
  if (--scope->n_members > 0)
    return;
  if (scope->is_orphan)
    destroy (scope);
  else
    cothread_waiters_wake_all (&scope->waiters);
}

static gboolean
owns_running_task (CothreadScope *scope)
{
  CothreadTask *task = cothread_task_self ();

  if (task == NULL || task->extra == NULL)
    return FALSE;
  for (CtLink *link = task->extra->endings.next; link != &task->extra->endings; link = link->next)
    {
      CothreadTaskEnding *ending = CT_CONTAINER_OF (link, CothreadTaskEnding, link);

      if (ending->run == member_ends && CT_CONTAINER_OF (ending, Member, ending)->scope == scope)
        return TRUE;
    }
  return FALSE;
}

static void
scheduler_shuts_down (CtLink *link)
{
  CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadScope, hook)->scheduler = NULL;
}

/* The parent's tasks do not end here; only the one that forked may. */
static void
forget_members (CothreadScope *scope, CtLink *members)
{
  CtLink *link = members->next;

  while (link != members)
    {
      Member *member = CT_CONTAINER_OF (link, Member, link);

      link = link->next;
      if (member->task->core.state == CT_TASK_RUNNING)
        continue;
      ct_link_unlink (&member->link);
      ct_link_unlink (&member->ending.link);
      g_free (member);
      scope->n_members--;
    }
}

static void
scheduler_is_forked (CtLink *link)
{
  CothreadScope *scope = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadScope, hook);

  scope->scheduler = NULL;
  scope->n_leaving = 0;
  end_clock (scope);
  forget_members (scope, &scope->members);
  forget_members (scope, &scope->cancelled_members);
}

/**
 * cothread_scope_new: (skip)
 *
 * Makes an empty scope of the calling thread's scheduler. In a thread that has
 * none this is a critical.
 *
 * Returns: (transfer full): a new scope, or %NULL after a critical
 *
 * Since: 0.1
 */
CothreadScope *
cothread_scope_new (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  CothreadScope *scope;

  if (scheduler == NULL)
    return NULL;
  scope = g_new0 (CothreadScope, 1);
  scope->thread = cothread_thread_id ();
  ct_link_init (&scope->hook.link);
  ct_link_init (&scope->members);
  ct_link_init (&scope->cancelled_members);
  cothread_waiters_init (&scope->waiters);
  scope->deadline_us = CT_TIME_NEVER;
  if (!scheduler->is_shut_down)
    {
      scope->scheduler = scheduler;
      scope->hook.run = scheduler_shuts_down;
      scope->hook.forked = scheduler_is_forked;
      ct_link_insert_before (&scheduler->shutdown_hooks, &scope->hook.link);
    }
  return scope;
}

/* An interrupt of main that came before the wait cancels the tasks as one that
 * comes in it, and they are waited for all the same. */
static CtScheduler *
begin_to_wait (CothreadScope *scope, GError **error)
{
  g_autoptr (GError) failure = NULL;
  CtScheduler *core = cothread_wait_begin (&failure);

  if (core == NULL && g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED))
    {
      fail (scope, failure);
      return cothread_wait_begin (error);
    }
  if (core == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return core;
}

/* Waits until no task is left, whatever happens: a failed wait cancels them.
 * FALSE if nothing can wait here; then nothing has changed. FALSE as well if the
 * tasks, cancelled though they are, will never end: a test scheduler knows. */
static gboolean
wait_for_members (CothreadScope *scope, GError **error)
{
  CtScheduler *core = begin_to_wait (scope, error);
  gboolean is_shielded = FALSE, is_deadlock = FALSE;

  if (core == NULL)
    return FALSE;
  scope->n_leaving++;
  while (scope->n_members > 0 && !is_deadlock)
    {
      gboolean were_cancelled = scope->is_cancelled;
      g_autoptr (GError) failure = NULL;
      CtWaiter waiter;

      cothread_waiters_begin (&scope->waiters, &waiter, core->current);
      cothread_waiters_queue (&scope->waiters, &waiter);
      if (cothread_wait_on (core, &waiter, CT_TIME_NEVER, "scope", scope, &failure))
        continue;
      fail (scope, failure);
      if (!is_shielded)
        cothread_shield_begin ();
      is_shielded = TRUE;
      is_deadlock = were_cancelled && g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK);
      if (is_deadlock)
        g_propagate_error (error, g_steal_pointer (&failure));
    }
  scope->n_leaving--;
  if (is_shielded)
    cothread_shield_end ();
  return !is_deadlock;
}

/**
 * cothread_scope_free: (skip)
 * @scope: (nullable) (transfer full): a scope
 *
 * Cancels the tasks of the scope, waits for them, and frees it. The wait is
 * shielded: it is over only when the last task has ended, also for a caller that
 * was cancelled. An interrupt of the main task is kept for its next wait. After
 * a cothread_scope_leave() there is nothing to wait for. Tasks that will never end,
 * as a #CothreadTestScheduler can tell, are left behind with a critical.
 *
 * Where nothing can wait (in a handler that the main loop called, say) the tasks
 * are cancelled and end when the scheduler runs; the last one frees the scope.
 *
 * To be called on the scope's thread; a task cannot free a scope that it was
 * spawned in, nor one that another task is leaving: that is a critical and
 * changes nothing.
 *
 * Since: 0.1
 */
void
cothread_scope_free (CothreadScope *scope)
{
  g_autoptr (GError) failure = NULL;
  CothreadScheduler *scheduler;
  gboolean was_interrupted, could_wait = TRUE;

  if (scope == NULL)
    return;
  g_return_if_fail (is_here (scope));
  if (owns_running_task (scope) || scope->n_leaving > 0)
    {
      g_critical ("A scope cannot be freed by a task in it, nor while another task leaves it");
      return;
    }
  scope->is_left = TRUE;
  cancel_members (scope);
  scheduler = scope->scheduler;
  g_clear_error (&scope->error);
  if (scope->n_members > 0)
    {
      cothread_shield_begin ();
      could_wait = wait_for_members (scope, &failure);
      cothread_shield_end ();
    }
  if (g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK))
    g_critical ("A scope is freed although its tasks have not ended: %s", failure->message);
  if (!could_wait)
    {
      scope->is_orphan = TRUE;
      end_clock (scope);
      return;
    }
  was_interrupted = g_error_matches (scope->error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  destroy (scope);
  if (was_interrupted && scheduler != NULL && !scheduler->is_shut_down)
    cothread_scheduler_interrupt (scheduler);
}

/* As cothread_spawn_full() does. */
static CothreadTask *
refuse_to_spawn (gpointer user_data, const CothreadSpawnOptions *options, GError **error)
{
  static const char reason[] = "The scope was left, or its scheduler is shut down";

  if (options->user_data_destroy != NULL)
    options->user_data_destroy (user_data);
  if (error == NULL)
    g_critical ("Cannot spawn a task: %s", reason);
  else
    g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, reason);
  return NULL;
}

/**
 * cothread_scope_spawn_full: (skip)
 * @scope: a scope
 * @func: what the task does
 * @user_data: passed to @func
 * @options: (nullable): as for cothread_spawn_full(); its scheduler must be that
 *   of the scope, or %NULL
 * @error: return location for a #GError
 *
 * Spawns a task in the scope. Tasks of the scope may spawn further ones in it,
 * also while it is being left. In a scope that was cancelled the new task is
 * cancelled too, and does not begin.
 *
 * Fails with %COTHREAD_ERROR_CLOSED after the scope was left or when the
 * scheduler is shut down, and like cothread_spawn_full(). The user data are
 * freed then as well. Without @error a failure is a critical.
 *
 * Returns: (transfer full): the task; drop it with cothread_task_unref() if
 *   nobody wants to join it. %NULL on failure
 *
 * Since: 0.1
 */
CothreadTask *
cothread_scope_spawn_full (CothreadScope *scope, CothreadTaskFunc func, gpointer user_data,
                           const CothreadSpawnOptions *options, GError **error)
{
  CothreadSpawnOptions here = { 0 };
  CothreadTask *task;
  Member *member;

  g_return_val_if_fail (scope != NULL, NULL);
  g_return_val_if_fail (is_here (scope), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (options == NULL || options->scheduler == NULL || options->scheduler == scope->scheduler, NULL);

  if (options != NULL)
    here = *options;
  if (scope->is_left || scope->scheduler == NULL)
    return refuse_to_spawn (user_data, &here, error);
  here.scheduler = scope->scheduler;
  task = cothread_spawn_full (func, user_data, &here, error);
  if (task == NULL)
    return NULL;
  member = g_new0 (Member, 1);
  member->ending.run = member_ends;
  member->scope = scope;
  member->task = task;
  cothread_task_add_ending (task, &member->ending);
  ct_link_insert_before (scope->is_cancelled ? &scope->cancelled_members : &scope->members, &member->link);
  scope->n_members++;
  if (scope->is_cancelled)
    cothread_task_cancel_and_tell (task);
  return task;
}

static void
fail_if_cancelled (CothreadScope *scope)
{
  g_autoptr (GError) failure = NULL;

  if (!cothread_wait_for_ready (&failure))
    fail (scope, failure);
}

static gboolean
close_scope (CothreadScope *scope, GError **error)
{
  scope->is_left = TRUE;
  end_clock (scope);
  if (scope->error == NULL && scope->is_cancelled)
    scope->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The scope was cancelled");
  if (scope->error == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (scope->error));
  return FALSE;
}

/**
 * cothread_scope_leave: (skip)
 * @scope: a scope
 * @error: return location for a #GError
 *
 * Waits until all tasks of the scope have ended. Does not suspend if there are
 * none. Afterwards nothing can be spawned in the scope; leaving it again gives
 * the same answer.
 *
 * Fails with the first of these to happen; each of them cancels all tasks of the
 * scope, and they are waited for all the same:
 *
 * - the error of a task that failed;
 * - %G_IO_ERROR_TIMED_OUT, when the scope's deadline passed;
 * - %G_IO_ERROR_CANCELLED, when the calling task was cancelled, or
 *   cothread_scope_cancel() was called;
 * - %COTHREAD_ERROR_INTERRUPTED, when the main task was interrupted.
 *
 * Fails with %COTHREAD_ERROR_WRONG_CONTEXT where nothing can wait, which changes
 * nothing. With a #CothreadTestScheduler it fails with %COTHREAD_ERROR_DEADLOCK if
 * the tasks, cancelled, will never end; they are not waited for then. A task that
 * leaves a scope it was spawned in is a critical.
 *
 * Returns: %TRUE if all tasks have ended and none failed
 *
 * Since: 0.1
 */
gboolean
cothread_scope_leave (CothreadScope *scope, GError **error)
{
  g_return_val_if_fail (scope != NULL, FALSE);
  g_return_val_if_fail (is_here (scope), FALSE);
  g_return_val_if_fail (!owns_running_task (scope), FALSE);

  if (scope->n_members > 0)
    {
      if (!wait_for_members (scope, error))
        return FALSE;
    }
  else if (!scope->is_left)
    fail_if_cancelled (scope);
  return close_scope (scope, error);
}

static gboolean
all_have_ended (CothreadAsyncWait *wait, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadScope *scope = wait->object;

  if (scope->n_members > 0)
    {
      cothread_waiters_begin (&scope->waiters, &wait->waiter, NULL);
      cothread_waiters_queue (&scope->waiters, &wait->waiter);
      return FALSE;
    }
  scope->n_leaving--;
  close_scope (scope, &wait->failure);
  return TRUE;
}

static gboolean
cancel_and_go_on (CothreadAsyncWait *wait, G_GNUC_UNUSED CtWake wake)
{
  fail (wait->object, wait->failure);
  g_clear_error (&wait->failure);
  return FALSE;
}

static const CothreadAsyncWaitKind leave_kind = { "scope", "scope", all_have_ended, cancel_and_go_on, NULL };

/**
 * cothread_scope_leave_async: (skip)
 * @scope: a scope; it must not be freed before the callback
 * @cancellable: (nullable): cancels the tasks of the scope
 * @callback: called on the thread's own stack when the last task has ended
 * @user_data: passed to @callback
 *
 * Leaves a scope, as cothread_scope_leave() does, but calls back instead of
 * suspending a task. The callback comes in the caller's thread-default context.
 * Also a wait that was cancelled is over only when all tasks have ended.
 *
 * Since: 0.1
 */
void
cothread_scope_leave_async (CothreadScope *scope, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (scope != NULL);
  g_return_if_fail (is_here (scope));
  g_return_if_fail (!owns_running_task (scope));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  scope->n_leaving++;
  cothread_async_wait (&leave_kind, NULL, COTHREAD_FOREVER, scope, NULL, cancellable, callback, user_data);
}

/**
 * cothread_scope_leave_finish: (skip)
 * @scope: a scope
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_scope_leave_async() began. Fails like
 * cothread_scope_leave().
 *
 * Returns: %TRUE if all tasks have ended and none failed
 *
 * Since: 0.1
 */
gboolean
cothread_scope_leave_finish (G_GNUC_UNUSED CothreadScope *scope, GAsyncResult *result, GError **error)
{
  return cothread_async_wait_finish (&leave_kind, NULL, result, NULL, error);
}

/**
 * cothread_scope_cancel: (skip)
 * @scope: a scope
 *
 * Cancels all tasks of the scope, and those spawned in it from now on. Does not
 * wait for them. May be called by a task of the scope.
 *
 * Since: 0.1
 */
void
cothread_scope_cancel (CothreadScope *scope)
{
  g_return_if_fail (scope != NULL);
  g_return_if_fail (is_here (scope));

  if (!scope->is_left)
    cancel_members (scope);
}

/**
 * cothread_scope_is_cancelled: (skip)
 * @scope: a scope
 *
 * Returns: whether the scope's tasks were cancelled, for whatever reason
 *
 * Since: 0.1
 */
gboolean
cothread_scope_is_cancelled (CothreadScope *scope)
{
  g_return_val_if_fail (scope != NULL, FALSE);
  return scope->is_cancelled;
}

/**
 * cothread_scope_get_n_tasks: (skip)
 * @scope: a scope
 *
 * Returns: how many tasks of the scope have not ended
 *
 * Since: 0.1
 */
guint
cothread_scope_get_n_tasks (CothreadScope *scope)
{
  g_return_val_if_fail (scope != NULL, 0);
  return scope->n_members;
}

static void
clock_step (CothreadTask *clock, gpointer data)
{
  CothreadScope *scope = data;

  if (!clock->core.is_cancelled && scope->deadline_us > ct_scheduler_now (clock->scheduler->core))
    {
      clock->core.wait_reason = "deadline";
      ct_task_park (&clock->core, NULL, scope->deadline_us);
      return;
    }
  if (!clock->core.is_cancelled)
    {
      g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The scope's deadline passed");

      fail (scope, error);
    }
  end_clock (scope);
}

/**
 * cothread_scope_set_deadline: (skip)
 * @scope: a scope
 * @deadline_us: a time in the sense of cothread_scheduler_get_time(), or %G_MAXINT64
 *   for none
 *
 * Sets when all tasks of the scope are cancelled unless it was left before;
 * cothread_scope_leave() then fails with %G_IO_ERROR_TIMED_OUT. The caller
 * itself is not cancelled. Replaces the previous deadline; has no effect on a
 * scope that was left or whose deadline has passed. Never suspends.
 *
 * Since: 0.1
 */
void
cothread_scope_set_deadline (CothreadScope *scope, gint64 deadline_us)
{
  g_return_if_fail (scope != NULL);
  g_return_if_fail (is_here (scope));

  if (scope->is_left || scope->is_cancelled || scope->scheduler == NULL)
    return;
  scope->deadline_us = deadline_us;
  if (deadline_us == CT_TIME_NEVER)
    end_clock (scope);
  else if (scope->clock == NULL)
    scope->clock = cothread_task_new_stackless (scope->scheduler, "scope deadline", clock_step, scope);
  else
    ct_task_fire (&scope->clock->core, CT_WAKE_NORMAL, NULL); /* looks at it anew */
}

/**
 * cothread_scope_set_timeout: (skip)
 * @scope: a scope
 * @timeout_us: microseconds from now, or %COTHREAD_FOREVER for none
 *
 * Sets the deadline; see cothread_scope_set_deadline().
 *
 * Since: 0.1
 */
void
cothread_scope_set_timeout (CothreadScope *scope, gint64 timeout_us)
{
  g_return_if_fail (scope != NULL);
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (is_here (scope));

  if (scope->scheduler != NULL)
    cothread_scope_set_deadline (scope, ct_clock_deadline (ct_scheduler_now (scope->scheduler->core), timeout_us));
}
