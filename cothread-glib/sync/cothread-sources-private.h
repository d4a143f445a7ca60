/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sync/cothread-event-queue.h"
#include "sync/cothread-event.h"
#include "sync/cothread-pulse.h"
#include "sync/cothread-timer.h"
#include "sync/cothread-waiters-private.h"

/* What cothread_wait_any() and the _async() forms have to know of what they
 * wait for. The first of each
 * checks the object: NULL, after a critical, for a wrong one. */

CothreadWaiters *cothread_event_get_waiters (CothreadEvent *self);
/* What frees the value of one who takes it; NULL if the event keeps it. */
GDestroyNotify cothread_event_get_value_destroy (CothreadEvent *self);
/* What a language signalled it with, as a number; others do so with 0. */
void cothread_event_signal_number (CothreadEvent *self, double number);
double cothread_event_get_number (CothreadEvent *self);
gboolean cothread_event_take (CothreadEvent *self, gpointer *value, GError **error);

CothreadWaiters *cothread_event_queue_get_waiters (CothreadEventQueue *self);
gboolean cothread_event_queue_is_ready (CothreadEventQueue *self);
GDestroyNotify cothread_event_queue_get_item_destroy (CothreadEventQueue *self);
gboolean cothread_event_queue_take (CothreadEventQueue *self, gpointer *item, GError **error);

CothreadWaiters *cothread_pulse_get_waiters (CothreadPulse *self);
/* How many times everybody was woken. */
guint64 cothread_pulse_get_n_for_all (CothreadPulse *self);

CothreadWaiters *cothread_timer_get_waiters (CothreadTimer *self);
/* How many times everybody was woken, and how many of these because it expired. */
guint cothread_timer_get_n_told (CothreadTimer *self);
guint cothread_timer_get_n_expired (CothreadTimer *self);
/* Whether a wait ends at once: it has expired, or was cancelled, for good. */
gboolean cothread_timer_is_over (CothreadTimer *self);
/* n_expired: when the wait began. FALSE with an error if it was cancelled. */
gboolean cothread_timer_take (CothreadTimer *self, guint n_expired, GError **error);
