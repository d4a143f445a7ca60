/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "warnings-page.h"

#include "ctv-format.h"

#define STALL_US 100000
#define CHECK_EVERY_MS 1000
#define MOST_ROWS 200
#define MOST_FRAMES 6

static GtkWidget *
new_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, css_class);

  return label;
}

static void
show_count (DashWarningsPage *self)
{
  g_autofree char *title = self->n > 0 ? g_strdup_printf ("Warnings (%u)", self->n) : g_strdup ("Warnings");

  if (self->page != NULL)
    gtk_stack_page_set_title (self->page, title);
}

/* Newest first; the details may be NULL. */
static void
add_warning (DashWarningsPage *self, const char *what, const char *details)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  double after_s = (double) (g_get_monotonic_time () - self->began_us) / G_USEC_PER_SEC;
  g_autofree char *valid = ctv_format_text (what);
  g_autofree char *text = g_strdup_printf ("+%.1f s  %s", after_s, valid);

  gtk_box_append (GTK_BOX (box), new_label (text, "ctv-number"));
  if (details != NULL && *details != '\0')
    gtk_box_append (GTK_BOX (box), new_label (details, "ctv-caption"));
  gtk_list_box_prepend (self->list, box);
  if (self->n++ >= MOST_ROWS)
    gtk_list_box_remove (self->list, gtk_widget_get_last_child (GTK_WIDGET (self->list)));
  show_count (self);
}

static void
on_warning (CothreadMonitor *monitor, const CothreadWarning *warning, DashWarningsPage *self)
{
  if (!self->is_watching)
    add_warning (self, warning->message, NULL);
}

static void
on_stalled (CothreadStallDetector *detector, const CothreadStall *stall, DashWarningsPage *self)
{
  g_autofree char *held = ctv_format_us (stall->held_us);
  g_autofree char *who = stall->task_name != NULL  ? g_strdup_printf ("task %s", stall->task_name)
                         : stall->callback != NULL ? g_strdup_printf ("callback %s", stall->callback)
                                                   : g_strdup ("a handler");
  g_autofree char *what = g_strdup_printf ("The main loop was held for %s by %s%s", held, who,
                                           stall->has_never_suspended ? ", which has not suspended even once" : "");
  g_autoptr (GString) frames = g_string_new (NULL);

  if (self->is_watching)
    return;
  for (guint i = 0; stall->backtrace != NULL && stall->backtrace[i] != NULL && i < MOST_FRAMES; i++)
    {
      g_autofree char *frame = ctv_format_text (stall->backtrace[i]);

      g_string_append_printf (frames, "%s%s", i > 0 ? "\n" : "", frame);
    }
  add_warning (self, what, frames->str);
}

/* A state is told when it begins, not as long as it lasts. */
static void
tell_once (DashWarningsPage *self, gboolean *was, gboolean is, const char *what, const char *details)
{
  if (is && !*was)
    add_warning (self, what, details);
  *was = is;
}

void
dash_warnings_page_update (DashWarningsPage *self, const DashReadings *readings)
{
  const CothreadCallbackStatistics *queue = &readings->queue;

  tell_once (self, &self->was_unbounded, queue->max_length == 0, "The callback queue has no bound",
             "It can grow until there is no memory left.");
  tell_once (self, &self->has_dropped, dash_readings_get_dropped (readings) > 0, "Callbacks are dropped",
             "The queue is full, and its policy is to drop.");
  tell_once (self, &self->has_refused, queue->refused > 0, "Callbacks are refused",
             "The queue is full, and its policy is to refuse new ones.");
}

/* What another process says of itself; its own stall detector, if it has one,
 * tells who it was in its log. */
void
dash_warnings_page_update_watch (DashWarningsPage *self, DashWatch *watch)
{
  guint64 stalls = watch->readings.scheduler.stalls;

  for (guint i = 0; i < watch->warnings->len; i++)
    add_warning (self, ((const CothreadWarning *) watch->warnings->pdata[i])->message, NULL);
  g_ptr_array_set_size (watch->warnings, 0);
  tell_once (self, &self->is_hanging, watch->state == DASH_WATCH_HANGS, "The process does not answer",
             "Something has held its main loop for two seconds.");
  if (stalls > self->stalls)
    add_warning (self, "The process's stall detector has found that its main loop was held", NULL);
  self->stalls = stalls;
}

/* Begins anew. */
void
dash_warnings_page_set_watching (DashWarningsPage *self, gboolean is_watching)
{
  GtkListBoxRow *row;

  self->is_watching = is_watching;
  while ((row = gtk_list_box_get_row_at_index (self->list, 0)) != NULL)
    gtk_list_box_remove (self->list, GTK_WIDGET (row));
  self->began_us = g_get_monotonic_time ();
  self->n = 0;
  self->stalls = 0;
  self->was_unbounded = self->has_dropped = self->has_refused = self->is_hanging = FALSE;
  show_count (self);
}

void
dash_warnings_page_init (DashWarningsPage *self, CothreadScheduler *scheduler)
{
  GtkWidget *nothing = gtk_label_new ("Nothing looks wrong so far.");
  GtkWidget *list = gtk_list_box_new ();

  self->began_us = g_get_monotonic_time ();
  self->list = GTK_LIST_BOX (list);
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_list_box_set_placeholder (self->list, nothing);
  gtk_widget_set_margin_top (nothing, 24);
  gtk_widget_set_name (list, "warnings");
  gtk_widget_add_css_class (list, "ctv-tasks");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, "Warnings", -1);

  self->widget = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->widget), list);
  gtk_widget_set_vexpand (self->widget, TRUE);

  self->monitor = cothread_monitor_new (scheduler);
  cothread_monitor_set_checks (self->monitor, TRUE);
  cothread_monitor_set_interval (self->monitor, CHECK_EVERY_MS);
  g_signal_connect (self->monitor, "warning", G_CALLBACK (on_warning), self);
  self->detector = cothread_stall_detector_new (scheduler, STALL_US);
  g_signal_connect (self->detector, "stalled", G_CALLBACK (on_stalled), self);
}

void
dash_warnings_page_set_page (DashWarningsPage *self, GtkStackPage *page)
{
  self->page = page;
  show_count (self);
}

void
dash_warnings_page_clear (DashWarningsPage *self)
{
  if (self->monitor == NULL)
    return;

  g_signal_handlers_disconnect_by_data (self->monitor, self);
  g_signal_handlers_disconnect_by_data (self->detector, self);
  cothread_stall_detector_stop (self->detector);
  g_clear_object (&self->monitor);
  g_clear_object (&self->detector);
}
