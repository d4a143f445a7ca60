/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch-card.h"

#include <math.h>

#include "ctv-format.h"
#include "ctv-tile.h"

/* Rates are those of at least so long. */
#define RATES_OVER_US 900000

typedef enum
{
  LINE_PROGRAM,
  LINE_PROCESS,
  LINE_STATE,
  LINE_BUSY,
  LINE_SWITCHES,
  LINE_READY,
  LINE_WAITING,
  LINE_SPAWNED,
  LINE_FAILED,
  LINE_STACKS,
  LINE_STALLS,
} Line;

G_STATIC_ASSERT (LINE_STALLS + 1 == DASH_WATCH_LINES);

static const struct
{
  const char *caption;
  const char *name;
} lines[DASH_WATCH_LINES] = {
  [LINE_PROGRAM] = { "Program", "process-program" },
  [LINE_PROCESS] = { "Process", "process-number" },
  [LINE_STATE] = { "State", "process-state" },
  [LINE_BUSY] = { "Busy", "process-busy" },
  [LINE_SWITCHES] = { "Switches / s", "process-switches" },
  [LINE_READY] = { "Ready", "process-ready" },
  [LINE_WAITING] = { "Waiting", "process-waiting" },
  [LINE_SPAWNED] = { "Spawned", "process-spawned" },
  [LINE_FAILED] = { "Failed", "process-failed" },
  [LINE_STACKS] = { "Stacks", "process-stacks" },
  [LINE_STALLS] = { "Stalls", "process-stalls" },
};

static GtkLabel *
add_line (GtkGrid *grid, int row, const char *caption, const char *name)
{
  GtkWidget *label = gtk_label_new (caption);
  GtkWidget *value = gtk_label_new ("");

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "ctv-caption");
  gtk_grid_attach (grid, label, 0, row, 1, 1);
  gtk_widget_set_name (value, name);
  gtk_widget_add_css_class (value, "ctv-number");
  gtk_widget_set_hexpand (value, TRUE);
  gtk_label_set_xalign (GTK_LABEL (value), 1);
  gtk_label_set_ellipsize (GTK_LABEL (value), PANGO_ELLIPSIZE_END);
  ctv_label_set_caption (GTK_LABEL (value), caption);
  gtk_grid_attach (grid, value, 1, row, 1, 1);

  return GTK_LABEL (value);
}

static void
on_queue (GtkDropDown *drop_down, GParamSpec *pspec, DashWatchCard *self)
{
  guint queue = gtk_drop_down_get_selected (drop_down);

  if (self->watch != NULL && queue != GTK_INVALID_LIST_POSITION)
    self->watch->queue = queue;
}

void
dash_watch_card_init (DashWatchCard *self)
{
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  GtkWidget *queue = gtk_label_new_with_mnemonic ("_Queue");

  gtk_grid_set_row_spacing (grid, 6);
  gtk_grid_set_column_spacing (grid, 12);
  for (int i = 0; i < DASH_WATCH_LINES; i++)
    self->values[i] = add_line (grid, i, lines[i].caption, lines[i].name);

  self->queue = gtk_drop_down_new (NULL, NULL);
  gtk_widget_set_name (self->queue, "process-queue");
  gtk_widget_set_tooltip_text (self->queue, "Which of its callback queues is shown");
  gtk_label_set_xalign (GTK_LABEL (queue), 0);
  gtk_widget_add_css_class (queue, "ctv-caption");
  gtk_label_set_mnemonic_widget (GTK_LABEL (queue), self->queue);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (self->queue), GTK_ACCESSIBLE_RELATION_LABELLED_BY, queue, NULL, -1);
  gtk_grid_attach (grid, queue, 0, DASH_WATCH_LINES, 1, 1);
  gtk_grid_attach (grid, self->queue, 1, DASH_WATCH_LINES, 1, 1);
  g_signal_connect (self->queue, "notify::selected", G_CALLBACK (on_queue), self);
  self->widget = GTK_WIDGET (grid);
}

void
dash_watch_card_set_watch (DashWatchCard *self, DashWatch *watch)
{
  self->watch = NULL;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->queue), NULL);
  self->watch = watch;
  self->before = (CothreadStatistics) { 0 };
  self->busy = self->switches = 0;
  for (int i = 0; i < DASH_WATCH_LINES; i++)
    ctv_label_update (self->values[i], "");
}

static void
take_rates (DashWatchCard *self, const CothreadStatistics *now)
{
  gint64 us = now->age_us - self->before.age_us;

  if (us < RATES_OVER_US)
    return;
  self->busy = CLAMP ((double) (now->busy_us - self->before.busy_us) / (double) us, 0, 1);
  self->switches = (double) (now->switches - self->before.switches) * G_USEC_PER_SEC / (double) us;
  self->before = *now;
}

/* Takes the text. */
static void
show (DashWatchCard *self, Line line, char *text)
{
  ctv_label_update (self->values[line], text);
  g_free (text);
}

static gboolean
lists_the_same (GListModel *model, char *const *names)
{
  guint n = names != NULL ? g_strv_length ((char **) names) : 0;

  if (model == NULL || g_list_model_get_n_items (model) != n)
    return model == NULL && n == 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GtkStringObject) item = g_list_model_get_item (model, i);

      if (!g_str_equal (gtk_string_object_get_string (item), names[i]))
        return FALSE;
    }
  return TRUE;
}

static void
show_queues (DashWatchCard *self)
{
  GtkDropDown *drop_down = GTK_DROP_DOWN (self->queue);
  g_autoptr (GtkStringList) list = NULL;
  guint queue = self->watch->queue;

  if (lists_the_same (gtk_drop_down_get_model (drop_down), self->watch->queues))
    return;
  list = gtk_string_list_new ((const char *const *) self->watch->queues);
  gtk_drop_down_set_model (drop_down, G_LIST_MODEL (list));
  gtk_drop_down_set_selected (drop_down, queue);
}

static const char *
name_state (DashWatchState state)
{
  static const char *const names[] = {
    [DASH_WATCH_SEARCHING] = "searching",
    [DASH_WATCH_ANSWERS] = "answers",
    [DASH_WATCH_HANGS] = "does not answer",
    [DASH_WATCH_ENDED] = "has ended",
    [DASH_WATCH_FAILED] = "cannot be watched",
  };

  return names[state];
}

void
dash_watch_card_update (DashWatchCard *self)
{
  const CothreadStatistics *now;

  if (self->watch == NULL)
    return;

  now = &self->watch->readings.scheduler;
  show (self, LINE_STATE, g_strdup (name_state (self->watch->state)));
  ctv_label_set_alert (self->values[LINE_STATE], self->watch->problem != NULL);
  show (self, LINE_PROGRAM, ctv_format_text (self->watch->program));
  show (self, LINE_PROCESS, ctv_format_text (self->watch->remote != NULL ? cothread_remote_get_process (self->watch->remote)
                                                                         : self->watch->target));
  if (!dash_watch_has_read (self->watch))
    return;

  take_rates (self, now);
  show (self, LINE_BUSY, g_strdup_printf ("%.0f %%", self->busy * 100));
  show (self, LINE_SWITCHES, ctv_format_count ((guint64) llround (MAX (self->switches, 0))));
  show (self, LINE_READY, ctv_format_count (now->ready));
  show (self, LINE_WAITING, ctv_format_count (now->waiting));
  show (self, LINE_SPAWNED, ctv_format_count (now->spawned));
  show (self, LINE_FAILED, ctv_format_count (now->failed));
  show (self, LINE_STACKS, ctv_format_count (now->stacks_live));
  show (self, LINE_STALLS, ctv_format_count (now->stalls));
  show_queues (self);
}
