/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-task-item-private.h"
#include "monitor/cothread-ticker-private.h"

/**
 * CothreadTaskList:
 *
 * The live tasks of a scheduler as a #GListModel of #CothreadTaskItem, for a
 * `GtkColumnView` or anything else that shows a list.
 *
 * The list looks at the tasks at intervals (four times a second to begin with),
 * not at each change; then it reports the tasks that came and went, and each
 * item notifies what has changed about it.
 *
 * Of more than #CothreadTaskList:limit tasks it shows a sample, so that a
 * million of them cost no more than the limit does. #CothreadTaskList:n-tasks
 * tells how many there are.
 *
 * To be used on the scheduler's thread. When that is shut down the list becomes
 * empty.
 *
 * Since: 0.1
 */

#define DEFAULT_INTERVAL_MS 250
#define DEFAULT_LIMIT 10000
/* Rather one large change than so many small ones. */
#define MAX_CHANGES 32

struct _CothreadTaskList
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  guint limit;
  guint n_tasks;
  GPtrArray *items;
  GHashTable *by_id; /* of the same items */
  guint64 newest_id; /* of all that the list has seen */
  CothreadTask *cursor; /* where the search for older tasks goes on; or NULL */
  CothreadTicker ticker;
  gboolean is_refreshing;
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CothreadTaskList, cothread_task_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

enum
{
  PROP_SCHEDULER = 1,
  PROP_INTERVAL,
  PROP_LIMIT,
  PROP_N_TASKS,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static GType
get_item_type (G_GNUC_UNUSED GListModel *model)
{
  return COTHREAD_TYPE_TASK_ITEM;
}

static guint
get_n_items (GListModel *model)
{
  return COTHREAD_TASK_LIST (model)->items->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (model);

  return position < self->items->len ? g_object_ref (self->items->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
changed (CothreadTaskList *self, guint position, guint removed, guint added)
{
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
}

/* Items whose tasks are gone, as runs of neighbours: (position, length). */
static GArray *
find_gone (CothreadTaskList *self, gboolean all)
{
  GArray *runs = g_array_new (FALSE, FALSE, 2 * sizeof (guint));

  for (guint i = 0; i < self->items->len; i++)
    {
      guint *last = runs->len > 0 ? &g_array_index (runs, guint, 2 * (runs->len - 1)) : NULL;
      guint run[2] = { i, 1 };

      if (cothread_task_item_refresh (self->items->pdata[i]) && !all)
        continue;
      g_hash_table_remove (self->by_id, cothread_task_item_peek_id (self->items->pdata[i]));
      if (last != NULL && last[0] + last[1] == i)
        last[1]++;
      else
        g_array_append_val (runs, run);
    }
  return runs;
}

static void
remove_one_by_one (CothreadTaskList *self, const GArray *runs)
{
  for (guint i = runs->len; i-- > 0;)
    {
      const guint *run = &g_array_index (runs, guint, 2 * i);

      g_ptr_array_remove_range (self->items, run[0], run[1]);
      changed (self, run[0], run[1], 0);
    }
}

static void
remove_at_once (CothreadTaskList *self, const GArray *runs)
{
  guint first = g_array_index (runs, guint, 0);
  guint n_before = self->items->len;
  guint to = first, from = first;

  for (guint i = 0; i < runs->len; i++)
    {
      const guint *run = &g_array_index (runs, guint, 2 * i);

      while (from < run[0])
        self->items->pdata[to++] = self->items->pdata[from++];
      for (guint k = 0; k < run[1]; k++)
        g_object_unref (self->items->pdata[from++]);
    }
  while (from < n_before)
    self->items->pdata[to++] = self->items->pdata[from++];
  g_ptr_array_set_free_func (self->items, NULL);
  g_ptr_array_set_size (self->items, (gint) to);
  g_ptr_array_set_free_func (self->items, g_object_unref);
  changed (self, first, n_before - first, to - first);
}

static void
remove_gone (CothreadTaskList *self, gboolean all)
{
  g_autoptr (GArray) runs = find_gone (self, all);

  if (runs->len > MAX_CHANGES)
    remove_at_once (self, runs);
  else
    remove_one_by_one (self, runs);
}

static gboolean
has_room (CothreadTaskList *self)
{
  return self->items->len < self->limit;
}

static void
add (CothreadTaskList *self, CothreadTask *task)
{
  CothreadTaskItem *item;

  if (g_hash_table_contains (self->by_id, &task->core.id))
    return;
  item = cothread_task_item_new (task);
  g_ptr_array_add (self->items, item);
  g_hash_table_insert (self->by_id, (gpointer) cothread_task_item_peek_id (item), item);
}

/* The tasks spawned since the last look are at the end of the scheduler's list;
 * of very many, only as many as there is room for are visited. */
static void
add_new (CothreadTaskList *self, CtScheduler *core)
{
  CtLink *link = core->all.prev;
  guint room = self->limit - MIN (self->limit, self->items->len);
  guint n = 0;

  while (link != &core->all && n < room && CT_CONTAINER_OF (link, CtTask, all)->id > self->newest_id)
    {
      link = link->prev;
      n++;
    }
  for (link = link->next; link != &core->all; link = link->next)
    add (self, CT_CONTAINER_OF (link, CothreadTask, core.all));
  self->newest_id = core->next_id;
}

/* Older ones that there was no room for when they came, a limit's worth of
 * steps at a time. */
static void
add_older (CothreadTaskList *self, CtScheduler *core)
{
  CtLink *link = core->all.next;

  if (self->cursor != NULL && self->cursor->core.state != CT_TASK_FINISHED)
    link = &self->cursor->core.all;
  g_clear_pointer (&self->cursor, cothread_task_unref);
  for (guint n = 0; n < self->limit && link != &core->all && has_room (self); n++, link = link->next)
    add (self, CT_CONTAINER_OF (link, CothreadTask, core.all));
  if (link != &core->all)
    self->cursor = cothread_task_ref (CT_CONTAINER_OF (link, CothreadTask, core.all));
}

static void
refresh (gpointer data)
{
  CothreadTaskList *self = data;
  CtScheduler *core = self->scheduler->core;
  guint n_before;

  /* A handler of a change may run a main loop. */
  if (self->is_refreshing)
    return;
  self->is_refreshing = TRUE;
  g_object_ref (self);
  remove_gone (self, core == NULL);
  core = self->scheduler->core;
  n_before = self->items->len;
  if (core != NULL)
    {
      add_new (self, core);
      if (self->items->len < MIN (self->limit, core->n_live))
        add_older (self, core);
    }
  else
    g_clear_pointer (&self->cursor, cothread_task_unref);
  if (self->items->len > n_before)
    changed (self, n_before, 0, self->items->len - n_before);
  if (self->n_tasks != (core != NULL ? core->n_live : 0))
    {
      self->n_tasks = core != NULL ? core->n_live : 0;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_TASKS]);
    }
  self->is_refreshing = FALSE;
  g_object_unref (self);
}

static void
cothread_task_list_constructed (GObject *object)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (object);

  G_OBJECT_CLASS (cothread_task_list_parent_class)->constructed (object);
  if (self->scheduler == NULL)
    self->scheduler = g_object_ref (cothread_scheduler_get_default ());
  cothread_ticker_start (&self->ticker, self->scheduler, DEFAULT_INTERVAL_MS, refresh, self);
  refresh (self);
}

static void
cothread_task_list_dispose (GObject *object)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (object);

  cothread_ticker_stop (&self->ticker);
  g_clear_pointer (&self->cursor, cothread_task_unref);
  g_hash_table_remove_all (self->by_id);
  g_ptr_array_set_size (self->items, 0);
  G_OBJECT_CLASS (cothread_task_list_parent_class)->dispose (object);
}

static void
cothread_task_list_finalize (GObject *object)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (object);

  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_task_list_parent_class)->finalize (object);
}

static void
cothread_task_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      g_value_set_object (value, self->scheduler);
      break;
    case PROP_INTERVAL:
      g_value_set_uint (value, self->ticker.interval_ms);
      break;
    case PROP_LIMIT:
      g_value_set_uint (value, self->limit);
      break;
    case PROP_N_TASKS:
      g_value_set_uint (value, self->n_tasks);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_task_list_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadTaskList *self = COTHREAD_TASK_LIST (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      self->scheduler = g_value_dup_object (value);
      break;
    case PROP_INTERVAL:
      cothread_task_list_set_interval (self, g_value_get_uint (value));
      break;
    case PROP_LIMIT:
      cothread_task_list_set_limit (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_task_list_class_init (CothreadTaskListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = cothread_task_list_constructed;
  object_class->dispose = cothread_task_list_dispose;
  object_class->finalize = cothread_task_list_finalize;
  object_class->get_property = cothread_task_list_get_property;
  object_class->set_property = cothread_task_list_set_property;

  /**
   * CothreadTaskList:scheduler: (getter get_scheduler)
   *
   * Whose tasks they are.
   *
   * Since: 0.1
   */
  properties[PROP_SCHEDULER] =
    g_param_spec_object ("scheduler", NULL, NULL, COTHREAD_TYPE_SCHEDULER,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadTaskList:interval: (getter get_interval) (setter set_interval)
   *
   * Milliseconds between two looks at the tasks; 0: only when
   * cothread_task_list_refresh() is called.
   *
   * Since: 0.1
   */
  properties[PROP_INTERVAL] =
    g_param_spec_uint ("interval", NULL, NULL, 0, G_MAXINT, DEFAULT_INTERVAL_MS,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * CothreadTaskList:limit: (getter get_limit) (setter set_limit)
   *
   * How many tasks are in the list at most.
   *
   * Since: 0.1
   */
  properties[PROP_LIMIT] =
    g_param_spec_uint ("limit", NULL, NULL, 1, G_MAXINT, DEFAULT_LIMIT,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * CothreadTaskList:n-tasks: (getter get_n_tasks)
   *
   * How many live tasks there were at the last look, in the list or not.
   *
   * Since: 0.1
   */
  properties[PROP_N_TASKS] =
    g_param_spec_uint ("n-tasks", NULL, NULL, 0, G_MAXUINT, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
cothread_task_list_init (CothreadTaskList *self)
{
  self->limit = DEFAULT_LIMIT;
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
}

/**
 * cothread_task_list_new:
 * @scheduler: (nullable): a scheduler of the calling thread; %NULL: the default
 *   one
 *
 * Makes a list of the live tasks.
 *
 * Returns: (transfer full): a new list
 *
 * Since: 0.1
 */
CothreadTaskList *
cothread_task_list_new (CothreadScheduler *scheduler)
{
  g_return_val_if_fail (scheduler == NULL || COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (scheduler == NULL || cothread_scheduler_is_own_thread (scheduler), NULL);

  return g_object_new (COTHREAD_TYPE_TASK_LIST, "scheduler", scheduler, NULL);
}

/**
 * cothread_task_list_get_scheduler: (get-property scheduler)
 * @self: a list
 *
 * Returns: (transfer none): whose tasks they are
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_task_list_get_scheduler (CothreadTaskList *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_LIST (self), NULL);
  return self->scheduler;
}

/**
 * cothread_task_list_refresh:
 * @self: a list
 *
 * Looks at the tasks now.
 *
 * Since: 0.1
 */
void
cothread_task_list_refresh (CothreadTaskList *self)
{
  g_return_if_fail (COTHREAD_IS_TASK_LIST (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  cothread_call_on_thread_stack (refresh, self);
}

/**
 * cothread_task_list_get_interval: (get-property interval)
 * @self: a list
 *
 * Returns: milliseconds between two looks; 0: none by itself
 *
 * Since: 0.1
 */
guint
cothread_task_list_get_interval (CothreadTaskList *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_LIST (self), 0);
  return self->ticker.interval_ms;
}

/**
 * cothread_task_list_set_interval: (set-property interval)
 * @self: a list
 * @interval_ms: milliseconds; 0: only when cothread_task_list_refresh() is called
 *
 * Sets how often the list looks at the tasks. Without a main context to drive
 * the scheduler it never does so by itself.
 *
 * Since: 0.1
 */
void
cothread_task_list_set_interval (CothreadTaskList *self, guint interval_ms)
{
  g_return_if_fail (COTHREAD_IS_TASK_LIST (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  if (cothread_ticker_set_interval (&self->ticker, interval_ms))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INTERVAL]);
}

/**
 * cothread_task_list_get_limit: (get-property limit)
 * @self: a list
 *
 * Returns: how many tasks are in the list at most
 *
 * Since: 0.1
 */
guint
cothread_task_list_get_limit (CothreadTaskList *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_LIST (self), 0);
  return self->limit;
}

/**
 * cothread_task_list_set_limit: (set-property limit)
 * @self: a list
 * @limit: how many tasks at most, 1 or more
 *
 * Sets how many tasks are in the list at most. Those that are in it stay.
 *
 * Since: 0.1
 */
void
cothread_task_list_set_limit (CothreadTaskList *self, guint limit)
{
  g_return_if_fail (COTHREAD_IS_TASK_LIST (self));
  g_return_if_fail (limit >= 1 && limit <= G_MAXINT);

  if (limit == self->limit)
    return;
  self->limit = limit;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LIMIT]);
}

/**
 * cothread_task_list_get_n_tasks: (get-property n-tasks)
 * @self: a list
 *
 * Returns: how many live tasks there were at the last look
 *
 * Since: 0.1
 */
guint
cothread_task_list_get_n_tasks (CothreadTaskList *self)
{
  g_return_val_if_fail (COTHREAD_IS_TASK_LIST (self), 0);
  return self->n_tasks;
}
