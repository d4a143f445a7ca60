/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-bus-private.h"
#include "monitor/cothread-trace-private.h"

void
cothread_scheduler_created (CothreadScheduler *self)
{
  cothread_trace_obey_environment (self);
}

void
cothread_scheduler_attached (CothreadScheduler *self)
{
  cothread_bus_monitor_obey_environment (self);
}
