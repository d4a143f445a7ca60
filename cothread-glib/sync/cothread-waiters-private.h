/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* Tasks that wait for one thing, in the order in which they began to wait. */

typedef struct
{
  CtLink head;
  guint64 last_sequence;
} CothreadWaiters;

void cothread_waiters_init (CothreadWaiters *waiters);

/* Begins a wait; the same waiter may be queued again after it was woken in
 * vain, and then keeps its place before all who began later. */
void cothread_waiters_begin (CothreadWaiters *waiters, CtWaiter *waiter, CtTask *task);
void cothread_waiters_queue (CothreadWaiters *waiters, CtWaiter *waiter);

gboolean cothread_waiters_wake_one (CothreadWaiters *waiters);
guint cothread_waiters_wake_all (CothreadWaiters *waiters);
