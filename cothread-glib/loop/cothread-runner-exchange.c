/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-stackless-runner-private.h"
#include "loop/cothread-task-extra.h"

/* What a language tells of its tasks, and is told: many at a time through the
 * memory, or one by one. */

/* Requests that many are copied to the stack. */
#define FEW 128

static const char *const wait_reasons[] = {
  "wait", "sleep", "event", "event queue", "a task", "promise", "any of several", "a descriptor", "all of several",
};

static CothreadStacklessRunnerPrivate *
begin (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv;

  g_return_val_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self), NULL);
  priv = cothread_stackless_runner_get_private (self);
  g_return_val_if_fail (priv->scheduler != NULL && cothread_scheduler_is_own_thread (priv->scheduler), NULL);
  return priv;
}

CothreadRunnerTask *
cothread_runner_find (CothreadStacklessRunner *self, guint id)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);
  CothreadRunnerTask *task;

  if (priv == NULL)
    return NULL;
  task = id < priv->tasks->len ? priv->tasks->pdata[id] : NULL;
  if (task == NULL)
    g_critical ("%s has no task %u", priv->language, id);
  return task;
}

static void
carry_out (CothreadStacklessRunner *self, const CothreadRequestRecord *request)
{
  CothreadRunnerTask *task;
  guint op = (guint) request->op & 0xff;
  guint reason = (guint) request->op >> 8;

  if (op == COTHREAD_STACKLESS_OP_SPAWN)
    {
      cothread_runner_spawn_as (self, (guint) request->id, (guint) request->argument);
      return;
    }
  if (op == COTHREAD_STACKLESS_OP_COUNT)
    {
      CtScheduler *core = cothread_stackless_runner_get_private (self)->scheduler->core;

      core->n_spawned += (guint64) request->argument;
      core->n_finished += (guint64) request->argument;
      return;
    }
  task = cothread_runner_find (self, (guint) request->id);
  if (task == NULL)
    return;
  switch (op)
    {
    case COTHREAD_STACKLESS_OP_PARK:
      cothread_runner_park (task, request->argument < 0 ? CT_TIME_NEVER : (gint64) request->argument,
                            wait_reasons[reason < G_N_ELEMENTS (wait_reasons) ? reason : 0]);
      break;
    case COTHREAD_STACKLESS_OP_RESUME:
      cothread_runner_resume (task);
      break;
    case COTHREAD_STACKLESS_OP_FINISH:
      cothread_runner_finish (task, NULL);
      break;
    case COTHREAD_STACKLESS_OP_CANCEL:
      cothread_runner_cancel (task);
      break;
    default:
      g_critical ("Request %u is none", op);
    }
}

/* The next incoming task that has something for the language; NULL: none. */
static CothreadRunnerTask *
deliver_next (CothreadStacklessRunnerPrivate *priv)
{
  CtLink *link;

  while ((link = ct_queue_peek (&priv->incoming)) != NULL)
    {
      CothreadRunnerTask *task = CT_CONTAINER_OF (link, CothreadTask, core.link)->user_data;

      if (cothread_runner_deliver (task))
        return task;
    }
  return NULL;
}

static void
begin_exchange (CothreadStacklessRunnerPrivate *priv, guint n_acknowledged, CothreadStacklessFlags left)
{
  priv->n_exchanges++;
  priv->is_dirty = FALSE;
  priv->left = left;
  cothread_runner_acknowledge (priv, n_acknowledged);
}

static gboolean
is_closed (CothreadStacklessRunnerPrivate *priv)
{
  if (priv->scheduler->core != NULL)
    return FALSE;
  priv->memory->state = COTHREAD_STACKLESS_CLOSED;
  return TRUE;
}

/**
 * cothread_stackless_runner_exchange:
 * @self: a runner
 * @n_requests: how many request records stand in the memory
 * @n_acknowledged: how many of the tasks that were handed over since the last
 *   call the language has; the others are handed over again
 * @left: what the language has left to do
 *
 * Carries out requests, in order, and hands over tasks: their records are in
 * the memory then.
 *
 * Returns: how many tasks are handed over
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_exchange (CothreadStacklessRunner *self, guint n_requests, guint n_acknowledged, CothreadStacklessFlags left)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);
  CothreadRequestRecord few[FEW];
  g_autofree CothreadRequestRecord *many = NULL;
  CothreadRequestRecord *requests = few;
  CothreadRunnerTask *task;
  guint n = 0;

  if (priv == NULL)
    return 0;
  g_return_val_if_fail (n_requests <= COTHREAD_RUNNER_REQUESTS, 0);

  if (is_closed (priv))
    return 0;
  g_object_ref (self);
  begin_exchange (priv, n_acknowledged, left);
  /* A copy: carrying one out may call a handler of the program, and that this
   * function. */
  if (n_requests > FEW)
    requests = many = g_new (CothreadRequestRecord, n_requests);
  memcpy (requests, priv->memory->requests, n_requests * sizeof *requests);
  for (guint i = 0; i < n_requests; i++)
    carry_out (self, &requests[i]);
  while ((left & COTHREAD_STACKLESS_TELL_ONLY) == 0 && n < COTHREAD_RUNNER_READY && (task = deliver_next (priv)) != NULL)
    priv->memory->ready[n++] = task->record;
  priv->memory->n_incoming = (gint32) priv->incoming.length;
  cothread_stackless_runner_check (self);
  g_object_unref (self);
  return n;
}

/**
 * cothread_stackless_runner_get_memory:
 * @self: a runner
 *
 * The memory of cothread_stackless_runner_exchange(); both sides write to it.
 *
 * It begins with 32-bit integers in the machine's order: a magic number, how
 * many request and ready records there is room for, a #CothreadStacklessState,
 * an unused one, how many tasks are left to be handed over, and the offsets of
 * the request and the ready records. At 32 stands the time of the last call (a double, microseconds). A record is an operation and a task's
 * number (or the number and a #CothreadStacklessWake, with the index of what
 * woke it from bit 8 on), 32 bits each, and a double.
 *
 * Returns: (transfer full): the memory
 *
 * Since: 0.1
 */
GBytes *
cothread_stackless_runner_get_memory (CothreadStacklessRunner *self)
{
  g_return_val_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self), NULL);
  return g_bytes_ref (cothread_stackless_runner_get_private (self)->bytes);
}

/**
 * cothread_stackless_runner_write:
 * @self: a runner
 * @bytes: (array length=n_bytes): request records
 * @n_bytes: their length
 *
 * For a language that cannot write to the memory: fills in request records, from
 * the first on.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_write (CothreadStacklessRunner *self, const guint8 *bytes, gsize n_bytes)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);

  if (priv == NULL)
    return;
  g_return_if_fail (bytes != NULL && n_bytes <= sizeof priv->memory->requests);
  memcpy (priv->memory->requests, bytes, n_bytes);
}

/**
 * cothread_stackless_runner_read:
 * @self: a runner
 * @n_bytes: how much of it
 *
 * For a language that cannot see changes of the memory: a copy of its beginning.
 *
 * Returns: (transfer full): the memory, as it is now
 *
 * Since: 0.1
 */
GBytes *
cothread_stackless_runner_read (CothreadStacklessRunner *self, gsize n_bytes)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);

  if (priv == NULL)
    return NULL;
  return g_bytes_new (priv->memory, MIN (n_bytes, sizeof *priv->memory));
}

/**
 * cothread_stackless_runner_define_function:
 * @self: a runner
 * @name: the name of a function of the language, for lists of tasks
 * @location: where it stands, such as `main.js:12`; kept for ever
 *
 * Gives a function a number.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_define_function (CothreadStacklessRunner *self, const char *name, const char *location)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);
  CothreadRunnerFunction function;

  if (priv == NULL)
    return 0;
  g_return_val_if_fail (name != NULL, 0);
  function = (CothreadRunnerFunction) { g_intern_string (name), g_intern_string (location) };
  g_array_append_val (priv->functions, function);
  return priv->functions->len - 1;
}

/**
 * cothread_stackless_runner_spawn:
 * @self: a runner
 * @function: a number from cothread_stackless_runner_define_function()
 *
 * Begins a task, which the language has.
 *
 * Returns: its number, or 0 if the scheduler is shut down
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_spawn (CothreadStacklessRunner *self, guint function)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);
  guint id;

  if (priv == NULL)
    return 0;
  if (priv->scheduler->is_shut_down)
    return 0;
  for (id = priv->first_free; id < priv->tasks->len && priv->tasks->pdata[id] != NULL; id++)
    ;
  if (!cothread_runner_spawn_as (self, id, function))
    return 0;
  priv->first_free = id + 1;
  return id;
}

/**
 * cothread_stackless_runner_park:
 * @self: a runner
 * @id: a task that the language has
 * @deadline_us: a time in the sense of g_get_monotonic_time(), or
 *   %COTHREAD_FOREVER
 *
 * The task waits: for what cothread_stackless_runner_add_task() and others were
 * told, for its deadline, and for its cancellation. It is handed over once, when
 * one of them has come.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_park (CothreadStacklessRunner *self, guint id, gint64 deadline_us)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task != NULL)
    cothread_runner_park (task, deadline_us < 0 ? CT_TIME_NEVER : deadline_us, "wait");
}

/**
 * cothread_stackless_runner_resume:
 * @self: a runner
 * @id: a task
 *
 * The language goes on with a task by itself: its wait is undone.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_resume (CothreadStacklessRunner *self, guint id)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task != NULL)
    cothread_runner_resume (task);
}

/**
 * cothread_stackless_runner_finish:
 * @self: a runner
 * @id: a task
 * @failure: (nullable): what it failed with, for those of other languages who
 *   join it
 *
 * The task is over, and its number free.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_finish (CothreadStacklessRunner *self, guint id, const GError *failure)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task != NULL)
    cothread_runner_finish (task, failure);
}

/**
 * cothread_stackless_runner_cancel:
 * @self: a runner
 * @id: a task
 *
 * The language has cancelled a task and resumes it: others are to see that it is
 * cancelled.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_cancel (CothreadStacklessRunner *self, guint id)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task != NULL)
    cothread_runner_cancel (task);
}

/**
 * cothread_stackless_runner_next:
 * @self: a runner
 * @id: (out): the task
 * @wake: (out) (optional): why
 * @which: (out) (optional): which of its sources woke it
 * @value: (out) (optional): what that brought, such as a descriptor's condition
 *
 * Hands over the next task that was woken; with this the language has it.
 *
 * Returns: %FALSE if there is none
 *
 * Since: 0.1
 */
gboolean
cothread_stackless_runner_next (CothreadStacklessRunner *self, guint *id, CothreadStacklessWake *wake, guint *which, double *value)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);
  CothreadRunnerTask *task;

  if (priv == NULL)
    return FALSE;
  g_return_val_if_fail (id != NULL, FALSE);
  if (is_closed (priv))
    return FALSE;
  begin_exchange (priv, G_MAXUINT, priv->left);
  task = deliver_next (priv);
  *id = task != NULL ? task->id : 0;
  if (wake != NULL)
    *wake = task != NULL ? (CothreadStacklessWake) (task->record.wake & 0xff) : COTHREAD_STACKLESS_WAKE_NORMAL;
  if (which != NULL)
    *which = task != NULL ? (guint) task->record.wake >> 8 : 0;
  if (value != NULL)
    *value = task != NULL ? task->record.value : 0;
  cothread_runner_acknowledge (priv, G_MAXUINT);
  return task != NULL;
}

/**
 * cothread_stackless_runner_rest:
 * @self: a runner
 * @left: what the language has left to do
 *
 * To be called last when the language was called, if it does not use
 * cothread_stackless_runner_exchange().
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_rest (CothreadStacklessRunner *self, CothreadStacklessFlags left)
{
  CothreadStacklessRunnerPrivate *priv = begin (self);

  if (priv == NULL)
    return;
  begin_exchange (priv, G_MAXUINT, left);
}

/**
 * cothread_stackless_runner_set_name:
 * @self: a runner
 * @id: a task
 * @name: a name of its own
 *
 * Gives a task another name than its function's.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_set_name (CothreadStacklessRunner *self, guint id, const char *name)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task == NULL)
    return;
  g_free (task->task->name);
  task->task->name = g_strdup (name);
}

/**
 * cothread_stackless_runner_get_task:
 * @self: a runner
 * @id: a task
 *
 * The task as all others see it.
 *
 * Returns: (transfer full) (nullable): the task
 *
 * Since: 0.1
 */
CothreadTask *
cothread_stackless_runner_get_task (CothreadStacklessRunner *self, guint id)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  return task != NULL ? cothread_task_ref (task->task) : NULL;
}

/**
 * cothread_stackless_runner_take_error:
 * @self: a runner
 * @id: a task that was handed over with %COTHREAD_STACKLESS_WAKE_ERROR
 * @error: return location for a #GError
 *
 * Fails with what the task's wait failed with.
 *
 * Returns: %TRUE if there was no error
 *
 * Since: 0.1
 */
gboolean
cothread_stackless_runner_take_error (CothreadStacklessRunner *self, guint id, GError **error)
{
  CothreadRunnerTask *task = cothread_runner_find (self, id);

  if (task == NULL || task->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&task->error));
  return FALSE;
}

/**
 * cothread_task_get_location:
 * @task: a task
 *
 * Where the function of the task stands, if its language has said so.
 *
 * Returns: (transfer none) (nullable): a file and a line, such as `main.js:12`
 *
 * Since: 0.1
 */
const char *
cothread_task_get_location (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, NULL);
  return cothread_runner_get_location (task);
}
