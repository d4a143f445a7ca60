/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-model.h"

#include "ctv-task-row.h"

/*
 * The tasks in the order in which they are shown.
 *
 * Its items are places, not tasks: the item at position 3 shows whatever task
 * comes third now. So a list that is sorted anew four times a second moves no
 * item, the view has nothing to build or to bind, and a refresh costs as many
 * labels as are in view, whatever the number of tasks. (Inserting and removing
 * rows instead took half of a core, and froze the window, at a thousand.)
 */
struct _CtvTaskModel
{
  GObject parent;
  CtvTaskList *list; /* or NULL */
  guint *order;      /* of what is shown: indices into the list */
  guint n;
  GHashTable *rows;  /* position -> CtvTaskRow that somebody holds; not referenced */
  char *filter;      /* casefolded, or NULL */
  CtvColumn column;
  gboolean descending;
};

static GType
get_item_type (GListModel *model)
{
  return CTV_TYPE_TASK_ROW;
}

static guint
get_n_items (GListModel *model)
{
  return CTV_TASK_MODEL (model)->n;
}

static gpointer
get_item (GListModel *model, guint position)
{
  CtvTaskModel *self = CTV_TASK_MODEL (model);
  CtvTaskRow *row;

  if (position >= self->n)
    return NULL;

  row = g_hash_table_lookup (self->rows, GUINT_TO_POINTER (position));
  if (row != NULL)
    return g_object_ref (row);

  row = ctv_task_row_new (self, position);
  g_hash_table_insert (self->rows, GUINT_TO_POINTER (position), row);

  return row;
}

static void
init_list_model (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (CtvTaskModel, ctv_task_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, init_list_model))

static void
ctv_task_model_finalize (GObject *object)
{
  CtvTaskModel *self = CTV_TASK_MODEL (object);

  /* Rows hold their model: none is left. */
  g_hash_table_unref (self->rows);
  g_clear_pointer (&self->list, ctv_task_list_unref);
  g_free (self->order);
  g_free (self->filter);
  G_OBJECT_CLASS (ctv_task_model_parent_class)->finalize (object);
}

static void
ctv_task_model_class_init (CtvTaskModelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ctv_task_model_finalize;
}

static void
ctv_task_model_init (CtvTaskModel *self)
{
  self->rows = g_hash_table_new (NULL, NULL);
  self->column = CTV_COLUMN_NONE;
}

CtvTaskModel *
ctv_task_model_new (void)
{
  return g_object_new (CTV_TYPE_TASK_MODEL, NULL);
}

static gboolean
matches (CtvTaskModel *self, guint index)
{
  static const CtvColumn searched[] = { CTV_COLUMN_NAME, CTV_COLUMN_STATE, CTV_COLUMN_REASON, CTV_COLUMN_ID };
  g_autoptr (CothreadTaskInfo) info = ctv_task_list_dup_info (self->list, index);
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *folded = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (searched); i++)
    {
      g_autofree char *text = ctv_column_dup_text (searched[i], info);

      g_string_append (all, text);
      g_string_append_c (all, '\n');
    }
  folded = g_utf8_casefold (all->str, (gssize) all->len);
  return strstr (folded, self->filter) != NULL;
}

typedef struct
{
  char **texts;    /* by index into the list, or NULL */
  gint64 *numbers; /* the same */
  int sign;
} Keys;

static int
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  guint first = *(const guint *) a, second = *(const guint *) b;
  const Keys *keys = data;
  int order;

  if (keys->numbers != NULL)
    order = keys->numbers[first] < keys->numbers[second] ? -1 : keys->numbers[first] > keys->numbers[second];
  else
    order = g_strcmp0 (keys->texts[first], keys->texts[second]);
  if (order != 0)
    return order * keys->sign;

  return first < second ? -1 : first > second;
}

/* A key is made once, not at each of the many comparisons. */
static void
sort (CtvTaskModel *self, guint n_tasks)
{
  gboolean by_number = ctv_column_is_number (self->column);
  Keys keys = {
    .texts = by_number ? NULL : g_new0 (char *, n_tasks),
    .numbers = by_number ? g_new0 (gint64, n_tasks) : NULL,
    .sign = self->descending ? -1 : 1,
  };

  for (guint i = 0; i < self->n; i++)
    {
      guint index = self->order[i];
      g_autoptr (CothreadTaskInfo) info = ctv_task_list_dup_info (self->list, index);

      if (by_number)
        keys.numbers[index] = ctv_column_get_number (self->column, info);
      else
        keys.texts[index] = ctv_column_dup_text (self->column, info);
    }
  g_qsort_with_data (self->order, (int) self->n, sizeof self->order[0], compare, &keys);

  for (guint i = 0; !by_number && i < self->n; i++)
    g_free (keys.texts[self->order[i]]);
  g_free (keys.texts);
  g_free (keys.numbers);
}

static void
arrange (CtvTaskModel *self)
{
  guint n_tasks = self->list != NULL ? ctv_task_list_get_length (self->list) : 0;
  guint before = self->n;

  self->order = g_renew (guint, self->order, n_tasks);
  self->n = 0;
  for (guint i = 0; i < n_tasks; i++)
    if (self->filter == NULL || matches (self, i))
      self->order[self->n++] = i;
  if (self->column != CTV_COLUMN_NONE && self->n > 1)
    sort (self, n_tasks);

  if (self->n > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, self->n - before);
  else if (self->n < before)
    g_list_model_items_changed (G_LIST_MODEL (self), self->n, before - self->n, 0);
}

/* Takes the list. What is shown of it changes with
 * ctv_task_model_refresh_rows(). */
void
ctv_task_model_take (CtvTaskModel *self, CtvTaskList *list)
{
  g_clear_pointer (&self->list, ctv_task_list_unref);
  self->list = list;
  arrange (self);
}

void
ctv_task_model_set_filter (CtvTaskModel *self, const char *filter)
{
  g_clear_pointer (&self->filter, g_free);
  if (filter != NULL && *filter != '\0')
    self->filter = g_utf8_casefold (filter, -1);
  arrange (self);
}

/* CTV_COLUMN_NONE: in the order in which they were spawned. */
void
ctv_task_model_set_sort (CtvTaskModel *self, CtvColumn column, gboolean descending)
{
  self->column = column;
  self->descending = descending;
  arrange (self);
}

/* All that there are, shown or not. */
guint
ctv_task_model_get_n_tasks (CtvTaskModel *self)
{
  return self->list != NULL ? ctv_task_list_get_n_tasks (self->list) : 0;
}

gboolean
ctv_task_model_find (CtvTaskModel *self, guint64 id, guint *position)
{
  for (guint i = 0; i < self->n; i++)
    if (ctv_task_list_get_id (self->list, self->order[i]) == id)
      {
        *position = i;
        return TRUE;
      }
  return FALSE;
}

/* Whether there is such a task, shown or not. */
gboolean
ctv_task_model_has (CtvTaskModel *self, guint64 id)
{
  guint n = self->list != NULL ? ctv_task_list_get_length (self->list) : 0;

  for (guint i = 0; i < n; i++)
    if (ctv_task_list_get_id (self->list, i) == id)
      return TRUE;
  return FALSE;
}

gint64
ctv_task_model_get_time_us (CtvTaskModel *self)
{
  return self->list != NULL ? ctv_task_list_get_time_us (self->list) : g_get_monotonic_time ();
}

/* 0: nothing is shown there. */
guint64
ctv_task_model_get_id (CtvTaskModel *self, guint position)
{
  return position < self->n ? ctv_task_list_get_id (self->list, self->order[position]) : 0;
}

/* NULL: nothing is shown there. */
CothreadTaskInfo *
ctv_task_model_dup_info (CtvTaskModel *self, guint position)
{
  return position < self->n ? ctv_task_list_dup_info (self->list, self->order[position]) : NULL;
}

char **
ctv_task_model_dup_backtrace (CtvTaskModel *self, guint position)
{
  return position < self->n ? ctv_task_list_dup_backtrace (self->list, self->order[position]) : NULL;
}

void
ctv_task_model_refresh_rows (CtvTaskModel *self, guint first, guint n)
{
  for (guint position = first; position < self->n && position - first < n; position++)
    {
      CtvTaskRow *row = g_hash_table_lookup (self->rows, GUINT_TO_POINTER (position));

      if (row != NULL)
        ctv_task_row_refresh (row);
    }
}

/* The row at that position is no more. */
void
ctv_task_model_forget_row (CtvTaskModel *self, guint position)
{
  g_hash_table_remove (self->rows, GUINT_TO_POINTER (position));
}
