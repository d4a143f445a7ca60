/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-trace-private.h"

void
cothread_scheduler_created (CothreadScheduler *self)
{
  cothread_trace_obey_environment (self);
}
