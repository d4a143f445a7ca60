/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "controls.h"

#include "ctv-tile.h"

/* The original has no slice: it works through the queue, however long it is.
 * This is the longest slice there is. */
#define NO_SLICE_US G_USEC_PER_SEC

/* What the switch "As the original did" overrules. */
typedef struct
{
  DashTargets *targets;
  GtkWidget *bound;
  GtkWidget *slice;
} Fairness;

static void
on_flood (GtkSwitch *widget, GParamSpec *pspec, DashTargets *targets)
{
  dash_flood_set_enabled (targets->flood, gtk_switch_get_active (widget));
}

static void
on_index (GtkSwitch *widget, GParamSpec *pspec, DashTargets *targets)
{
  dash_indexer_set_enabled (targets->indexer, gtk_switch_get_active (widget));
}

static void
on_sleepers (GtkSwitch *widget, GParamSpec *pspec, DashTargets *targets)
{
  dash_sleepers_set_enabled (targets->sleepers, gtk_switch_get_active (widget));
}

static void
on_echo (GtkSwitch *widget, GParamSpec *pspec, DashTargets *targets)
{
  dash_echo_set_enabled (targets->echo, gtk_switch_get_active (widget));
}

static void
on_rate (GtkSpinButton *widget, DashTargets *targets)
{
  dash_flood_set_rate (targets->flood, gtk_spin_button_get_value_as_int (widget));
}

static void
on_cost (GtkSpinButton *widget, DashTargets *targets)
{
  dash_flood_set_cost (targets->flood, gtk_spin_button_get_value_as_int (widget));
}

static void
on_bound (GtkSpinButton *widget, DashTargets *targets)
{
  int bound = gtk_spin_button_get_value_as_int (widget);

  cothread_callback_queue_set_max_length (targets->queue, bound);
  if (bound == 0)
    gtk_widget_add_css_class (GTK_WIDGET (widget), "ctv-alert");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (widget), "ctv-alert");
}

static void
on_policy (GtkDropDown *widget, GParamSpec *pspec, DashTargets *targets)
{
  cothread_callback_queue_set_overflow (targets->queue, gtk_drop_down_get_selected (widget));
}

static void
on_slice (GtkSpinButton *widget, DashTargets *targets)
{
  cothread_scheduler_set_time_slice (targets->scheduler, gtk_spin_button_get_value (widget) * 1000);
}

static void
on_original (GtkSwitch *widget, GParamSpec *pspec, Fairness *self)
{
  gboolean as_original = gtk_switch_get_active (widget);

  gtk_widget_set_sensitive (self->bound, !as_original);
  gtk_widget_set_sensitive (self->slice, !as_original);
  if (as_original)
    {
      cothread_callback_queue_set_max_length (self->targets->queue, 0);
      cothread_scheduler_set_time_slice (self->targets->scheduler, NO_SLICE_US);
      return;
    }
  on_bound (GTK_SPIN_BUTTON (self->bound), self->targets);
  on_slice (GTK_SPIN_BUTTON (self->slice), self->targets);
}

static void
free_fairness (gpointer data, GClosure *closure)
{
  g_free (data);
}

static GtkWidget *
new_original_switch (Fairness *self)
{
  GtkWidget *widget = gtk_switch_new ();

  gtk_widget_set_halign (widget, GTK_ALIGN_END);
  g_signal_connect_data (widget, "notify::active", G_CALLBACK (on_original), self, free_fairness, 0);

  return widget;
}

static void
add_row (GtkGrid *grid, int row, const char *mnemonic, const char *name, const char *tooltip, GtkWidget *control)
{
  GtkWidget *label = gtk_label_new_with_mnemonic (mnemonic);
  g_autofree char *label_name = g_strconcat (name, "-label", NULL);

  gtk_label_set_mnemonic_widget (GTK_LABEL (label), control);
  gtk_widget_set_name (label, label_name);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_grid_attach (grid, label, 0, row, 1, 1);

  gtk_widget_set_name (control, name);
  gtk_widget_set_tooltip_text (control, tooltip);
  gtk_widget_set_valign (control, GTK_ALIGN_CENTER);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL, -1);
  gtk_grid_attach (grid, control, 1, row, 1, 1);
}

static GtkWidget *
new_switch (gboolean active, GCallback handler, DashTargets *targets)
{
  GtkWidget *widget = gtk_switch_new ();

  gtk_widget_set_halign (widget, GTK_ALIGN_END);
  g_signal_connect (widget, "notify::active", handler, targets);
  gtk_switch_set_active (GTK_SWITCH (widget), active);

  return widget;
}

static GtkWidget *
new_spin (double lowest, double highest, double step, guint digits, double value, GCallback handler,
          DashTargets *targets)
{
  GtkAdjustment *adjustment = gtk_adjustment_new (value, lowest, highest, step, step * 10, 0);
  GtkWidget *widget = gtk_spin_button_new (adjustment, 1, digits);

  gtk_editable_set_width_chars (GTK_EDITABLE (widget), 8);
  g_signal_connect (widget, "value-changed", handler, targets);
  g_signal_emit_by_name (widget, "value-changed");

  return widget;
}

static GtkWidget *
new_policy (CothreadOverflowPolicy policy, DashTargets *targets)
{
  /* In the order of the enumeration. */
  static const char *const names[] = {
    "Refuse new ones", "Drop the oldest", "Block the poster", "Drop the newest", "Merge equal ones", NULL,
  };
  GtkWidget *widget = gtk_drop_down_new_from_strings (names);

  g_signal_connect (widget, "notify::selected", G_CALLBACK (on_policy), targets);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (widget), policy);
  g_object_notify (G_OBJECT (widget), "selected");

  return widget;
}

GtkWidget *
dash_controls_new (DashTargets *targets, const DashOptions *options)
{
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  guint rate = options->flood_rate > 0 ? options->flood_rate : 200000;
  Fairness *fairness = g_new (Fairness, 1);
  guint cost = options->flood_rate > 0 ? options->flood_cost_us : 20;

  gtk_grid_set_row_spacing (grid, 6);
  gtk_grid_set_column_spacing (grid, 12);

  *fairness = (Fairness) {
    .targets = targets,
    .bound = new_spin (0, 10000000, 1000, 0, 10000, G_CALLBACK (on_bound), targets),
    .slice = new_spin (0.1, 50, 0.5, 1, 2, G_CALLBACK (on_slice), targets),
  };

  add_row (grid, 0, "_Index the folder", "index-switch", "The real work: walk the folder and hash its files",
           new_switch (options->attach == NULL, G_CALLBACK (on_index), targets));
  add_row (grid, 1, "100 000 slee_pers", "sleepers-switch", "So many tasks, each with its own stack; some ten thousand wake up every second",
           new_switch (FALSE, G_CALLBACK (on_sleepers), targets));
  add_row (grid, 2, "_Echo server", "echo-switch", "A server and 32 clients, on this machine's loopback interface",
           new_switch (FALSE, G_CALLBACK (on_echo), targets));
  add_row (grid, 3, "_Flood", "flood-switch", "A thread posts far more callbacks than can be run",
           new_switch (options->flood_rate > 0, G_CALLBACK (on_flood), targets));
  add_row (grid, 4, "_Rate, a second", "flood-rate", "How many callbacks the flood posts a second",
           new_spin (1, 5000000, 10000, 0, rate, G_CALLBACK (on_rate), targets));
  add_row (grid, 5, "_Cost, µs each", "flood-cost", "How long each callback of the flood keeps the main thread busy",
           new_spin (0, 100000, 5, 0, cost, G_CALLBACK (on_cost), targets));
  add_row (grid, 6, "_Bound", "bound", "How many callbacks may wait in the queue; 0: no bound, it grows for ever", fairness->bound);
  add_row (grid, 7, "When f_ull", "policy", "What happens to a callback that finds the queue full",
           new_policy (COTHREAD_OVERFLOW_BLOCK, targets));
  add_row (grid, 8, "Time _slice, ms", "slice", "How long the scheduler may hold the main loop at a time", fairness->slice);
  add_row (grid, 9, "As the _original did", "original-switch",
           "No bound, and no slice: a turn lasts until the queue is empty, or for a second", new_original_switch (fairness));

  return GTK_WIDGET (grid);
}

static void
on_pause (GtkToggleButton *widget, DashTargets *targets)
{
  gboolean paused = gtk_toggle_button_get_active (widget);

  if (paused)
    cothread_callback_queue_pause (targets->queue);
  else
    cothread_callback_queue_resume (targets->queue);
  ctv_button_set_mnemonic (GTK_BUTTON (widget), paused ? "Re_sume queue" : "_Pause queue");
}

GtkWidget *
dash_pause_button_new (DashTargets *targets)
{
  GtkWidget *button = gtk_toggle_button_new ();

  ctv_button_set_mnemonic (GTK_BUTTON (button), "_Pause queue");
  gtk_widget_set_name (button, "pause");
  gtk_widget_set_tooltip_text (button, "Stop running callbacks; they pile up in the queue");
  g_signal_connect (button, "toggled", G_CALLBACK (on_pause), targets);

  return button;
}

static void
on_reset (GtkButton *widget, DashTargets *targets)
{
  cothread_callback_queue_reset_high_water (targets->queue);
  cothread_callback_queue_reset_timing (targets->queue);
  cothread_scheduler_reset_longest_turn (targets->scheduler);
}

GtkWidget *
dash_reset_button_new (DashTargets *targets)
{
  GtkWidget *button = gtk_button_new ();

  ctv_button_set_mnemonic (GTK_BUTTON (button), "Reset _marks");
  gtk_widget_set_name (button, "reset");
  gtk_widget_set_tooltip_text (button, "Begin anew with the high-water mark and the longest turn");
  g_signal_connect (button, "clicked", G_CALLBACK (on_reset), targets);

  return button;
}
