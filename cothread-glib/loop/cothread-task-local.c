/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-task-local.h"
#include "loop/cothread-task-extra.h"

/* A task has few of them: a list is looked through faster than a table. */
struct _CothreadTaskValue
{
  CothreadTaskValue *next;
  const CothreadTaskLocal *key;
  gpointer value;
};

static void
destroy_value (const CothreadTaskLocal *key, gpointer value)
{
  if (value != NULL && key->destroy != NULL)
    key->destroy (value);
}

/* A destroy notify may look at the other values, and set new ones. */
static void
destroy_values (CothreadTaskValue **first)
{
  while (*first != NULL)
    {
      CothreadTaskValue *entry = *first;

      *first = entry->next;
      destroy_value (entry->key, entry->value);
      g_free (entry);
    }
}

static void
destroy_thread_values (gpointer data)
{
  CothreadTaskValue *first = data;

  destroy_values (&first);
}

/* What is set outside any task. */
static GPrivate thread_values = G_PRIVATE_INIT (destroy_thread_values);

void
cothread_task_values_end (CothreadTaskEnding *ending, G_GNUC_UNUSED CothreadTask *task)
{
  destroy_values (&CT_CONTAINER_OF (ending, CothreadTaskExtra, values_ending)->values);
}

static CothreadTaskValue *
first_value (CothreadTask *task)
{
  if (task == NULL)
    return g_private_get (&thread_values);
  return task->extra != NULL ? task->extra->values : NULL;
}

static CothreadTaskValue *
find (CothreadTask *task, const CothreadTaskLocal *key)
{
  CothreadTaskValue *entry = first_value (task);

  while (entry != NULL && entry->key != key)
    entry = entry->next;
  return entry;
}

static void
insert (CothreadTask *task, const CothreadTaskLocal *key, gpointer value)
{
  CothreadTaskValue *entry = g_new (CothreadTaskValue, 1);

  *entry = (CothreadTaskValue) { first_value (task), key, value };
  if (task == NULL)
    {
      g_private_set (&thread_values, entry);
      return;
    }
  cothread_task_ensure_extra (task)->values = entry;
  if (!ct_link_is_linked (&task->extra->values_ending.link))
    cothread_task_add_ending (task, &task->extra->values_ending);
}

/**
 * cothread_task_local_get: (skip)
 * @key: a static variable
 *
 * The running task's value. Outside any task, also in what
 * cothread_call_on_thread_stack() calls, the thread itself has one. May be
 * called in any thread and never suspends.
 *
 * Returns: (transfer none) (nullable): the value, or %NULL if none was set
 *
 * Since: 0.1
 */
gpointer
cothread_task_local_get (const CothreadTaskLocal *key)
{
  CothreadTaskValue *entry;

  g_return_val_if_fail (key != NULL, NULL);
  entry = find (cothread_task_self (), key);
  return entry != NULL ? entry->value : NULL;
}

/**
 * cothread_task_local_set: (skip)
 * @key: a static variable
 * @value: (nullable) (transfer full): the value
 *
 * Sets the running task's value and destroys the one it had. What is set when
 * the task ends, its function having returned, is destroyed then, on the task's
 * stack and before anybody who joins it goes on; a value of the thread itself
 * is destroyed with the thread. A destroy notify must not wait; it may set
 * values, which are destroyed in turn.
 *
 * May be called in any thread and never suspends.
 *
 * Since: 0.1
 */
void
cothread_task_local_set (const CothreadTaskLocal *key, gpointer value)
{
  CothreadTask *task = cothread_task_self ();
  CothreadTaskValue *entry;
  gpointer old = NULL;

  g_return_if_fail (key != NULL);
  entry = find (task, key);
  if (entry != NULL)
    {
      old = entry->value;
      entry->value = value;
    }
  else if (value != NULL)
    insert (task, key, value);
  if (old != value)
    destroy_value (key, old);
}
