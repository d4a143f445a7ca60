/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_TEST_SCHEDULER (cothread_test_scheduler_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadTestScheduler, cothread_test_scheduler, COTHREAD, TEST_SCHEDULER, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadTestScheduler *cothread_test_scheduler_new (guint64 seed, GError **error);
COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_test_scheduler_get_scheduler (CothreadTestScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
guint64 cothread_test_scheduler_get_seed (CothreadTestScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_test_scheduler_run (CothreadTestScheduler *self, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_test_scheduler_advance (CothreadTestScheduler *self, gint64 interval_us);
COTHREAD_AVAILABLE_IN_0_1
void cothread_test_scheduler_set_ready (CothreadTestScheduler *self, gint fd, GIOCondition condition);
COTHREAD_AVAILABLE_IN_0_1
void cothread_test_scheduler_hold (CothreadTestScheduler *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_test_scheduler_release (CothreadTestScheduler *self);

G_END_DECLS
