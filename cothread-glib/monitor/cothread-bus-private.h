/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-bus.h"

/* COTHREAD_MONITOR. */
void cothread_bus_monitor_obey_environment (CothreadScheduler *scheduler);
