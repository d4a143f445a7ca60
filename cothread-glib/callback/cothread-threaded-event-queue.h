/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_THREADED_EVENT_QUEUE (cothread_threaded_event_queue_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadThreadedEventQueue, cothread_threaded_event_queue, COTHREAD, THREADED_EVENT_QUEUE, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadThreadedEventQueue *cothread_threaded_event_queue_new (guint max_length, GDestroyNotify item_destroy);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_signal (CothreadThreadedEventQueue *self, gpointer item);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_send (CothreadThreadedEventQueue *self,
                                             gpointer item,
                                             gint64 timeout_us,
                                             GCancellable *cancellable,
                                             GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_wait (CothreadThreadedEventQueue *self,
                                             gint64 timeout_us,
                                             GCancellable *cancellable,
                                             gpointer *item,
                                             GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_threaded_event_queue_send_async (CothreadThreadedEventQueue *self,
                                               gpointer item,
                                               gint64 timeout_us,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_send_finish (CothreadThreadedEventQueue *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_threaded_event_queue_wait_async (CothreadThreadedEventQueue *self,
                                               gint64 timeout_us,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_wait_finish (CothreadThreadedEventQueue *self,
                                                    GAsyncResult *result,
                                                    gpointer *item,
                                                    GError **error);
COTHREAD_AVAILABLE_IN_0_1
int cothread_threaded_event_queue_get_wait_descriptor (CothreadThreadedEventQueue *self, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_threaded_event_queue_close (CothreadThreadedEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_threaded_event_queue_is_closed (CothreadThreadedEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_threaded_event_queue_get_length (CothreadThreadedEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_threaded_event_queue_get_max_length (CothreadThreadedEventQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_threaded_event_queue_reset (CothreadThreadedEventQueue *self);

G_END_DECLS
