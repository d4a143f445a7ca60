/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"

/* How many forks this process is away from the first. What is of an earlier
 * generation describes threads, locks and descriptors of the parent. */
extern guint cothread_fork_generation __attribute__ ((visibility ("hidden")));

static inline guint
cothread_fork_get_generation (void)
{
  return __atomic_load_n (&cothread_fork_generation, __ATOMIC_RELAXED);
}

/* Before the first scheduler; forks are noticed from then on. */
void cothread_fork_watch (void);

/* In a child: lets go of what it has inherited. Does nothing elsewhere, and the
 * second time. */
void cothread_fork_clean_up_slowly (void);

extern guint cothread_fork_cleaned __attribute__ ((visibility ("hidden")));

static inline void
cothread_fork_clean_up (void)
{
  if (G_UNLIKELY (cothread_fork_cleaned != cothread_fork_get_generation ()))
    cothread_fork_clean_up_slowly ();
}

/* Around a fork, so that the child finds them free and what they guard whole. */
void cothread_registry_lock_for_fork (void);
void cothread_registry_unlock_for_fork (void);
void cothread_quit_lock_for_fork (void);
void cothread_quit_unlock_for_fork (void);
void cothread_all_schedulers_lock_for_fork (void);
void cothread_all_schedulers_unlock_for_fork (void);
