/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-table.h"

#include "ctv-format.h"
#include "ctv-task-row.h"
#include "ctv-tile.h"

typedef struct
{
  const char *title;
  int width; /* 0: what is left */
} Column;

static const Column columns[CTV_N_COLUMNS] = {
  [CTV_COLUMN_ID] = { "No.", 68 },
  [CTV_COLUMN_NAME] = { "Name", 170 },
  [CTV_COLUMN_STATE] = { "State", 80 },
  [CTV_COLUMN_REASON] = { "Waits for", 0 },
  [CTV_COLUMN_SWITCHES] = { "Switches", 86 },
  [CTV_COLUMN_RUN] = { "Time run", 80 },
  [CTV_COLUMN_LONGEST] = { "Longest", 80 },
};

static void
refresh_view (CtvTaskTable *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  double upper = gtk_adjustment_get_upper (self->scrolled);
  double first = upper > 0 ? n * gtk_adjustment_get_value (self->scrolled) / upper : 0;
  double in_view = upper > 0 ? n * gtk_adjustment_get_page_size (self->scrolled) / upper : n;

  /* Rows are of one height, but for a pixel: one more at either end. */
  ctv_task_model_refresh_rows (self->model, (guint) MAX (first - 1, 0), (guint) in_view + 3);
}

static void
refresh_count (CtvTaskTable *self)
{
  guint shown = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  guint all = ctv_task_model_get_n_tasks (self->model);
  g_autofree char *n_shown = ctv_format_count (shown);
  g_autofree char *n_all = ctv_format_count (all);
  g_autofree char *text =
    shown == all ? g_strdup_printf ("%s %s", n_all, all == 1 ? "task" : "tasks") : g_strdup_printf ("%s of %s tasks", n_shown, n_all);

  ctv_label_update (self->count, text);
}

static void
show_task (CtvTaskTable *self, guint position)
{
  g_autoptr (CothreadTaskInfo) info = ctv_task_model_dup_info (self->model, position);
  g_auto (GStrv) backtrace = ctv_task_model_dup_backtrace (self->model, position);

  if (info != NULL)
    ctv_task_detail_show (&self->detail, info, ctv_task_model_get_time_us (self->model), backtrace);
}

/* The selection is one of a task, not of a place: where the model changes, it
 * moves, and that is no choice of the user's. */
static void
refresh_selection (CtvTaskTable *self)
{
  guint position = GTK_INVALID_LIST_POSITION;

  if (self->detail.id == 0)
    return;

  if (ctv_task_model_find (self->model, self->detail.id, &position))
    show_task (self, position);
  else if (!ctv_task_model_has (self->model, self->detail.id))
    ctv_task_detail_show_ended (&self->detail);
  gtk_single_selection_set_selected (self->selection, position);
}

static void
refresh (CtvTaskTable *self)
{
  refresh_selection (self);
  self->is_moving_selection = FALSE;
  refresh_count (self);
  refresh_view (self);
}

static void
on_selected (GtkSingleSelection *selection, GParamSpec *pspec, CtvTaskTable *self)
{
  guint position = gtk_single_selection_get_selected (selection);

  if (self->is_moving_selection)
    return;

  ctv_task_detail_open (&self->detail, position == GTK_INVALID_LIST_POSITION
                                         ? 0 : ctv_task_model_get_id (self->model, position));
  if (self->detail.id != 0)
    show_task (self, position);
}

static void
on_filter (GtkSearchEntry *entry, CtvTaskTable *self)
{
  self->is_moving_selection = TRUE;
  ctv_task_model_set_filter (self->model, gtk_editable_get_text (GTK_EDITABLE (entry)));
  refresh (self);
}

static int
compare_by (gconstpointer a, gconstpointer b, gpointer data)
{
  CtvSortKey *key = data;

  if (key->table->asked == CTV_COLUMN_NONE)
    key->table->asked = key->column;
  return GTK_ORDERING_SMALLER;
}

/* The header's sorter knows the column and the direction, but tells them only
 * from GTK 4.10 on. So it is made to compare: the first column that it asks is
 * the one, and an answer turned round means descending. Sorting itself is the
 * model's affair, which does not need an object for each task. */
static void
on_sorter (GtkSorter *sorter, GtkSorterChange change, CtvTaskTable *self)
{
  GtkOrdering order;

  self->asked = CTV_COLUMN_NONE;
  order = gtk_sorter_compare (sorter, self->model, self->selection);
  self->is_moving_selection = TRUE;
  ctv_task_model_set_sort (self->model, self->asked, order == GTK_ORDERING_LARGER);
  refresh (self);
}

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, CtvSortKey *key)
{
  GtkWidget *label = gtk_label_new (NULL);
  gboolean is_number = ctv_column_is_number (key->column) && key->column != CTV_COLUMN_STATE;

  gtk_label_set_xalign (GTK_LABEL (label), is_number ? 1 : 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "ctv-number");
  gtk_list_item_set_child (item, label);
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, CtvSortKey *key)
{
  ctv_task_row_attach (gtk_list_item_get_item (item), key->column, GTK_LABEL (gtk_list_item_get_child (item)));
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item, CtvSortKey *key)
{
  ctv_task_row_detach (gtk_list_item_get_item (item), key->column);
}

static void
add_column (CtvTaskTable *self, CtvColumn column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) header = NULL;
  g_autoptr (GtkSorter) sorter = NULL;

  self->keys[column] = (CtvSortKey) { self, column };
  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), &self->keys[column]);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), &self->keys[column]);
  g_signal_connect (factory, "unbind", G_CALLBACK (on_unbind), &self->keys[column]);

  header = gtk_column_view_column_new (columns[column].title, factory);
  sorter = GTK_SORTER (gtk_custom_sorter_new (compare_by, &self->keys[column], NULL));
  gtk_column_view_column_set_sorter (header, sorter);
  gtk_column_view_column_set_resizable (header, TRUE);
  if (columns[column].width > 0)
    gtk_column_view_column_set_fixed_width (header, columns[column].width);
  else
    gtk_column_view_column_set_expand (header, TRUE);
  gtk_column_view_append_column (self->view, header);
}

static GtkWidget *
new_view (CtvTaskTable *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *view;

  self->model = ctv_task_model_new ();
  self->selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (self->model)));
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  g_signal_connect (self->selection, "notify::selected", G_CALLBACK (on_selected), self);

  view = gtk_column_view_new (GTK_SELECTION_MODEL (g_object_ref (self->selection)));
  self->view = GTK_COLUMN_VIEW (view);
  gtk_widget_set_name (view, "task-list");
  gtk_widget_add_css_class (view, "ctv-tasks");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, "Tasks", -1);
  for (guint column = 0; column < CTV_N_COLUMNS; column++)
    add_column (self, column);
  g_signal_connect (gtk_column_view_get_sorter (self->view), "changed", G_CALLBACK (on_sorter), self);

  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_widget_set_vexpand (scroller, TRUE);
  self->scrolled = g_object_ref (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller)));
  g_signal_connect_swapped (self->scrolled, "value-changed", G_CALLBACK (refresh_view), self);

  return scroller;
}

static GtkWidget *
new_filter (CtvTaskTable *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *count = gtk_label_new ("");

  self->filter = gtk_search_entry_new ();
  gtk_widget_set_name (self->filter, "task-filter");
  gtk_widget_set_hexpand (self->filter, TRUE);
  gtk_widget_set_tooltip_text (self->filter, "Show only tasks whose name, state or wait contains this");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->filter), GTK_ACCESSIBLE_PROPERTY_LABEL, "Filter the tasks", -1);
  g_signal_connect (self->filter, "search-changed", G_CALLBACK (on_filter), self);

  self->count = GTK_LABEL (count);
  gtk_widget_set_name (count, "task-count");
  gtk_widget_add_css_class (count, "ctv-number");
  gtk_box_append (GTK_BOX (box), self->filter);
  gtk_box_append (GTK_BOX (box), count);

  return box;
}

void
ctv_task_table_init (CtvTaskTable *self)
{
  GtkWidget *paned = gtk_paned_new (GTK_ORIENTATION_HORIZONTAL);

  self->widget = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  ctv_task_detail_init (&self->detail);
  gtk_box_append (GTK_BOX (self->widget), new_filter (self));
  gtk_paned_set_start_child (GTK_PANED (paned), new_view (self));
  gtk_paned_set_end_child (GTK_PANED (paned), self->detail.widget);
  gtk_paned_set_resize_end_child (GTK_PANED (paned), FALSE);
  gtk_paned_set_shrink_end_child (GTK_PANED (paned), FALSE);
  gtk_widget_set_size_request (self->detail.widget, 260, -1);
  gtk_box_append (GTK_BOX (self->widget), paned);
}

/* The widget may outlive this, and shows nothing any more. */
void
ctv_task_table_clear (CtvTaskTable *self)
{
  if (self->model == NULL)
    return;

  /* Their end is near too, and each column that goes changes the sorter. */
  g_signal_handlers_disconnect_by_data (gtk_column_view_get_sorter (self->view), self);
  g_signal_handlers_disconnect_by_data (self->selection, self);
  g_signal_handlers_disconnect_by_data (self->scrolled, self);
  g_signal_handlers_disconnect_by_data (self->filter, self);
  g_clear_object (&self->scrolled);
  g_clear_object (&self->selection);
  g_clear_object (&self->model);
  ctv_task_detail_clear (&self->detail);
}

/* Takes the list. */
void
ctv_task_table_take (CtvTaskTable *self, CtvTaskList *list)
{
  self->is_moving_selection = TRUE;
  ctv_task_model_take (self->model, list);
  refresh (self);
}

/* What comes next is of something else: no task is open, none is listed. */
void
ctv_task_table_forget (CtvTaskTable *self)
{
  self->is_moving_selection = TRUE;
  gtk_single_selection_set_selected (self->selection, GTK_INVALID_LIST_POSITION);
  ctv_task_detail_open (&self->detail, 0);
  ctv_task_table_take (self, ctv_task_list_new_for_infos (g_ptr_array_new (), 0));
}
