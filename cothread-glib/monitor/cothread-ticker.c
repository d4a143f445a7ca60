/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-ticker-private.h"

#include "loop/cothread-scheduler-private.h"

static gboolean
tick (gpointer data)
{
  CothreadTicker *ticker = data;

  cothread_call_on_thread_stack (ticker->tick, ticker->data);
  return G_SOURCE_CONTINUE;
}

static void
attach (CothreadTicker *ticker)
{
  GMainContext *context = ticker->scheduler->context;

  if (ticker->interval_ms == 0 || context == NULL)
    return;
  ticker->source = g_timeout_source_new (ticker->interval_ms);
  g_source_set_callback (ticker->source, tick, ticker, NULL);
  g_source_set_static_name (ticker->source, "cothread monitor");
  g_source_attach (ticker->source, context);
}

void
cothread_ticker_start (CothreadTicker *ticker, CothreadScheduler *scheduler, guint interval_ms,
                       void (*func) (gpointer data), gpointer data)
{
  *ticker = (CothreadTicker) { .scheduler = scheduler, .interval_ms = interval_ms, .tick = func, .data = data };
  attach (ticker);
}

void
cothread_ticker_stop (CothreadTicker *ticker)
{
  if (ticker->source == NULL)
    return;
  g_source_destroy (ticker->source);
  g_clear_pointer (&ticker->source, g_source_unref);
}

gboolean
cothread_ticker_set_interval (CothreadTicker *ticker, guint interval_ms)
{
  if (ticker->interval_ms == interval_ms)
    return FALSE;
  cothread_ticker_stop (ticker);
  ticker->interval_ms = interval_ms;
  attach (ticker);
  return TRUE;
}
