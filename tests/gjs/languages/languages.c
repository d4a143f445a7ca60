/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <Python.h>

#pragma GCC visibility push(default)
#include "languages.h"
#pragma GCC visibility pop

typedef struct
{
  CothreadEvent *from;
  CothreadEvent *done;
  guint n;
  CothreadTask *task;
  char *failure;
  GObject *object;
  char *signal_name;
  gboolean on_thread_stack;
  CothreadThreadStackFallibleFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_clear_pointer (&job->task, cothread_task_unref);
  g_clear_object (&job->object);
  if (job->user_data_destroy != NULL)
    job->user_data_destroy (job->user_data);
  g_free (job->failure);
  g_free (job->signal_name);
  g_free (job);
}

static CothreadTask *
spawn (const char *name, CothreadTaskFunc func, Job *job)
{
  return cothread_spawn_full (func, job, &(CothreadSpawnOptions) { .name = name, .user_data_destroy = job_free }, NULL);
}

static void
let_go (CothreadTask *task)
{
  cothread_task_unref (task);
}

/**
 * languages_test_get_event:
 * @name: a name
 *
 * Returns: (transfer none): the event of that name, made when first asked for
 */
CothreadEvent *
languages_test_get_event (const char *name)
{
  static GHashTable *events = NULL;
  CothreadEvent *event;

  if (events == NULL)
    events = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  event = g_hash_table_lookup (events, name);
  if (event == NULL)
    {
      event = cothread_event_new (TRUE);
      g_hash_table_insert (events, g_strdup (name), event);
    }
  return event;
}

/**
 * languages_test_run_python:
 * @text: a program
 * @error: return location for a #GError
 *
 * Runs it in an interpreter that is started when first asked for.
 *
 * Returns: %TRUE unless it failed
 */
gboolean
languages_test_run_python (const char *text, GError **error)
{
  PyGILState_STATE state;
  int status;

  if (!Py_IsInitialized ())
    {
      Py_InitializeEx (0);
      PyEval_SaveThread ();
    }
  state = PyGILState_Ensure ();
  status = PyRun_SimpleString (text);
  PyGILState_Release (state);
  if (status == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Python failed");
  return FALSE;
}

static gpointer
relay (gpointer data, GError **error)
{
  Job *job = data;

  for (guint i = 0; i < job->n; i++)
    {
      if (!cothread_event_wait (job->from, -1, error))
        return NULL;
      cothread_event_signal (job->done);
    }
  return NULL;
}

/**
 * languages_test_spawn_relay:
 * @from: the name of an event
 * @to: the name of another
 * @n: how often
 *
 * A task that waits for one event and signals another.
 */
void
languages_test_spawn_relay (const char *from, const char *to, guint n)
{
  Job *job = g_new0 (Job, 1);

  job->from = languages_test_get_event (from);
  job->done = languages_test_get_event (to);
  job->n = n;
  let_go (spawn ("relay in C", relay, job));
}

static gpointer
sleeper (gpointer data, GError **error)
{
  Job *job = data;

  if (!cothread_sleep (job->n * 1000, error))
    return NULL;
  if (job->failure != NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, job->failure);
  return NULL;
}

/**
 * languages_test_spawn_sleeper:
 * @milliseconds: how long it sleeps
 * @failure: (nullable): what it fails with
 *
 * Returns: (transfer full): the task
 */
CothreadTask *
languages_test_spawn_sleeper (guint milliseconds, const char *failure)
{
  Job *job = g_new0 (Job, 1);

  job->n = milliseconds;
  job->failure = g_strdup (failure);
  return spawn ("sleeper in C", sleeper, job);
}

static void
tell (CothreadEvent *done, const GError *error)
{
  if (error != NULL)
    cothread_event_signal_error (done, error);
  else
    cothread_event_signal (done);
}

static gpointer
join (gpointer data, G_GNUC_UNUSED GError **error)
{
  Job *job = data;
  g_autoptr (GError) failure = NULL;

  cothread_task_join (job->task, -1, NULL, &failure);
  tell (job->done, failure);
  return NULL;
}

/**
 * languages_test_spawn_joiner:
 * @task: a task
 * @done: the name of an event
 *
 * A task that joins another and signals an event then, with its failure if it
 * failed.
 */
void
languages_test_spawn_joiner (CothreadTask *task, const char *done)
{
  Job *job = g_new0 (Job, 1);

  job->task = cothread_task_ref (task);
  job->done = languages_test_get_event (done);
  let_go (spawn ("joiner in C", join, job));
}

static gpointer
cancel (gpointer data, G_GNUC_UNUSED GError **error)
{
  Job *job = data;

  cothread_task_cancel (job->task);
  tell (job->done, NULL);
  return NULL;
}

/**
 * languages_test_spawn_canceller:
 * @task: a task
 * @done: the name of an event
 *
 * A task that cancels another on its own stack, and signals an event then.
 */
void
languages_test_spawn_canceller (CothreadTask *task, const char *done)
{
  Job *job = g_new0 (Job, 1);

  job->task = cothread_task_ref (task);
  job->done = languages_test_get_event (done);
  let_go (spawn ("canceller in C", cancel, job));
}

static gpointer
call (gpointer data, G_GNUC_UNUSED GError **error)
{
  Job *job = data;
  g_autoptr (GError) failure = NULL;

  cothread_call_on_thread_stack_full (job->func, job->user_data, &failure);
  tell (job->done, failure);
  return NULL;
}

/**
 * languages_test_spawn_caller:
 * @func: (scope notified) (closure user_data) (destroy user_data_destroy): what to call
 * @user_data: passed to @func
 * @user_data_destroy: frees that
 * @done: the name of an event
 *
 * A task that calls a function by cothread_call_on_thread_stack_full(), and
 * signals an event then.
 */
void
languages_test_spawn_caller (CothreadThreadStackFallibleFunc func, gpointer user_data, GDestroyNotify user_data_destroy,
                             const char *done)
{
  Job *job = g_new0 (Job, 1);

  job->func = func;
  job->user_data = user_data;
  job->user_data_destroy = user_data_destroy;
  job->done = languages_test_get_event (done);
  let_go (spawn ("caller in C", call, job));
}

static void
emit (gpointer data)
{
  Job *job = data;

  if (g_str_has_prefix (job->signal_name, "notify::"))
    g_object_notify (job->object, job->signal_name + strlen ("notify::"));
  else
    g_signal_emit_by_name (job->object, job->signal_name);
}

static gpointer
emit_somewhere (gpointer data, G_GNUC_UNUSED GError **error)
{
  Job *job = data;

  if (job->on_thread_stack)
    cothread_call_on_thread_stack (emit, job);
  else
    emit (job);
  tell (job->done, NULL);
  return NULL;
}

/**
 * languages_test_spawn_emitter:
 * @object: an object
 * @signal_name: the name of a signal without arguments, or `notify::` and a property
 * @on_thread_stack: by cothread_call_on_thread_stack()?
 * @done: the name of an event
 *
 * A task that emits a signal, and signals an event then.
 */
void
languages_test_spawn_emitter (GObject *object, const char *signal_name, gboolean on_thread_stack, const char *done)
{
  Job *job = g_new0 (Job, 1);

  job->object = g_object_ref (object);
  job->signal_name = g_strdup (signal_name);
  job->on_thread_stack = on_thread_stack;
  job->done = languages_test_get_event (done);
  let_go (spawn ("emitter in C", emit_somewhere, job));
}
