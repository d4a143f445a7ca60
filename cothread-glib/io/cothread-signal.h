/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_signal (gpointer instance,
                               const char *detailed_signal,
                               gint64 timeout_us,
                               GArray **arguments,
                               GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_notify (GObject *object, const char *property_name, gint64 timeout_us, GError **error);

COTHREAD_AVAILABLE_IN_0_1
void cothread_wait_signal_async (GObject *instance,
                                 const char *detailed_signal,
                                 gint64 timeout_us,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_signal_finish (GAsyncResult *result, GArray **arguments, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_signal_finish_plain (GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_wait_notify_async (GObject *object,
                                 const char *property_name,
                                 gint64 timeout_us,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_notify_finish (GAsyncResult *result, GError **error);

/**
 * CothreadSignalFunc: (skip)
 * @instance: who emitted the signal
 * @arguments: (array length=n_arguments): copies of its arguments
 * @n_arguments: how many
 * @user_data: what cothread_connect_task() was given
 *
 * Handles a signal in a task of its own, some time after the emission. It may
 * wait.
 *
 * Since: 0.1
 */
typedef void (*CothreadSignalFunc) (gpointer instance, const GValue *arguments, guint n_arguments, gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
gulong cothread_connect_task (gpointer instance,
                              const char *detailed_signal,
                              CothreadSignalFunc func,
                              gpointer user_data,
                              GDestroyNotify user_data_destroy);

G_END_DECLS
