/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window.h"

#include "ctv-depth-plot.h"
#include "report.h"
#include "screenshot.h"
#include "summary.h"
#include "ctv-task-table.h"
#include "ctv-tile.h"
#include "ctv-turn-strip.h"

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
  GtkWidget *plot;
  GtkWidget *strip;
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
  DashReadings *readings = &self->engine->readings;
  DashTargets *targets = &self->engine->targets;

  dash_readings_take (readings, targets->scheduler, targets->queue);
  dash_summary_update (&self->summary, self->engine, dash_animation_get_meter (DASH_ANIMATION (self->animation)));
  ctv_depth_plot_set_marks (CTV_DEPTH_PLOT (self->plot), readings->queue.length, readings->queue.max_length, readings->queue.high_water);
  ctv_turn_strip_set_turns (CTV_TURN_STRIP (self->strip), cothread_scheduler_get_recent_turns (targets->scheduler),
                             cothread_scheduler_get_time_slice (targets->scheduler));
}

static void
update_tasks (gpointer data)
{
  DashWindow *self = data;

  ctv_task_table_take (&self->table, ctv_task_list_new (self->engine->targets.scheduler));
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
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
      cothread_task_unref (cothread_spawn (wind_up, self));
    }

  return TRUE;
}

static void
dash_window_dispose (GObject *object)
{
  ctv_task_table_clear (&DASH_WINDOW (object)->table);
  G_OBJECT_CLASS (dash_window_parent_class)->dispose (object);
}

static void
dash_window_finalize (GObject *object)
{
  DashWindow *self = DASH_WINDOW (object);

  g_clear_object (&self->picture_taken);
  g_clear_pointer (&self->tasks, g_ptr_array_unref);
  g_clear_pointer (&self->engine, dash_engine_free);
  G_OBJECT_CLASS (dash_window_parent_class)->finalize (object);
}

static void
dash_window_class_init (DashWindowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dash_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = dash_window_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = dash_window_close_request;
}

static void
dash_window_init (DashWindow *self)
{
  self->began_us = g_get_monotonic_time ();
  self->picture_taken = cothread_event_new (FALSE);
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
}

static void
add_header (DashWindow *self)
{
  GtkHeaderBar *bar = GTK_HEADER_BAR (gtk_header_bar_new ());

  gtk_header_bar_pack_start (bar, dash_pause_button_new (&self->engine->targets));
  gtk_header_bar_pack_end (bar, dash_reset_button_new (&self->engine->targets));
  gtk_window_set_titlebar (GTK_WINDOW (self), GTK_WIDGET (bar));
}

static GtkWidget *
prepare (GtkWidget *widget, const char *name, int height)
{
  gtk_widget_set_name (widget, name);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_widget_set_size_request (widget, -1, height);

  return widget;
}

static void
take_depth (gpointer probe, guint *low, guint *high)
{
  dash_probe_take (probe, low, high);
}

/* What is watched. */
static GtkWidget *
new_left_column (DashWindow *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));

  self->plot = prepare (ctv_depth_plot_new (take_depth, &self->engine->probe), "depth-plot", 120);
  gtk_widget_set_vexpand (self->plot, TRUE);
  self->strip = prepare (ctv_turn_strip_new (), "turn-strip", 76);
  ctv_task_table_init (&self->table);
  gtk_widget_set_size_request (self->table.widget, -1, 182);

  gtk_box_append (box, ctv_card_new ("Callback queue", NULL, self->plot));
  gtk_box_append (box, ctv_card_new ("Turns of the main loop", GTK_WIDGET (self->summary.last_turn), self->strip));
  gtk_box_append (box, ctv_card_new ("Tasks", NULL, self->table.widget));

  return GTK_WIDGET (box);
}

/* What moves, and what the user moves. */
static GtkWidget *
new_right_column (DashWindow *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));

  GtkWidget *overlay = gtk_overlay_new ();

  self->animation = prepare (dash_animation_new (), "animation", 120);
  gtk_widget_set_vexpand (self->animation, TRUE);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), self->animation);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->summary.fps_tile);

  gtk_box_append (box, ctv_card_new ("Animation", GTK_WIDGET (self->summary.worst_frame), overlay));
  gtk_box_append (box, ctv_card_new ("Controls", NULL, dash_controls_new (&self->engine->targets, self->options)));
  gtk_widget_set_size_request (GTK_WIDGET (box), SIDE_WIDTH, -1);
  gtk_widget_set_hexpand (GTK_WIDGET (box), FALSE);

  return GTK_WIDGET (box);
}

static void
add_content (DashWindow *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));
  GtkBox *columns = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, SPACING));

  gtk_widget_add_css_class (GTK_WIDGET (box), "ctv-content");
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
                                   "default-width", 1000, "default-height", 760, NULL);

  self->options = options;
  self->engine = dash_engine_new (options);
  add_header (self);
  add_content (self);
  dash_click_meter_attach (&self->clicks, GTK_WIDGET (self));

  start_task (self, update_view, "update the numbers");
  start_task (self, list_tasks, "update this list");
  if (options->screenshot != NULL)
    start_task (self, take_picture, "take a picture");
  if (options->seconds > 0)
    start_task (self, quit_later, "quit later");

  return self;
}
