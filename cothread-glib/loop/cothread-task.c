/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-alloc.h"
#include "loop/cothread-task-extra.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait-private.h"

/**
 * CothreadTask:
 *
 * A cooperative thread: a function with a stack of its own that runs until it
 * waits, and goes on from there when what it waited for has happened.
 *
 * A task is a counted handle, not a #GObject. References may be taken and
 * dropped in any thread; everything else belongs on the thread of the task's
 * scheduler. A task lives until it has returned, whether or not anybody holds a
 * reference.
 *
 * A failure that nobody joined to see is logged as a warning when the last
 * reference is dropped, unless it is a cancellation.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (CothreadTask, cothread_task, cothread_task_ref, cothread_task_unref)

void (*cothread_task_forgotten_failure) (const CothreadTask *task);

static void
wake_joiners (CothreadTask *task)
{
  while (ct_link_is_linked (&task->joiners))
    {
      CtWaiter *waiter = CT_CONTAINER_OF (task->joiners.next, CtWaiter, link);

      ct_task_fire (waiter->task, CT_WAKE_NORMAL, waiter);
    }
}

static void
free_user_data (CothreadTask *task)
{
  if (task->user_data_destroy != NULL)
    {
      GDestroyNotify destroy = g_steal_pointer (&task->user_data_destroy);

      destroy (g_steal_pointer (&task->user_data));
    }
}

static void
run_native (CtTask *core)
{
  CothreadTask *task = (CothreadTask *) core;

  if (G_UNLIKELY (core->is_cancelled))
    cothread_wait_result (CT_WAKE_CANCELLED, &task->error);
  else
    task->result = task->func (task->user_data, &task->error);
  free_user_data (task);
  cothread_task_run_endings (task);
  if (G_UNLIKELY (core->shield_depth > 0))
    g_critical ("Task %s ended inside a shielded section: cothread_shield_end() is missing", cothread_task_get_name (task));
  wake_joiners (task);
}

static void
run_stackless (CtTask *core)
{
  CothreadTask *task = (CothreadTask *) core;

  task->step (task, task->user_data);
}

static void
finished (CtTask *core)
{
  CothreadTask *task = (CothreadTask *) core;

  cothread_task_run_endings (task); /* those of a stackless one */
  if (G_UNLIKELY (task->error != NULL) && task->scheduler != NULL)
    {
      if (g_error_matches (task->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        task->scheduler->n_cancelled++;
      else
        task->scheduler->n_failed++;
    }
  core->scheduler = NULL;
  task->scheduler = NULL;
  wake_joiners (task);
  cothread_task_unref (task);
}

static void
nested_in_stackless (CtTask *core)
{
  CothreadTask *task = (CothreadTask *) core;

  if (task->nested != NULL)
    task->nested (task, task->user_data);
}

static void
cancelled_stackless (CtTask *core)
{
  CothreadTask *task = (CothreadTask *) core;

  if (task->cancelled != NULL)
    task->cancelled (task, task->user_data);
}

static const CtTaskClass native_class = { run_native, finished, NULL, NULL };
static const CtTaskClass stackless_class = { run_stackless, finished, nested_in_stackless, cancelled_stackless };

static CothreadTask *
new_task (CothreadScheduler *scheduler, const char *name)
{
  CothreadTask *task = cothread_task_alloc ();

  task->ref_count = 2; /* the scheduler's and the caller's */
  task->scheduler = scheduler;
  task->name = g_strdup (name);
  ct_link_init (&task->joiners);
  return task;
}

CothreadTask *
cothread_task_new_stackless (CothreadScheduler *scheduler, const char *name,
                             void (*step) (CothreadTask *task, gpointer user_data), gpointer user_data)
{
  CothreadTask *task = new_task (scheduler, name);

  task->step = step;
  task->user_data = user_data;
  ct_scheduler_spawn_stackless (scheduler->core, &task->core, &stackless_class);
  return task;
}

/**
 * cothread_spawn_full: (skip)
 * @func: what the task does
 * @user_data: passed to @func
 * @options: (nullable): name, stack size, destroy notifies, scheduler
 * @error: return location for a #GError
 *
 * Makes a task. It begins at the caller's next suspension (or when the main
 * loop runs); tasks start in the order in which they were spawned.
 *
 * To be called on the thread of the scheduler, inside a task or outside.
 *
 * Fails with %G_IO_ERROR_NO_SPACE when the system gives no more stacks, with
 * %G_IO_ERROR_INVALID_ARGUMENT for an impossible stack size, with
 * %COTHREAD_ERROR_CLOSED when the scheduler is shut down, and with
 * %COTHREAD_ERROR_WRONG_CONTEXT in a thread that has no scheduler. The user
 * data are freed then as well. Without @error a failure is a critical.
 *
 * Returns: (transfer full): the task; drop it with cothread_task_unref() if
 *   nobody wants to join it. %NULL on failure
 *
 * Since: 0.1
 */
CothreadTask *
cothread_spawn_full (CothreadTaskFunc func, gpointer user_data, const CothreadSpawnOptions *options, GError **error)
{
  static const CothreadSpawnOptions defaults = { 0 };
  g_autoptr (GError) failure = NULL;
  CothreadScheduler *scheduler;
  CothreadTask *task;

  g_return_val_if_fail (func != NULL, NULL);
  if (options == NULL)
    options = &defaults;
  scheduler = options->scheduler != NULL ? options->scheduler : cothread_scheduler_ensure (&failure);
  if (scheduler == NULL)
    goto fail;
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);
  if (scheduler->is_shut_down)
    {
      g_set_error_literal (&failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler is shut down");
      goto fail;
    }

  task = new_task (scheduler, options->name);
  task->func = func;
  task->user_data = user_data;
  task->user_data_destroy = options->user_data_destroy;
  task->result_destroy = options->result_destroy;
  task->site = options->site;
  task->site_function = options->site_function;
  task->function = options->function;
  task->language = options->language;
  task->core.hook_state = options->switch_state;
  task->failure_was_seen = options->switch_state != NULL; /* the language reports its failures itself */
  if (ct_scheduler_spawn (scheduler->core, &task->core, &native_class,
                          options->stack_bytes != 0 ? options->stack_bytes : CT_STACK_DEFAULT_BYTES, &failure))
    return task;
  g_free (task->name);
  cothread_task_free (task);

fail:
  if (options->user_data_destroy != NULL)
    options->user_data_destroy (user_data);
  if (error == NULL)
    g_critical ("Cannot spawn a task: %s", failure->message);
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/**
 * cothread_task_ref:
 * @task: a task
 *
 * Takes a reference, in any thread.
 *
 * Returns: (transfer full): @task
 *
 * Since: 0.1
 */
CothreadTask *
cothread_task_ref (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, NULL);
  __atomic_fetch_add (&task->ref_count, 1, __ATOMIC_RELAXED);
  return task;
}

/**
 * cothread_task_unref:
 * @task: (nullable) (transfer full): a task
 *
 * Drops a reference, in any thread. The last one frees the result; a task that
 * has not returned yet goes on all the same.
 *
 * Since: 0.1
 */
void
cothread_task_unref (CothreadTask *task)
{
  if (task == NULL)
    return;
  /* Whoever holds the only reference needs no atomic subtraction to know it. */
  if (__atomic_load_n (&task->ref_count, __ATOMIC_ACQUIRE) != 1 &&
      __atomic_fetch_sub (&task->ref_count, 1, __ATOMIC_ACQ_REL) != 1)
    return;
  if (task->error != NULL && !task->failure_was_seen &&
      !g_error_matches (task->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      void (*tell) (const CothreadTask *) = __atomic_load_n (&cothread_task_forgotten_failure, __ATOMIC_ACQUIRE);

      if (tell != NULL)
        tell (task);
      g_warning ("Task %s failed and nobody joined it: %s", cothread_task_get_name (task), task->error->message);
    }
  if (task->result != NULL && task->result_destroy != NULL)
    task->result_destroy (task->result);
  g_clear_error (&task->error);
  cothread_task_extra_free (task->extra);
  g_free (task->name);
  cothread_task_free (task);
}

/**
 * cothread_task_self:
 *
 * The task that is running in the calling thread.
 *
 * Returns: (transfer none) (nullable): the task, or %NULL outside any task
 *
 * Since: 0.1
 */
CothreadTask *
cothread_task_self (void)
{
  CothreadScheduler *scheduler = cothread_running_scheduler;

  if (scheduler == NULL || scheduler->core->current->kind == CT_TASK_MAIN)
    return NULL;
  return (CothreadTask *) scheduler->core->current;
}

gboolean
cothread_task_get_outcome (CothreadTask *task, gpointer *result, GError **error)
{
  if (task->error != NULL)
    {
      task->failure_was_seen = TRUE;
      g_propagate_error (error, g_error_copy (task->error));
      return FALSE;
    }
  if (result != NULL)
    *result = task->result;
  return TRUE;
}

/**
 * cothread_task_join: (skip)
 * @task: a task of the calling thread
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @result: (out) (optional) (transfer none): what the task's function returned;
 *   valid as long as a reference to @task is held
 * @error: return location for a #GError
 *
 * Waits until a task has returned. Any number of tasks may join one task, at
 * once or one after another, and all get the result. Does not suspend if the
 * task has finished.
 *
 * Fails with the task's own error if it failed (%G_IO_ERROR_CANCELLED if it was
 * cancelled before it began), and like cothread_sleep(); also with
 * %G_IO_ERROR_TIMED_OUT. Joining oneself is a critical.
 *
 * Returns: %TRUE if the task has returned without an error
 *
 * Since: 0.1
 */
gboolean
cothread_task_join (CothreadTask *task, gint64 timeout_us, gpointer *result, GError **error)
{
  g_return_val_if_fail (task != NULL, FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);
  g_return_val_if_fail (task != cothread_task_self (), FALSE);

  if (!cothread_task_is_finished (task))
    {
      CtScheduler *core;
      CtWaiter waiter;
      gint64 deadline_us;
      gboolean was_woken;

      if (task->scheduler == NULL)
        {
          g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Task %s was abandoned when its scheduler was shut down",
                       cothread_task_get_name (task));
          return FALSE;
        }
      g_return_val_if_fail (cothread_scheduler_is_own_thread (task->scheduler), FALSE);
      core = cothread_wait_begin (error);
      if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
        return FALSE;
      waiter = (CtWaiter) { .task = core->current };
      ct_link_insert_before (&task->joiners, &waiter.link);
      cothread_task_ref (task);
      was_woken = cothread_wait_on (core, &waiter, deadline_us, "task", task, error);
      cothread_task_unref (task);
      if (!was_woken)
        return FALSE;
    }
  else if (!cothread_wait_for_ready (error))
    return FALSE;
  return cothread_task_get_outcome (task, result, error);
}

/**
 * cothread_task_is_finished:
 * @task: a task
 *
 * Returns: whether the task has returned
 *
 * Since: 0.1
 */
gboolean
cothread_task_is_finished (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, TRUE);
  return task->core.state == CT_TASK_FINISHED;
}

/**
 * cothread_task_get_state:
 * @task: a task
 *
 * Returns: what the task is doing
 *
 * Since: 0.1
 */
CothreadTaskState
cothread_task_get_state (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, COTHREAD_TASK_FINISHED);
  return (CothreadTaskState) task->core.state;
}

G_STATIC_ASSERT ((int) COTHREAD_TASK_READY == (int) CT_TASK_READY);
G_STATIC_ASSERT ((int) COTHREAD_TASK_RUNNING == (int) CT_TASK_RUNNING);
G_STATIC_ASSERT ((int) COTHREAD_TASK_YIELDING == (int) CT_TASK_YIELDING);
G_STATIC_ASSERT ((int) COTHREAD_TASK_WAITING == (int) CT_TASK_WAITING);
G_STATIC_ASSERT ((int) COTHREAD_TASK_FINISHED == (int) CT_TASK_FINISHED);

/**
 * cothread_task_get_id:
 * @task: a task
 *
 * Returns: a number that no other task of the scheduler ever had
 *
 * Since: 0.1
 */
guint64
cothread_task_get_id (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, 0);
  return task->core.id;
}

/**
 * cothread_task_get_name:
 * @task: a task
 *
 * Returns: (transfer none): the name it was spawned with, or its function's
 *
 * Since: 0.1
 */
const char *
cothread_task_get_name (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, NULL);
  if (task->name != NULL)
    return task->name;
  return task->function != NULL ? task->function : "task";
}

/**
 * cothread_task_get_switches:
 * @task: a task
 *
 * Returns: how many times the task was resumed
 *
 * Since: 0.1
 */
guint64
cothread_task_get_switches (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, 0);
  return task->core.switches;
}

/**
 * cothread_task_get_language:
 * @task: a task
 *
 * Returns: (transfer none): in which language the task is written, as far as
 *   its binding has told; `C` otherwise
 *
 * Since: 0.1
 */
const char *
cothread_task_get_language (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, NULL);
  return task->language != NULL ? task->language : "C";
}

/**
 * cothread_task_set_language:
 * @task: a task of the calling thread
 * @language: the language's name, such as `Python`
 *
 * For language bindings: what the task list shows.
 *
 * Since: 0.1
 */
void
cothread_task_set_language (CothreadTask *task, const char *language)
{
  g_return_if_fail (task != NULL);
  g_return_if_fail (language != NULL);
  task->language = g_intern_string (language);
}

/**
 * cothread_task_dup_wait_reason:
 * @task: a task
 *
 * What a waiting task waits for, as text for people, such as `sleep` or
 * `descriptor 7`.
 *
 * Returns: (transfer full) (nullable): the text, or %NULL if the task does not
 *   wait
 *
 * Since: 0.1
 */
char *
cothread_task_dup_wait_reason (CothreadTask *task)
{
  const char *reason;

  g_return_val_if_fail (task != NULL, NULL);
  reason = task->core.wait_reason;
  if (task->core.state != CT_TASK_WAITING || reason == NULL)
    return NULL;
  if (g_str_equal (reason, "task"))
    return g_strdup_printf ("task %s", cothread_task_get_name ((CothreadTask *) task->core.wait_object));
  if (g_str_equal (reason, "descriptor"))
    return g_strdup_printf ("descriptor %d", GPOINTER_TO_INT (task->core.wait_object));
  return g_strdup (reason);
}
