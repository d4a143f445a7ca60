/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watching.h"

#include "ctv-format.h"
#include "ctv-tile.h"

#define LOOK_EVERY_US 200000
/* So often as one can read; it is the other process's time too. */
#define LOOKS_PER_LIST 3

typedef struct
{
  DashWatching *watching;
  DashWatch *watch;
} Follow;

static gboolean
look (Follow *self, guint n)
{
  DashWatching *watching = self->watching;

  if (!dash_watch_look (self->watch))
    return FALSE;
  if (self->watch->state != DASH_WATCH_ANSWERS || n % LOOKS_PER_LIST != 0 || watching->watch != self->watch ||
      !gtk_widget_get_mapped (watching->table->widget))
    return TRUE;
  return dash_watch_look_at_tasks (self->watch, watching->table->detail.id);
}

/* Reads only: what is read is shown by the window, at its own pace. */
static gpointer
follow (gpointer user_data, GError **error)
{
  Follow *self = user_data;
  guint n = 0;

  if (dash_watch_open (self->watch))
    while (look (self, n++) && cothread_sleep (LOOK_EVERY_US, NULL))
      ;
  if (self->watch->state == DASH_WATCH_FAILED)
    g_printerr ("cothread-dashboard: %s\n", self->watch->problem);
  dash_watch_unref (self->watch);
  g_free (self);

  return NULL;
}

static void
on_back (GtkButton *button, DashWatching *self)
{
  dash_watching_begin (self, NULL);
}

void
dash_watching_init (DashWatching *self, CtvTaskTable *table, DashWatchingChanged changed, gpointer window)
{
  GtkWidget *message = gtk_label_new (NULL);

  self->table = table;
  self->changed = changed;
  self->window = window;
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);

  self->banner = gtk_info_bar_new ();
  self->message = GTK_LABEL (message);
  self->back = gtk_button_new ();
  gtk_widget_set_name (self->banner, "banner");
  gtk_widget_set_name (message, "banner-message");
  gtk_widget_set_name (self->back, "back");
  gtk_label_set_wrap (self->message, TRUE);
  gtk_label_set_xalign (self->message, 0);
  gtk_widget_set_hexpand (message, TRUE);
  gtk_info_bar_add_child (GTK_INFO_BAR (self->banner), message);
  ctv_button_set_mnemonic (GTK_BUTTON (self->back), "_Back to this process");
  g_signal_connect (self->back, "clicked", G_CALLBACK (on_back), self);
  gtk_info_bar_add_action_widget (GTK_INFO_BAR (self->banner), self->back, GTK_RESPONSE_CLOSE);
  gtk_widget_set_visible (self->banner, FALSE); /* one that is not revealed takes a row's spacing */
}

void
dash_watching_clear (DashWatching *self)
{
  g_clear_pointer (&self->watch, dash_watch_unref);
  g_clear_pointer (&self->tasks, g_ptr_array_unref);
}

static void
end_follower (DashWatching *self)
{
  if (self->tasks->len > 0)
    cothread_task_cancel (g_ptr_array_index (self->tasks, self->tasks->len - 1));
  for (guint i = self->tasks->len; i-- > 0;)
    if (cothread_task_get_state (g_ptr_array_index (self->tasks, i)) == COTHREAD_TASK_FINISHED)
      g_ptr_array_remove_index (self->tasks, i);
}

static void
start_follower (DashWatching *self)
{
  Follow *data = g_new (Follow, 1);
  CothreadTask *task;

  *data = (Follow) { self, dash_watch_ref (self->watch) };
  task = cothread_spawn_full (follow, data, &(CothreadSpawnOptions) { .name = "watch a process" }, NULL);
  if (task != NULL)
    {
      g_ptr_array_add (self->tasks, task);
      return;
    }
  dash_watch_unref (data->watch);
  g_free (data);
}

/* NULL: this process. */
void
dash_watching_begin (DashWatching *self, const char *target)
{
  end_follower (self);
  g_clear_pointer (&self->watch, dash_watch_unref);
  if (target != NULL)
    {
      self->watch = dash_watch_new (target);
      start_follower (self);
    }
  self->changed (self->window);
  dash_watching_update (self);
}

/* In a task: what it does in others ends. */
void
dash_watching_stop (DashWatching *self)
{
  for (guint i = 0; i < self->tasks->len; i++)
    {
      CothreadTask *task = g_ptr_array_index (self->tasks, i);

      cothread_task_cancel (task);
      cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
    }
}

void
dash_watching_update (DashWatching *self)
{
  const char *problem = self->watch != NULL ? self->watch->problem : NULL;
  g_autofree char *shown = NULL;

  if (problem != NULL)
    {
      shown = ctv_format_text (problem);
      ctv_label_update (self->message, shown);
      gtk_info_bar_set_message_type (GTK_INFO_BAR (self->banner),
                                     self->watch->state == DASH_WATCH_FAILED ? GTK_MESSAGE_ERROR : GTK_MESSAGE_WARNING);
    }
  gtk_widget_set_visible (self->banner, problem != NULL);
}
