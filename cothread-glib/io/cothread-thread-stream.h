/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

typedef struct _CothreadThreadStream CothreadThreadStream;

/**
 * CothreadThreadStreamFunc: (skip)
 * @stream: where to send results, with cothread_thread_stream_send()
 * @user_data: what the stream was made with
 * @error: where to report a failure, which the taker gets after the results
 *
 * Makes results, in a thread of its own.
 *
 * Returns: %FALSE on failure, with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*CothreadThreadStreamFunc) (CothreadThreadStream *stream, gpointer user_data, GError **error);

COTHREAD_AVAILABLE_IN_0_1
CothreadThreadStream *cothread_thread_stream_new (const char *name,
                                                  guint max_length,
                                                  CothreadThreadStreamFunc func,
                                                  gpointer user_data,
                                                  GDestroyNotify user_data_destroy,
                                                  GDestroyNotify result_destroy,
                                                  GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_thread_stream_free (CothreadThreadStream *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_thread_stream_send (CothreadThreadStream *self, gpointer result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_thread_stream_next (CothreadThreadStream *self, gint64 timeout_us, gpointer *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_thread_stream_next_async (CothreadThreadStream *self,
                                        gint64 timeout_us,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_thread_stream_next_finish (CothreadThreadStream *self,
                                             GAsyncResult *answer,
                                             gpointer *result,
                                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadThreadStream, cothread_thread_stream_free)

G_END_DECLS
