/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-turn-strip.h"

#include "ctv-format.h"
#include "ctv-palette.h"

#define AXIS_WIDTH 56
#define BAR_STEP 4
#define BAR_WIDTH 3
#define MARGIN 6

/* One bar a turn, newest at the right: how long the scheduler held the loop. */
struct _CtvTurnStrip
{
  GtkWidget parent;
  GArray *turns;
  gint64 slice_us;
};

G_DEFINE_FINAL_TYPE (CtvTurnStrip, ctv_turn_strip, GTK_TYPE_WIDGET)

static gint64
find_longest (CtvTurnStrip *self, guint n_bars)
{
  gint64 longest = 0;

  for (guint i = self->turns->len - n_bars; i < self->turns->len; i++)
    longest = MAX (longest, g_array_index (self->turns, gint64, i));

  return longest;
}

static void
draw_bars (CtvTurnStrip *self, GtkSnapshot *snapshot, guint n_bars, gint64 top_us)
{
  float width = gtk_widget_get_width (GTK_WIDGET (self));
  float height = gtk_widget_get_height (GTK_WIDGET (self)) - 2 * MARGIN;

  for (guint back = 0; back < n_bars; back++)
    {
      gint64 turn_us = g_array_index (self->turns, gint64, self->turns->len - 1 - back);
      float bar = MAX (1, height * turn_us / top_us);
      /* A turn may outlast the slice by one callback: twice the slice is news. */
      GdkRGBA color = turn_us > 2 * self->slice_us ? CTV_AMBER : CTV_BLUE;

      ctv_fill (snapshot, color, width - (back + 1) * BAR_STEP, MARGIN + height - bar, BAR_WIDTH, bar);
    }
}

static void
ctv_turn_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  CtvTurnStrip *self = CTV_TURN_STRIP (widget);
  float width = gtk_widget_get_width (widget);
  float height = gtk_widget_get_height (widget) - 2 * MARGIN;
  g_autofree char *slice = ctv_format_us (self->slice_us);
  guint n_bars;
  gint64 top_us;
  float slice_y;

  if (self->turns == NULL || width <= AXIS_WIDTH || self->slice_us <= 0)
    return;

  n_bars = MIN (self->turns->len, (guint) (width - AXIS_WIDTH) / BAR_STEP);
  top_us = MAX (find_longest (self, n_bars), self->slice_us * 5 / 4);
  slice_y = (int) (MARGIN + height - height * self->slice_us / top_us);

  ctv_fill (snapshot, ctv_text_color (widget, 0.12), AXIS_WIDTH, MARGIN + height, width - AXIS_WIDTH, 1);
  draw_bars (self, snapshot, n_bars, top_us);
  ctv_fill (snapshot, CTV_RED, AXIS_WIDTH, slice_y, width - AXIS_WIDTH, 1);
  ctv_draw_text (snapshot, widget, slice, CTV_RED, AXIS_WIDTH - 8, slice_y, 1);
}

static void
ctv_turn_strip_dispose (GObject *object)
{
  g_clear_pointer (&CTV_TURN_STRIP (object)->turns, g_array_unref);
  G_OBJECT_CLASS (ctv_turn_strip_parent_class)->dispose (object);
}

static void
ctv_turn_strip_class_init (CtvTurnStripClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ctv_turn_strip_dispose;
  GTK_WIDGET_CLASS (klass)->snapshot = ctv_turn_strip_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "turnstrip");
}

static void
ctv_turn_strip_init (CtvTurnStrip *self)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "How long the last turns held the main loop", -1);
}

GtkWidget *
ctv_turn_strip_new (void)
{
  return g_object_new (CTV_TYPE_TURN_STRIP, NULL);
}

/* Takes the array. */
void
ctv_turn_strip_set_turns (CtvTurnStrip *self, GArray *turns, gint64 slice_us)
{
  g_clear_pointer (&self->turns, g_array_unref);
  self->turns = turns;
  self->slice_us = slice_us;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
