/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* Which entries are timed, and what is measured of them. */

/* An alarm may be late by some of it. */
#define NOTABLE_OVERRUN_US 500

__thread guint cothread_posts_to_sample;

static void
set_next_sample (void)
{
  static __thread guint32 state;

  if (state == 0)
    state = (guint32) GPOINTER_TO_SIZE (&state) | 1;
  /* G. Marsaglia, "Xorshift RNGs", 2003. */
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  cothread_posts_to_sample = state % (2 * COTHREAD_SAMPLE_EVERY - 1);
}

/* The place is claimed, and not filled yet: when the queue was empty,
 * nothing older waits in it. */
void
cothread_callback_queue_stamp (CothreadCallbackQueue *self, CothreadEntry *entry, gboolean is_first)
{
  guint64 now_ns = cothread_now_ns () & COTHREAD_POSTED_MASK;

  set_next_sample ();
  now_ns = MAX (now_ns, 1);
  entry->word = (entry->word & ((1u << COTHREAD_ENTRY_FLAG_BITS) - 1)) | now_ns << COTHREAD_ENTRY_FLAG_BITS;
  if (is_first)
    __atomic_store_n (&self->oldest_ns, now_ns, __ATOMIC_RELAXED);
}

static void
note_slow (CothreadTiming *timing, CothreadCallbackFunc func, guint64 ns)
{
  CothreadSlowFunction *quickest = &timing->slow[0];

  for (guint i = 0; i < COTHREAD_SLOW_CALLBACKS; i++)
    {
      CothreadSlowFunction *slow = &timing->slow[i];

      if (slow->func == func)
        {
          slow->n_timed++;
          slow->total_ns += ns;
          slow->longest_ns = MAX (slow->longest_ns, ns);
          return;
        }
      if (slow->longest_ns < quickest->longest_ns || slow->func == NULL)
        quickest = slow;
      if (slow->func == NULL)
        break;
    }
  if (quickest->func == NULL || ns > quickest->longest_ns)
    *quickest = (CothreadSlowFunction) { func, 1, ns, ns };
}

/* Not every call is timed, but none that holds the loop goes unnoticed: the turn
 * then overran its slice, and by less than that call took. */
void
cothread_callback_queue_note_overrun (CothreadCallbackQueue *self, CothreadCallbackFunc func)
{
  const CtScheduler *core = self->scheduler->core;
  gint64 end_us = core->slice.end_us, overrun_us;

  if (end_us == G_MININT64 || end_us == G_MAXINT64)
    return;
  overrun_us = ct_scheduler_now (core) - end_us;
  if (overrun_us < NOTABLE_OVERRUN_US)
    return;
  if (self->timing == NULL)
    self->timing = g_new0 (CothreadTiming, 1);
  note_slow (self->timing, func, (guint64) overrun_us * 1000);
}

/* A callback that suspends has no run time: others ran meanwhile. */
void
cothread_callback_queue_run_timed (CothreadCallbackQueue *self, const CothreadEntry *contents, guint64 posted_ns)
{
  const CtTask *task = self->scheduler->core->current;
  CothreadCallbackFunc func = contents->func;
  guint64 begin_ns = cothread_now_ns (), switches = task->switches, end_ns;

  if (self->timing == NULL)
    self->timing = g_new0 (CothreadTiming, 1);
  ct_histogram_add (&self->timing->time_in_queue, (begin_ns - posted_ns) & COTHREAD_POSTED_MASK);
  func (contents->user_data);
  if (task->switches != switches)
    return;
  end_ns = cothread_now_ns ();
  if (self->timing == NULL)
    return;
  ct_histogram_add (&self->timing->run_time, end_ns - begin_ns);
  note_slow (self->timing, func, end_ns - begin_ns);
}

/**
 * cothread_callback_queue_reset_timing:
 * @self: a callback queue
 *
 * Forgets what was measured: the histograms and the slowest callbacks. On the
 * scheduler's thread.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_reset_timing (CothreadCallbackQueue *self)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  g_clear_pointer (&self->timing, g_free);
}
