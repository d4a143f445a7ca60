/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-backtrace-private.h"

#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-unwind-private.h"

typedef struct
{
  CothreadFramesFunc func;
  gpointer user_data;
} FramesHook;

static GMutex hooks_lock;
static GHashTable *hooks; /* language, interned: FramesHook */

/**
 * cothread_monitor_set_frames_hook: (skip)
 * @language: a language, as in cothread_task_set_language()
 * @func: (nullable): tells the frames of a task; %NULL: nothing does any more
 * @user_data: passed to @func
 *
 * For language bindings: adds a language's own frames to the backtraces of
 * tasks that are written in it, before those in C.
 *
 * For any thread.
 *
 * Since: 0.1
 */
void
cothread_monitor_set_frames_hook (const char *language, CothreadFramesFunc func, gpointer user_data)
{
  FramesHook hook = { func, user_data };

  g_return_if_fail (language != NULL);

  g_mutex_lock (&hooks_lock);
  if (hooks == NULL)
    hooks = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (func != NULL)
    g_hash_table_insert (hooks, (gpointer) g_intern_string (language), g_memdup2 (&hook, sizeof hook));
  else
    g_hash_table_remove (hooks, g_intern_string (language));
  g_mutex_unlock (&hooks_lock);
}

static char **
ask_hook (CothreadTask *task)
{
  FramesHook hook = { 0 };

  if (task->language == NULL)
    return NULL;
  g_mutex_lock (&hooks_lock);
  if (hooks != NULL)
    {
      const FramesHook *found = g_hash_table_lookup (hooks, task->language);

      if (found != NULL)
        hook = *found;
    }
  g_mutex_unlock (&hooks_lock);
  return hook.func != NULL ? hook.func (task, hook.user_data) : NULL;
}

static guint
find_frames (CothreadTask *task, gpointer *frames)
{
  CtTask *core = &task->core;
  CtContextRegisters registers;

  if (core->scheduler == NULL || core->kind != CT_TASK_NATIVE || core->stack == NULL)
    return 0;
  if (core->scheduler->current == core)
    return cothread_unwind_here (frames, COTHREAD_MAX_FRAMES, 2);
  if (!ct_context_get_registers (&core->context, &registers))
    return 0;
  return cothread_unwind_registers (&registers, frames, COTHREAD_MAX_FRAMES);
}

GHashTable *
cothread_backtrace_names_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

static const char *
name_frame (gpointer frame, gboolean is_exact, GHashTable *names)
{
  char *name = g_hash_table_lookup (names, frame);

  if (name == NULL)
    {
      g_autofree char *made = cothread_unwind_name (frame, is_exact);

      name = g_utf8_make_valid (made, -1);
      g_hash_table_insert (names, frame, name);
    }
  return name;
}

char **
cothread_backtrace_of_frames (gpointer *frames, guint n, gboolean first_is_exact, GHashTable *names)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();

  for (guint i = 0; i < n; i++)
    g_strv_builder_add (lines, name_frame (frames[i], first_is_exact && i == 0, names));
  return g_strv_builder_end (lines);
}

char **
cothread_backtrace_of_task (CothreadTask *task, GHashTable *names)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_auto (GStrv) hooked = ask_hook (task);
  g_auto (GStrv) native = NULL;
  gpointer frames[COTHREAD_MAX_FRAMES];

  for (guint i = 0; hooked != NULL && hooked[i] != NULL; i++)
    {
      g_autofree char *line = g_utf8_make_valid (hooked[i], -1);

      g_strv_builder_add (lines, line);
    }
  native = cothread_backtrace_of_frames (frames, find_frames (task, frames), FALSE, names);
  g_strv_builder_addv (lines, (const char **) native);
  return g_strv_builder_end (lines);
}

/**
 * cothread_task_dup_backtrace:
 * @task: a task of the calling thread
 *
 * Where a task stands: a line for each frame, innermost first. Frames of its
 * own language come first, as far as the binding has told how to find them; a
 * stackless task has no others.
 *
 * In a library that was built without libunwind, one frame in C.
 *
 * Returns: (transfer full) (array zero-terminated=1): the lines; none for a task
 *   that has not begun, or that has finished
 *
 * Since: 0.1
 */
char **
cothread_task_dup_backtrace (CothreadTask *task)
{
  g_autoptr (GHashTable) names = NULL;

  g_return_val_if_fail (task != NULL, NULL);
  g_return_val_if_fail (task->scheduler == NULL || cothread_scheduler_is_own_thread (task->scheduler), NULL);

  names = cothread_backtrace_names_new ();
  return cothread_backtrace_of_task (task, names);
}
