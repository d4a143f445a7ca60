/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-detail.h"

#include "ctv-format.h"
#include "ctv-tile.h"

#define MOST_LINES 64
#define MOST_FRAMES 32

typedef enum
{
  DETAIL_NUMBER,
  DETAIL_NAME,
  DETAIL_LANGUAGE,
  DETAIL_STATE,
  DETAIL_REASON,
  DETAIL_SINCE,
  DETAIL_DEADLINE,
  DETAIL_SWITCHES,
  DETAIL_WAKEUPS,
  DETAIL_RUN,
  DETAIL_LONGEST,
  DETAIL_SPAWNED,
  DETAIL_STACK,
  DETAIL_BACKTRACE,
} Detail;

G_STATIC_ASSERT (DETAIL_BACKTRACE + 1 == CTV_DETAILS);

static const struct
{
  const char *caption;
  const char *name;
} details[CTV_DETAILS] = {
  [DETAIL_NUMBER] = { "Number", "detail-id" },
  [DETAIL_NAME] = { "Name", "detail-name" },
  [DETAIL_LANGUAGE] = { "Language", "detail-language" },
  [DETAIL_STATE] = { "State", "detail-state" },
  [DETAIL_REASON] = { "Waits for", "detail-reason" },
  [DETAIL_SINCE] = { "For", "detail-since" },
  [DETAIL_DEADLINE] = { "Times out in", "detail-deadline" },
  [DETAIL_SWITCHES] = { "Switches", "detail-switches" },
  [DETAIL_WAKEUPS] = { "Wakeups", "detail-wakeups" },
  [DETAIL_RUN] = { "Time run", "detail-run" },
  [DETAIL_LONGEST] = { "Longest run", "detail-longest" },
  [DETAIL_SPAWNED] = { "Spawned at", "detail-spawned" },
  [DETAIL_STACK] = { "Stack", "detail-stack" },
  [DETAIL_BACKTRACE] = { "Stands in", "detail-backtrace" },
};

static GtkLabel *
add_value (GtkGrid *grid, int row, const char *caption, const char *name, GtkLabel **caption_label)
{
  GtkWidget *label = gtk_label_new (caption);
  GtkWidget *value = gtk_label_new ("");

  gtk_widget_add_css_class (label, "ctv-caption");
  gtk_widget_set_valign (label, GTK_ALIGN_START);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_grid_attach (grid, label, 0, row, 1, 1);
  if (caption_label != NULL)
    *caption_label = GTK_LABEL (label);

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
  for (int i = 0; i < CTV_DETAILS; i++)
    self->values[i] = add_value (grid, i, details[i].caption, details[i].name, &self->captions[i]);
  self->history = add_value (grid, CTV_DETAILS, "History", "detail-history", NULL);

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
  if (self->lines.length > MOST_LINES)
    g_free (g_queue_pop_tail (&self->lines));
  show_history (self);
}

/* Takes the text. Of what there is none, there is no line either. */
static void
show (CtvTaskDetail *self, Detail detail, char *text)
{
  gboolean is_known = text != NULL && *text != '\0';

  ctv_label_update (self->values[detail], is_known ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->values[detail]), is_known);
  gtk_widget_set_visible (GTK_WIDGET (self->captions[detail]), is_known);
  g_free (text);
}

static char *
dup_stack (const CothreadTaskInfo *info)
{
  g_autofree char *size = g_format_size_full (info->stack_bytes, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *in_use = g_format_size_full (info->stack_in_use, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *most = g_format_size_full (info->stack_high_water, G_FORMAT_SIZE_IEC_UNITS);

  if (info->stack_bytes == 0)
    return g_strdup ("none of its own");
  if (info->stack_high_water == 0)
    return g_strdup_printf ("%s, %s in use", size, in_use);
  return g_strdup_printf ("%s, %s in use, %s at most", size, in_use, most);
}

static char *
dup_backtrace (char *const *backtrace)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; backtrace != NULL && backtrace[i] != NULL && i < MOST_FRAMES; i++)
    {
      g_autofree char *line = ctv_format_text (backtrace[i]);

      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  return g_string_free (text, FALSE);
}

static char *
dup_time (gint64 us)
{
  return us < 0 ? NULL : ctv_format_us (us);
}

void
ctv_task_detail_show (CtvTaskDetail *self, const CothreadTaskInfo *info, gint64 now_us, char *const *backtrace)
{
  const char *state = cothread_task_state_to_string (info->state);
  g_autofree char *wait = ctv_column_dup_text (CTV_COLUMN_REASON, info);

  show (self, DETAIL_NUMBER, ctv_column_dup_text (CTV_COLUMN_ID, info));
  show (self, DETAIL_NAME, ctv_column_dup_text (CTV_COLUMN_NAME, info));
  show (self, DETAIL_LANGUAGE, ctv_format_text (info->language));
  show (self, DETAIL_STATE, g_strconcat (state, info->is_cancelled ? ", cancelled" : NULL, NULL));
  show (self, DETAIL_REASON, g_strdup (wait));
  show (self, DETAIL_SINCE, info->since_us < 0 ? NULL : ctv_format_us (MAX (now_us - info->since_us, 0)));
  show (self, DETAIL_DEADLINE, info->deadline_us < 0 ? NULL : ctv_format_us (MAX (info->deadline_us - now_us, 0)));
  show (self, DETAIL_SWITCHES, ctv_format_count (info->switches));
  show (self, DETAIL_WAKEUPS, ctv_format_count (info->wakeups));
  show (self, DETAIL_RUN, dup_time (info->run_us));
  show (self, DETAIL_LONGEST, dup_time (info->longest_run_us));
  show (self, DETAIL_SPAWNED, ctv_format_text (info->spawn_site));
  show (self, DETAIL_STACK, dup_stack (info));
  show (self, DETAIL_BACKTRACE, dup_backtrace (backtrace));
  remember (self, *wait == '\0' ? g_strdup (state) : g_strdup_printf ("%s: %s", state, wait));
}

/* It is in no list any more; what was known of it stays readable. */
void
ctv_task_detail_show_ended (CtvTaskDetail *self)
{
  show (self, DETAIL_STATE, g_strdup ("finished"));
  show (self, DETAIL_REASON, NULL);
  show (self, DETAIL_SINCE, NULL);
  show (self, DETAIL_DEADLINE, NULL);
  show (self, DETAIL_BACKTRACE, NULL);
  remember (self, g_strdup ("finished"));
}
