/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"

/* The kernel takes a closed descriptor out of an epoll set without a word, and
 * those who wait for it would wait for ever. Who closed it was most likely
 * somebody whom the loop called; so the poller's descriptors are looked at about
 * a second after the loop did something, and then no more, so that a parked
 * program sleeps. */

/* Nothing was planned yet, and the loop is about to sleep. */
void cothread_sweep_plan (CothreadScheduler *scheduler);
/* It is time, and the loop is awake anyway. */
void cothread_sweep_now (CothreadScheduler *scheduler);

static inline gboolean
cothread_sweep_is_due (const CothreadScheduler *scheduler, gint64 now_us)
{
  return scheduler->sweep_us != 0 && now_us >= scheduler->sweep_us;
}
