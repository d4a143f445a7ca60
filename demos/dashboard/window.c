/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window.h"

#include "ctv-task-table.h"
#include "ctv-tile.h"
#include "queue-page.h"
#include "report.h"
#include "screenshot.h"
#include "summary.h"
#include "warnings-page.h"
#include "watch-card.h"
#include "watch-menu.h"
#include "watching.h"

#define NUMBERS_EVERY_US 100000
#define TASKS_EVERY_US 250000
#define SIDE_WIDTH 300
#define SPACING 10

struct _DashWindow
{
  GtkApplicationWindow parent;
  DashOptions *options;
  DashEngine *engine;
  DashSummary summary;
  CtvTaskTable table;
  DashClickMeter clicks;
  DashQueuePage queue_page;
  DashWarningsPage warnings;
  DashWatching watching;
  DashWatchCard watch_card;
  GtkWidget *watch_menu;
  GtkWidget *pause;
  GtkWidget *reset;
  GtkStack *side; /* the controls, or who is watched */
  GtkStack *pages;
  GtkWidget *animation;
  GPtrArray *tasks;
  CothreadEvent *picture_taken;
  gint64 began_us;
  gboolean closing;
};

G_DEFINE_FINAL_TYPE (DashWindow, dash_window, GTK_TYPE_APPLICATION_WINDOW)

/* The functions below that begin with update_ run on the thread's own stack:
 * what GTK calls may end anywhere, in an input method or a theme engine. */
static void
update_numbers (gpointer data)
{
  DashWindow *self = data;
  const DashFrameMeter *meter = dash_animation_get_meter (DASH_ANIMATION (self->animation));
  DashTargets *targets = &self->engine->targets;
  DashWatch *watch = self->watching.watch;
  const DashReadings *now = watch != NULL ? &watch->readings : &self->engine->readings;

  dash_readings_take (&self->engine->readings, targets->scheduler, targets->queue);
  dash_summary_update_work (&self->summary, self->engine, watch);
  dash_summary_update (&self->summary, now, meter);
  dash_queue_page_update (&self->queue_page, now, meter);
  dash_watching_update (&self->watching);
  dash_watch_card_update (&self->watch_card);
  if (watch != NULL)
    dash_warnings_page_update_watch (&self->warnings, watch);
  if (now->n_samples > 0)
    dash_warnings_page_update (&self->warnings, now);
}

static void
update_tasks (gpointer data)
{
  DashWindow *self = data;

  if (!gtk_widget_get_mapped (self->table.widget))
    return;
  if (self->watching.watch == NULL)
    ctv_task_table_take (&self->table, ctv_task_list_new (self->engine->targets.scheduler));
  else if (self->watching.watch->tasks != NULL)
    ctv_task_table_take (&self->table, ctv_task_list_ref (self->watching.watch->tasks));
}

/* Another process is looked at from now on, or this one again. */
static void
show_watched (gpointer data)
{
  DashWindow *self = data;
  DashWatch *watch = self->watching.watch;
  gboolean is_watching = watch != NULL;

  dash_queue_page_set_watch (&self->queue_page, watch);
  dash_watch_card_set_watch (&self->watch_card, watch);
  dash_summary_set_watching (&self->summary, is_watching);
  dash_warnings_page_set_watching (&self->warnings, is_watching);
  ctv_task_table_forget (&self->table);
  gtk_stack_set_visible_child_name (self->side, is_watching ? "process" : "controls");
  gtk_widget_set_sensitive (self->pause, !is_watching);
  gtk_widget_set_sensitive (self->reset, !is_watching);
}

static void
on_chosen (DashWatchMenu *menu, const char *process, DashWindow *self)
{
  dash_watching_begin (&self->watching, process);
}

static gpointer
update_view (gpointer user_data, GError **error)
{
  do
    cothread_call_on_thread_stack (update_numbers, user_data);
  while (cothread_sleep (NUMBERS_EVERY_US, NULL));

  return NULL;
}

static gpointer
list_tasks (gpointer user_data, GError **error)
{
  do
    cothread_call_on_thread_stack (update_tasks, user_data);
  while (cothread_sleep (TASKS_EVERY_US, NULL));

  return NULL;
}

static void
complain (DashWindow *self, const GError *error)
{
  g_printerr ("cothread-dashboard: %s\n", error->message);
  self->options->failed = TRUE;
}

/* Right after a frame was painted the window's picture is complete; at other
 * times parts of it may be awaiting their redraw. */
static void
on_painted (GdkFrameClock *clock, DashWindow *self)
{
  g_autoptr (GError) error = NULL;

  if (cothread_event_is_signalled (self->picture_taken))
    return;
  cothread_event_signal (self->picture_taken);
  if (!dash_screenshot_save (GTK_WIDGET (self), self->options->screenshot, &error))
    complain (self, error);
}

static void
close_window (gpointer data)
{
  gtk_window_close (data);
}

static gpointer
take_picture (gpointer user_data, GError **error)
{
  DashWindow *self = user_data;
  g_autoptr (GdkFrameClock) clock = NULL;
  gulong handler;

  if (!cothread_sleep (self->options->after_s * G_USEC_PER_SEC, error))
    return NULL;

  clock = g_object_ref (gtk_widget_get_frame_clock (GTK_WIDGET (self)));
  handler = g_signal_connect (clock, "after-paint", G_CALLBACK (on_painted), self);
  if (cothread_event_wait (self->picture_taken, COTHREAD_FOREVER, error))
    cothread_call_on_thread_stack (close_window, self);
  g_signal_handler_disconnect (clock, handler);

  return NULL;
}

static gpointer
quit_later (gpointer user_data, GError **error)
{
  DashWindow *self = user_data;

  if (cothread_sleep (self->options->seconds * G_USEC_PER_SEC, NULL))
    cothread_call_on_thread_stack (close_window, self);

  return NULL;
}

static void
save_report (DashWindow *self)
{
  DashTargets *targets = &self->engine->targets;
  g_autoptr (GError) error = NULL;

  dash_readings_take (&self->engine->readings, targets->scheduler, targets->queue);
  if (!dash_report_save (self->options->report, &self->engine->readings,
                         dash_animation_get_meter (DASH_ANIMATION (self->animation)), &self->clicks,
                         g_get_monotonic_time () - self->began_us, &error))
    complain (self, error);
}

static void
destroy_window (gpointer data)
{
  DashWindow *self = data;

  gtk_window_destroy (GTK_WINDOW (self));
}

/* The window goes when all that works for it has ended. */
static gpointer
wind_up (gpointer user_data, GError **error)
{
  DashWindow *self = user_data;

  if (self->options->report != NULL)
    save_report (self);

  for (guint i = 0; i < self->tasks->len; i++)
    {
      CothreadTask *task = g_ptr_array_index (self->tasks, i);

      cothread_task_cancel (task);
      cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
    }
  dash_watch_menu_stop (DASH_WATCH_MENU (self->watch_menu));
  dash_watching_stop (&self->watching);
  dash_engine_stop (self->engine);
  cothread_call_on_thread_stack (destroy_window, self);

  return NULL;
}

static gboolean
dash_window_close_request (GtkWindow *window)
{
  DashWindow *self = DASH_WINDOW (window);

  if (!self->closing)
    {
      self->closing = TRUE;
      dash_warnings_page_clear (&self->warnings); /* what ends now is no news */
      gtk_window_set_focus (window, NULL); /* a hidden entry would go on blinking, and complain */
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
      gtk_widget_set_sensitive (GTK_WIDGET (self), FALSE); /* whatever may still reach the controls */
      cothread_task_unref (cothread_spawn (wind_up, self));
    }

  return TRUE;
}

static void
dash_window_dispose (GObject *object)
{
  dash_warnings_page_clear (&DASH_WINDOW (object)->warnings);
  ctv_task_table_clear (&DASH_WINDOW (object)->table);
  G_OBJECT_CLASS (dash_window_parent_class)->dispose (object);
}

static void
dash_window_finalize (GObject *object)
{
  DashWindow *self = DASH_WINDOW (object);

  g_clear_object (&self->picture_taken);
  g_clear_pointer (&self->tasks, g_ptr_array_unref);
  dash_watching_clear (&self->watching);
  g_clear_pointer (&self->engine, dash_engine_free);
  G_OBJECT_CLASS (dash_window_parent_class)->finalize (object);
}

static void
on_find (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  DashWindow *self = DASH_WINDOW (window);

  gtk_stack_set_visible_child_name (self->pages, "tasks");
  gtk_widget_grab_focus (self->table.filter);
}

static void
on_page (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  gtk_stack_set_visible_child_name (DASH_WINDOW (window)->pages, g_variant_get_string (parameter, NULL));
}

static void
dash_window_class_init (DashWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = dash_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = dash_window_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = dash_window_close_request;

  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_w, GDK_CONTROL_MASK, "window.close", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_q, GDK_CONTROL_MASK, "window.close", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, "win.find", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_1, GDK_ALT_MASK, "win.page", "s", "queue");
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_2, GDK_ALT_MASK, "win.page", "s", "tasks");
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_3, GDK_ALT_MASK, "win.page", "s", "warnings");
}

static void
dash_window_init (DashWindow *self)
{
  static const GActionEntry actions[] = {
    { .name = "find", .activate = on_find },
    { .name = "page", .activate = on_page, .parameter_type = "s" },
  };

  self->began_us = g_get_monotonic_time ();
  self->picture_taken = cothread_event_new (FALSE);
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
}

static void
on_dark (GtkToggleButton *button, DashWindow *self)
{
  g_object_set (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-application-prefer-dark-theme",
                gtk_toggle_button_get_active (button), NULL);
}

static void
on_reset (GtkButton *button, DashWindow *self)
{
  dash_queue_page_reset (&self->queue_page);
  dash_frame_meter_reset_intervals (dash_animation_get_meter (DASH_ANIMATION (self->animation)));
}

static GtkWidget *
new_dark_button (DashWindow *self)
{
  GtkWidget *button = gtk_toggle_button_new ();

  ctv_button_set_mnemonic (GTK_BUTTON (button), "_Dark");
  gtk_widget_set_name (button, "dark");
  gtk_widget_set_tooltip_text (button, "Dark colours");
  g_signal_connect (button, "toggled", G_CALLBACK (on_dark), self);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), self->options->dark);

  return button;
}

static void
add_header (DashWindow *self)
{
  GtkHeaderBar *bar = GTK_HEADER_BAR (gtk_header_bar_new ());
  GtkWidget *switcher = gtk_stack_switcher_new ();

  gtk_stack_switcher_set_stack (GTK_STACK_SWITCHER (switcher), self->pages);
  gtk_accessible_update_property (GTK_ACCESSIBLE (switcher), GTK_ACCESSIBLE_PROPERTY_LABEL, "Pages", -1);
  self->reset = dash_reset_button_new (&self->engine->targets);
  self->pause = dash_pause_button_new (&self->engine->targets);
  self->watch_menu = dash_watch_menu_new ();
  g_signal_connect (self->reset, "clicked", G_CALLBACK (on_reset), self);
  g_signal_connect (self->watch_menu, "chosen", G_CALLBACK (on_chosen), self);
  gtk_header_bar_pack_start (bar, self->watch_menu);
  gtk_header_bar_pack_start (bar, self->pause);
  gtk_header_bar_set_title_widget (bar, switcher);
  gtk_header_bar_pack_end (bar, new_dark_button (self));
  gtk_header_bar_pack_end (bar, self->reset);
  gtk_window_set_titlebar (GTK_WINDOW (self), GTK_WIDGET (bar));
}

/* What is watched. */
static GtkWidget *
new_left_column (DashWindow *self)
{
  self->pages = GTK_STACK (gtk_stack_new ());
  dash_queue_page_init (&self->queue_page, &self->engine->probe, self->summary.last_turn);
  ctv_task_table_init (&self->table);
  gtk_widget_set_vexpand (self->table.widget, TRUE);
  gtk_stack_add_titled (self->pages, self->queue_page.widget, "queue", "Queue");
  gtk_stack_add_titled (self->pages, ctv_card_new ("Tasks", NULL, self->table.widget), "tasks", "Tasks");
  dash_warnings_page_init (&self->warnings, self->engine->targets.scheduler);
  dash_warnings_page_set_page (&self->warnings, gtk_stack_add_titled (
    self->pages, ctv_card_new ("Warnings", NULL, self->warnings.widget), "warnings", "Warnings"));
  if (self->options->page != NULL)
    gtk_stack_set_visible_child_name (self->pages, self->options->page);

  return GTK_WIDGET (self->pages);
}

/* What moves, and what the user moves. */
static GtkWidget *
new_right_column (DashWindow *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));
  GtkWidget *overlay = gtk_overlay_new ();
  GtkWidget *scroller = gtk_scrolled_window_new ();

  self->animation = dash_animation_new ();
  gtk_widget_set_name (self->animation, "animation");
  gtk_widget_set_size_request (self->animation, -1, 120);
  gtk_widget_set_hexpand (self->animation, TRUE);
  gtk_widget_set_vexpand (self->animation, TRUE);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), self->animation);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->summary.fps_tile);

  gtk_box_append (box, ctv_card_new ("Animation", GTK_WIDGET (self->summary.worst_frame), overlay));
  dash_watch_card_init (&self->watch_card);
  self->side = GTK_STACK (gtk_stack_new ());
  gtk_stack_add_named (self->side, ctv_card_new ("Controls", NULL, dash_controls_new (&self->engine->targets, self->options)),
                       "controls");
  gtk_stack_add_named (self->side, ctv_card_new ("Process", NULL, self->watch_card.widget), "process");
  gtk_box_append (box, GTK_WIDGET (self->side));

  /* On a small screen, the controls scroll. */
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (box));
  gtk_widget_set_size_request (scroller, SIDE_WIDTH, -1);
  gtk_widget_set_hexpand (scroller, FALSE);

  return scroller;
}

static void
add_content (DashWindow *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));
  GtkBox *columns = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, SPACING));

  gtk_widget_add_css_class (GTK_WIDGET (box), "ctv-content");
  gtk_box_append (box, self->watching.banner);
  gtk_box_append (box, dash_summary_init (&self->summary));
  gtk_box_append (columns, new_left_column (self));
  gtk_box_append (columns, new_right_column (self));
  gtk_box_append (box, GTK_WIDGET (columns));
  gtk_box_append (box, GTK_WIDGET (self->summary.index));
  gtk_window_set_child (GTK_WINDOW (self), GTK_WIDGET (box));
}

static void
start_task (DashWindow *self, CothreadTaskFunc func, const char *name)
{
  CothreadTask *task = cothread_spawn_full (func, self, &(CothreadSpawnOptions) { .name = name }, NULL);

  if (task != NULL)
    g_ptr_array_add (self->tasks, task);
}

DashWindow *
dash_window_new (GtkApplication *application, DashOptions *options)
{
  DashWindow *self = g_object_new (DASH_TYPE_WINDOW, "application", application, "title", "Cothread dashboard",
                                   "icon-name", "org.cothread.Dashboard", "default-width", 1100, "default-height", 880, NULL);

  self->options = options;
  self->engine = dash_engine_new (options);
  dash_watching_init (&self->watching, &self->table, show_watched, self);
  add_content (self);
  add_header (self);
  dash_click_meter_attach (&self->clicks, GTK_WIDGET (self));

  if (options->attach != NULL)
    dash_watching_begin (&self->watching, options->attach);
  start_task (self, update_view, "update the numbers");
  start_task (self, list_tasks, "update this list");
  if (options->screenshot != NULL)
    start_task (self, take_picture, "take a picture");
  if (options->seconds > 0)
    start_task (self, quit_later, "quit later");

  return self;
}
