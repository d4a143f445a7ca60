/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-statistics.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_MONITOR (cothread_monitor_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadMonitor, cothread_monitor, COTHREAD, MONITOR, GObject)

COTHREAD_AVAILABLE_IN_0_1
CothreadMonitor *cothread_monitor_new (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
CothreadScheduler *cothread_monitor_get_scheduler (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_monitor_refresh (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_monitor_get_interval (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_monitor_set_interval (CothreadMonitor *self, guint interval_ms);
COTHREAD_AVAILABLE_IN_0_1
CothreadStatistics *cothread_monitor_get_statistics (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
double cothread_monitor_get_busy_share (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_monitor_get_checks (CothreadMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_monitor_set_checks (CothreadMonitor *self, gboolean checks);

G_END_DECLS
