/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* The posters' side: any thread. */

/* The drainer looks at the length after it has cleared `is_above`, and posters
 * the other way round: one of the two sees the crossing. */
static void
note_watermark (CothreadCallbackQueue *self)
{
  if (!__atomic_load_n (&self->is_above, __ATOMIC_SEQ_CST) &&
      (__atomic_load_n (&self->errands, __ATOMIC_RELAXED) & COTHREAD_ERRAND_WATERMARK) == 0)
    cothread_callback_queue_add_errand (self, COTHREAD_ERRAND_WATERMARK);
}

/* FALSE: there is no room, or the queue is closed. Between the claim of its place
 * and the end of this the consumer waits for the entry. */
static inline gboolean
push (CothreadCallbackQueue *self, CothreadEntry *entry, guint64 limit)
{
  guint64 mark = (guint64) __atomic_load_n (&self->high_watermark, __ATOMIC_RELAXED) - 1; /* 0 becomes the largest */
  CothreadPlace place = cothread_chain_claim (&self->chain, MIN (limit, mark), limit);
  guint rest;
  gboolean is_first;

  if (G_UNLIKELY (place.entry == NULL))
    return FALSE;
  if (G_UNLIKELY (place.length >= mark))
    note_watermark (self);
  /* Also whoever finds nothing there and nobody at work: what comes seldom is
   * timed always. */
  rest = __atomic_load_n (&self->rest, __ATOMIC_RELAXED);
  is_first = G_UNLIKELY (rest > COTHREAD_REST_TOLD) && cothread_chain_get_length (&self->chain) == 1;
  if (G_UNLIKELY (is_first || cothread_posts_to_sample-- == 0))
    cothread_callback_queue_stamp (self, entry, is_first);
  cothread_chain_fill (&place, entry);
  return TRUE;
}

static inline guint64
limit_of (CothreadCallbackQueue *self)
{
  return cothread_callback_queue_limit (cothread_callback_queue_bound (self));
}

/* Accepted, and gone at once: only the count is left of it. */
static void
drop_newest (CothreadCallbackQueue *self, const CothreadEntry *entry)
{
  pthread_mutex_lock (&self->lock);
  COTHREAD_COUNT (self->n_dropped_newest);
  pthread_mutex_unlock (&self->lock);
  cothread_entry_drop (entry);
}

typedef enum
{
  PLACING_DONE,
  PLACING_REPLACED, /* the entry has what it replaced, and is to be freed */
  PLACING_REPLACED_FOR_OWNER, /* the same, but on the scheduler's thread */
  PLACING_NO_ROOM,
  PLACING_REFUSED,
} Placing;

/* The entry that waits keeps its place, and gets what the newer one brings. */
static Placing
replace_locked (CothreadCallbackQueue *self, CothreadKeyed *waiting, const CothreadEntry *entry)
{
  CothreadKeyed *newer = cothread_entry_keyed (entry);
  CothreadEntry older = waiting->contents;
  gboolean may_free = cothread_callback_queue_may_free_here (self, &older);

  if (!may_free && cothread_callback_queue_is_full_of_dropped (self))
    return PLACING_REFUSED;
  waiting->contents = newer->contents;
  newer->contents = older;
  COTHREAD_COUNT (self->n_coalesced);
  if (may_free)
    return PLACING_REPLACED;
  cothread_callback_queue_keep_for_owner (self, entry);
  return PLACING_REPLACED_FOR_OWNER;
}

static Placing
place_keyed_locked (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  CothreadKeyed *keyed = cothread_entry_keyed (entry);
  gboolean has_name = keyed->name != NULL;
  CothreadKeyed *waiting = has_name ? cothread_callback_queue_find_key (self, keyed) : NULL;

  if (waiting == NULL && push (self, entry, limit_of (self)))
    {
      cothread_callback_queue_list_key (self, keyed);
      return PLACING_DONE;
    }
  /* Without a name it is the queue's policy, for when it is full. */
  if (waiting == NULL && !has_name && __atomic_load_n (&self->overflow, __ATOMIC_RELAXED) == COTHREAD_OVERFLOW_COALESCE)
    waiting = cothread_callback_queue_find_key (self, keyed);
  return waiting != NULL ? replace_locked (self, waiting, entry) : PLACING_NO_ROOM;
}

static Placing
place_keyed (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  Placing placing;

  pthread_mutex_lock (&self->lock);
  placing = place_keyed_locked (self, entry);
  pthread_mutex_unlock (&self->lock);
  return placing;
}

static Placing
place (CothreadCallbackQueue *self, CothreadEntry *entry)
{
  if (G_UNLIKELY (cothread_entry_keyed (entry) != NULL))
    return place_keyed (self, entry);
  return push (self, entry, limit_of (self)) ? PLACING_DONE : PLACING_NO_ROOM;
}

/* After a push: a consumer that sleeps is told. */
static inline void
wake (CothreadCallbackQueue *self)
{
  guint rest = __atomic_load_n (&self->rest, __ATOMIC_SEQ_CST);

  if (G_UNLIKELY (rest == COTHREAD_REST_IDLE))
    cothread_callback_queue_wake_drainer (self, COTHREAD_REST_IDLE);
  else if (G_UNLIKELY (rest == COTHREAD_REST_PAUSED))
    cothread_callback_queue_tell_of_errands (self);
}

/* What is left to do once the entry has been placed, in one way or another. */
static gboolean
settle (CothreadCallbackQueue *self, const CothreadEntry *entry, Placing placing, GError **error)
{
  switch (placing)
    {
    case PLACING_REPLACED:
      cothread_entry_drop (entry);
      return TRUE;
    case PLACING_REPLACED_FOR_OWNER:
      cothread_callback_queue_tell_of_errands (self);
      return TRUE;
    case PLACING_REFUSED:
      cothread_entry_drop (entry);
      return cothread_callback_queue_refuse (self, COTHREAD_DROPPED_ARE_TOO_MANY, error);
    case PLACING_DONE:
    case PLACING_NO_ROOM:
    default:
      wake (self);
      return TRUE;
    }
}

void
cothread_callback_queue_set_closed_error (CothreadCallbackQueue *self, GError **error)
{
  if (cothread_callback_queue_is_of_parent (self))
    g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Callback queue %s belongs to the parent process", self->name);
  else
    g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Callback queue %s is closed", self->name);
}

void
cothread_callback_queue_post_always (CothreadCallbackQueue *self, const CothreadEntry *entry)
{
  CothreadEntry own = *entry;

  cothread_posts_to_sample = 0; /* what comes seldom is timed always */
  if (!cothread_callback_queue_is_of_parent (self) && push (self, &own, G_MAXINT64))
    wake (self);
  else
    cothread_entry_drop (entry);
}

gboolean
cothread_callback_queue_post_entry (CothreadCallbackQueue *self, CothreadEntry *entry, CothreadPatience patience, GError **error)
{
  Placing placing;

  if (cothread_callback_queue_is_of_parent (self))
    {
      cothread_callback_queue_set_closed_error (self, error);
      cothread_entry_drop (entry);
      return FALSE;
    }
  while ((placing = place (self, entry)) == PLACING_NO_ROOM)
    {
      gboolean may_try_again = FALSE;

      if (cothread_callback_queue_is_closed (self))
        cothread_callback_queue_set_closed_error (self, error);
      else if (cothread_scheduler_is_own_thread (self->scheduler) && self->n_started > 0)
        {
          /* The entry that posts this one has begun: its place is free. */
          cothread_callback_queue_free_places (self);
          may_try_again = TRUE;
        }
      else if (__atomic_load_n (&self->overflow, __ATOMIC_RELAXED) == COTHREAD_OVERFLOW_DROP_NEWEST)
        {
          drop_newest (self, entry);
          return TRUE;
        }
      else
        may_try_again = cothread_callback_queue_make_room (self, &patience, error);
      if (!may_try_again)
        {
          cothread_entry_drop (entry);
          return FALSE;
        }
    }
  return settle (self, entry, placing, error);
}

static gboolean
post (CothreadCallbackQueue *self, CothreadEntry entry, GError **error)
{
  return cothread_callback_queue_post_entry (self, &entry, (CothreadPatience) { -1, NULL, -1 }, error);
}

/**
 * cothread_callback_queue_post_full: (skip)
 * @self: a callback queue
 * @flags: how the entry runs
 * @func: what to call
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @error: return location for a #GError
 *
 * Like cothread_callback_queue_post(), for C: with %COTHREAD_CALLBACK_MAY_WAIT
 * the callback runs in a task and may wait.
 *
 * Entries begin in the order in which they were posted. One that waits does not
 * hold back those behind it, up to #CothreadCallbackQueue:max-suspended of them.
 *
 * Returns: whether the entry was accepted
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_post_full (CothreadCallbackQueue *self,
                                   CothreadCallbackFlags flags,
                                   CothreadCallbackFunc func,
                                   gpointer user_data,
                                   GDestroyNotify user_data_destroy,
                                   GError **error)
{
  CothreadEntry entry;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  entry = cothread_entry (flags, func, user_data, user_data_destroy);
  if (G_UNLIKELY (__atomic_load_n (&self->overflow, __ATOMIC_RELAXED) == COTHREAD_OVERFLOW_COALESCE))
    return post (self, cothread_entry_with_key (NULL, flags, func, user_data, user_data_destroy), error);
  /* All there is to do, mostly. */
  if (G_UNLIKELY (cothread_callback_queue_is_of_parent (self) || !push (self, &entry, limit_of (self))))
    return post (self, entry, error);
  wake (self);
  return TRUE;
}

/**
 * cothread_callback_queue_post:
 * @self: a callback queue
 * @func: (scope notified) (closure user_data) (destroy user_data_destroy): what
 *   to call
 * @user_data: (nullable): passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @error: return location for a #GError
 *
 * Brings work to the scheduler's thread, from any thread. The callback is
 * called from the main loop, never from inside this function, on the thread's
 * own stack; it must not wait (spawn a task in it, or see
 * cothread_callback_queue_post_full()). Entries of one poster run in the order
 * in which they were posted.
 *
 * The destroy notify runs exactly once: on the scheduler's thread when the
 * callback has returned or the entry was dropped; in the posting thread, before
 * this function returns, if the post fails, or if the entry is dropped as the
 * newest of a full queue (%COTHREAD_OVERFLOW_DROP_NEWEST).
 *
 * Fails with %COTHREAD_ERROR_CLOSED if the queue is closed, and where the
 * #CothreadCallbackQueue:overflow policy says so with %COTHREAD_ERROR_FULL.
 * With %COTHREAD_OVERFLOW_BLOCK a task suspends while there is no room, of
 * whichever scheduler it is; another thread blocks; and the scheduler's own
 * thread outside any task, which could only wait for itself, gets
 * %COTHREAD_ERROR_FULL.
 *
 * Returns: whether the entry was accepted
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_post (CothreadCallbackQueue *self,
                              CothreadCallbackFunc func,
                              gpointer user_data,
                              GDestroyNotify user_data_destroy,
                              GError **error)
{
  return cothread_callback_queue_post_full (self, COTHREAD_CALLBACK_DEFAULT, func, user_data, user_data_destroy, error);
}

/**
 * cothread_callback_queue_post_coalesced_full: (skip)
 * @self: a callback queue
 * @key: names what the callback is about
 * @flags: how the entry runs
 * @func: what to call
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @error: return location for a #GError
 *
 * Like cothread_callback_queue_post_coalesced(), for C: with
 * %COTHREAD_CALLBACK_MAY_WAIT the callback runs in a task and may wait. The
 * flags of the newer entry count.
 *
 * Returns: whether the entry was accepted
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_post_coalesced_full (CothreadCallbackQueue *self,
                                             const char *key,
                                             CothreadCallbackFlags flags,
                                             CothreadCallbackFunc func,
                                             gpointer user_data,
                                             GDestroyNotify user_data_destroy,
                                             GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  return post (self, cothread_entry_with_key (key, flags, func, user_data, user_data_destroy), error);
}

/**
 * cothread_callback_queue_post_coalesced:
 * @self: a callback queue
 * @key: names what the callback is about
 * @func: (scope notified) (closure user_data) (destroy user_data_destroy): what
 *   to call
 * @user_data: (nullable): passed to @func
 * @user_data_destroy: (nullable): frees the user data
 * @error: return location for a #GError
 *
 * Posts what matters only in its newest version, such as "the value changed":
 * if an entry with the same key waits, the new one replaces it and gets its
 * place in the queue, the older one's. The older one is dropped and counted as
 * coalesced; its destroy notify runs on the scheduler's thread, or here, if it
 * was posted with %COTHREAD_CALLBACK_DESTROY_ANYWHERE. That needs no room, so it
 * succeeds even if the queue is full, whatever its policy.
 *
 * Otherwise it is like cothread_callback_queue_post(): the entry goes to the
 * end, and has to find room there. Entries that the running turn has in hand are
 * not replaced any more. Posting with a key takes a lock.
 *
 * Fails like cothread_callback_queue_post().
 *
 * Returns: whether the entry was accepted
 *
 * Since: 0.1
 */
gboolean
cothread_callback_queue_post_coalesced (CothreadCallbackQueue *self,
                                        const char *key,
                                        CothreadCallbackFunc func,
                                        gpointer user_data,
                                        GDestroyNotify user_data_destroy,
                                        GError **error)
{
  return cothread_callback_queue_post_coalesced_full (self, key, COTHREAD_CALLBACK_DEFAULT, func, user_data,
                                                      user_data_destroy, error);
}
