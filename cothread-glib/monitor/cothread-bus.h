/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_BUS_MONITOR (cothread_bus_monitor_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadBusMonitor, cothread_bus_monitor, COTHREAD, BUS_MONITOR, GObject)

/**
 * COTHREAD_MONITOR_BUS_NAME:
 *
 * What the bus names of processes that can be watched begin with; the process's
 * number follows.
 *
 * Since: 0.1
 */
#define COTHREAD_MONITOR_BUS_NAME "org.cothread.Monitor"
/**
 * COTHREAD_MONITOR_OBJECT_PATH:
 *
 * Where the object is that can be asked.
 *
 * Since: 0.1
 */
#define COTHREAD_MONITOR_OBJECT_PATH "/org/cothread/Monitor"
/**
 * COTHREAD_MONITOR_INTERFACE:
 *
 * The interface of that object.
 *
 * Since: 0.1
 */
#define COTHREAD_MONITOR_INTERFACE "org.cothread.Monitor1"

COTHREAD_AVAILABLE_IN_0_1
CothreadBusMonitor *cothread_bus_monitor_new (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
void cothread_bus_monitor_stop (CothreadBusMonitor *self);
COTHREAD_AVAILABLE_IN_0_1
const char *cothread_bus_monitor_get_bus_name (CothreadBusMonitor *self);

G_END_DECLS
