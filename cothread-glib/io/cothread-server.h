/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_SERVER (cothread_server_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadServer, cothread_server, COTHREAD, SERVER, GObject)

/**
 * CothreadServerFunc: (skip)
 * @connection: a connection; closed when the function has returned
 * @user_data: what the server was made with
 *
 * Serves one connection, in a task of its own. It may wait, and finds out by the
 * errors of its waits that the server was stopped.
 *
 * Since: 0.1
 */
typedef void (*CothreadServerFunc) (GSocketConnection *connection, gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
CothreadServer *cothread_server_new (guint max_connections,
                                     CothreadServerFunc func,
                                     gpointer user_data,
                                     GDestroyNotify user_data_destroy);
COTHREAD_AVAILABLE_IN_0_1
GSocketListener *cothread_server_get_listener (CothreadServer *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_server_start (CothreadServer *self, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_server_stop (CothreadServer *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_server_wait (CothreadServer *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_server_wait_async (CothreadServer *self,
                                 gint64 timeout_us,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_server_wait_finish (CothreadServer *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_server_get_n_connections (CothreadServer *self);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_server_get_n_refused (CothreadServer *self);

G_END_DECLS
