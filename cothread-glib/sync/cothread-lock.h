/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_LOCK (cothread_lock_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadLock, cothread_lock, COTHREAD, LOCK, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadLock *cothread_lock_new (void);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_lock_acquire (CothreadLock *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_lock_acquire_async (CothreadLock *self,
                                  gint64 timeout_us,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_lock_acquire_finish (CothreadLock *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_lock_release (CothreadLock *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_lock_is_held (CothreadLock *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_lock_is_own (CothreadLock *self);

G_END_DECLS
