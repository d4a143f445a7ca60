/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Ways to bring a function call from any thread to the thread of a main loop.
 * Each is opened for one measurement, by the thread that runs the loop. */

typedef void (*WayFunc) (gpointer data);

typedef struct
{
  const char *name;
  gpointer (*open) (void);
  /* Any thread. */
  void (*post) (gpointer way, WayFunc func, gpointer data);
  /* The context that runs them; NULL: the default one. */
  GMainContext *(*get_context) (gpointer way);
  /* Drops what was not run. */
  void (*close) (gpointer way);
} Way;

extern const Way way_cothread;  /* the library's queue, without a bound */
extern const Way way_bounded;   /* at most 10 000, the poster blocks */
extern const Way way_drop;      /* at most 10 000, the oldest is dropped */
extern const Way way_invoke;    /* g_main_context_invoke() */
extern const Way way_idle;      /* g_idle_add() */
extern const Way way_async;     /* a GAsyncQueue and g_main_context_wakeup(), one call a dispatch */
extern const Way way_async_all; /* the same, the whole queue in one dispatch */

#define WAY_BOUND 10000

/* way_async_all never ends while others post faster than it runs. */
extern volatile gboolean way_must_end;
