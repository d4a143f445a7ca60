/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* The consumer: a stackless task, so that callbacks of unknown language run on
 * the thread's own stack. Entries that may wait are handed to callback tasks. */

#define RETRY_US 10000

#define LINGER_AFTER 32
#define LINGER_US 5
#define LINGER_PAUSES 32

static inline void
relax (void)
{
#if defined(__x86_64__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile ("isb");
#endif
}

static guint
in_hand_limit (CothreadCallbackQueue *self)
{
  guint max_length = __atomic_load_n (&self->max_length, __ATOMIC_RELAXED);

  return max_length == 0 ? COTHREAD_IN_HAND_MAX : CLAMP (max_length / 8, 1, COTHREAD_IN_HAND_MAX);
}

/* A thread that blocks counts itself and then looks for room; here room is made
 * and then the count is looked at, both sequentially consistent: one of the two
 * sees the other. */
void
cothread_callback_queue_announce_room (CothreadCallbackQueue *self, guint n)
{
  if (__atomic_load_n (&self->n_blocked, __ATOMIC_SEQ_CST) > 0)
    {
      pthread_mutex_lock (&self->lock);
      cothread_callback_queue_tell_of_room (self);
      pthread_mutex_unlock (&self->lock);
    }
  while (n-- > 0 && cothread_waiters_wake_one (&self->room_waiters))
    ;
}

const CothreadEntry *
cothread_callback_queue_peek_oldest (CothreadCallbackQueue *self)
{
  if (self->pending.begin < self->pending.end)
    return &self->pending.entries[self->pending.begin];
  return cothread_chain_peek (&self->chain);
}

static inline gboolean
pop_oldest (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  CothreadKeyed *keyed;

  if (G_UNLIKELY (self->pending.begin < self->pending.end))
    *entry = self->pending.entries[self->pending.begin++];
  else if (!cothread_chain_take (&self->chain, entry))
    return FALSE;
  keyed = cothread_entry_keyed (entry);
  if (keyed != NULL)
    cothread_callback_queue_unlist_key (self, keyed);
  return TRUE;
}

gboolean
cothread_callback_queue_pop_oldest (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  return pop_oldest (self, entry);
}

void
cothread_callback_queue_note_length (CothreadCallbackQueue *self)
{
  guint length = (guint) cothread_chain_get_length (&self->chain);
  guint high_water = __atomic_load_n (&self->high_water, __ATOMIC_RELAXED);

  while (length > high_water &&
         !__atomic_compare_exchange_n (&self->high_water, &high_water, length, TRUE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

void
cothread_callback_queue_free_places (CothreadCallbackQueue *self)
{
  guint n = self->n_started;

  if (n == 0)
    return;
  self->n_started = 0;
  cothread_callback_queue_note_length (self);
  __atomic_add_fetch (&self->chain.n_gone, n, __ATOMIC_SEQ_CST);
  cothread_callback_queue_announce_room (self, n);
}

/* They are copied all at once, so that the processor fetches from the posters'
 * caches as many as it can at the same time. */
static void
take_in_hand (CothreadCallbackQueue *self)
{
  CothreadHand *hand = &self->in_hand;
  guint limit = in_hand_limit (self);

  cothread_callback_queue_free_places (self);
  pthread_mutex_lock (&self->lock);
  hand->begin = hand->end = 0;
  while (hand->end < limit && pop_oldest (self, &hand->entries[hand->end]))
    hand->end++;
  self->has_taken_all = hand->end < limit;
  pthread_mutex_unlock (&self->lock);
}

static gboolean
take_errand (CothreadCallbackQueue *self, guint errand)
{
  return (__atomic_load_n (&self->errands, __ATOMIC_RELAXED) & errand) != 0 &&
         (__atomic_fetch_and (&self->errands, ~errand, __ATOMIC_SEQ_CST) & errand) != 0;
}

/* Tells of the watermarks, of each only after the other. May close the queue. */
static void
tell_of_watermarks (CothreadCallbackQueue *self, const CothreadTask *drainer)
{
  take_errand (self, COTHREAD_ERRAND_WATERMARK);
  /* Again after each: posters may have seen it above a moment ago. */
  while (self->drainer == drainer)
    {
      guint high = self->high_watermark, waiting = cothread_callback_queue_waiting (self);

      if (!self->is_above && high != 0 && waiting >= high)
        cothread_callback_queue_reached_high (self);
      else if (self->is_above && waiting <= self->low_watermark && waiting < high)
        cothread_callback_queue_reached_low (self);
      else
        break;
    }
}

/* Frees what was dropped, within the slice. FALSE: there is more. */
static gboolean
free_dropped (CothreadCallbackQueue *self)
{
  CothreadEntry entry;

  if (self->freeing.length == 0 && (__atomic_load_n (&self->errands, __ATOMIC_RELAXED) & COTHREAD_ERRAND_FREE) != 0)
    {
      pthread_mutex_lock (&self->lock);
      self->freeing = self->dropped;
      self->dropped = (CothreadEntryList) { 0 };
      take_errand (self, COTHREAD_ERRAND_FREE);
      pthread_mutex_unlock (&self->lock);
    }
  while (cothread_entry_list_pop (&self->freeing, &entry))
    {
      cothread_entry_drop (&entry);
      if (ct_scheduler_slice_is_used_up (self->scheduler->core))
        return FALSE;
    }
  return TRUE;
}

/* At the end of a turn nothing stays in hand: what waits is in the queue, where
 * it is counted and can be dropped. There is room for it: more is taken in hand
 * only when nothing is pending, and never more than that holds. */
void
cothread_callback_queue_put_back (CothreadCallbackQueue *self)
{
  CothreadHand *hand = &self->in_hand, *pending = &self->pending;
  guint n = hand->end - hand->begin;

  cothread_callback_queue_free_places (self);
  if (n == 0)
    return;
  pthread_mutex_lock (&self->lock);
  cothread_callback_queue_relist_keys (self, hand);
  if (pending->begin == pending->end)
    pending->begin = pending->end = COTHREAD_IN_HAND_MAX;
  pending->begin -= n;
  memcpy (&pending->entries[pending->begin], &hand->entries[hand->begin], n * sizeof (CothreadEntry));
  hand->begin = hand->end = 0;
  pthread_mutex_unlock (&self->lock);
}

const CothreadEntry *
cothread_callback_queue_next (CothreadCallbackQueue *self)
{
  CothreadHand *hand = &self->in_hand;

  if (hand->begin == hand->end)
    take_in_hand (self);
  return hand->begin < hand->end ? &hand->entries[hand->begin] : NULL;
}

/* For whoever watches. Those that may wait are tasks, and seen as such. */
static void
begin_callback (CothreadScheduler *scheduler, CothreadCallbackFunc func)
{
  CtProbe *probe = scheduler->core->probe;

  scheduler->callback = (gpointer) func;
  __atomic_store_n (&scheduler->n_callbacks, scheduler->n_callbacks + 1, __ATOMIC_RELAXED);
  if (G_UNLIKELY (probe != NULL))
    ct_probe_note (probe, CT_PROBE_CALLBACK_BEGIN, scheduler->core->current, (gconstpointer) func);
}

static void
end_callback (CothreadScheduler *scheduler, gpointer outer)
{
  CtProbe *probe = scheduler->core != NULL ? scheduler->core->probe : NULL;

  scheduler->callback = outer;
  if (G_UNLIKELY (probe != NULL))
    ct_probe_note (probe, CT_PROBE_CALLBACK_END, scheduler->core->current, NULL);
}

static inline void
run_next (CothreadCallbackQueue *self)
{
  gpointer outer = self->scheduler->callback;
  const CothreadEntry *first = &self->in_hand.entries[self->in_hand.begin++];
  guint64 posted_ns = cothread_entry_posted_ns (first);
  CothreadKeyed *keyed = cothread_entry_keyed (first);
  /* A copy: the callback may run a main loop, in which others come into hand. */
  CothreadEntry entry = *cothread_entry_contents (first);

  /* Before its place is free: whoever finds the queue empty sets it, too. */
  if (G_UNLIKELY (posted_ns != 0))
    __atomic_store_n (&self->oldest_ns, posted_ns, __ATOMIC_RELAXED);
  self->n_run++;
  /* One by one only where a few places more or less matter to the posters; a
   * turn's worth at the most otherwise. */
  self->n_started++;
  if (G_UNLIKELY (in_hand_limit (self) < COTHREAD_IN_HAND_MAX || (entry.word & COTHREAD_CALLBACK_MAY_WAIT) != 0))
    cothread_callback_queue_free_places (self);
  if (G_LIKELY ((entry.word & COTHREAD_CALLBACK_MAY_WAIT) == 0))
    begin_callback (self->scheduler, entry.func);
  if (G_UNLIKELY (posted_ns != 0))
    cothread_callback_queue_run_timed (self, &entry, posted_ns);
  else
    entry.func (entry.user_data);
  if (G_LIKELY ((entry.word & COTHREAD_CALLBACK_MAY_WAIT) == 0))
    end_callback (self->scheduler, outer);
  if (entry.user_data_destroy != NULL)
    entry.user_data_destroy (entry.user_data);
  if (G_UNLIKELY (keyed != NULL))
    cothread_keyed_free (keyed);
}

void
cothread_callback_queue_run_next (CothreadCallbackQueue *self)
{
  run_next (self);
}

void
cothread_callback_queue_nudge (CothreadCallbackQueue *self)
{
  if (self->drainer != NULL)
    ct_task_fire (&self->drainer->core, CT_WAKE_NORMAL, NULL);
}

static gboolean
change_rest (CothreadCallbackQueue *self, guint from, guint to)
{
  return __atomic_compare_exchange_n (&self->rest, &from, to, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Nothing to run. FALSE if something came after all, or if a poster is about to
 * link an entry that it has announced: it may have looked already whether we
 * rest, so we must not. */
static gboolean
go_idle (CothreadCallbackQueue *self)
{
  guint rest = self->is_paused ? COTHREAD_REST_PAUSED : COTHREAD_REST_IDLE;
  gboolean is_empty;

  if (!change_rest (self, COTHREAD_REST_NONE, rest))
    return TRUE; /* the mail comes */
  pthread_mutex_lock (&self->lock);
  is_empty = __atomic_load_n (&self->errands, __ATOMIC_SEQ_CST) == 0 &&
             (self->is_paused || (self->pending.begin == self->pending.end && cothread_chain_is_empty (&self->chain)));
  pthread_mutex_unlock (&self->lock);
  return is_empty || !change_rest (self, rest, COTHREAD_REST_NONE);
}

/* The drainer has caught up with busy posters. It lets them have a moment: if it
 * followed them at their heels, every entry would be a cache line that both want at
 * once, and if it slept, a system call and an interrupt of another processor. */
static void
linger (CothreadCallbackQueue *self)
{
  gint64 until_us;

  cothread_callback_queue_free_places (self);
  until_us = g_get_monotonic_time () + LINGER_US;
  do
    for (guint i = 0; i < LINGER_PAUSES; i++)
      relax ();
  while (cothread_chain_get_length (&self->chain) == 0 && g_get_monotonic_time () < until_us);
}

/* A more urgent queue of this scheduler has something to do. */
static gboolean
more_urgent_is_ready (CothreadCallbackQueue *self)
{
  const CtLink *head = &self->scheduler->callback_queues;

  for (const CtLink *link = head->next; link != head && link != &self->link; link = link->next)
    {
      const CothreadCallbackQueue *other = CT_CONTAINER_OF (link, CothreadCallbackQueue, link);

      if (other->priority >= self->priority)
        break;
      if (other->drainer->core.state == CT_TASK_READY)
        return TRUE;
    }
  return FALSE;
}

/* The queue stands still until a callback task ends, but errands do not wait.
 * FALSE if there are some. */
static gboolean
stand_still (CothreadCallbackQueue *self)
{
  return !change_rest (self, COTHREAD_REST_NONE, COTHREAD_REST_PAUSED) ||
         __atomic_load_n (&self->errands, __ATOMIC_SEQ_CST) == 0 ||
         !change_rest (self, COTHREAD_REST_PAUSED, COTHREAD_REST_NONE);
}

static gboolean
others_are_ready (CothreadCallbackQueue *self)
{
  const CtScheduler *core = self->scheduler->core;

  return !ct_queue_is_empty (&core->tick) || !ct_queue_is_empty (&core->ready) || !ct_queue_is_empty (&core->yielding);
}

typedef enum
{
  DRAIN_PARK,      /* something will nudge us */
  DRAIN_RETRY,     /* nothing will, but a little later it may work */
  DRAIN_TURN_OVER, /* there is more to do */
  DRAIN_HAND_OVER, /* to a callback task, with what is in hand */
  DRAIN_REPLACED,  /* closed, or another drainer goes on */
} DrainResult;

static DrainResult
drain (CothreadCallbackQueue *self, CothreadTask *drainer)
{
  CtScheduler *core = self->scheduler->core;
  guint n = 0;

  change_rest (self, COTHREAD_REST_NEW, COTHREAD_REST_NONE);
  change_rest (self, COTHREAD_REST_PAUSED, COTHREAD_REST_NONE);
  change_rest (self, COTHREAD_REST_IDLE, COTHREAD_REST_NONE);
  for (;;)
    {
      gboolean is_slice_left = free_dropped (self), is_timed;
      const CothreadEntry *entry;
      CothreadCallbackFunc func;

      if (G_UNLIKELY (self->is_above || __atomic_load_n (&self->errands, __ATOMIC_RELAXED) != 0) && self->drainer == drainer)
        tell_of_watermarks (self, drainer);
      if (G_UNLIKELY (take_errand (self, COTHREAD_ERRAND_FLUSH) || cothread_callback_queue_n_left (self) >= self->next_flush))
        cothread_callback_queue_complete_flushes (self);
      /* Closed, perhaps destroyed but for our own reference. */
      if (self->drainer != drainer)
        return DRAIN_REPLACED;
      if (!is_slice_left)
        return DRAIN_TURN_OVER;
      if (G_UNLIKELY (self->has_taken_all && n >= LINGER_AFTER && self->in_hand.begin == self->in_hand.end) && !core->clock.is_virtual)
        linger (self);
      entry = self->is_paused ? NULL : cothread_callback_queue_next (self);
      if (entry == NULL)
        {
          if (go_idle (self))
            return DRAIN_PARK;
          if (ct_scheduler_slice_is_used_up (core))
            return DRAIN_TURN_OVER;
          continue;
        }
      if (G_UNLIKELY ((cothread_entry_contents (entry)->word & COTHREAD_CALLBACK_MAY_WAIT) != 0))
        {
          /* Behind the callback task in the ready queue: when we are next, it
           * has either run out of such entries or is suspended in one. */
          if (cothread_callback_runner_start (self))
            return DRAIN_HAND_OVER;
          if (self->n_runners < self->max_runners)
            return DRAIN_RETRY;
          if (stand_still (self))
            return DRAIN_PARK;
          continue;
        }
      func = cothread_entry_contents (entry)->func;
      is_timed = cothread_entry_posted_ns (entry) != 0;
      run_next (self);
      if (self->drainer != drainer)
        return DRAIN_REPLACED;
      if (ct_scheduler_slice_is_used_up (core))
        {
          if (!is_timed)
            cothread_callback_queue_note_overrun (self, func);
          return DRAIN_TURN_OVER;
        }
      /* A long queue must not keep the tasks of this tick waiting for a whole
       * slice, nor a more urgent queue for more than one callback. */
      if ((++n % COTHREAD_IN_HAND_MAX == 0 && others_are_ready (self)) || more_urgent_is_ready (self))
        return DRAIN_TURN_OVER;
    }
}

void
cothread_callback_queue_drain_step (CothreadTask *drainer, gpointer data)
{
  CothreadCallbackQueue *self = data;
  DrainResult result;

  g_object_ref (self);
  if (drainer->core.is_cancelled && self->drainer != NULL)
    cothread_callback_queue_close (self);
  result = drain (self, drainer);
  if (result == DRAIN_PARK || result == DRAIN_RETRY || result == DRAIN_TURN_OVER)
    cothread_callback_queue_put_back (self);
  if (result == DRAIN_REPLACED)
    {
      ct_task_finish_stackless (&drainer->core);
      cothread_task_unref (drainer);
    }
  else if (result == DRAIN_PARK || result == DRAIN_RETRY)
    {
      CtScheduler *core = self->scheduler->core;

      drainer->core.wait_reason = self->is_paused ? "resume" : "callbacks";
      ct_task_park (&drainer->core, NULL,
                    result == DRAIN_PARK ? CT_TIME_NEVER : ct_scheduler_now (core) + RETRY_US);
    }
  else
    ct_task_requeue (&drainer->core);
  g_object_unref (self);
}

/* A callback runs a main loop on top of this drainer: another one goes on. */
void
cothread_callback_queue_drain_nested (CothreadTask *drainer, gpointer data)
{
  CothreadCallbackQueue *self = data;

  if (self->drainer == drainer)
    {
      cothread_callback_queue_put_back (self);
      cothread_callback_queue_start_drainer (self);
    }
}

void
cothread_callback_queue_start_drainer (CothreadCallbackQueue *self)
{
  g_autofree char *name = g_strdup_printf ("callback queue %s", self->name);

  self->drainer = cothread_task_new_stackless (self->scheduler, name, cothread_callback_queue_drain_step, self);
  self->drainer->is_service = TRUE;
  self->drainer->nested = cothread_callback_queue_drain_nested;
}
