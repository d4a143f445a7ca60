/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch-menu.h"

#include <cothread-glib.h>

#include "ctv-format.h"
#include "ctv-tile.h"

#define NAME_KEY "dash-bus-name"
#define SPACING 6

struct _DashWatchMenu
{
  GtkBox parent;
  GtkWidget *button;
  GtkWidget *popover;
  GtkListBox *list;
  GtkLabel *note;
  CothreadTask *search; /* or NULL */
  char **found;
  GError *failure;
};

G_DEFINE_FINAL_TYPE (DashWatchMenu, dash_watch_menu, GTK_TYPE_BOX)

static guint chosen_signal;

/* Takes the text. */
static void
add_row (DashWatchMenu *self, const char *bus_name, char *text)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "ctv-number");
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  g_object_set_data_full (G_OBJECT (row), NAME_KEY, g_strdup (bus_name), g_free);
  gtk_list_box_append (self->list, row);
  g_free (text);
}

static void
clear_rows (DashWatchMenu *self)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (self->list, 0)) != NULL)
    gtk_list_box_remove (self->list, GTK_WIDGET (row));
  add_row (self, NULL, g_strdup ("This process"));
}

/* The row that had the keyboard is gone. */
static void
focus_first_found (DashWatchMenu *self)
{
  GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list, 1);

  if (row == NULL)
    row = gtk_list_box_get_row_at_index (self->list, 0);
  if (gtk_widget_get_mapped (self->popover))
    gtk_widget_grab_focus (GTK_WIDGET (row));
}

static void
show_found (gpointer data)
{
  DashWatchMenu *self = data;

  clear_rows (self);
  for (guint i = 0; self->found != NULL && self->found[i] != NULL; i++)
    {
      g_autofree char *program = cothread_remote_dup_program (self->found[i]);
      g_autofree char *shown = ctv_format_text (program);

      add_row (self, self->found[i],
               g_strdup_printf ("%s, %s", shown, self->found[i] + strlen (COTHREAD_MONITOR_BUS_NAME ".p")));
    }
  focus_first_found (self);
  if (self->failure != NULL)
    gtk_label_set_text (self->note, self->failure->message);
  else
    gtk_label_set_text (self->note, self->found[0] != NULL ? "Other programs with COTHREAD_MONITOR=1."
                                                           : "No other program runs with COTHREAD_MONITOR=1.");
}

static gpointer
search (gpointer data, GError **error)
{
  DashWatchMenu *self = data;

  g_clear_pointer (&self->found, g_strfreev);
  g_clear_error (&self->failure);
  self->found = cothread_remote_list (&self->failure);
  if (!g_error_matches (self->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    cothread_call_on_thread_stack (show_found, self);

  return NULL;
}

static void
on_show (GtkPopover *popover, DashWatchMenu *self)
{
  if (self->search != NULL && cothread_task_get_state (self->search) != COTHREAD_TASK_FINISHED)
    return;

  g_clear_pointer (&self->search, cothread_task_unref);
  clear_rows (self);
  gtk_label_set_text (self->note, "Looking …");
  self->search = cothread_spawn_full (search, self, &(CothreadSpawnOptions) { .name = "find processes" }, NULL);
}

static void
on_row (GtkListBox *list, GtkListBoxRow *row, DashWatchMenu *self)
{
  g_autofree char *name = g_strdup (g_object_get_data (G_OBJECT (row), NAME_KEY));

  gtk_popover_popdown (GTK_POPOVER (self->popover));
  g_signal_emit (self, chosen_signal, 0, name);
}

/* In a task: what it does in one of its own ends. */
void
dash_watch_menu_stop (DashWatchMenu *self)
{
  if (self->search == NULL)
    return;

  cothread_task_cancel (self->search);
  cothread_task_join (self->search, COTHREAD_FOREVER, NULL, NULL);
}

static void
dash_watch_menu_finalize (GObject *object)
{
  DashWatchMenu *self = DASH_WATCH_MENU (object);

  g_clear_pointer (&self->search, cothread_task_unref);
  g_clear_pointer (&self->found, g_strfreev);
  g_clear_error (&self->failure);
  G_OBJECT_CLASS (dash_watch_menu_parent_class)->finalize (object);
}

static void
dash_watch_menu_class_init (DashWatchMenuClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = dash_watch_menu_finalize;
  chosen_signal = g_signal_new ("chosen", DASH_TYPE_WATCH_MENU, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_STRING);
}

static GtkWidget *
new_content (DashWatchMenu *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING);
  GtkWidget *list = gtk_list_box_new ();
  GtkWidget *note = gtk_label_new (NULL);

  self->list = GTK_LIST_BOX (list);
  self->note = GTK_LABEL (note);
  gtk_widget_set_name (list, "processes");
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, "Processes", -1);
  g_signal_connect (list, "row-activated", G_CALLBACK (on_row), self);
  gtk_widget_set_name (note, "processes-note");
  gtk_widget_add_css_class (note, "ctv-caption");
  gtk_label_set_wrap (self->note, TRUE);
  gtk_label_set_max_width_chars (self->note, 40);
  gtk_box_append (GTK_BOX (box), list);
  gtk_box_append (GTK_BOX (box), note);

  return box;
}

static void
dash_watch_menu_init (DashWatchMenu *self)
{
  self->button = gtk_menu_button_new ();
  self->popover = gtk_popover_new ();
  gtk_menu_button_set_label (GTK_MENU_BUTTON (self->button), "_Watch");
  gtk_menu_button_set_use_underline (GTK_MENU_BUTTON (self->button), TRUE);
  gtk_widget_set_name (self->button, "watch");
  gtk_widget_set_tooltip_text (self->button, "Which process to look at");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL, "Watch", -1);
  gtk_popover_set_child (GTK_POPOVER (self->popover), new_content (self));
  g_signal_connect (self->popover, "show", G_CALLBACK (on_show), self);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (self->button), self->popover);
  gtk_box_append (GTK_BOX (self), self->button);
}

GtkWidget *
dash_watch_menu_new (void)
{
  return g_object_new (DASH_TYPE_WATCH_MENU, NULL);
}
