/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"

/* The scheduler's probe, which timing and tracing share; made on demand, on the
 * scheduler's thread. Freed with the scheduler. */
CtProbe *cothread_probe_ensure (CothreadScheduler *scheduler);
/* After timing or tracing was switched off: no probe, no cost. */
void cothread_probe_drop_if_unused (CothreadScheduler *scheduler);
