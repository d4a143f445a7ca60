/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_EVENT_QUEUE (cothread_event_queue_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadEventQueue, cothread_event_queue, COTHREAD, EVENT_QUEUE, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadEventQueue *cothread_event_queue_new (guint max_length, GDestroyNotify item_destroy);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_queue_signal (CothreadEventQueue *self, gpointer item);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_queue_wait (CothreadEventQueue *self, gint64 timeout_us, gpointer *item, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_queue_wait_async (CothreadEventQueue *self,
                                      gint64 timeout_us,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_queue_wait_finish (CothreadEventQueue *self, GAsyncResult *result, gpointer *item, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_queue_close (CothreadEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_event_queue_is_closed (CothreadEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_event_queue_get_length (CothreadEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_queue_foreach (CothreadEventQueue *self, GFunc func, gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_event_queue_get_max_length (CothreadEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_queue_reset (CothreadEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_event_queue_abort_wait (CothreadEventQueue *self);

G_END_DECLS
