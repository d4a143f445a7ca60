/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-trace-private.h"

/* What a trace tells a running Sysprof: a mark for each run, wait and callback,
 * and counters of tasks. Without Sysprof there is nothing of this. */

typedef struct _CothreadTraceSysprof CothreadTraceSysprof;

/* NULL: nobody captures, or the library was built without. */
CothreadTraceSysprof *cothread_trace_sysprof_new (void);
void cothread_trace_sysprof_free (CothreadTraceSysprof *self);
void cothread_trace_sysprof_note (CothreadTraceSysprof *self, const CothreadTraceEvent *event, const CtTask *task);
