/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What share of a core it takes to show things: the plot of the queue alone, in
 * a window of its own, and the whole dashboard with a thousand tasks. It is the
 * processor time of the main thread, which does all the drawing (the display
 * server's is not in it), so that other programs disturb it little. Prints a
 * table; takes some twenty seconds. */

#include "ctv-depth-plot.h"
#include "ctv-style.h"
#include "ui-driver.h"
#include "window.h"

#include <time.h>

#define N_TASKS 1000
#define SETTLE_US (2 * G_USEC_PER_SEC)
#define MEASURE_US (4 * G_USEC_PER_SEC)

typedef struct
{
  GtkApplication *application;
  DashOptions options;
  GtkWidget *window;
} Measurement;

static gint64
thread_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
measure (const char *what, GtkWidget *widget)
{
  GdkFrameClock *clock;
  gint64 began_us, began_thread_us, frames;

  cothread_sleep (SETTLE_US, NULL);
  clock = gtk_widget_get_frame_clock (widget);
  frames = gdk_frame_clock_get_frame_counter (clock);
  began_us = g_get_monotonic_time ();
  began_thread_us = thread_us ();
  cothread_sleep (MEASURE_US, NULL);
  began_thread_us = thread_us () - began_thread_us;
  frames = gdk_frame_clock_get_frame_counter (clock) - frames;
  began_us = g_get_monotonic_time () - began_us;

  g_print ("| %s | %dx%d | %.1f | %.1f %% |\n", what, gtk_widget_get_width (widget), gtk_widget_get_height (widget),
           (double) frames * G_USEC_PER_SEC / (double) began_us, 100.0 * (double) began_thread_us / (double) began_us);
}

/* A depth that is another at every frame. */
static void
take_depth (gpointer counter, guint *low, guint *high)
{
  guint n = ++*(guint *) counter;

  *low = n * 7919 % 5000;
  *high = *low + n * 104729 % 5000;
}

static void
show_plot (gpointer data)
{
  static guint counter;
  Measurement *self = data;
  GtkWidget *plot = ctv_depth_plot_new (take_depth, &counter);

  self->window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (self->window), 900, 200);
  gtk_window_set_titlebar (GTK_WINDOW (self->window), gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0));
  gtk_window_set_child (GTK_WINDOW (self->window), plot);
  gtk_window_present (GTK_WINDOW (self->window));
}

static void
hide_plot (gpointer data)
{
  gtk_window_destroy (GTK_WINDOW (((Measurement *) data)->window));
}

static void
show_dashboard (gpointer data)
{
  Measurement *self = data;

  self->window = GTK_WIDGET (dash_window_new (self->application, &self->options));
  gtk_window_present (GTK_WINDOW (self->window));
}

static void
close_dashboard (gpointer data)
{
  gtk_window_close (GTK_WINDOW (((Measurement *) data)->window));
}

static gpointer
doze (G_GNUC_UNUSED gpointer data, GError **error)
{
  while (cothread_sleep (g_random_int_range (500000, 1500000), NULL))
    ;
  return NULL;
}

static gpointer
measure_all (gpointer data, G_GNUC_UNUSED GError **error)
{
  Measurement *self = data;
  CothreadTask *tasks[N_TASKS];

  g_print ("| what | size | frames/s | share of a core |\n| --- | --- | --- | --- |\n");
  cothread_call_on_thread_stack (show_plot, self);
  measure ("the plot alone, a new depth at every frame", self->window);
  cothread_call_on_thread_stack (hide_plot, self);

  for (guint i = 0; i < N_TASKS; i++)
    tasks[i] = cothread_spawn (doze, NULL);
  cothread_call_on_thread_stack (show_dashboard, self);
  cothread_sleep (SETTLE_US, NULL);
  ui_toggle (self->window, "index-switch");
  measure ("the dashboard, page Queue, 1 000 tasks", self->window);
  ui_act (self->window, "win.page", g_variant_new_string ("tasks"));
  measure ("the dashboard, page Tasks, 1 000 tasks", self->window);
  ui_sort (self->window, "task-list", 4, GTK_SORT_DESCENDING);
  measure ("the same, sorted by switches", self->window);

  for (guint i = 0; i < N_TASKS; i++)
    {
      cothread_task_cancel (tasks[i]);
      cothread_task_unref (tasks[i]);
    }
  cothread_call_on_thread_stack (close_dashboard, self);
  g_application_release (G_APPLICATION (self->application));
  return NULL;
}

static void
on_activate (GtkApplication *application, Measurement *self)
{
  ctv_style_load (gdk_display_get_default ());
  g_application_hold (G_APPLICATION (application));
  cothread_task_unref (cothread_spawn (measure_all, self));
}

int
main (void)
{
  Measurement self = { .options.folder = g_strdup ("/usr/share") };

  self.application = gtk_application_new ("org.cothread.PerfShare", G_APPLICATION_NON_UNIQUE);
  g_signal_connect (self.application, "activate", G_CALLBACK (on_activate), &self);
  g_application_run (G_APPLICATION (self.application), 0, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  dash_options_clear (&self.options);
  g_object_unref (self.application);
  return 0;
}
