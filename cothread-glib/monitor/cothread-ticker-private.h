/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

/* Calls a function on the thread's own stack at intervals, for as long as the
 * scheduler's context lives. */

typedef struct
{
  CothreadScheduler *scheduler; /* not referenced */
  GSource *source;
  guint interval_ms; /* 0: never */
  void (*tick) (gpointer data);
  gpointer data;
} CothreadTicker;

void cothread_ticker_start (CothreadTicker *ticker, CothreadScheduler *scheduler, guint interval_ms,
                            void (*tick) (gpointer data), gpointer data);
/* FALSE: it had this one already. */
gboolean cothread_ticker_set_interval (CothreadTicker *ticker, guint interval_ms);
void cothread_ticker_stop (CothreadTicker *ticker);
