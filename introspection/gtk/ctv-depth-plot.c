/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-depth-plot.h"

#include "ctv-depth-history.h"
#include "ctv-format.h"
#include "ctv-palette.h"

#define AXIS_WIDTH 56
#define TOP 12
#define BOTTOM 24

struct _CtvDepthPlot
{
  GtkWidget parent;
  CtvTakeDepth take;
  gpointer take_data;
  char *spoken;
  CtvDepthHistory history;
  guint bound;
  guint high_water;
  gboolean is_stopped;
};

G_DEFINE_FINAL_TYPE (CtvDepthPlot, ctv_depth_plot, GTK_TYPE_WIDGET)

typedef struct
{
  GtkSnapshot *snapshot;
  float width;
  float height;
  guint top; /* the depth at the upper edge */
} Frame;

static float
y_of (const Frame *frame, guint depth)
{
  float room = frame->height - TOP - BOTTOM;

  return frame->height - BOTTOM - room * MIN (depth, frame->top) / frame->top;
}

/* A round number with some air above the highest column; coarse steps, so that
 * the scale does not change all the time. */
static guint
choose_top (guint highest)
{
  static const guint tenths[] = { 10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100 };
  guint64 wanted = MAX (10, (guint64) highest + highest / 20);
  guint64 unit = 1;

  while (unit * 100 < wanted)
    unit *= 10;
  for (guint i = 0; i < G_N_ELEMENTS (tenths); i++)
    if (tenths[i] * unit >= wanted)
      return MIN (tenths[i] * unit, G_MAXUINT);

  return G_MAXUINT;
}

static guint
find_highest (CtvDepthPlot *self, guint n_columns)
{
  guint highest = 0;

  for (guint back = 0; back < n_columns; back++)
    highest = MAX (highest, ctv_depth_history_get (&self->history, back).high);

  return highest;
}

static void
draw_axis (CtvDepthPlot *self, const Frame *frame)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA line = ctv_text_color (widget, 0.12);
  GdkRGBA text = ctv_text_color (widget, 0.65);

  for (guint i = 0; i <= 2; i++)
    {
      guint depth = (guint64) frame->top * i / 2;
      float y = (int) y_of (frame, depth);
      g_autofree char *number = ctv_format_count (depth);

      ctv_fill (frame->snapshot, line, AXIS_WIDTH, y, frame->width - AXIS_WIDTH, 1);
      ctv_draw_text (frame->snapshot, widget, number, text, AXIS_WIDTH - 8, y, 1);
    }
}

static void
draw_time_axis (CtvDepthPlot *self, const Frame *frame)
{
  GdkRGBA text = ctv_text_color (GTK_WIDGET (self), 0.65);
  int seconds = (gint64) (frame->width - AXIS_WIDTH) * CTV_COLUMN_US / G_USEC_PER_SEC;
  g_autofree char *left = g_strdup_printf ("%d s ago", seconds);
  float y = frame->height - 9;

  ctv_draw_text (frame->snapshot, GTK_WIDGET (self), left, text, AXIS_WIDTH, y, 0);
  ctv_draw_text (frame->snapshot, GTK_WIDGET (self), "now", text, frame->width, y, 1);
}

/* Columns of equal range become one node: an idle queue costs next to nothing. */
static void
draw_depth (CtvDepthPlot *self, const Frame *frame)
{
  GdkRGBA line = CTV_BLUE;
  GdkRGBA area = ctv_fade (CTV_BLUE, 0.22);
  guint n_columns = MIN ((guint) (frame->width - AXIS_WIDTH), self->history.length);
  float floor_y = y_of (frame, 0);

  for (guint back = 0, run; back < n_columns; back += run)
    {
      CtvDepthColumn column = ctv_depth_history_get (&self->history, back);
      float upper = y_of (frame, column.high);
      float lower = y_of (frame, column.low);

      for (run = 1; back + run < n_columns; run++)
        {
          CtvDepthColumn other = ctv_depth_history_get (&self->history, back + run);

          if (other.low != column.low || other.high != column.high)
            break;
        }

      ctv_fill (frame->snapshot, area, frame->width - back - run, upper, run, floor_y - upper);
      ctv_fill (frame->snapshot, line, frame->width - back - run, upper - 1, run, MAX (lower - upper, 0) + 2);
    }
}

static void
draw_mark (CtvDepthPlot *self, const Frame *frame, guint depth, const char *name, GdkRGBA color, float xalign)
{
  g_autofree char *number = ctv_format_count (depth);
  g_autofree char *text = g_strdup_printf (depth > frame->top ? "%s %s \u2191" : "%s %s", name, number);
  float y = (int) y_of (frame, depth);
  float x = xalign > 0 ? frame->width - 4 : AXIS_WIDTH + 6;

  if (depth <= frame->top)
    ctv_fill (frame->snapshot, color, AXIS_WIDTH, y, frame->width - AXIS_WIDTH, 1);
  ctv_draw_text (frame->snapshot, GTK_WIDGET (self), text, color, x, y + (y < 18 ? 10 : -10), xalign);
}

static void
ctv_depth_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  CtvDepthPlot *self = CTV_DEPTH_PLOT (widget);
  Frame frame = { snapshot, gtk_widget_get_width (widget), gtk_widget_get_height (widget), 0 };

  if (frame.width <= AXIS_WIDTH || frame.height <= TOP + BOTTOM)
    return;

  frame.top = choose_top (find_highest (self, frame.width - AXIS_WIDTH));
  draw_axis (self, &frame);
  draw_time_axis (self, &frame);
  draw_depth (self, &frame);
  draw_mark (self, &frame, self->high_water, "high water", CTV_AMBER, 0);
  if (self->bound > 0)
    draw_mark (self, &frame, self->bound, "bound", CTV_RED, 1);
  else
    ctv_draw_text (snapshot, widget, "no bound", CTV_RED, frame.width - 4, TOP + 10, 1);
}

static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  CtvDepthPlot *self = CTV_DEPTH_PLOT (widget);
  guint low, high;

  if (self->is_stopped)
    return G_SOURCE_CONTINUE;

  self->take (self->take_data, &low, &high);
  if (ctv_depth_history_add (&self->history, g_get_monotonic_time (), low, high))
    gtk_widget_queue_draw (widget);

  return G_SOURCE_CONTINUE;
}

static void
ctv_depth_plot_finalize (GObject *object)
{
  g_free (CTV_DEPTH_PLOT (object)->spoken);
  G_OBJECT_CLASS (ctv_depth_plot_parent_class)->finalize (object);
}

static void
ctv_depth_plot_class_init (CtvDepthPlotClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ctv_depth_plot_finalize;
  widget_class->snapshot = ctv_depth_plot_snapshot;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "depthplot");
}

static void
ctv_depth_plot_init (CtvDepthPlot *self)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, "Callback queue over time", -1);
  gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
}

/* At each frame the plot asks for the least and the most since the last one. */
GtkWidget *
ctv_depth_plot_new (CtvTakeDepth take, gpointer data)
{
  CtvDepthPlot *self = g_object_new (CTV_TYPE_DEPTH_PLOT, NULL);

  self->take = take;
  self->take_data = data;

  return GTK_WIDGET (self);
}

/* What was seen so far was of something else. */
void
ctv_depth_plot_clear (CtvDepthPlot *self)
{
  self->history = (CtvDepthHistory) { .length = 0 };
  self->is_stopped = FALSE;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* There is nothing more to come: what was seen stays where it is. */
void
ctv_depth_plot_set_stopped (CtvDepthPlot *self, gboolean is_stopped)
{
  self->is_stopped = is_stopped;
}

/* For those who cannot see the plot: what it shows now, in words. */
static void
speak (CtvDepthPlot *self, guint depth)
{
  g_autofree char *bound = self->bound > 0 ? g_strdup_printf ("bound %u", self->bound) : g_strdup ("no bound");
  g_autofree char *text =
    g_strdup_printf ("Callback queue over time: %u waiting, high water %u, %s", depth, self->high_water, bound);

  if (g_strcmp0 (text, self->spoken) == 0)
    return;
  g_free (self->spoken);
  self->spoken = g_steal_pointer (&text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, self->spoken, -1);
}

/* Drawn with the next column. */
void
ctv_depth_plot_set_marks (CtvDepthPlot *self, guint depth, guint bound, guint high_water)
{
  self->bound = bound;
  self->high_water = high_water;
  speak (self, depth);
}
