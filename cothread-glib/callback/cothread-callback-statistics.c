/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-statistics.h"

G_DEFINE_BOXED_TYPE (CothreadCallbackStatistics, cothread_callback_statistics,
                     cothread_callback_statistics_copy, cothread_callback_statistics_free)

/**
 * cothread_callback_statistics_copy:
 * @statistics: a snapshot
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadCallbackStatistics *
cothread_callback_statistics_copy (const CothreadCallbackStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, NULL);
  return g_memdup2 (statistics, sizeof *statistics);
}

/**
 * cothread_callback_statistics_free:
 * @statistics: (nullable) (transfer full): a snapshot
 *
 * Frees a snapshot.
 *
 * Since: 0.1
 */
void
cothread_callback_statistics_free (CothreadCallbackStatistics *statistics)
{
  g_free (statistics);
}
