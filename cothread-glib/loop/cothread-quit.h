/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
void cothread_quit (void);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_is_quitting (void);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_for_quit (gboolean catch_interrupt, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_wait_for_quit_async (gboolean catch_interrupt,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_wait_for_quit_finish (GAsyncResult *result, GError **error);

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_set_catch_interrupt (CothreadScheduler *self, gboolean catch_interrupt, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_get_catch_interrupt (CothreadScheduler *self);

G_END_DECLS
