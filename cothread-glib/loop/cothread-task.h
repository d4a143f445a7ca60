/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TASK (cothread_task_get_type ())

typedef struct _CothreadTask CothreadTask;

/**
 * CothreadTaskState:
 * @COTHREAD_TASK_READY: runs in this turn or the next
 * @COTHREAD_TASK_RUNNING: is running, or called something that is
 * @COTHREAD_TASK_YIELDING: lets all others run first
 * @COTHREAD_TASK_WAITING: is suspended until something wakes it
 * @COTHREAD_TASK_FINISHED: has returned
 *
 * What a task is doing.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_TASK_READY,
  COTHREAD_TASK_RUNNING,
  COTHREAD_TASK_YIELDING,
  COTHREAD_TASK_WAITING,
  COTHREAD_TASK_FINISHED,
} CothreadTaskState;

/**
 * CothreadTaskFunc:
 * @user_data: what the task was spawned with
 * @error: where the task reports its failure; what is set here reaches
 *   everybody who joins it
 *
 * What a task does, on a stack of its own, from beginning to end. It may wait
 * wherever it likes, also deep inside other functions.
 *
 * Returns: (nullable): the result for those who join the task; freed with the
 *   `result_destroy` of #CothreadSpawnOptions
 *
 * Since: 0.1
 */
typedef gpointer (*CothreadTaskFunc) (gpointer user_data, GError **error);

/**
 * CothreadSpawnOptions: (skip)
 * @scheduler: (nullable): where the task lives; %NULL: the running task's
 *   scheduler, or the default one
 * @name: (nullable): copied; %NULL: @function
 * @function: (nullable): static text, the name of the task's function
 * @stack_bytes: how much stack the task may use; 0: 256 KiB
 * @user_data_destroy: (nullable): frees the user data, exactly once: on the
 *   task's stack when its function has returned (or never ran), or at once if
 *   the task cannot be spawned
 * @result_destroy: (nullable): frees the result with the task
 * @site: (nullable): static text, the file and line of the spawn, %G_STRLOC
 * @site_function: (nullable): static text, the function that spawns, %G_STRFUNC
 * @switch_state: (nullable): what the `start` of #CothreadSwitchHooks finds as
 *   the state of the task's stack; with one the language reports failures
 *   itself, and there is no warning about those that nobody joined
 * @language: (nullable): what the task is written in, as for
 *   cothread_task_set_language(), but as g_intern_static_string() gives it
 *
 * How to spawn a task. Initialise it with a designated initialiser, so that
 * members that come later are zero.
 *
 * Since: 0.1
 */
typedef struct
{
  CothreadScheduler *scheduler;
  const char *name;
  const char *function;
  gsize stack_bytes;
  GDestroyNotify user_data_destroy;
  GDestroyNotify result_destroy;
  const char *site;
  const char *site_function;
  gpointer switch_state;
  const char *language;
  /*< private >*/
  gpointer padding[2];
} CothreadSpawnOptions;

COTHREAD_AVAILABLE_IN_0_1
GType cothread_task_get_type (void) G_GNUC_CONST;

COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_spawn_full (CothreadTaskFunc func,
                                   gpointer user_data,
                                   const CothreadSpawnOptions *options,
                                   GError **error);

/**
 * cothread_spawn: (skip)
 * @func: what the task does
 * @user_data: passed to @func
 *
 * Spawns a task named after its function, with default options. A failure
 * (out of memory for stacks) is logged as a critical and gives %NULL; use
 * cothread_spawn_full() where that has to be handled.
 *
 * Since: 0.1
 */
#ifndef __cplusplus
#define cothread_spawn(func, user_data) \
  cothread_spawn_full ((func), (user_data), \
                       &(CothreadSpawnOptions) { .function = #func, .site = G_STRLOC, .site_function = G_STRFUNC }, NULL)
#else
/* Where a compound literal has no address. */
static inline CothreadSpawnOptions
cothread_spawn_options_of (const char *function, const char *site, const char *site_function)
{
  CothreadSpawnOptions options = CothreadSpawnOptions ();

  options.function = function;
  options.site = site;
  options.site_function = site_function;
  return options;
}

static inline CothreadTask *
cothread_spawn_with (CothreadTaskFunc func, gpointer user_data, const CothreadSpawnOptions &options)
{
  return cothread_spawn_full (func, user_data, &options, NULL);
}

#define cothread_spawn(func, user_data) \
  cothread_spawn_with ((func), (user_data), cothread_spawn_options_of (#func, G_STRLOC, G_STRFUNC))
#endif

COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_task_ref (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_unref (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_task_self (void);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_task_join (CothreadTask *task, gint64 timeout_us, gpointer *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_cancel (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_task_is_cancelled (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
GCancellable *cothread_task_get_cancellable (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_task_is_finished (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
CothreadTaskState cothread_task_get_state (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_task_get_id (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_task_get_name (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_task_get_switches (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_task_get_language (CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_set_language (CothreadTask *task, const char *language);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_task_dup_wait_reason (CothreadTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadTask, cothread_task_unref)

G_END_DECLS
