/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_SEMAPHORE (cothread_semaphore_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadSemaphore, cothread_semaphore, COTHREAD, SEMAPHORE, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadSemaphore *cothread_semaphore_new (guint available, guint maximum);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_semaphore_acquire (CothreadSemaphore *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_semaphore_acquire_async (CothreadSemaphore *self,
                                       gint64 timeout_us,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_semaphore_acquire_finish (CothreadSemaphore *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_semaphore_release (CothreadSemaphore *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_semaphore_get_available (CothreadSemaphore *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_semaphore_get_maximum (CothreadSemaphore *self);

G_END_DECLS
