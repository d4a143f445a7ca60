/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-bus.h"
#include "monitor/cothread-bus-warnings-private.h"

/* What the methods of the bus object answer: each a tuple, floating. */

GVariant *cothread_bus_get_statistics (CothreadScheduler *scheduler);
GVariant *cothread_bus_get_turns (CothreadScheduler *scheduler);
GVariant *cothread_bus_list_queues (CothreadScheduler *scheduler);
GVariant *cothread_bus_list_tasks (CothreadScheduler *scheduler, guint max);
GVariant *cothread_bus_pack_tasks (CothreadScheduler *scheduler, guint max);
GVariant *cothread_bus_get_backtrace (CothreadScheduler *scheduler, guint64 id);
GVariant *cothread_bus_dump (CothreadScheduler *scheduler, gboolean backtraces, guint max);
