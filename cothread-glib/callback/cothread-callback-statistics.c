/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

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

/**
 * cothread_callback_queue_reset_high_water:
 * @self: a callback queue
 *
 * Starts the high-water mark anew, at the present length.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_reset_high_water (CothreadCallbackQueue *self)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  __atomic_store_n (&self->high_water, cothread_callback_queue_get_length (self), __ATOMIC_RELAXED);
}

/**
 * cothread_callback_queue_get_statistics:
 * @self: a callback queue
 *
 * Takes a consistent snapshot of the queue's counters.
 *
 * Returns: (transfer full): the snapshot
 *
 * Since: 0.1
 */
CothreadCallbackStatistics *
cothread_callback_queue_get_statistics (CothreadCallbackQueue *self)
{
  CothreadCallbackStatistics *statistics;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), NULL);
  g_return_val_if_fail (self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler), NULL);

  statistics = g_new0 (CothreadCallbackStatistics, 1);
  cothread_callback_queue_free_places (self);
  pthread_mutex_lock (&self->lock);
  *statistics = (CothreadCallbackStatistics) {
    .length = cothread_callback_queue_get_length (self),
    .max_length = self->max_length,
    .high_water = __atomic_load_n (&self->high_water, __ATOMIC_RELAXED),
    .run = self->n_run,
    .dropped_oldest = self->n_dropped_oldest,
    .dropped_newest = self->n_dropped_newest,
    .coalesced = self->n_coalesced,
    .dropped_closed = self->n_dropped_closed,
    .refused = self->n_refused,
    .blocked = self->n_blocked_posts,
  };
  pthread_mutex_unlock (&self->lock);
  statistics->posted = statistics->run + statistics->dropped_oldest + statistics->dropped_newest +
                       statistics->coalesced + statistics->dropped_closed + statistics->length;
  return statistics;
}
