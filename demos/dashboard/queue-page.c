/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "queue-page.h"

#include "ctv-depth-plot.h"
#include "ctv-histogram.h"
#include "ctv-tile.h"
#include "ctv-turn-strip.h"

#define SPACING 10
/* Nobody reads a histogram ten times a second. */
#define HISTOGRAMS_EVERY 5
#define FRAME_NS 16666667

static void
take_depth (gpointer data, guint *low, guint *high)
{
  DashQueuePage *self = data;

  if (self->watch != NULL)
    dash_watch_take_depth (self->watch, low, high);
  else
    dash_probe_take (self->probe, low, high);
}

static GtkWidget *
prepare (GtkWidget *widget, const char *name, int height)
{
  gtk_widget_set_name (widget, name);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_widget_set_size_request (widget, -1, height);

  return widget;
}

static GtkWidget *
new_histogram (DashHistogram *self, const char *title, const char *name)
{
  g_autofree char *numbers_name = g_strconcat (name, "-numbers", NULL);
  GtkWidget *numbers = gtk_label_new ("none yet");

  gtk_widget_set_name (numbers, numbers_name);
  gtk_widget_add_css_class (numbers, "ctv-caption");
  gtk_widget_add_css_class (numbers, "ctv-number");
  gtk_label_set_xalign (GTK_LABEL (numbers), 1);
  gtk_label_set_ellipsize (GTK_LABEL (numbers), PANGO_ELLIPSIZE_END);
  self->numbers = GTK_LABEL (numbers);
  self->plot = prepare (ctv_histogram_new (title), name, 64);

  return ctv_card_new (title, numbers, self->plot);
}

static void
show_histogram (DashHistogram *self, const CtvDurations *durations, gint64 mark_ns)
{
  g_autofree char *text = ctv_durations_dup_short_text (durations);

  ctv_histogram_set (CTV_HISTOGRAM (self->plot), durations, mark_ns);
  ctv_label_update (self->numbers, text);
}

static void
show_library_histogram (DashHistogram *self, CothreadHistogram *histogram)
{
  CtvDurations durations;

  ctv_durations_take (&durations, histogram);
  show_histogram (self, &durations, 0);
}

void
dash_queue_page_init (DashQueuePage *self, DashProbe *probe, GtkLabel *last_turn)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());

  self->probe = probe;
  self->plot = prepare (ctv_depth_plot_new (take_depth, self), "depth-plot", 120);
  gtk_widget_set_vexpand (self->plot, TRUE);
  self->strip = prepare (ctv_turn_strip_new (), "turn-strip", 76);

  gtk_box_append (box, ctv_card_new ("Callback queue", NULL, self->plot));
  gtk_box_append (box, ctv_card_new ("Turns of the main loop", GTK_WIDGET (last_turn), self->strip));
  gtk_grid_set_column_homogeneous (grid, TRUE);
  gtk_grid_set_row_spacing (grid, SPACING);
  gtk_grid_set_column_spacing (grid, SPACING);
  gtk_grid_attach (grid, new_histogram (&self->waits, "Time in queue", "time-in-queue"), 0, 0, 1, 1);
  gtk_grid_attach (grid, new_histogram (&self->runs, "Run time", "run-time"), 1, 0, 1, 1);
  gtk_grid_attach (grid, new_histogram (&self->turns, "Turn lengths", "turn-lengths"), 0, 1, 1, 1);
  gtk_grid_attach (grid, new_histogram (&self->frames, "Frame intervals", "frame-intervals"), 1, 1, 1, 1);
  gtk_box_append (box, GTK_WIDGET (grid));
  self->widget = GTK_WIDGET (box);
}

/* The library remembers the last turns; those that came since the last look
 * are counted (of more than it remembers, the last ones). */
static void
count_turns (DashQueuePage *self, const GArray *recent, guint64 turns)
{
  guint n_new = (guint) MIN (turns - self->turns_seen, recent->len);

  for (guint i = recent->len - n_new; i < recent->len; i++)
    ctv_durations_add (&self->turn_lengths, g_array_index (recent, gint64, i) * 1000, 1);
  self->turns_seen = turns;
}

void
dash_queue_page_update (DashQueuePage *self, const DashReadings *now, const DashFrameMeter *meter)
{
  if (now->turns == NULL)
    return;

  ctv_depth_plot_set_stopped (CTV_DEPTH_PLOT (self->plot), self->watch != NULL && self->watch->state == DASH_WATCH_ENDED);
  count_turns (self, now->turns, now->scheduler.turns);
  ctv_turn_strip_set_turns (CTV_TURN_STRIP (self->strip), g_array_ref (now->turns), now->slice_us);
  ctv_depth_plot_set_marks (CTV_DEPTH_PLOT (self->plot), now->queue.length, now->queue.max_length,
                            now->queue.high_water);
  if (self->n_updates++ % HISTOGRAMS_EVERY != 0)
    return;
  show_library_histogram (&self->waits, now->time_in_queue);
  show_library_histogram (&self->runs, now->run_time);
  show_histogram (&self->turns, &self->turn_lengths, now->slice_us * 1000);
  show_histogram (&self->frames, &meter->intervals, FRAME_NS);
}

void
dash_queue_page_reset (DashQueuePage *self)
{
  self->turn_lengths = (CtvDurations) { 0 };
  self->n_updates = 0;
}

/* From another process, all begins anew; NULL: back to this one. */
void
dash_queue_page_set_watch (DashQueuePage *self, DashWatch *watch)
{
  self->watch = watch;
  self->turns_seen = 0;
  ctv_depth_plot_clear (CTV_DEPTH_PLOT (self->plot));
  dash_queue_page_reset (self);
}
