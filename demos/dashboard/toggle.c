/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toggle.h"

void
dash_toggle_init (DashToggle *self)
{
  *self = (DashToggle) { .changed = cothread_pulse_new () };
}

void
dash_toggle_clear (DashToggle *self)
{
  g_clear_object (&self->changed);
}

void
dash_toggle_set (DashToggle *self, gboolean is_on)
{
  self->is_on = is_on;
  cothread_pulse_signal (self->changed, TRUE);
}

/* From here on nobody waits. */
void
dash_toggle_stop (DashToggle *self)
{
  self->is_stopping = TRUE;
  self->is_on = FALSE;
  cothread_pulse_signal (self->changed, TRUE);
}

/* FALSE: there is an end. */
gboolean
dash_toggle_await (DashToggle *self, gboolean is_on)
{
  while (self->is_on != is_on && !self->is_stopping)
    if (!cothread_pulse_wait (self->changed, COTHREAD_FOREVER, NULL))
      return FALSE;

  return !self->is_stopping;
}
