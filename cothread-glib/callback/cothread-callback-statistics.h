/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-version.h"

#include <glib-object.h>

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
 *
 * A snapshot of a callback queue. At every moment
 * posted = run + dropped_oldest + dropped_newest + coalesced + dropped_closed +
 * length.
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
};

COTHREAD_AVAILABLE_IN_0_1
GType cothread_callback_statistics_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackStatistics *cothread_callback_statistics_copy (const CothreadCallbackStatistics *statistics);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_statistics_free (CothreadCallbackStatistics *statistics);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadCallbackStatistics, cothread_callback_statistics_free)

G_END_DECLS
