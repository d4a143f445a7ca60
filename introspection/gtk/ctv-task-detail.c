/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-detail.h"

#include "ctv-tile.h"

static const char *const captions[CTV_N_COLUMNS] = { "Number", "Name", "State", "Waits for", "Switches" };
static const char *const names[CTV_N_COLUMNS] = { "detail-id", "detail-name", "detail-state", "detail-reason",
                                                  "detail-switches" };

static GtkLabel *
add_value (GtkGrid *grid, int row, const char *caption, const char *name)
{
  GtkWidget *label = gtk_label_new (caption);
  GtkWidget *value = gtk_label_new ("");

  gtk_widget_add_css_class (label, "ctv-caption");
  gtk_widget_set_valign (label, GTK_ALIGN_START);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_grid_attach (grid, label, 0, row, 1, 1);

  ctv_label_set_caption (GTK_LABEL (value), caption);
  gtk_widget_set_name (value, name);
  gtk_widget_add_css_class (value, "ctv-number");
  gtk_widget_set_hexpand (value, TRUE);
  gtk_label_set_xalign (GTK_LABEL (value), 0);
  gtk_label_set_wrap (GTK_LABEL (value), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (value), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_grid_attach (grid, value, 1, row, 1, 1);

  return GTK_LABEL (value);
}

void
ctv_task_detail_init (CtvTaskDetail *self)
{
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());

  g_queue_init (&self->lines);
  gtk_grid_set_row_spacing (grid, 4);
  gtk_grid_set_column_spacing (grid, 12);
  gtk_widget_add_css_class (GTK_WIDGET (grid), "ctv-detail");
  for (int column = 0; column < CTV_N_COLUMNS; column++)
    self->values[column] = add_value (grid, column, captions[column], names[column]);
  self->history = add_value (grid, CTV_N_COLUMNS, "History", "detail-history");

  self->widget = gtk_scrolled_window_new ();
  gtk_widget_set_name (self->widget, "task-detail");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->widget), GTK_ACCESSIBLE_PROPERTY_LABEL, "The selected task", -1);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->widget), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->widget), GTK_WIDGET (grid));
  gtk_widget_set_visible (self->widget, FALSE);
}

void
ctv_task_detail_clear (CtvTaskDetail *self)
{
  g_queue_clear_full (&self->lines, g_free);
  g_clear_pointer (&self->last, g_free);
}

/* 0: none. */
void
ctv_task_detail_open (CtvTaskDetail *self, guint64 id)
{
  if (id == self->id)
    return;

  ctv_task_detail_clear (self);
  self->id = id;
  self->opened_us = g_get_monotonic_time ();
  ctv_label_update (self->history, "");
  gtk_widget_set_visible (self->widget, id != 0);
}

/* Newest first. */
static void
show_history (CtvTaskDetail *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (GList *line = self->lines.head; line != NULL; line = line->next)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", (const char *) line->data);
  ctv_label_update (self->history, text->str);
}

/* Takes the text. */
static void
remember (CtvTaskDetail *self, char *what)
{
  double after_s = (double) (g_get_monotonic_time () - self->opened_us) / G_USEC_PER_SEC;

  if (g_strcmp0 (self->last, what) == 0)
    {
      g_free (what);
      return;
    }
  g_free (self->last);
  self->last = what;
  g_queue_push_head (&self->lines, g_strdup_printf ("+%.1f s  %s", after_s, what));
  if (self->lines.length > CTV_DETAIL_CHANGES)
    g_free (g_queue_pop_tail (&self->lines));
  show_history (self);
}

void
ctv_task_detail_show (CtvTaskDetail *self, char *const texts[CTV_N_COLUMNS])
{
  for (guint column = 0; column < CTV_N_COLUMNS; column++)
    ctv_label_update (self->values[column], texts[column]);
  remember (self, *texts[CTV_COLUMN_REASON] == '\0'
                    ? g_strdup (texts[CTV_COLUMN_STATE])
                    : g_strdup_printf ("%s: %s", texts[CTV_COLUMN_STATE], texts[CTV_COLUMN_REASON]));
}

/* It is in no list any more; what was known of it stays readable. */
void
ctv_task_detail_show_ended (CtvTaskDetail *self)
{
  ctv_label_update (self->values[CTV_COLUMN_STATE], "finished");
  ctv_label_update (self->values[CTV_COLUMN_REASON], "");
  remember (self, g_strdup ("finished"));
}
