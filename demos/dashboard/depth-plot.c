/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "depth-plot.h"

#include "depth-history.h"
#include "format.h"
#include "palette.h"

#define AXIS_WIDTH 56
#define TOP 12
#define BOTTOM 24

struct _DashDepthPlot
{
  GtkWidget parent;
  DashProbe *probe;
  DashDepthHistory history;
  guint bound;
  guint high_water;
};

G_DEFINE_FINAL_TYPE (DashDepthPlot, dash_depth_plot, GTK_TYPE_WIDGET)

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
find_highest (DashDepthPlot *self, guint n_columns)
{
  guint highest = 0;

  for (guint back = 0; back < n_columns; back++)
    highest = MAX (highest, dash_depth_history_get (&self->history, back).high);

  return highest;
}

static void
draw_axis (DashDepthPlot *self, const Frame *frame)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA line = dash_text_color (widget, 0.12);
  GdkRGBA text = dash_text_color (widget, 0.65);

  for (guint i = 0; i <= 2; i++)
    {
      guint depth = (guint64) frame->top * i / 2;
      float y = (int) y_of (frame, depth);
      g_autofree char *number = dash_format_count (depth);

      dash_fill (frame->snapshot, line, AXIS_WIDTH, y, frame->width - AXIS_WIDTH, 1);
      dash_draw_text (frame->snapshot, widget, number, text, AXIS_WIDTH - 8, y, 1);
    }
}

static void
draw_time_axis (DashDepthPlot *self, const Frame *frame)
{
  GdkRGBA text = dash_text_color (GTK_WIDGET (self), 0.65);
  int seconds = (gint64) (frame->width - AXIS_WIDTH) * DASH_COLUMN_US / G_USEC_PER_SEC;
  g_autofree char *left = g_strdup_printf ("%d s ago", seconds);
  float y = frame->height - 9;

  dash_draw_text (frame->snapshot, GTK_WIDGET (self), left, text, AXIS_WIDTH, y, 0);
  dash_draw_text (frame->snapshot, GTK_WIDGET (self), "now", text, frame->width, y, 1);
}

/* Columns of equal range become one node: an idle queue costs next to nothing. */
static void
draw_depth (DashDepthPlot *self, const Frame *frame)
{
  GdkRGBA line = DASH_BLUE;
  GdkRGBA area = dash_fade (DASH_BLUE, 0.22);
  guint n_columns = MIN ((guint) (frame->width - AXIS_WIDTH), self->history.length);
  float floor_y = y_of (frame, 0);

  for (guint back = 0, run; back < n_columns; back += run)
    {
      DashColumn column = dash_depth_history_get (&self->history, back);
      float upper = y_of (frame, column.high);
      float lower = y_of (frame, column.low);

      for (run = 1; back + run < n_columns; run++)
        {
          DashColumn other = dash_depth_history_get (&self->history, back + run);

          if (other.low != column.low || other.high != column.high)
            break;
        }

      dash_fill (frame->snapshot, area, frame->width - back - run, upper, run, floor_y - upper);
      dash_fill (frame->snapshot, line, frame->width - back - run, upper - 1, run, MAX (lower - upper, 0) + 2);
    }
}

static void
draw_mark (DashDepthPlot *self, const Frame *frame, guint depth, const char *name, GdkRGBA color, float xalign)
{
  g_autofree char *number = dash_format_count (depth);
  g_autofree char *text = g_strdup_printf (depth > frame->top ? "%s %s \u2191" : "%s %s", name, number);
  float y = (int) y_of (frame, depth);
  float x = xalign > 0 ? frame->width - 4 : AXIS_WIDTH + 6;

  if (depth <= frame->top)
    dash_fill (frame->snapshot, color, AXIS_WIDTH, y, frame->width - AXIS_WIDTH, 1);
  dash_draw_text (frame->snapshot, GTK_WIDGET (self), text, color, x, y + (y < 18 ? 10 : -10), xalign);
}

static void
dash_depth_plot_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  DashDepthPlot *self = DASH_DEPTH_PLOT (widget);
  Frame frame = { snapshot, gtk_widget_get_width (widget), gtk_widget_get_height (widget), 0 };

  if (frame.width <= AXIS_WIDTH || frame.height <= TOP + BOTTOM)
    return;

  frame.top = choose_top (find_highest (self, frame.width - AXIS_WIDTH));
  draw_axis (self, &frame);
  draw_time_axis (self, &frame);
  draw_depth (self, &frame);
  draw_mark (self, &frame, self->high_water, "high water", DASH_AMBER, 0);
  if (self->bound > 0)
    draw_mark (self, &frame, self->bound, "bound", DASH_RED, 1);
  else
    dash_draw_text (snapshot, widget, "no bound", DASH_RED, frame.width - 4, TOP + 10, 1);
}

static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  DashDepthPlot *self = DASH_DEPTH_PLOT (widget);
  guint low, high;

  dash_probe_take (self->probe, &low, &high);
  if (dash_depth_history_add (&self->history, g_get_monotonic_time (), low, high))
    gtk_widget_queue_draw (widget);

  return G_SOURCE_CONTINUE;
}

static void
dash_depth_plot_class_init (DashDepthPlotClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->snapshot = dash_depth_plot_snapshot;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "depthplot");
}

static void
dash_depth_plot_init (DashDepthPlot *self)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "Depth of the callback queue over time", -1);
  gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
}

GtkWidget *
dash_depth_plot_new (DashProbe *probe)
{
  DashDepthPlot *self = g_object_new (DASH_TYPE_DEPTH_PLOT, NULL);

  self->probe = probe;
  return GTK_WIDGET (self);
}

/* Drawn with the next column. */
void
dash_depth_plot_set_marks (DashDepthPlot *self, guint bound, guint high_water)
{
  self->bound = bound;
  self->high_water = high_water;
}
