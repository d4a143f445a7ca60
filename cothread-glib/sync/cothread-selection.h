/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"
#include "sync/cothread-wait-any.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_SELECTION (cothread_selection_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadSelection, cothread_selection, COTHREAD, SELECTION, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadSelection *cothread_selection_new (void);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_add_event (CothreadSelection *self, CothreadEvent *event);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_add_pulse (CothreadSelection *self, CothreadPulse *pulse);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_add_task (CothreadSelection *self, CothreadTask *task);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_add_timer (CothreadSelection *self, CothreadTimer *timer);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_add_descriptor (CothreadSelection *self, gint fd, GIOCondition condition);

COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_wait (CothreadSelection *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_selection_wait_async (CothreadSelection *self,
                                    gint64 timeout_us,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gint cothread_selection_wait_finish (CothreadSelection *self, GAsyncResult *result, GError **error);

G_END_DECLS
