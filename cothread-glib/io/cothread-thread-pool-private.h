/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

typedef struct _CothreadThreadJob CothreadThreadJob;

struct _CothreadThreadJob
{
  void (*run) (CothreadThreadJob *job); /* in a thread of the pool */
};

/* Any thread. FALSE: there is no thread, and none could be started; the job is
 * the caller's again. */
gboolean cothread_thread_pool_push (CothreadThreadJob *job, GError **error);

/* Whether it had not begun, and never will: it is the caller's again. */
gboolean cothread_thread_pool_take_back (CothreadThreadJob *job);
