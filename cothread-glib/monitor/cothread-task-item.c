/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-task-item-private.h"

/**
 * CothreadTaskItem:
 *
 * A row of a #CothreadTaskList: one task, from its first appearance to its end.
 *
 * The same task is always the same item, and an item notifies only what has
 * changed, so that a view draws only the rows in which something happened.
 *
 * Since: 0.1
 */
struct _CothreadTaskItem
{
  GObject parent_instance;

  CothreadTask *task; /* NULL: of another process */
  CothreadTaskInfo info;
  guint64 run_ticks; /* what the info's times were made of */
  gboolean has_texts;
  gboolean has_wait;
};

G_DEFINE_FINAL_TYPE (CothreadTaskItem, cothread_task_item, G_TYPE_OBJECT)

enum
{
  PROP_ID = 1,
  PROP_NAME,
  PROP_LANGUAGE,
  PROP_STATE,
  PROP_WAITS_FOR,
  PROP_SINCE,
  PROP_DEADLINE,
  PROP_WAKEUPS,
  PROP_SWITCHES,
  PROP_RUN_TIME,
  PROP_LONGEST_RUN,
  PROP_SPAWN_SITE,
  PROP_STACK_BYTES,
  PROP_STACK_IN_USE,
  PROP_STACK_HIGH_WATER,
  PROP_IS_CANCELLED,
  PROP_INFO,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];
static guint notify_id;

static const guint changing[] = {
  PROP_STATE, PROP_WAITS_FOR, PROP_SINCE, PROP_DEADLINE, PROP_WAKEUPS, PROP_SWITCHES, PROP_RUN_TIME,
  PROP_LONGEST_RUN, PROP_STACK_IN_USE, PROP_STACK_HIGH_WATER, PROP_IS_CANCELLED, PROP_INFO,
};

/* Texts are made when somebody looks: of a long list that is what is in view. */
static void
complete (CothreadTaskItem *self)
{
  if (self->task == NULL || (self->task->scheduler != NULL && !cothread_scheduler_is_own_thread (self->task->scheduler)))
    return;
  if (!self->has_texts)
    cothread_task_info_take_texts (&self->info, self->task);
  if (!self->has_wait)
    cothread_task_info_take_wait (&self->info, self->task);
  self->has_texts = self->has_wait = TRUE;
}

static void
cothread_task_item_finalize (GObject *object)
{
  CothreadTaskItem *self = COTHREAD_TASK_ITEM (object);

  cothread_task_info_clear (&self->info);
  cothread_task_unref (self->task);
  G_OBJECT_CLASS (cothread_task_item_parent_class)->finalize (object);
}

static void
cothread_task_item_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadTaskItem *self = COTHREAD_TASK_ITEM (object);

  complete (self);
  switch (id)
    {
    case PROP_ID:
      g_value_set_uint64 (value, self->info.id);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->info.name);
      break;
    case PROP_LANGUAGE:
      g_value_set_string (value, self->info.language);
      break;
    case PROP_STATE:
      g_value_set_static_string (value, cothread_task_state_to_string (self->info.state));
      break;
    case PROP_WAITS_FOR:
      g_value_take_string (value, cothread_task_info_dup_wait_text (&self->info));
      break;
    case PROP_SINCE:
      g_value_set_int64 (value, self->info.since_us);
      break;
    case PROP_DEADLINE:
      g_value_set_int64 (value, self->info.deadline_us);
      break;
    case PROP_WAKEUPS:
      g_value_set_uint64 (value, self->info.wakeups);
      break;
    case PROP_SWITCHES:
      g_value_set_uint64 (value, self->info.switches);
      break;
    case PROP_RUN_TIME:
      g_value_set_int64 (value, self->info.run_us);
      break;
    case PROP_LONGEST_RUN:
      g_value_set_int64 (value, self->info.longest_run_us);
      break;
    case PROP_SPAWN_SITE:
      g_value_set_string (value, self->info.spawn_site);
      break;
    case PROP_STACK_BYTES:
      g_value_set_uint64 (value, self->info.stack_bytes);
      break;
    case PROP_STACK_IN_USE:
      g_value_set_uint64 (value, self->info.stack_in_use);
      break;
    case PROP_STACK_HIGH_WATER:
      g_value_set_uint64 (value, self->info.stack_high_water);
      break;
    case PROP_IS_CANCELLED:
      g_value_set_boolean (value, self->info.is_cancelled);
      break;
    case PROP_INFO:
      g_value_set_boxed (value, &self->info);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static GParamSpec *
text (const char *name)
{
  return g_param_spec_string (name, NULL, NULL, NULL, READABLE);
}

static GParamSpec *
count (const char *name)
{
  return g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
}

static GParamSpec *
time_us (const char *name)
{
  return g_param_spec_int64 (name, NULL, NULL, -1, G_MAXINT64, -1, READABLE);
}

static void
cothread_task_item_class_init (CothreadTaskItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = cothread_task_item_finalize;
  object_class->get_property = cothread_task_item_get_property;
  notify_id = g_signal_lookup ("notify", G_TYPE_OBJECT);

  /**
   * CothreadTaskItem:id: (getter get_id)
   *
   * A number that no other task of the scheduler ever had.
   *
   * Since: 0.1
   */
  properties[PROP_ID] = count ("id");
  /**
   * CothreadTaskItem:name:
   *
   * The task's name.
   *
   * Since: 0.1
   */
  properties[PROP_NAME] = text ("name");
  /**
   * CothreadTaskItem:language:
   *
   * What the task is written in.
   *
   * Since: 0.1
   */
  properties[PROP_LANGUAGE] = text ("language");
  /**
   * CothreadTaskItem:state:
   *
   * What it is doing, in one word, see cothread_task_state_to_string().
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = text ("state");
  /**
   * CothreadTaskItem:waits-for:
   *
   * What it waits for, see cothread_task_info_dup_wait_text().
   *
   * Since: 0.1
   */
  properties[PROP_WAITS_FOR] = text ("waits-for");
  /**
   * CothreadTaskItem:since:
   *
   * Since when it waits, in the time of g_get_monotonic_time(); or -1.
   *
   * Since: 0.1
   */
  properties[PROP_SINCE] = time_us ("since");
  /**
   * CothreadTaskItem:deadline:
   *
   * When the wait times out, in the time of g_get_monotonic_time(); or -1.
   *
   * Since: 0.1
   */
  properties[PROP_DEADLINE] = time_us ("deadline");
  /**
   * CothreadTaskItem:wakeups:
   *
   * How many of its waits have ended.
   *
   * Since: 0.1
   */
  properties[PROP_WAKEUPS] = count ("wakeups");
  /**
   * CothreadTaskItem:switches:
   *
   * How many times it was resumed.
   *
   * Since: 0.1
   */
  properties[PROP_SWITCHES] = count ("switches");
  /**
   * CothreadTaskItem:run-time:
   *
   * How long it has run, in microseconds; -1 unless that is measured.
   *
   * Since: 0.1
   */
  properties[PROP_RUN_TIME] = time_us ("run-time");
  /**
   * CothreadTaskItem:longest-run:
   *
   * Its longest run without suspending, in microseconds; -1 unless that is
   * measured.
   *
   * Since: 0.1
   */
  properties[PROP_LONGEST_RUN] = time_us ("longest-run");
  /**
   * CothreadTaskItem:spawn-site:
   *
   * Function, file and line of the spawn.
   *
   * Since: 0.1
   */
  properties[PROP_SPAWN_SITE] = text ("spawn-site");
  /**
   * CothreadTaskItem:stack-bytes:
   *
   * How large its stack is.
   *
   * Since: 0.1
   */
  properties[PROP_STACK_BYTES] = count ("stack-bytes");
  /**
   * CothreadTaskItem:stack-in-use:
   *
   * How much of its stack is in use while it is suspended.
   *
   * Since: 0.1
   */
  properties[PROP_STACK_IN_USE] = count ("stack-in-use");
  /**
   * CothreadTaskItem:stack-high-water:
   *
   * The most of its stack that was ever in use; 0 unless that is recorded.
   *
   * Since: 0.1
   */
  properties[PROP_STACK_HIGH_WATER] = count ("stack-high-water");
  /**
   * CothreadTaskItem:is-cancelled:
   *
   * Whether it was cancelled.
   *
   * Since: 0.1
   */
  properties[PROP_IS_CANCELLED] = g_param_spec_boolean ("is-cancelled", NULL, NULL, FALSE, READABLE);
  /**
   * CothreadTaskItem:info:
   *
   * All of it.
   *
   * Since: 0.1
   */
  properties[PROP_INFO] = g_param_spec_boxed ("info", NULL, NULL, COTHREAD_TYPE_TASK_INFO, READABLE);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
cothread_task_item_init (G_GNUC_UNUSED CothreadTaskItem *self)
{
}

CothreadTaskItem *
cothread_task_item_new (CothreadTask *task)
{
  CothreadTaskItem *self = g_object_new (COTHREAD_TYPE_TASK_ITEM, NULL);

  self->task = cothread_task_ref (task);
  self->run_ticks = task->core.run_ticks;
  cothread_task_info_take_numbers (&self->info, task);
  return self;
}

CothreadTaskItem *
cothread_task_item_new_from_info (const CothreadTaskInfo *info)
{
  CothreadTaskItem *self = g_object_new (COTHREAD_TYPE_TASK_ITEM, NULL);
  g_autofree CothreadTaskInfo *copy = cothread_task_info_copy (info);

  self->info = *copy;
  return self;
}

static void
notify_changes (CothreadTaskItem *self)
{
  /* Most rows are out of view, with nobody to hear it. */
  if (g_signal_handler_find (self, G_SIGNAL_MATCH_ID, notify_id, 0, NULL, NULL, NULL) == 0)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < G_N_ELEMENTS (changing); i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[changing[i]]);
  g_object_thaw_notify (G_OBJECT (self));
}

gboolean
cothread_task_item_refresh (CothreadTaskItem *self)
{
  const CtTask *core = &self->task->core;
  CothreadTaskInfo *info = &self->info;

  /* A task that waits for something else than before has been resumed. */
  if (info->switches == core->switches && info->wakeups == core->wakeups && info->state == (CothreadTaskState) core->state &&
      self->run_ticks == core->run_ticks && info->is_cancelled == core->is_cancelled)
    return core->state != CT_TASK_FINISHED;
  g_clear_pointer (&info->wait_reason, g_free);
  g_clear_pointer (&info->wait_object, g_free);
  info->wait_task = 0;
  self->has_wait = FALSE;
  self->run_ticks = core->run_ticks;
  cothread_task_info_take_numbers (info, self->task);
  notify_changes (self);
  return core->state != CT_TASK_FINISHED;
}

static gboolean
infos_are_equal (const CothreadTaskInfo *a, const CothreadTaskInfo *b)
{
  return a->switches == b->switches && a->wakeups == b->wakeups && a->state == b->state && a->run_us == b->run_us &&
         a->longest_run_us == b->longest_run_us && a->is_cancelled == b->is_cancelled &&
         a->stack_high_water == b->stack_high_water && a->wait_task == b->wait_task &&
         g_strcmp0 (a->wait_object, b->wait_object) == 0;
}

void
cothread_task_item_update (CothreadTaskItem *self, const CothreadTaskInfo *info)
{
  g_autofree CothreadTaskInfo *copy = NULL;

  if (infos_are_equal (&self->info, info))
    return;
  copy = cothread_task_info_copy (info);
  cothread_task_info_clear (&self->info);
  self->info = *copy;
  notify_changes (self);
}

const guint64 *
cothread_task_item_peek_id (CothreadTaskItem *self)
{
  return &self->info.id;
}

/**
 * cothread_task_item_get_id: (get-property id)
 * @self: an item
 *
 * Returns: the task's id
 *
 * Since: 0.1
 */
guint64
cothread_task_item_get_id (CothreadTaskItem *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_ITEM (self), 0);
  return self->info.id;
}

/**
 * cothread_task_item_get_task:
 * @self: an item
 *
 * Returns: (transfer none) (nullable): the task; %NULL for one of another
 *   process
 *
 * Since: 0.1
 */
CothreadTask *
cothread_task_item_get_task (CothreadTaskItem *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_ITEM (self), NULL);
  return self->task;
}

/**
 * cothread_task_item_dup_info:
 * @self: an item
 *
 * Returns: (transfer full): all that is known about the task
 *
 * Since: 0.1
 */
CothreadTaskInfo *
cothread_task_item_dup_info (CothreadTaskItem *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_ITEM (self), NULL);
  complete (self);
  return cothread_task_info_copy (&self->info);
}
