/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-histogram.h"

#include <math.h>

#include "ctv-format.h"
#include "ctv-palette.h"

#define FIRST_US 1.0
#define LAST_US 10e6
#define MARGIN 6
#define AXIS_HEIGHT 18

struct _CtvHistogram
{
  GtkWidget parent;
  char *title;
  char *spoken;
  CtvDurations durations;
  gint64 mark_us; /* 0: none */
};

G_DEFINE_FINAL_TYPE (CtvHistogram, ctv_histogram, GTK_TYPE_WIDGET)

static float
x_of (float width, double us)
{
  return width * (float) (log (CLAMP (us, FIRST_US, LAST_US) / FIRST_US) / log (LAST_US / FIRST_US));
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
  static const gint64 ticks_us[] = { 10, 100, 1000, 10000, 100000, 1000000 };
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA line = ctv_text_color (widget, 0.12);
  GdkRGBA text = ctv_text_color (widget, 0.65);

  ctv_fill (snapshot, line, 0, floor_y, width, 1);
  for (guint i = 0; i < G_N_ELEMENTS (ticks_us); i++)
    {
      float x = (int) x_of (width, (double) ticks_us[i]);

      ctv_fill (snapshot, line, x, MARGIN, 1, floor_y - MARGIN);
      if (i % 2 == 0 || width > 400)
        {
          g_autofree char *label = ticks_us[i] == 1000000 ? g_strdup ("1 s")
                                   : ticks_us[i] < 1000  ? g_strdup_printf ("%d µs", (int) ticks_us[i])
                                                         : g_strdup_printf ("%d ms", (int) (ticks_us[i] / 1000));

          ctv_draw_text (snapshot, widget, label, text, x, floor_y + AXIS_HEIGHT / 2.0f + 1, 0.5f);
        }
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
      float x = x_of (width, ctv_durations_get_edge_us (i));
      float end = x_of (width, ctv_durations_get_edge_us (i + 1));
      float bar = MAX (room * (float) ((double) self->durations.counts[i] / highest), 1);

      if (self->durations.counts[i] > 0)
        ctv_fill (snapshot, CTV_BLUE, x, floor_y - bar, MAX (end - x - 1, 1), bar);
    }
  if (self->mark_us > 0)
    ctv_fill (snapshot, CTV_RED, (int) x_of (width, (double) self->mark_us), MARGIN, 1, room);
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
ctv_histogram_set (CtvHistogram *self, const CtvDurations *durations, gint64 mark_us)
{
  if (mark_us == self->mark_us && durations->n == self->durations.n &&
      memcmp (durations->counts, self->durations.counts, sizeof durations->counts) == 0)
    return;

  self->durations = *durations;
  self->mark_us = mark_us;
  speak (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
