/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "task-table.h"

#include "task-row.h"

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, const char *property)
{
  GtkWidget *label = gtk_label_new (NULL);
  GtkExpression *row = gtk_property_expression_new (GTK_TYPE_LIST_ITEM, NULL, "item");
  GtkExpression *text = gtk_property_expression_new (DASH_TYPE_TASK_ROW, row, property);

  gtk_label_set_xalign (GTK_LABEL (label), g_str_equal (property, "switches") ? 1 : 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "dash-number");
  gtk_expression_bind (text, label, "label", item);
  gtk_list_item_set_child (item, label);
}

static void
add_column (GtkColumnView *view, const char *title, const char *property, int width)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) column = NULL;

  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), (gpointer) property);
  column = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_resizable (column, TRUE);
  if (width > 0)
    gtk_column_view_column_set_fixed_width (column, width);
  else
    gtk_column_view_column_set_expand (column, TRUE);
  gtk_column_view_append_column (view, column);
}

void
dash_task_table_init (DashTaskTable *self)
{
  GtkSelectionModel *selection;
  GtkWidget *view;

  self->rows = g_list_store_new (DASH_TYPE_TASK_ROW);
  selection = GTK_SELECTION_MODEL (gtk_no_selection_new (G_LIST_MODEL (g_object_ref (self->rows))));
  view = gtk_column_view_new (selection);
  gtk_widget_set_name (view, "task-list");
  gtk_widget_add_css_class (view, "dash-tasks");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, "Tasks", -1);

  add_column (GTK_COLUMN_VIEW (view), "Name", "name", 190);
  add_column (GTK_COLUMN_VIEW (view), "State", "state", 80);
  add_column (GTK_COLUMN_VIEW (view), "Waits for", "reason", 0);
  add_column (GTK_COLUMN_VIEW (view), "Switches", "switches", 90);

  self->widget = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->widget), view);
  gtk_widget_set_vexpand (self->widget, TRUE);
}

static guint64
id_at (DashTaskTable *self, guint position)
{
  g_autoptr (DashTaskRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), position);

  return row == NULL ? G_MAXUINT64 : dash_task_row_get_id (row);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  guint64 first = cothread_task_get_id (*(CothreadTask *const *) a);
  guint64 second = cothread_task_get_id (*(CothreadTask *const *) b);

  return first < second ? -1 : first > second;
}

/* Both sides are in the order of ids, which only grow: one pass removes what
 * ended, updates what is still there and appends what is new. Rows that stay
 * are not touched as list items, so that scrolling and reading go on. */
void
dash_task_table_update (DashTaskTable *self, GPtrArray *tasks)
{
  guint position = 0;

  g_ptr_array_sort (tasks, compare_ids);
  for (guint i = 0; i < tasks->len; i++)
    {
      CothreadTask *task = g_ptr_array_index (tasks, i);
      g_autoptr (DashTaskRow) row = NULL;

      while (id_at (self, position) < cothread_task_get_id (task))
        g_list_store_remove (self->rows, position);

      if (id_at (self, position) == cothread_task_get_id (task))
        {
          row = g_list_model_get_item (G_LIST_MODEL (self->rows), position);
          dash_task_row_update (row, task);
        }
      else
        {
          row = dash_task_row_new (task);
          g_list_store_insert (self->rows, position, row);
        }
      position++;
    }

  while (g_list_model_get_n_items (G_LIST_MODEL (self->rows)) > position)
    g_list_store_remove (self->rows, position);
}
