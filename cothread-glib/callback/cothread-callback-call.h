/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-queue.h"
#include "loop/cothread-task.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_call (CothreadCallbackQueue *self,
                                       CothreadTaskFunc func,
                                       gpointer user_data,
                                       GDestroyNotify user_data_destroy,
                                       GDestroyNotify result_destroy,
                                       gint64 timeout_us,
                                       GCancellable *cancellable,
                                       gpointer *result,
                                       GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_call_async (CothreadCallbackQueue *self,
                                         CothreadTaskFunc func,
                                         gpointer user_data,
                                         GDestroyNotify user_data_destroy,
                                         GDestroyNotify result_destroy,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer callback_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_call_finish (CothreadCallbackQueue *self,
                                              GAsyncResult *result,
                                              gpointer *value,
                                              GError **error);

G_END_DECLS
