/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-histogram.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_CALLBACK_STATISTICS (cothread_callback_statistics_get_type ())

typedef struct _CothreadCallbackStatistics CothreadCallbackStatistics;

/**
 * CothreadCallbackStatistics:
 * @length: entries that wait at this moment
 * @max_length: the bound; 0: none
 * @high_water: the most that ever waited since the last reset
 * @posted: entries accepted so far
 * @run: entries whose callback was called
 * @dropped_oldest: accepted entries dropped to make room for a newer one
 * @dropped_newest: accepted entries dropped at once because the queue was full
 * @coalesced: accepted entries dropped because a newer one took their place
 * @dropped_closed: accepted entries dropped because the queue was closed
 * @refused: posts that failed because the queue was full; not in @posted
 * @blocked: posts that had to wait for room
 * @blocked_now: posters that wait for room at this moment
 * @blocked_us: how long all of them together have waited for room so far, in
 *   microseconds
 * @longest_blocked_us: the longest wait for room that has ended
 * @oldest_age_us: how long the oldest entry has waited, in microseconds; 0 in an
 *   empty queue. Not every post is timed, so it may be too long by the time in
 *   which some 64 entries were posted
 *
 * A snapshot of a callback queue. At every moment
 * posted = run + dropped_oldest + dropped_newest + coalesced + dropped_closed +
 * length.
 *
 * Times are measured for about one entry in 64, and for each that finds the
 * queue empty and at rest, so that a flood pays a nanosecond for it and a trickle is known
 * exactly: see cothread_callback_statistics_get_time_in_queue() and those after
 * it.
 *
 * Since: 0.1
 */
struct _CothreadCallbackStatistics
{
  guint length;
  guint max_length;
  guint high_water;
  guint64 posted;
  guint64 run;
  guint64 dropped_oldest;
  guint64 dropped_newest;
  guint64 coalesced;
  guint64 dropped_closed;
  guint64 refused;
  guint64 blocked;
  guint blocked_now;
  guint64 blocked_us;
  guint64 longest_blocked_us;
  guint64 oldest_age_us;
  /*< private >*/
  gpointer details;
  gpointer padding[4];
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_callback_statistics_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackStatistics *cothread_callback_statistics_copy (const CothreadCallbackStatistics *statistics);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_statistics_free (CothreadCallbackStatistics *statistics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadCallbackStatistics, cothread_callback_statistics_free)

#define COTHREAD_TYPE_SLOW_CALLBACK (cothread_slow_callback_get_type ())

typedef struct _CothreadSlowCallback CothreadSlowCallback;

/**
 * CothreadSlowCallback:
 * @function: the name of the function, static or not; of a file that was
 *   stripped of its symbols, the file and the offset in it, as addr2line(1) takes
 *   it
 * @timed: how many of its calls were timed
 * @total_ns: how long these took together
 * @longest_ns: how long the longest took
 *
 * A function among the slowest of a callback queue.
 *
 * Since: 0.1
 */
struct _CothreadSlowCallback
{
  char *function;
  guint64 timed;
  guint64 total_ns;
  guint64 longest_ns;
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_slow_callback_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadSlowCallback *cothread_slow_callback_copy (const CothreadSlowCallback *callback);
COTHREAD_AVAILABLE_IN_0_1
void cothread_slow_callback_free (CothreadSlowCallback *callback);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadSlowCallback, cothread_slow_callback_free)

COTHREAD_AVAILABLE_IN_0_1
CothreadHistogram *cothread_callback_statistics_get_time_in_queue (const CothreadCallbackStatistics *statistics);
COTHREAD_AVAILABLE_IN_0_1
CothreadHistogram *cothread_callback_statistics_get_run_time (const CothreadCallbackStatistics *statistics);
COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_callback_statistics_list_slowest (const CothreadCallbackStatistics *statistics);

G_END_DECLS
