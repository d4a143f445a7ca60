/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a flood of callbacks and the dashboard's animation share one thread: the
 * rate of the flood with no window at all, and then with the whole dashboard in
 * motion, in one run. Prints a table; takes some twelve seconds. */

#include "flood.h"
#include "frame-meter.h"
#include "ctv-style.h"
#include "ui-driver.h"
#include "window.h"

#define FLOOD_RATE 5000000
#define FLOOD_COST_US 1
#define BOUND 10000
#define SETTLE_US (1 * G_USEC_PER_SEC)
#define MEASURE_US (5 * G_USEC_PER_SEC)

typedef struct
{
  DashOptions options;
  GtkWidget *window;
  CothreadCallbackQueue *queue;
  double rate_alone;
  double rate_beside_window;
  double frames_per_second;
  gint64 p99_us;
} Measurement;

static double
measure_rate (CothreadCallbackQueue *queue)
{
  g_autoptr (CothreadCallbackStatistics) before = NULL;
  g_autoptr (CothreadCallbackStatistics) after = NULL;
  gint64 began_us;

  cothread_sleep (SETTLE_US, NULL);
  before = cothread_callback_queue_get_statistics (queue);
  began_us = g_get_monotonic_time ();
  cothread_sleep (MEASURE_US, NULL);
  after = cothread_callback_queue_get_statistics (queue);
  return (double) (after->run - before->run) * G_USEC_PER_SEC / (double) (g_get_monotonic_time () - began_us);
}

static void
measure_alone (Measurement *self)
{
  DashProbe probe = { cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), 0 };
  DashFlood *flood = dash_flood_new (&probe);

  self->queue = probe.queue;
  cothread_callback_queue_set_max_length (probe.queue, BOUND);
  dash_flood_set_rate (flood, FLOOD_RATE);
  dash_flood_set_cost (flood, FLOOD_COST_US);
  dash_flood_set_enabled (flood, TRUE);
  self->rate_alone = measure_rate (probe.queue); /* main() waits: the loop runs */
  dash_flood_set_enabled (flood, FALSE);
  /* Its thread may be blocked by the full queue until the rest has run. */
  while (cothread_callback_queue_get_length (probe.queue) > 0)
    cothread_sleep (1000, NULL);
  dash_flood_free (flood);
}

static void
close_window (gpointer window)
{
  gtk_window_close (window);
}

static gpointer
measure_beside_window (gpointer data, G_GNUC_UNUSED GError **error)
{
  Measurement *self = data;
  const DashFrameMeter *meter;
  guint64 frames;
  gint64 began_us;

  ui_toggle (self->window, "index-switch");
  ui_set_spin (self->window, "bound", BOUND);
  ui_set_spin (self->window, "flood-rate", FLOOD_RATE);
  ui_set_spin (self->window, "flood-cost", FLOOD_COST_US);
  ui_toggle (self->window, "flood-switch");
  meter = dash_animation_get_meter (DASH_ANIMATION (ui_find (self->window, "animation")));

  cothread_sleep (SETTLE_US, NULL);
  frames = meter->frames;
  began_us = g_get_monotonic_time ();
  self->rate_beside_window = measure_rate (self->queue);
  self->frames_per_second = (double) (meter->frames - frames) * G_USEC_PER_SEC / (double) (g_get_monotonic_time () - began_us);
  self->p99_us = dash_frame_meter_get_percentile_us (meter, 0.99);
  cothread_call_on_thread_stack (close_window, self->window);
  return NULL;
}

static void
on_activate (GtkApplication *application, Measurement *self)
{
  ctv_style_load (gdk_display_get_default ());
  self->window = GTK_WIDGET (dash_window_new (application, &self->options));
  gtk_window_present (GTK_WINDOW (self->window));
  cothread_task_unref (cothread_spawn (measure_beside_window, self));
}

int
main (void)
{
  Measurement self = { .options.folder = g_strdup ("/usr/share") };
  g_autoptr (GtkApplication) application = NULL;

  measure_alone (&self);
  application = gtk_application_new ("org.cothread.PerfWindow", G_APPLICATION_NON_UNIQUE);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), &self);
  g_application_run (G_APPLICATION (application), 0, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  dash_options_clear (&self.options);

  g_print ("| a flood of %d µs callbacks, bound %d | callbacks/s | frames/s | frame p99 ms |\n", FLOOD_COST_US, BOUND);
  g_print ("| --- | --- | --- | --- |\n");
  g_print ("| no window | %.0f | | |\n", self.rate_alone);
  g_print ("| the dashboard, animating | %.0f (%.0f %%) | %.1f | %.1f |\n", self.rate_beside_window,
           100 * self.rate_beside_window / self.rate_alone, self.frames_per_second, (double) self.p99_us / 1000);
  return 0;
}
