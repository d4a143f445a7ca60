/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-error.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_SCHEDULER (cothread_scheduler_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadScheduler, cothread_scheduler, COTHREAD, SCHEDULER, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_scheduler_get_default (void);
COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_scheduler_peek_default (void);
COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_scheduler_new (GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_attach (CothreadScheduler *self, GMainContext *context);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_poll (CothreadScheduler *self,
                                  const GPollFD *ready,
                                  guint n_ready,
                                  GArray *wanted,
                                  gint64 *timeout_us,
                                  GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_interrupt (CothreadScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_shutdown (CothreadScheduler *self);

COTHREAD_AVAILABLE_IN_0_1
gint64 cothread_scheduler_get_time_slice (CothreadScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_set_time_slice (CothreadScheduler *self, gint64 slice_us);
COTHREAD_AVAILABLE_IN_0_1
double cothread_scheduler_get_minimum_share (CothreadScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scheduler_set_minimum_share (CothreadScheduler *self, double share);

/**
 * CothreadThreadStackFunc:
 * @user_data: what was given to cothread_call_on_thread_stack()
 *
 * Runs on the thread's own stack. It must not wait.
 *
 * Since: 0.1
 */
typedef void (*CothreadThreadStackFunc) (gpointer user_data);

/**
 * CothreadThreadStackFallibleFunc:
 * @user_data: what was given to cothread_call_on_thread_stack_full()
 * @error: where it reports its failure
 *
 * Runs on the thread's own stack. It must not wait.
 *
 * Returns: %TRUE unless @error is set
 *
 * Since: 0.1
 */
typedef gboolean (*CothreadThreadStackFallibleFunc) (gpointer user_data, GError **error);

COTHREAD_AVAILABLE_IN_0_1
void cothread_call_on_thread_stack (CothreadThreadStackFunc func, gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_call_on_thread_stack_full (CothreadThreadStackFallibleFunc func, gpointer user_data, GError **error);
COTHREAD_AVAILABLE_IN_0_1
gulong cothread_debug_watch_signal (GObject *object, const char *signal, const char *language);

G_END_DECLS
