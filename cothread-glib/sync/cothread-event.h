/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_EVENT (cothread_event_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadEvent, cothread_event, COTHREAD, EVENT, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadEvent *cothread_event_new (gboolean auto_reset);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_get_auto_reset (CothreadEvent *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_signal (CothreadEvent *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_signal_value (CothreadEvent *self, gpointer value, GDestroyNotify value_destroy);
COTHREAD_AVAILABLE_IN_0_1
gpointer cothread_event_peek_value (CothreadEvent *self, GDestroyNotify *value_destroy);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_signal_error (CothreadEvent *self, const GError *error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_reset (CothreadEvent *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_is_signalled (CothreadEvent *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_wait (CothreadEvent *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_wait_value (CothreadEvent *self, gint64 timeout_us, gpointer *value, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_wait_async (CothreadEvent *self,
                                gint64 timeout_us,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_wait_finish (CothreadEvent *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_wait_value_finish (CothreadEvent *self, GAsyncResult *result, gpointer *value, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_abort_wait (CothreadEvent *self);

G_END_DECLS
