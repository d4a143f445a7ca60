/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui-driver.h"

#include <cothread-glib.h>

#define PATIENCE_US (60 * G_USEC_PER_SEC)
#define LOOK_EVERY_US 50000

static GtkWidget *
search (GtkWidget *widget, const char *name)
{
  if (g_str_equal (gtk_widget_get_name (widget), name))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = search (child, name);

      if (found != NULL)
        return found;
    }
  return NULL;
}

GtkWidget *
ui_find (GtkWidget *root, const char *name)
{
  GtkWidget *widget = search (root, name);

  if (widget == NULL)
    g_error ("The window has no widget named %s", name);
  return widget;
}

guint64
ui_read_number (GtkWidget *root, const char *name)
{
  const char *text = gtk_label_get_text (GTK_LABEL (ui_find (root, name)));
  g_autoptr (GString) digits = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_ascii_isdigit (*at))
      g_string_append_c (digits, *at);
  g_assert_cmpuint (digits->len, >, 0);
  return g_ascii_strtoull (digits->str, NULL, 10);
}

/* GTK's handlers run on the thread's own stack, as they do in a program. */
static void
activate (gpointer widget)
{
  if (!gtk_widget_activate (widget))
    g_error ("%s cannot be activated", gtk_widget_get_name (widget));
}

typedef struct
{
  GtkWidget *widget;
  double value;
  const char *text;
  GVariant *parameter;
  GtkSortType direction;
} Setting;

static void
set_spin (gpointer data)
{
  Setting *setting = data;

  gtk_spin_button_set_value (GTK_SPIN_BUTTON (setting->widget), setting->value);
}

void
ui_set_spin (GtkWidget *root, const char *name, double value)
{
  Setting setting = { .widget = ui_find (root, name), .value = value };

  cothread_call_on_thread_stack (set_spin, &setting);
}

static void
select_item (gpointer data)
{
  Setting *setting = data;

  gtk_drop_down_set_selected (GTK_DROP_DOWN (setting->widget), (guint) setting->value);
}

void
ui_select (GtkWidget *root, const char *name, guint index)
{
  Setting setting = { .widget = ui_find (root, name), .value = index };

  cothread_call_on_thread_stack (select_item, &setting);
}

static void
set_text (gpointer data)
{
  Setting *setting = data;

  gtk_editable_set_text (GTK_EDITABLE (setting->widget), setting->text);
}

void
ui_set_text (GtkWidget *root, const char *name, const char *text)
{
  Setting setting = { .widget = ui_find (root, name), .text = text };

  cothread_call_on_thread_stack (set_text, &setting);
}

static void
select_row (gpointer data)
{
  Setting *setting = data;
  GtkSelectionModel *model = gtk_column_view_get_model (GTK_COLUMN_VIEW (setting->widget));

  gtk_selection_model_select_item (model, (guint) setting->value, TRUE);
}

void
ui_select_row (GtkWidget *root, const char *name, guint position)
{
  Setting setting = { .widget = ui_find (root, name), .value = position };

  cothread_call_on_thread_stack (select_row, &setting);
}

static void
sort_rows (gpointer data)
{
  Setting *setting = data;
  GtkColumnView *view = GTK_COLUMN_VIEW (setting->widget);
  GListModel *columns = gtk_column_view_get_columns (view);
  g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, (guint) setting->value);

  gtk_column_view_sort_by_column (view, column, setting->direction);
}

void
ui_sort (GtkWidget *root, const char *name, guint column, GtkSortType direction)
{
  Setting setting = { .widget = ui_find (root, name), .value = column, .direction = direction };

  cothread_call_on_thread_stack (sort_rows, &setting);
}

static void
act (gpointer data)
{
  Setting *setting = data;

  if (!gtk_widget_activate_action_variant (setting->widget, setting->text, setting->parameter))
    g_error ("There is no action %s", setting->text);
}

void
ui_act (GtkWidget *root, const char *action, GVariant *parameter)
{
  Setting setting = { .widget = root, .text = action, .parameter = parameter };

  cothread_call_on_thread_stack (act, &setting);
}

static gboolean
needs_name (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) || GTK_IS_SWITCH (widget) || GTK_IS_SPIN_BUTTON (widget) || GTK_IS_DROP_DOWN (widget) ||
         GTK_IS_SEARCH_ENTRY (widget) || GTK_IS_COLUMN_VIEW (widget) ||
         (gtk_accessible_get_accessible_role (GTK_ACCESSIBLE (widget)) == GTK_ACCESSIBLE_ROLE_IMG &&
          !GTK_IS_IMAGE (widget));
}

gboolean
ui_has_text (GtkWidget *root, const char *text)
{
  if (GTK_IS_LABEL (root) && strstr (gtk_label_get_text (GTK_LABEL (root)), text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL; child = gtk_widget_get_next_sibling (child))
    if (ui_has_text (child, text))
      return TRUE;
  return FALSE;
}

/* A button is read out by the label in it; its tooltip would do as well. */
static gboolean
has_text (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget) && *gtk_label_get_text (GTK_LABEL (widget)) != '\0')
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    if (has_text (child))
      return TRUE;
  return FALSE;
}

static gboolean
has_name (GtkWidget *widget)
{
  return gtk_test_accessible_has_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL) ||
         gtk_test_accessible_has_relation (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY) ||
         (GTK_IS_BUTTON (widget) && has_text (widget));
}

static void
find_nameless (GtkWidget *widget, GPtrArray *found)
{
  if (needs_name (widget) && !has_name (widget))
    g_ptr_array_add (found, g_strdup_printf ("%s %s", G_OBJECT_TYPE_NAME (widget), gtk_widget_get_name (widget)));
  /* What is inside a control or the frame of the window is GTK's own affair. */
  if (GTK_IS_SPIN_BUTTON (widget) || GTK_IS_DROP_DOWN (widget) || GTK_IS_WINDOW_CONTROLS (widget))
    return;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    find_nameless (child, found);
}

GPtrArray *
ui_list_nameless (GtkWidget *root)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);

  find_nameless (root, found);
  return found;
}

static gboolean
is_control (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) || GTK_IS_SWITCH (widget) || GTK_IS_SPIN_BUTTON (widget) || GTK_IS_DROP_DOWN (widget) ||
         GTK_IS_SEARCH_ENTRY (widget) || GTK_IS_COLUMN_VIEW (widget) || GTK_IS_LIST_BOX_ROW (widget);
}

static void
find_unreachable (GtkWidget *widget, GHashTable *reached, GPtrArray *found)
{
  if (!gtk_widget_get_mapped (widget) || !gtk_widget_is_sensitive (widget) || GTK_IS_WINDOW_CONTROLS (widget))
    return;
  if (is_control (widget))
    {
      if (!g_hash_table_contains (reached, widget))
        g_ptr_array_add (found, g_strdup_printf ("%s %s", G_OBJECT_TYPE_NAME (widget), gtk_widget_get_name (widget)));
      return; /* what is inside has keys of its own */
    }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    find_unreachable (child, reached, found);
}

typedef struct
{
  GtkWidget *window;
  GPtrArray *found;
} Reach;

#define MOST_STEPS 400

static void
walk_with_tab (gpointer data)
{
  Reach *self = data;
  g_autoptr (GHashTable) reached = g_hash_table_new (NULL, NULL);

  gtk_window_set_focus (GTK_WINDOW (self->window), NULL);
  for (guint i = 0; i < MOST_STEPS; i++)
    {
      GtkWidget *focus;

      gtk_widget_child_focus (self->window, GTK_DIR_TAB_FORWARD);
      focus = gtk_window_get_focus (GTK_WINDOW (self->window));
      for (GtkWidget *at = focus; at != NULL; at = gtk_widget_get_parent (at))
        g_hash_table_add (reached, at);
    }
  find_unreachable (self->window, reached, self->found);
}

GPtrArray *
ui_list_unreachable (GtkWidget *window)
{
  Reach reach = { window, g_ptr_array_new_with_free_func (g_free) };

  cothread_call_on_thread_stack (walk_with_tab, &reach);
  return reach.found;
}

void
ui_wait_until (const char *what, UiCondition condition, gpointer data)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;

  while (!condition (data))
    {
      if (g_get_monotonic_time () > deadline_us)
        g_error ("Not within a minute: %s", what);
      g_assert_true (cothread_sleep (LOOK_EVERY_US, NULL));
    }
}

static gboolean
is_active (GtkWidget *widget)
{
  if (GTK_IS_SWITCH (widget))
    return gtk_switch_get_active (GTK_SWITCH (widget));
  return gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (widget));
}

static gboolean
has_become_active (gpointer widget)
{
  return is_active (widget);
}

static gboolean
has_become_inactive (gpointer widget)
{
  return !is_active (widget);
}

void
ui_toggle (GtkWidget *root, const char *name)
{
  GtkWidget *widget = ui_find (root, name);
  UiCondition is_toggled = is_active (widget) ? has_become_inactive : has_become_active;

  /* A button stays pressed for a quarter of a second before it acts. */
  cothread_call_on_thread_stack (activate, widget);
  ui_wait_until (name, is_toggled, widget);
}
