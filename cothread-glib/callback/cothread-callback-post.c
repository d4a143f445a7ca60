/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-wait-private.h"

/* The posters' side: any thread. */

#define LOOK_AGAIN_US 1000

static guint
max_length_of (CothreadCallbackQueue *self)
{
  return __atomic_load_n (&self->max_length, __ATOMIC_RELAXED);
}

static gboolean
is_full (CothreadCallbackQueue *self)
{
  guint max_length = max_length_of (self);

  return max_length != 0 && __atomic_load_n (&self->places, __ATOMIC_SEQ_CST) >= max_length;
}

static gboolean
is_closed (CothreadCallbackQueue *self)
{
  return (__atomic_load_n (&self->places, __ATOMIC_SEQ_CST) & COTHREAD_PLACES_CLOSED) != 0;
}

static void
raise_high_water (CothreadCallbackQueue *self, guint length)
{
  guint high_water = __atomic_load_n (&self->high_water, __ATOMIC_RELAXED);

  while (length > high_water &&
         !__atomic_compare_exchange_n (&self->high_water, &high_water, length, TRUE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* A place in the queue, to be filled by a push. */
static gboolean
take_place (CothreadCallbackQueue *self)
{
  guint max_length = max_length_of (self);
  guint64 places = __atomic_load_n (&self->places, __ATOMIC_RELAXED);

  do
    if ((max_length != 0 && places >= max_length) || (places & COTHREAD_PLACES_CLOSED) != 0)
      return FALSE;
  while (!__atomic_compare_exchange_n (&self->places, &places, places + 1, TRUE, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
  raise_high_water (self, (guint) places + 1);
  return TRUE;
}

static gboolean
refuse (CothreadCallbackQueue *self, const char *why, GError **error)
{
  pthread_mutex_lock (&self->lock);
  self->n_refused++;
  pthread_mutex_unlock (&self->lock);
  g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL, "Callback queue %s: %s", self->name, why);
  return FALSE;
}

/* If it rests like that. */
static void
wake_drainer (CothreadCallbackQueue *self, guint rest)
{
  if (__atomic_compare_exchange_n (&self->rest, &rest, COTHREAD_REST_TOLD, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
      g_object_ref (self); /* the mail's, until it is delivered */
      cothread_scheduler_post_mail (self->scheduler, &self->mail);
    }
}

/* FALSE if there was no room by the deadline. */
static gboolean
block_thread (CothreadCallbackQueue *self, CothreadOverflowPolicy policy, gint64 deadline_us)
{
  struct timespec deadline = { deadline_us / G_USEC_PER_SEC, deadline_us % G_USEC_PER_SEC * 1000 };
  gboolean is_in_time = TRUE;

  pthread_mutex_lock (&self->lock);
  __atomic_add_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  while (is_in_time && is_full (self) && !is_closed (self) &&
         __atomic_load_n (&self->overflow, __ATOMIC_RELAXED) == policy)
    {
      if (deadline_us == CT_TIME_NEVER)
        pthread_cond_wait (&self->room_cond, &self->lock);
      else
        is_in_time = pthread_cond_timedwait (&self->room_cond, &self->lock, &deadline) == 0;
    }
  __atomic_sub_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock (&self->lock);
  return is_in_time;
}

/* What the poster is to do after an attempt to make room. */
typedef enum
{
  ROOM_TRY_AGAIN,
  ROOM_NONE_YET, /* every entry is in hand, or about to be pushed */
  ROOM_REFUSE,   /* dropping more would hold memory without bound */
} Room;

static Room
drop_oldest_locked (CothreadCallbackQueue *self, CothreadEntry **to_free)
{
  CothreadEntry *oldest = cothread_callback_queue_pop_oldest (self);

  if (oldest == NULL)
    return ROOM_NONE_YET;
  if (oldest->user_data_destroy == NULL || (oldest->flags & COTHREAD_CALLBACK_DESTROY_ANYWHERE) != 0 ||
      cothread_scheduler_is_own_thread (self->scheduler))
    *to_free = oldest;
  else if (self->dropped.length < max_length_of (self))
    {
      cothread_entry_list_append (&self->dropped, oldest);
      __atomic_store_n (&self->has_dropped, TRUE, __ATOMIC_RELAXED);
    }
  else
    {
      CothreadEntryList back = { 0 };

      cothread_entry_list_append (&back, oldest);
      cothread_entry_list_prepend_all (&self->pending, &back);
      return ROOM_REFUSE;
    }
  __atomic_sub_fetch (&self->places, 1, __ATOMIC_SEQ_CST);
  self->n_dropped_oldest++;
  return ROOM_TRY_AGAIN;
}

/* Takes the oldest entry out, and frees it where that is allowed. */
static Room
drop_oldest (CothreadCallbackQueue *self)
{
  gboolean is_own_thread = cothread_scheduler_is_own_thread (self->scheduler);
  CothreadEntry *to_free = NULL;
  gboolean is_left_to_free;
  Room room;

  if (is_own_thread)
    cothread_callback_queue_put_back (self); /* what is in hand can be dropped, too */
  pthread_mutex_lock (&self->lock);
  room = drop_oldest_locked (self, &to_free);
  is_left_to_free = room == ROOM_TRY_AGAIN && to_free == NULL;
  pthread_mutex_unlock (&self->lock);

  if (to_free != NULL)
    cothread_entry_free (to_free);
  else if (is_left_to_free)
    wake_drainer (self, COTHREAD_REST_PAUSED); /* one that runs will see it by itself */
  return room;
}

static void
count_blocked_post (CothreadCallbackQueue *self)
{
  pthread_mutex_lock (&self->lock);
  self->n_blocked_posts++;
  pthread_mutex_unlock (&self->lock);
}

static gboolean
suspend_task (CothreadCallbackQueue *self, gint64 deadline_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  CtWaiter waiter;

  if (core == NULL)
    return FALSE;
  cothread_waiters_begin (&self->room_waiters, &waiter, core->current);
  cothread_waiters_queue (&self->room_waiters, &waiter);
  return cothread_wait_on (core, &waiter, deadline_us, "room in the callback queue", self, error);
}

static gboolean
wait_for_room (CothreadCallbackQueue *self, gint64 deadline_us, GError **error)
{
  CothreadTask *task = cothread_task_self ();
  g_autoptr (GError) failure = NULL;

  if (!cothread_scheduler_is_own_thread (self->scheduler))
    return block_thread (self, COTHREAD_OVERFLOW_BLOCK, deadline_us) || refuse (self, "full, and no room came in time", error);
  /* Blocking the thread that makes room would be for ever. */
  if (task == NULL || task->scheduler != self->scheduler || task->core.kind != CT_TASK_NATIVE)
    return refuse (self, "full, and only its own thread could make room; post from a task, or from another thread", error);
  if (suspend_task (self, deadline_us, &failure))
    return TRUE;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return refuse (self, "full, and no room came in time", error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
make_room_by_dropping (CothreadCallbackQueue *self, GError **error)
{
  switch (drop_oldest (self))
    {
    case ROOM_NONE_YET:
      if (cothread_scheduler_is_own_thread (self->scheduler))
        return refuse (self, "full of entries that are about to be posted", error);
      block_thread (self, COTHREAD_OVERFLOW_DROP_OLDEST, g_get_monotonic_time () + LOOK_AGAIN_US);
      return TRUE;
    case ROOM_REFUSE:
      return refuse (self, "full, and what was dropped waits to be freed on the scheduler's thread", error);
    case ROOM_TRY_AGAIN:
    default:
      return TRUE;
    }
}

static gboolean
make_room (CothreadCallbackQueue *self, gint64 *deadline_us, GError **error)
{
  switch ((CothreadOverflowPolicy) __atomic_load_n (&self->overflow, __ATOMIC_RELAXED))
    {
    case COTHREAD_OVERFLOW_DROP_OLDEST:
      return make_room_by_dropping (self, error);
    case COTHREAD_OVERFLOW_BLOCK:
      if (*deadline_us < 0)
        {
          *deadline_us = ct_clock_deadline (g_get_monotonic_time (), cothread_callback_queue_get_block_timeout (self));
          count_blocked_post (self);
        }
      return wait_for_room (self, *deadline_us, error);
    case COTHREAD_OVERFLOW_FAIL:
    default:
      return refuse (self, "full", error);
    }
}

static gboolean
post (CothreadCallbackQueue *self, CothreadEntry *entry, GError **error)
{
  gint64 deadline_us = -1;

  while (!take_place (self))
    {
      /* The entry that posts this one has begun: its place is free. */
      if (cothread_scheduler_is_own_thread (self->scheduler) && self->n_started > 0)
        {
          cothread_callback_queue_free_places (self);
          continue;
        }
      if (is_closed (self))
        {
          g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "Callback queue %s is closed", self->name);
          return FALSE;
        }
      if (!make_room (self, &deadline_us, error))
        return FALSE;
    }
  cothread_chain_push (&self->chain, entry);
  if (__atomic_load_n (&self->rest, __ATOMIC_SEQ_CST) == COTHREAD_REST_IDLE)
    wake_drainer (self, COTHREAD_REST_IDLE);
  return TRUE;
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
  CothreadEntry *entry;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  entry = cothread_entry_new (flags, func, user_data, user_data_destroy);
  if (post (self, entry, error))
    return TRUE;
  cothread_entry_free (entry);
  return FALSE;
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
 * this function returns, if the post fails.
 *
 * Fails with %COTHREAD_ERROR_CLOSED if the queue is closed, and where the
 * #CothreadCallbackQueue:overflow policy says so with %COTHREAD_ERROR_FULL.
 * With %COTHREAD_OVERFLOW_BLOCK a task of the queue's own scheduler suspends
 * while there is no room, another thread blocks, and the scheduler's own thread
 * outside any task, which could only wait for itself, gets
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
