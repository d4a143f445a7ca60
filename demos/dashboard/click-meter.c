/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "click-meter.h"

#define LONGEST_US (60 * G_USEC_PER_SEC)

/* A display server on this machine stamps events with the same clock, in
 * milliseconds and cut to 32 bits; a remote one gives nonsense, left out. */
static gboolean
on_event (GtkEventControllerLegacy *controller, GdkEvent *event, gpointer user_data)
{
  DashClickMeter *self = user_data;
  GdkEventType type = gdk_event_get_event_type (event);
  guint32 now_ms = g_get_monotonic_time () / 1000;
  gint64 late_us = (gint64) (gint32) (now_ms - gdk_event_get_time (event)) * 1000;

  if ((type == GDK_BUTTON_PRESS || type == GDK_KEY_PRESS) && late_us >= 0 && late_us < LONGEST_US)
    {
      self->n++;
      self->total_us += late_us;
      self->worst_us = MAX (self->worst_us, late_us);
    }

  return GDK_EVENT_PROPAGATE;
}

void
dash_click_meter_attach (DashClickMeter *self, GtkWidget *window)
{
  GtkEventController *controller = gtk_event_controller_legacy_new ();

  gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_CAPTURE);
  g_signal_connect (controller, "event", G_CALLBACK (on_event), self);
  gtk_widget_add_controller (window, controller);
}
