/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "animation.h"

#include <math.h>

#include "ctv-palette.h"

#define TRAIL 36
#define LAP_US 2600000
#define DOT 7

/*
 * A comet on its orbit. Its trail is made of the places where it was at the
 * last frames: a frame that came late leaves a gap in it that the eye catches.
 */
struct _DashAnimation
{
  GtkWidget parent;
  DashFrameMeter meter;
  double angles[TRAIL]; /* newest first */
};

G_DEFINE_FINAL_TYPE (DashAnimation, dash_animation, GTK_TYPE_WIDGET)

static void
draw_dot (GtkSnapshot *snapshot, GdkRGBA color, float x, float y, float radius)
{
  GskRoundedRect dot;

  gsk_rounded_rect_init_from_rect (&dot, &GRAPHENE_RECT_INIT (x - radius, y - radius, 2 * radius, 2 * radius), radius);
  gtk_snapshot_push_rounded_clip (snapshot, &dot);
  gtk_snapshot_append_color (snapshot, &color, &dot.bounds);
  gtk_snapshot_pop (snapshot);
}

static void
draw_orbit (GtkSnapshot *snapshot, GdkRGBA color, float x, float y, float radius)
{
  GskRoundedRect orbit;

  gsk_rounded_rect_init_from_rect (&orbit, &GRAPHENE_RECT_INIT (x - radius, y - radius, 2 * radius, 2 * radius), radius);
  gtk_snapshot_append_border (snapshot, &orbit, (float[4]) { 1, 1, 1, 1 },
                              (GdkRGBA[4]) { color, color, color, color });
}

static void
dash_animation_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  DashAnimation *self = DASH_ANIMATION (widget);
  float x = gtk_widget_get_width (widget) / 2.0f;
  float y = gtk_widget_get_height (widget) / 2.0f;
  float radius = MIN (x, y) - DOT - 2;

  if (radius <= 0)
    return;

  draw_orbit (snapshot, ctv_text_color (widget, 0.15), x, y, radius);
  for (int i = MIN (TRAIL, self->meter.frames) - 1; i >= 0; i--)
    {
      float age = (float) i / TRAIL;

      draw_dot (snapshot, ctv_fade (CTV_BLUE, i == 0 ? 1 : 0.6f * (1 - age) * (1 - age)),
                x + radius * (float) cos (self->angles[i]), y + radius * (float) sin (self->angles[i]),
                DOT * (1 - 0.7f * age));
    }
}

static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  DashAnimation *self = DASH_ANIMATION (widget);
  gint64 shown_us = gdk_frame_clock_get_frame_time (clock);

  dash_frame_meter_tick (&self->meter, g_get_monotonic_time ());
  memmove (self->angles + 1, self->angles, sizeof self->angles - sizeof self->angles[0]);
  self->angles[0] = 2 * G_PI * (shown_us % LAP_US) / LAP_US;
  gtk_widget_queue_draw (widget);

  return G_SOURCE_CONTINUE;
}

static void
dash_animation_class_init (DashAnimationClass *klass)
{
  GTK_WIDGET_CLASS (klass)->snapshot = dash_animation_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "animation");
}

static void
dash_animation_init (DashAnimation *self)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "A dot in steady motion: it stumbles when the main loop is held up", -1);
  gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
}

GtkWidget *
dash_animation_new (void)
{
  return g_object_new (DASH_TYPE_ANIMATION, NULL);
}

DashFrameMeter *
dash_animation_get_meter (DashAnimation *self)
{
  return &self->meter;
}
