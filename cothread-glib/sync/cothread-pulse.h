/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_PULSE (cothread_pulse_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadPulse, cothread_pulse, COTHREAD, PULSE, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadPulse *cothread_pulse_new (void);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_pulse_signal (CothreadPulse *self, gboolean wake_all);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_pulse_wait (CothreadPulse *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_pulse_wait_async (CothreadPulse *self,
                                gint64 timeout_us,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_pulse_wait_finish (CothreadPulse *self, GAsyncResult *result, GError **error);

G_END_DECLS
