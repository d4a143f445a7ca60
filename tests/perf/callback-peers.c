/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-peers.h"

#include <cothread-glib.h>

static CothreadCallbackQueue *
open_queue (guint max_length, CothreadOverflowPolicy overflow)
{
  CothreadCallbackQueue *queue = cothread_callback_queue_new (cothread_scheduler_get_default (), "perf");

  cothread_callback_queue_set_overflow (queue, overflow);
  cothread_callback_queue_set_max_length (queue, max_length);
  return queue;
}

static gpointer
open_unbounded (void)
{
  return open_queue (0, COTHREAD_OVERFLOW_FAIL);
}

static gpointer
open_bounded (void)
{
  CothreadCallbackQueue *queue = open_queue (WAY_BOUND, COTHREAD_OVERFLOW_BLOCK);

  cothread_callback_queue_set_block_timeout (queue, -1);
  return queue;
}

static gpointer
open_dropping (void)
{
  return open_queue (WAY_BOUND, COTHREAD_OVERFLOW_DROP_OLDEST);
}

static void
post_to_queue (gpointer way, WayFunc func, gpointer data)
{
  cothread_callback_queue_post (way, func, data, NULL, NULL);
}

static GMainContext *
get_default (G_GNUC_UNUSED gpointer way)
{
  return NULL;
}

static void
close_queue (gpointer way)
{
  cothread_callback_queue_close (way);
  g_object_unref (way);
}

const Way way_cothread = { "callback queue", open_unbounded, post_to_queue, get_default, close_queue };
const Way way_bounded = { "callback queue, bound 10 000", open_bounded, post_to_queue, get_default, close_queue };
const Way way_drop = { "callback queue, bound 10 000, drops", open_dropping, post_to_queue, get_default, close_queue };

typedef struct
{
  WayFunc func;
  gpointer data;
} Call;

static gboolean
run_call (gpointer data)
{
  Call *call = data;

  call->func (call->data);
  return G_SOURCE_REMOVE;
}

static Call *
new_call (WayFunc func, gpointer data)
{
  Call *call = g_new (Call, 1);

  *call = (Call) { func, data };
  return call;
}

static gpointer
open_context (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_acquire (context);
  return context;
}

static void
post_by_invoke (gpointer way, WayFunc func, gpointer data)
{
  g_main_context_invoke_full (way, G_PRIORITY_DEFAULT, run_call, new_call (func, data), g_free);
}

/* g_idle_add() for a context that is not the default one. */
static void
post_idle (gpointer way, WayFunc func, gpointer data)
{
  GSource *source = g_idle_source_new ();

  g_source_set_callback (source, run_call, new_call (func, data), g_free);
  g_source_attach (source, way);
  g_source_unref (source);
}

static GMainContext *
get_itself (gpointer way)
{
  return way;
}

static void
close_context (gpointer way)
{
  g_main_context_release (way);
  g_main_context_unref (way);
}

const Way way_invoke = { "g_main_context_invoke", open_context, post_by_invoke, get_itself, close_context };
const Way way_idle = { "g_idle_add", open_context, post_idle, get_itself, close_context };

typedef struct
{
  GSource parent;
  GAsyncQueue *queue;
  GMainContext *context;
  gboolean takes_all;
} AsyncSource;

volatile gboolean way_must_end = FALSE;

static gboolean
async_check (GSource *source)
{
  return g_async_queue_length (((AsyncSource *) source)->queue) > 0;
}

static gboolean
async_prepare (GSource *source, int *timeout_ms)
{
  *timeout_ms = -1;
  return async_check (source);
}

static gboolean
async_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc func, G_GNUC_UNUSED gpointer data)
{
  AsyncSource *self = (AsyncSource *) source;
  Call *call;

  while (!way_must_end && (call = g_async_queue_try_pop (self->queue)) != NULL)
    {
      run_call (call);
      g_free (call);
      if (!self->takes_all)
        break;
    }
  return G_SOURCE_CONTINUE;
}

static gpointer
open_async_source (gboolean takes_all)
{
  static GSourceFuncs funcs = { async_prepare, async_check, async_dispatch, NULL, NULL, NULL };
  GSource *source = g_source_new (&funcs, sizeof (AsyncSource));
  AsyncSource *self = (AsyncSource *) source;

  self->queue = g_async_queue_new_full (g_free);
  self->context = g_main_context_new ();
  self->takes_all = takes_all;
  g_source_attach (source, self->context);
  return self;
}

static gpointer
open_async (void)
{
  return open_async_source (FALSE);
}

static gpointer
open_async_all (void)
{
  return open_async_source (TRUE);
}

static void
post_async (gpointer way, WayFunc func, gpointer data)
{
  AsyncSource *self = way;

  g_async_queue_push (self->queue, new_call (func, data));
  g_main_context_wakeup (self->context);
}

static GMainContext *
get_async_context (gpointer way)
{
  return ((AsyncSource *) way)->context;
}

static void
close_async (gpointer way)
{
  AsyncSource *self = way;

  g_source_destroy (&self->parent);
  g_async_queue_unref (self->queue);
  g_main_context_unref (self->context);
  g_source_unref (&self->parent);
}

const Way way_async = { "GAsyncQueue + wakeup, one a dispatch", open_async, post_async, get_async_context, close_async };
const Way way_async_all = { "GAsyncQueue + wakeup, all at once", open_async_all, post_async, get_async_context, close_async };
