/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-histogram.h"

#include <math.h>

#include "ctv-palette.h"

#define FIRST_NS 1e2
#define LAST_NS 10e9
#define MARGIN 6
#define AXIS_HEIGHT 18

struct _CtvHistogram
{
  GtkWidget parent;
  char *title;
  char *spoken;
  CtvDurations durations;
  gint64 mark_ns; /* 0: none */
};

G_DEFINE_FINAL_TYPE (CtvHistogram, ctv_histogram, GTK_TYPE_WIDGET)

static float
x_of (float width, double ns)
{
  return width * (float) (log (CLAMP (ns, FIRST_NS, LAST_NS) / FIRST_NS) / log (LAST_NS / FIRST_NS));
}

static guint64
find_highest (const CtvDurations *durations)
{
  guint64 highest = 1;

  for (guint i = 0; i < CTV_DURATION_BUCKETS; i++)
    highest = MAX (highest, durations->counts[i]);
  return highest;
}

static void
draw_axis (CtvHistogram *self, GtkSnapshot *snapshot, float width, float floor_y)
{
  static const struct
  {
    double ns;
    const char *label;
  } ticks[] = {
    { 1e3, "1 µs" }, { 1e4, NULL }, { 1e5, NULL }, { 1e6, "1 ms" }, { 1e7, NULL }, { 1e8, NULL }, { 1e9, "1 s" },
  };
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA line = ctv_text_color (widget, 0.12);
  GdkRGBA text = ctv_text_color (widget, 0.65);

  ctv_fill (snapshot, line, 0, floor_y, width, 1);
  for (guint i = 0; i < G_N_ELEMENTS (ticks); i++)
    {
      float x = (int) x_of (width, ticks[i].ns);

      ctv_fill (snapshot, line, x, MARGIN, 1, floor_y - MARGIN);
      if (ticks[i].label != NULL)
        ctv_draw_text (snapshot, widget, ticks[i].label, text, x, floor_y + AXIS_HEIGHT / 2.0f + 1, 0.5f);
    }
}

/* What happened once among millions is still drawn: a pixel high. */
static void
ctv_histogram_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  CtvHistogram *self = CTV_HISTOGRAM (widget);
  float width = gtk_widget_get_width (widget);
  float floor_y = gtk_widget_get_height (widget) - AXIS_HEIGHT;
  float room = floor_y - MARGIN;
  double highest = (double) find_highest (&self->durations);

  if (width < 20 || room < 4)
    return;

  draw_axis (self, snapshot, width, floor_y);
  for (guint i = 0; i < CTV_DURATION_BUCKETS; i++)
    {
      float x = x_of (width, ctv_durations_get_edge_ns (i));
      float end = x_of (width, ctv_durations_get_edge_ns (i + 1));
      float bar = MAX (room * (float) ((double) self->durations.counts[i] / highest), 1);

      if (self->durations.counts[i] > 0)
        ctv_fill (snapshot, CTV_BLUE, x, floor_y - bar, MAX (end - x - 1, 1), bar);
    }
  if (self->mark_ns > 0)
    ctv_fill (snapshot, CTV_RED, (int) x_of (width, (double) self->mark_ns), MARGIN, 1, room);
}

static void
ctv_histogram_finalize (GObject *object)
{
  g_free (CTV_HISTOGRAM (object)->title);
  g_free (CTV_HISTOGRAM (object)->spoken);
  G_OBJECT_CLASS (ctv_histogram_parent_class)->finalize (object);
}

static void
ctv_histogram_class_init (CtvHistogramClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ctv_histogram_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = ctv_histogram_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "histogram");
}

static void
ctv_histogram_init (CtvHistogram *self)
{
}

static void
speak (CtvHistogram *self)
{
  g_autofree char *numbers = ctv_durations_dup_text (&self->durations);
  char *text = g_strdup_printf ("%s: %s", self->title, numbers);

  if (g_strcmp0 (text, self->spoken) != 0)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  g_free (self->spoken);
  self->spoken = text;
}

GtkWidget *
ctv_histogram_new (const char *title)
{
  CtvHistogram *self = g_object_new (CTV_TYPE_HISTOGRAM, NULL);

  self->title = g_strdup (title);
  speak (self);

  return GTK_WIDGET (self);
}

void
ctv_histogram_set (CtvHistogram *self, const CtvDurations *durations, gint64 mark_ns)
{
  if (mark_ns == self->mark_ns && durations->n == self->durations.n &&
      memcmp (durations->counts, self->durations.counts, sizeof durations->counts) == 0)
    return;

  self->durations = *durations;
  self->mark_ns = mark_ns;
  speak (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
