/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-histogram-private.h"

G_DEFINE_BOXED_TYPE (CothreadCallbackStatistics, cothread_callback_statistics,
                     cothread_callback_statistics_copy, cothread_callback_statistics_free)
G_DEFINE_BOXED_TYPE (CothreadSlowCallback, cothread_slow_callback, cothread_slow_callback_copy, cothread_slow_callback_free)

/* What a snapshot has beside its numbers; it never changes. */
typedef struct
{
  guint ref_count; /* atomic */
  CothreadHistogram *time_in_queue;
  CothreadHistogram *run_time;
  CothreadSlowFunction slow[COTHREAD_SLOW_CALLBACKS];
} Details;

static Details *
details_new_for (const CtHistogram *time_in_queue, const CtHistogram *run_time)
{
  Details *self = g_new0 (Details, 1);

  self->ref_count = 1;
  self->time_in_queue = cothread_histogram_new (time_in_queue);
  self->run_time = cothread_histogram_new (run_time);
  return self;
}

static Details *
details_new (const CothreadTiming *timing)
{
  Details *self = details_new_for (timing != NULL ? &timing->time_in_queue : NULL, timing != NULL ? &timing->run_time : NULL);

  if (timing != NULL)
    memcpy (self->slow, timing->slow, sizeof self->slow);
  return self;
}

static void
details_unref (Details *self)
{
  if (self == NULL || __atomic_sub_fetch (&self->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  cothread_histogram_free (self->time_in_queue);
  cothread_histogram_free (self->run_time);
  g_free (self);
}

CothreadCallbackStatistics *
cothread_callback_statistics_new (const CtHistogram *time_in_queue, const CtHistogram *run_time)
{
  CothreadCallbackStatistics *statistics = g_new0 (CothreadCallbackStatistics, 1);

  statistics->details = details_new_for (time_in_queue, run_time);
  return statistics;
}

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
  CothreadCallbackStatistics *copy;

  g_return_val_if_fail (statistics != NULL, NULL);
  copy = g_memdup2 (statistics, sizeof *statistics);
  if (copy->details != NULL)
    __atomic_fetch_add (&((Details *) copy->details)->ref_count, 1, __ATOMIC_RELAXED);
  return copy;
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
  if (statistics == NULL)
    return;
  details_unref (statistics->details);
  g_free (statistics);
}

/**
 * cothread_callback_statistics_get_time_in_queue:
 * @statistics: a snapshot
 *
 * How long entries have waited until their callback was called. Of those that
 * were replaced by a newer one, since the first of them was posted.
 *
 * Returns: (transfer full): the histogram
 *
 * Since: 0.1
 */
CothreadHistogram *
cothread_callback_statistics_get_time_in_queue (const CothreadCallbackStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, cothread_histogram_new (NULL));

  if (statistics->details == NULL) /* of no queue at all */
    return cothread_histogram_new (NULL);
  return cothread_histogram_copy (((Details *) statistics->details)->time_in_queue);
}

/**
 * cothread_callback_statistics_get_run_time:
 * @statistics: a snapshot
 *
 * How long callbacks took, a main loop that they ran included. Those that
 * waited are left out.
 *
 * Returns: (transfer full): the histogram
 *
 * Since: 0.1
 */
CothreadHistogram *
cothread_callback_statistics_get_run_time (const CothreadCallbackStatistics *statistics)
{
  g_return_val_if_fail (statistics != NULL, cothread_histogram_new (NULL));

  if (statistics->details == NULL) /* of no queue at all */
    return cothread_histogram_new (NULL);
  return cothread_histogram_copy (((Details *) statistics->details)->run_time);
}

static int
compare_slow (gconstpointer one, gconstpointer other)
{
  const CothreadSlowCallback *a = *(CothreadSlowCallback *const *) one, *b = *(CothreadSlowCallback *const *) other;

  return a->longest_ns < b->longest_ns ? 1 : a->longest_ns > b->longest_ns ? -1 : 0;
}

/**
 * cothread_callback_statistics_list_slowest:
 * @statistics: a snapshot
 *
 * The functions whose longest timed call took longest, up to sixteen, the
 * slowest first. A call that made its turn overrun the time slice by half a
 * millisecond or more is among them also if it was not one of those that are
 * timed, with the time by which it did. Callbacks of other languages all go through functions of their
 * binding.
 *
 * Returns: (transfer container) (element-type CothreadSlowCallback): the functions
 *
 * Since: 0.1
 */
GPtrArray *
cothread_callback_statistics_list_slowest (const CothreadCallbackStatistics *statistics)
{
  GPtrArray *slowest = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_slow_callback_free);
  const Details *details;

  g_return_val_if_fail (statistics != NULL && statistics->details != NULL, slowest);

  details = statistics->details;
  for (guint i = 0; i < COTHREAD_SLOW_CALLBACKS && details->slow[i].func != NULL; i++)
    {
      const CothreadSlowFunction *slow = &details->slow[i];
      CothreadSlowCallback *callback = g_new (CothreadSlowCallback, 1);

      *callback = (CothreadSlowCallback) { cothread_callback_name (slow->func), slow->n_timed, slow->total_ns, slow->longest_ns };
      g_ptr_array_add (slowest, callback);
    }
  g_ptr_array_sort (slowest, compare_slow);
  return slowest;
}

/**
 * cothread_slow_callback_copy:
 * @callback: a slow callback
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadSlowCallback *
cothread_slow_callback_copy (const CothreadSlowCallback *callback)
{
  CothreadSlowCallback *copy;

  g_return_val_if_fail (callback != NULL, NULL);
  copy = g_memdup2 (callback, sizeof *callback);
  copy->function = g_strdup (callback->function);
  return copy;
}

/**
 * cothread_slow_callback_free:
 * @callback: (nullable) (transfer full): a slow callback
 *
 * Frees it.
 *
 * Since: 0.1
 */
void
cothread_slow_callback_free (CothreadSlowCallback *callback)
{
  if (callback == NULL)
    return;
  g_free (callback->function);
  g_free (callback);
}

guint64
cothread_callback_queue_begin_blocked (CothreadCallbackQueue *self)
{
  CothreadBlocked *blocked = &self->blocked;
  guint64 now_ns = cothread_now_ns ();

  cothread_callback_queue_begin_change (self);
  __atomic_store_n (&blocked->n_now, blocked->n_now + 1, __ATOMIC_RELEASE);
  __atomic_store_n (&blocked->began_sum_ns, blocked->began_sum_ns + now_ns, __ATOMIC_RELEASE);
  cothread_callback_queue_end_change (self);
  return now_ns;
}

void
cothread_callback_queue_end_blocked (CothreadCallbackQueue *self, guint64 began_ns)
{
  CothreadBlocked *blocked = &self->blocked;
  guint64 ns = cothread_now_ns () - began_ns;

  cothread_callback_queue_begin_change (self);
  __atomic_store_n (&blocked->n_now, blocked->n_now - 1, __ATOMIC_RELEASE);
  __atomic_store_n (&blocked->began_sum_ns, blocked->began_sum_ns - began_ns, __ATOMIC_RELEASE);
  __atomic_store_n (&blocked->ended_sum_ns, blocked->ended_sum_ns + ns, __ATOMIC_RELEASE);
  if (ns > blocked->longest_ns)
    __atomic_store_n (&blocked->longest_ns, ns, __ATOMIC_RELEASE);
  cothread_callback_queue_end_change (self);
}

/* What posters change together, read without their lock: again, if one of them
 * was in the middle of it. */
static void
read_together (CothreadCallbackQueue *self, guint64 *length, guint64 *dropped_oldest, CothreadBlocked *blocked)
{
  guint64 before, n_gone;

  do
    {
      before = __atomic_load_n (&self->changes, __ATOMIC_ACQUIRE);
      /* Dropped ones first: a post between the two adds to the length alone. */
      *dropped_oldest = __atomic_load_n (&self->n_dropped_oldest, __ATOMIC_ACQUIRE);
      /* No more may leave between the two than posters can drop, and these would
       * be noticed: everything else leaves in this thread. */
      n_gone = __atomic_load_n (&self->chain.n_gone, __ATOMIC_ACQUIRE);
      *length = (guint64) cothread_chain_length_at (__atomic_load_n (&self->chain.tail, __ATOMIC_ACQUIRE), n_gone);
      blocked->n_now = __atomic_load_n (&self->blocked.n_now, __ATOMIC_ACQUIRE);
      blocked->began_sum_ns = __atomic_load_n (&self->blocked.began_sum_ns, __ATOMIC_ACQUIRE);
      blocked->ended_sum_ns = __atomic_load_n (&self->blocked.ended_sum_ns, __ATOMIC_ACQUIRE);
      blocked->longest_ns = __atomic_load_n (&self->blocked.longest_ns, __ATOMIC_ACQUIRE);
    }
  while ((before & 1) != 0 || before != __atomic_load_n (&self->changes, __ATOMIC_RELAXED));
}

/**
 * cothread_callback_queue_reset_high_water:
 * @self: a callback queue
 *
 * Starts the high-water mark anew, at the present length. For any thread.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_reset_high_water (CothreadCallbackQueue *self)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));

  __atomic_store_n (&self->high_water, 0, __ATOMIC_SEQ_CST);
  cothread_callback_queue_note_length (self);
}

/**
 * cothread_callback_queue_get_statistics:
 * @self: a callback queue
 *
 * Takes a consistent snapshot of the queue's counters, without a lock: nobody
 * who posts waits for it. On the scheduler's thread; the snapshot may then be
 * read in any.
 *
 * Returns: (transfer full): the snapshot
 *
 * Since: 0.1
 */
CothreadCallbackStatistics *
cothread_callback_queue_get_statistics (CothreadCallbackQueue *self)
{
  CothreadCallbackStatistics *statistics;
  CothreadBlocked blocked;
  guint64 length, dropped_oldest, now_ns, blocked_us;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), NULL);
  g_return_val_if_fail (cothread_callback_queue_is_own_thread (self), NULL);

  statistics = g_new0 (CothreadCallbackStatistics, 1);
  cothread_callback_queue_free_places (self);
  read_together (self, &length, &dropped_oldest, &blocked);
  now_ns = cothread_now_ns ();
  /* Who waits is taken to wait until now; if he stopped between the two reads,
   * the next sum would be less by that. */
  blocked_us = (blocked.ended_sum_ns + blocked.n_now * now_ns - blocked.began_sum_ns) / 1000;
  self->told_blocked_us = MAX (blocked_us, self->told_blocked_us);
  *statistics = (CothreadCallbackStatistics) {
    .length = (guint) length,
    .max_length = self->max_length,
    .high_water = __atomic_load_n (&self->high_water, __ATOMIC_RELAXED),
    .run = self->n_run,
    .dropped_oldest = dropped_oldest,
    .dropped_newest = __atomic_load_n (&self->n_dropped_newest, __ATOMIC_RELAXED),
    .coalesced = __atomic_load_n (&self->n_coalesced, __ATOMIC_RELAXED),
    .dropped_closed = self->n_dropped_closed,
    .refused = __atomic_load_n (&self->n_refused, __ATOMIC_RELAXED),
    .blocked = __atomic_load_n (&self->n_blocked_posts, __ATOMIC_RELAXED),
    .blocked_now = (guint) blocked.n_now,
    .blocked_us = self->told_blocked_us,
    .longest_blocked_us = blocked.longest_ns / 1000,
    .details = details_new (self->timing),
  };
  /* It is noted only when something leaves. */
  statistics->high_water = MAX (statistics->high_water, statistics->length);
  if (statistics->length > 0)
    statistics->oldest_age_us = ((now_ns - __atomic_load_n (&self->oldest_ns, __ATOMIC_RELAXED)) & COTHREAD_POSTED_MASK) / 1000;
  statistics->posted = statistics->run + statistics->dropped_oldest + statistics->dropped_newest +
                       statistics->coalesced + statistics->dropped_closed + statistics->length;
  return statistics;
}
