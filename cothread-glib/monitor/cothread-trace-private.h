/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-trace.h"

#include <stdio.h>

/* One entry of the ring, half a cache line. */
typedef struct
{
  guint64 ticks;
  guint64 id;        /* of the task; at the end of a turn, how many live */
  gconstpointer arg; /* static or interned text, or a function */
  guint32 event;     /* CtProbeEvent */
  guint32 ready;     /* at the end of a turn, how many tasks are ready */
} CothreadTraceEvent;

typedef struct
{
  CothreadTraceEvent *events;
  guint size; /* a power of two */
  guint64 n;  /* ever written */
  guint64 begin_ticks;
  double ticks_per_us;
  GHashTable *live_names; /* task id: text, for those whose spawn was lost */
} CothreadTraceRing;

/* Chrome's JSON format, which Perfetto reads; 0 or an errno. */
int cothread_trace_export (const CothreadTraceRing *ring, FILE *file);

/* COTHREAD_TRACE. */
void cothread_trace_obey_environment (CothreadScheduler *scheduler);
