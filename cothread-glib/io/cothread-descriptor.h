/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/uio.h>

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

typedef struct _CothreadDescriptor CothreadDescriptor;

COTHREAD_AVAILABLE_IN_0_1
CothreadDescriptor *cothread_descriptor_new (gint fd, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_descriptor_free (CothreadDescriptor *self);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_descriptor_get_fd (CothreadDescriptor *self);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_descriptor_read (CothreadDescriptor *self, void *buffer, gsize n_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_descriptor_write (CothreadDescriptor *self, const void *buffer, gsize n_bytes, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_descriptor_write_all (CothreadDescriptor *self,
                                        const void *buffer,
                                        gsize n_bytes,
                                        gint64 timeout_us,
                                        GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_descriptor_readv (CothreadDescriptor *self,
                                  const struct iovec *vectors,
                                  guint n_vectors,
                                  gint64 timeout_us,
                                  GError **error);
COTHREAD_AVAILABLE_IN_0_1
gssize cothread_descriptor_writev (CothreadDescriptor *self,
                                   const struct iovec *vectors,
                                   guint n_vectors,
                                   gint64 timeout_us,
                                   GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_descriptor_close (CothreadDescriptor *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadDescriptor, cothread_descriptor_free)

G_END_DECLS
