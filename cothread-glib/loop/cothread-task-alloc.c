/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-task-alloc.h"

#include <stdlib.h>
#include <string.h>

/* Under load, 5 MiB a thread, ... */
#define MAX_KEPT 16384
/* ... and when it is over. */
#define FEW_KEPT 1024

#define TASK_BYTES ((sizeof (CothreadTask) + CT_CACHE_LINE - 1) / CT_CACHE_LINE * CT_CACHE_LINE)

typedef struct
{
  CothreadTask *first; /* linked through `user_data` */
  guint length;
  gboolean is_known_to_thread;
} TaskCache;

static __thread TaskCache cache __attribute__ ((tls_model ("initial-exec")));

#ifndef __SANITIZE_ADDRESS__ /* there nothing is kept: a use after a free is to be found */
static void
clear_cache (gpointer data)
{
  TaskCache *self = data;

  while (self->first != NULL)
    {
      CothreadTask *task = self->first;

      self->first = task->user_data;
      free (task);
    }
  self->length = MAX_KEPT; /* the thread ends: keep nothing more */
}

static GPrivate cache_of_thread = G_PRIVATE_INIT (clear_cache);
#endif

CothreadTask *
cothread_task_alloc (void)
{
  CothreadTask *task = cache.first;

  if (G_LIKELY (task != NULL))
    {
      gsize next = (gsize) task->user_data; /* a number: it may be NULL */

      cache.first = task->user_data;
      cache.length--;
      for (guint line = 0; line < TASK_BYTES; line += CT_CACHE_LINE)
        __builtin_prefetch ((gconstpointer) (next + line), 1);
    }
  else
    {
      task = aligned_alloc (CT_CACHE_LINE, TASK_BYTES);
      if (task == NULL)
        g_error ("Out of memory: %" G_GSIZE_FORMAT " bytes", (gsize) TASK_BYTES); /* as g_malloc() does */
    }
  memset (task, 0, sizeof *task);
  return task;
}

guint
cothread_task_alloc_give_back (guint max)
{
  guint surplus = cache.length > FEW_KEPT && cache.first != NULL ? cache.length - FEW_KEPT : 0;
  guint n = MIN (surplus, max);

  for (guint i = 0; i < n; i++)
    {
      CothreadTask *task = cache.first;

      cache.first = task->user_data;
      cache.length--;
      free (task);
    }
  return surplus - n;
}

void
cothread_task_free (CothreadTask *task)
{
#ifdef __SANITIZE_ADDRESS__
  free (task);
#else
  if (cache.length >= MAX_KEPT)
    {
      free (task);
      return;
    }
  if (G_UNLIKELY (!cache.is_known_to_thread))
    {
      cache.is_known_to_thread = TRUE;
      g_private_set (&cache_of_thread, &cache);
    }
  task->user_data = cache.first;
  cache.first = task;
  cache.length++;
#endif
}
