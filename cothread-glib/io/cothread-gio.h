/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "io/cothread-await.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_load_file (GFile *file, char **contents, gsize *length, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_save_file (GFile *file, const char *contents, gssize length, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_list_folder (GFile *folder, const char *attributes, GFileQueryInfoFlags flags, GError **error);

COTHREAD_AVAILABLE_IN_0_1
GList *cothread_resolve (const char *host_name, GError **error);
COTHREAD_AVAILABLE_IN_0_1
GSocketConnection *cothread_connect_to_host (const char *host_and_port,
                                             guint16 default_port,
                                             gint64 timeout_us,
                                             GError **error);
COTHREAD_AVAILABLE_IN_0_1
GSocketConnection *cothread_accept_connection (GSocketListener *listener, GObject **source_object, GError **error);

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_run (const char *const *argv,
                       GBytes *input,
                       GBytes **output,
                       GBytes **errors,
                       gint *wait_status,
                       GError **error);

COTHREAD_AVAILABLE_IN_0_1
GVariant *cothread_call_dbus (GDBusConnection *connection,
                              const char *bus_name,
                              const char *object_path,
                              const char *interface_name,
                              const char *method_name,
                              GVariant *parameters,
                              const GVariantType *reply_type,
                              gint64 timeout_us,
                              GError **error);

G_END_DECLS
