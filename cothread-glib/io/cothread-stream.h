/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "io/cothread-await.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gssize cothread_stream_read (GInputStream *stream, void *buffer, gsize n_bytes, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_stream_read_all (GInputStream *stream, void *buffer, gsize n_bytes, gsize *n_read, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_stream_write_all (GOutputStream *stream, const void *buffer, gsize n_bytes, gsize *n_written, GError **error);
COTHREAD_AVAILABLE_IN_0_1
char *cothread_stream_read_line (GDataInputStream *stream, gsize *length, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_stream_close (GIOStream *stream, GError **error);

G_END_DECLS
