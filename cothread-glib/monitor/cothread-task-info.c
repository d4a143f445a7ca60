/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-stackless-runner.h"
#include "loop/cothread-task-private.h"
#include "monitor/cothread-task-info-private.h"
#include "sync/cothread-lock-private.h"

G_DEFINE_BOXED_TYPE (CothreadTaskInfo, cothread_task_info, cothread_task_info_copy, cothread_task_info_free)

static G_DEFINE_QUARK (cothread-monitor-name, object_name)

/* Waits on an object that is a GObject; what other reasons come with is not
 * looked at. */
static const char *const reasons_with_object[] = {
  "event", "event queue", "pulse", "lock", "semaphore", "room in the callback queue",
};

/**
 * cothread_task_info_copy:
 * @info: what is known about a task
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadTaskInfo *
cothread_task_info_copy (const CothreadTaskInfo *info)
{
  CothreadTaskInfo *copy;

  g_return_val_if_fail (info != NULL, NULL);
  copy = g_memdup2 (info, sizeof *info);
  copy->name = g_strdup (info->name);
  copy->wait_reason = g_strdup (info->wait_reason);
  copy->wait_object = g_strdup (info->wait_object);
  copy->spawn_site = g_strdup (info->spawn_site);
  return copy;
}

void
cothread_task_info_clear (CothreadTaskInfo *info)
{
  g_clear_pointer (&info->name, g_free);
  g_clear_pointer (&info->wait_reason, g_free);
  g_clear_pointer (&info->wait_object, g_free);
  g_clear_pointer (&info->spawn_site, g_free);
}

/**
 * cothread_task_info_free:
 * @info: (nullable) (transfer full): what is known about a task
 *
 * Frees it.
 *
 * Since: 0.1
 */
void
cothread_task_info_free (CothreadTaskInfo *info)
{
  if (info == NULL)
    return;
  cothread_task_info_clear (info);
  g_free (info);
}

/**
 * cothread_task_state_to_string:
 * @state: what a task is doing
 *
 * Returns: (transfer none): one word for people, such as `waiting`
 *
 * Since: 0.1
 */
const char *
cothread_task_state_to_string (CothreadTaskState state)
{
  static const char *const words[] = { "ready", "running", "yielding", "waiting", "finished" };

  return (guint) state < G_N_ELEMENTS (words) ? words[state] : "unknown";
}

/**
 * cothread_monitor_set_name:
 * @object: an event, queue, pulse, lock or semaphore
 * @name: (nullable): its name
 *
 * Gives an object that tasks wait for a name for the task list.
 *
 * Since: 0.1
 */
void
cothread_monitor_set_name (GObject *object, const char *name)
{
  g_return_if_fail (G_IS_OBJECT (object));
  g_object_set_qdata_full (object, object_name_quark (), g_strdup (name), g_free);
}

static char *
dup_valid (const char *text)
{
  return g_utf8_make_valid (text, -1);
}

static char *
dup_object_name (gconstpointer object)
{
  const char *name = g_object_get_qdata ((GObject *) object, object_name_quark ());

  if (name == NULL && COTHREAD_IS_CALLBACK_QUEUE ((gpointer) object))
    name = cothread_callback_queue_get_name ((CothreadCallbackQueue *) object);
  return name != NULL ? dup_valid (name) : g_strdup_printf ("%p", object);
}

const CtTask *
cothread_task_peek_waited_for (const CtTask *core)
{
  if (core->state != CT_TASK_WAITING || core->wait_reason == NULL || core->wait_object == NULL)
    return NULL;
  if (g_str_equal (core->wait_reason, "task"))
    return core->wait_object;
  if (g_str_equal (core->wait_reason, "lock"))
    {
      const CtTask *owner = cothread_lock_peek_owner ((CothreadLock *) core->wait_object);

      return owner != NULL && owner->kind != CT_TASK_MAIN ? owner : NULL;
    }
  return NULL;
}

gboolean
cothread_wait_reason_has_object (const char *reason)
{
  for (guint i = 0; i < G_N_ELEMENTS (reasons_with_object); i++)
    if (g_str_equal (reason, reasons_with_object[i]))
      return TRUE;
  return FALSE;
}

static void
describe_wait (CothreadTaskInfo *info, const CtTask *core)
{
  const char *reason = core->wait_reason;
  const CtTask *other = cothread_task_peek_waited_for (core);

  if (reason == NULL)
    reason = "something";
  info->wait_reason = g_strdup (reason);
  info->since_us = core->since_us;
  if (core->timer.index != 0)
    info->deadline_us = core->scheduler->timers.entries[core->timer.index].deadline_us;
  if (other != NULL)
    info->wait_task = other->id;
  if (g_str_equal (reason, "task") && other != NULL)
    info->wait_object = dup_valid (cothread_task_get_name ((CothreadTask *) other));
  else if (g_str_equal (reason, "descriptor") && core->waiters != NULL)
    {
      const CtFdWatch *watch = NULL;
      guint n = 0;

      /* The first of the list was added last. */
      for (CtWaiter *waiter = core->waiters; waiter != NULL; waiter = waiter->next, n++)
        watch = CT_CONTAINER_OF (waiter, CtFdWatch, waiter);
      info->wait_fd = watch->fd;
      info->wait_condition = (GIOCondition) watch->events;
      info->wait_object = n == 1 ? g_strdup_printf ("%d", watch->fd) : g_strdup_printf ("%d and %u more", watch->fd, n - 1);
    }
  else if (core->wait_object != NULL && cothread_wait_reason_has_object (reason))
    info->wait_object = dup_object_name (core->wait_object);
}

static gint64
ticks_to_us (const CtProbe *probe, guint64 ticks)
{
  return (gint64) ((double) ticks / ct_probe_ticks_per_us (probe));
}

static void
describe_stack (CothreadTaskInfo *info, const CtTask *core)
{
  CtContextRegisters registers;

  if (core->kind != CT_TASK_NATIVE)
    return;
  info->stack_bytes = ct_stack_class_get_bytes (core->stack_class);
  if (core->stack == NULL)
    return;
  if (core->state != CT_TASK_RUNNING && ct_context_get_registers (&core->context, &registers))
    info->stack_in_use = (guint64) ((guintptr) core->stack->limit - registers.sp);
  if (core->has_clean_stack)
    info->stack_high_water = ct_stack_get_high_water (core->stack);
}

static char *
dup_site (CothreadTask *task)
{
  if (task->site == NULL && task->site_function == NULL)
    return g_strdup (cothread_task_get_location (task)); /* of a stackless one, where its function is */
  if (task->site == NULL)
    return g_strdup (task->site_function);
  return task->site_function != NULL ? g_strdup_printf ("%s, %s", task->site_function, task->site) : g_strdup (task->site);
}

void
cothread_task_info_take_numbers (CothreadTaskInfo *info, const CothreadTask *task)
{
  const CtTask *core = &task->core;
  const CtProbe *probe = core->scheduler != NULL ? core->scheduler->probe : NULL;

  info->id = core->id;
  info->is_stackless = core->kind == CT_TASK_STACKLESS;
  info->is_cancelled = core->is_cancelled;
  info->state = (CothreadTaskState) core->state;
  info->wait_fd = -1;
  info->deadline_us = info->since_us = info->run_us = info->longest_run_us = -1;
  info->wakeups = core->wakeups;
  info->switches = core->switches;
  if (probe != NULL && probe->timing != CT_PROBE_TIMING_OFF)
    {
      info->run_us = ticks_to_us (probe, core->run_ticks);
      info->longest_run_us = ticks_to_us (probe, core->longest_ticks);
    }
}

void
cothread_task_info_take_texts (CothreadTaskInfo *info, CothreadTask *task)
{
  info->name = dup_valid (cothread_task_get_name (task));
  info->language = cothread_task_get_language (task);
  info->spawn_site = dup_site (task);
}

void
cothread_task_info_take_wait (CothreadTaskInfo *info, const CothreadTask *task)
{
  if (task->core.scheduler == NULL)
    return;
  if (task->core.state == CT_TASK_WAITING)
    describe_wait (info, &task->core);
  describe_stack (info, &task->core);
}

static CothreadTaskInfo *
get_info (CothreadTask *task)
{
  CothreadTaskInfo *info = g_new0 (CothreadTaskInfo, 1);

  cothread_task_info_take_numbers (info, task);
  cothread_task_info_take_texts (info, task);
  cothread_task_info_take_wait (info, task);
  return info;
}

/**
 * cothread_task_get_info:
 * @task: a task of the calling thread
 *
 * All that is known about a task. Of a finished one that is not much.
 *
 * Returns: (transfer full): what is known
 *
 * Since: 0.1
 */
CothreadTaskInfo *
cothread_task_get_info (CothreadTask *task)
{
  g_return_val_if_fail (task != NULL, NULL);
  g_return_val_if_fail (task->scheduler == NULL || cothread_scheduler_is_own_thread (task->scheduler), NULL);

  return get_info (task);
}

/**
 * cothread_scheduler_list_task_infos:
 * @scheduler: a scheduler of the calling thread
 * @max: how many at most; 0: all
 *
 * What is known about each live task, in the order in which they were spawned.
 * With a million tasks this takes a second or so; see #CothreadTaskList for
 * something to show.
 *
 * Returns: (transfer container) (element-type CothreadTaskInfo): what is known
 *
 * Since: 0.1
 */
GPtrArray *
cothread_scheduler_list_task_infos (CothreadScheduler *scheduler, guint max)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_info_free);
  const CtScheduler *core;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), infos);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), infos);

  core = scheduler->core;
  if (core == NULL)
    return infos;
  cothread_scheduler_sync_runners (scheduler);
  for (CtLink *link = core->all.next; link != &core->all && (max == 0 || infos->len < max); link = link->next)
    g_ptr_array_add (infos, get_info (CT_CONTAINER_OF (link, CothreadTask, core.all)));
  return infos;
}

static const char *
direction (GIOCondition condition)
{
  gboolean in = (condition & (G_IO_IN | G_IO_PRI)) != 0;
  gboolean out = (condition & G_IO_OUT) != 0;

  return in && out ? " to read or write" : in ? " to read" : out ? " to write" : "";
}

/**
 * cothread_task_info_dup_wait_text:
 * @info: what is known about a task
 *
 * What the task waits for, in words, such as `event rows-loaded`, `descriptor 7
 * to read` or `lock 0x55d0c8, held by task 12`.
 *
 * Returns: (transfer full) (nullable): the text, or %NULL if it does not wait
 *
 * Since: 0.1
 */
char *
cothread_task_info_dup_wait_text (const CothreadTaskInfo *info)
{
  GString *text;

  g_return_val_if_fail (info != NULL, NULL);
  if (info->wait_reason == NULL)
    return NULL;
  text = g_string_new (info->wait_reason);
  if (info->wait_object != NULL)
    g_string_append_printf (text, " %s", info->wait_object);
  if (info->wait_fd >= 0)
    g_string_append (text, direction (info->wait_condition));
  if (info->wait_task != 0)
    g_string_append_printf (text, g_str_equal (info->wait_reason, "task") ? " (%" G_GUINT64_FORMAT ")" : ", held by task %" G_GUINT64_FORMAT,
                            info->wait_task);
  return g_string_free (text, FALSE);
}
