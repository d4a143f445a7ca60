/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "summary.h"

#include <math.h>

#include "ctv-format.h"
#include "ctv-tile.h"
#include "workload-line.h"

static GtkLabel *
new_side_label (const char *name)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_widget_set_name (label, name);
  gtk_widget_add_css_class (label, "ctv-caption");
  gtk_widget_add_css_class (label, "ctv-number");
  gtk_label_set_xalign (GTK_LABEL (label), 1);

  return GTK_LABEL (label);
}

GtkWidget *
dash_summary_init (DashSummary *self)
{
  GtkBox *row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0));

  gtk_widget_add_css_class (GTK_WIDGET (row), "ctv-tiles");
  gtk_box_set_homogeneous (row, TRUE);
  gtk_box_append (row, ctv_tile_new ("Queue depth", "depth", "Callbacks that wait now", &self->depth));
  gtk_box_append (row, ctv_tile_new ("High water", "high-water", "The most that ever waited", &self->high_water));
  gtk_box_append (row, ctv_tile_new ("Callbacks / s", "callback-rate", "Callbacks run in the last second",
                                      &self->callback_rate));
  gtk_box_append (row, ctv_tile_new ("Dropped", "dropped", "Accepted, but dropped to make room", &self->dropped));
  gtk_box_append (row, ctv_tile_new ("Refused", "refused", "Not accepted, because the queue was full",
                                      &self->refused));
  gtk_box_append (row, ctv_tile_new ("Longest turn", "longest-turn",
                                      "How long the scheduler held the main loop at most", &self->longest_turn));
  self->files_tile = ctv_tile_new ("Files indexed", "files", "Files hashed in this round", &self->files);
  self->tasks_tile = ctv_tile_new ("Tasks", "tasks", "Tasks that live now", &self->tasks);
  gtk_box_append (row, self->files_tile);
  gtk_box_append (row, self->tasks_tile);
  dash_summary_set_watching (self, FALSE);

  self->fps_tile = ctv_tile_new ("Frames / s", "fps", "Frames of the animation in the last second", &self->fps);
  /* In the middle of the animation's orbit. */
  gtk_widget_set_halign (self->fps_tile, GTK_ALIGN_CENTER);
  gtk_widget_set_valign (self->fps_tile, GTK_ALIGN_CENTER);
  gtk_label_set_xalign (self->fps, 0.5);
  gtk_label_set_xalign (GTK_LABEL (gtk_widget_get_first_child (self->fps_tile)), 0.5);
  gtk_widget_add_css_class (GTK_WIDGET (self->fps), "ctv-large");
  self->worst_frame = new_side_label ("worst-frame");
  self->last_turn = new_side_label ("last-turn");
  self->index = new_side_label ("index");
  gtk_label_set_xalign (self->index, 0);
  gtk_label_set_ellipsize (self->index, PANGO_ELLIPSIZE_END);

  return GTK_WIDGET (row);
}

static void
show_count (GtkLabel *label, guint64 count)
{
  g_autofree char *text = ctv_format_count (count);

  ctv_label_update (label, text);
}

static void
show_us (GtkLabel *label, const char *prefix, gint64 us)
{
  g_autofree char *duration = ctv_format_us (us);
  g_autofree char *text = g_strconcat (prefix, duration, NULL);

  ctv_label_update (label, text);
}

void
dash_summary_update (DashSummary *self, const DashReadings *now, const DashFrameMeter *meter)
{
  guint64 dropped = dash_readings_get_dropped (now);
  gint64 worst_us;
  double fps;

  show_count (self->depth, now->queue.length);
  show_count (self->high_water, now->queue.high_water);
  show_count (self->callback_rate, llround (now->callbacks_per_second));
  show_count (self->dropped, dropped);
  ctv_label_set_alert (self->dropped, dropped > 0);
  show_count (self->refused, now->queue.refused);
  ctv_label_set_alert (self->refused, now->queue.refused > 0);
  show_us (self->longest_turn, "", now->scheduler.longest_turn_us);
  show_us (self->last_turn, "last ", now->scheduler.last_turn_us);

  dash_frame_meter_read (meter, g_get_monotonic_time (), &fps, &worst_us);
  show_count (self->fps, llround (fps));
  show_us (self->worst_frame, "worst frame ", worst_us);
  show_count (self->tasks, now->scheduler.tasks);
}

void
dash_summary_update_work (DashSummary *self, DashEngine *engine, DashWatch *watch)
{
  g_autofree char *line = watch != NULL ? dash_watch_line (watch) : dash_workload_line (engine);

  show_count (self->files, dash_indexer_get_progress (engine->targets.indexer)->files);
  ctv_label_update (self->index, line);
}

void
dash_summary_set_watching (DashSummary *self, gboolean is_watching)
{
  gtk_widget_set_visible (self->files_tile, !is_watching);
  gtk_widget_set_visible (self->tasks_tile, is_watching);
}
