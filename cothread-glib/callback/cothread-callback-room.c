/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "callback/cothread-reply-private.h"
#include "loop/cothread-wait-private.h"

/* What posters do when the queue is full: any thread. */

#define LOOK_AGAIN_US 1000

/* For who has counted himself among those who wait: whoever changes the bound
 * does so before he looks whether anybody waits. */
static gboolean
is_full (CothreadCallbackQueue *self)
{
  guint max_length = __atomic_load_n (&self->max_length, __ATOMIC_SEQ_CST);

  return cothread_chain_get_length (&self->chain) >= cothread_callback_queue_limit (max_length);
}

gboolean
cothread_callback_queue_refuse (CothreadCallbackQueue *self, const char *why, GError **error)
{
  pthread_mutex_lock (&self->lock);
  COTHREAD_COUNT (self->n_refused);
  pthread_mutex_unlock (&self->lock);
  g_set_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL, "Callback queue %s: %s", self->name, why);
  return FALSE;
}

void
cothread_callback_queue_wake_drainer (CothreadCallbackQueue *self, guint rest)
{
  if (__atomic_compare_exchange_n (&self->rest, &rest, COTHREAD_REST_TOLD, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
      g_object_ref (self); /* the mail's, until it is delivered */
      cothread_scheduler_post_mail (self->scheduler, &self->mail);
    }
}

/* A drainer that runs will see them by itself, and one that is idle is woken by
 * the entry that comes next. */
void
cothread_callback_queue_tell_of_errands (CothreadCallbackQueue *self)
{
  if (__atomic_load_n (&self->errands, __ATOMIC_SEQ_CST) != 0 &&
      __atomic_load_n (&self->rest, __ATOMIC_SEQ_CST) == COTHREAD_REST_PAUSED)
    cothread_callback_queue_wake_drainer (self, COTHREAD_REST_PAUSED);
}

/* FALSE if there was no room by the deadline. */
static gboolean
block_thread (CothreadCallbackQueue *self, CothreadOverflowPolicy policy, gint64 deadline_us)
{
  struct timespec deadline = { deadline_us / G_USEC_PER_SEC, deadline_us % G_USEC_PER_SEC * 1000 };
  gboolean is_in_time = TRUE;
  guint64 began_ns;

  pthread_mutex_lock (&self->lock);
  began_ns = cothread_callback_queue_begin_blocked (self);
  __atomic_add_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  while (is_in_time && is_full (self) && !cothread_callback_queue_is_closed (self) &&
         __atomic_load_n (&self->overflow, __ATOMIC_SEQ_CST) == policy)
    {
      if (deadline_us == CT_TIME_NEVER)
        pthread_cond_wait (&self->room_cond, &self->lock);
      else
        is_in_time = pthread_cond_timedwait (&self->room_cond, &self->lock, &deadline) == 0;
    }
  __atomic_sub_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  cothread_callback_queue_end_blocked (self, began_ns);
  pthread_mutex_unlock (&self->lock);
  return is_in_time;
}

gboolean
cothread_callback_queue_may_free_here (CothreadCallbackQueue *self, const CothreadEntry *entry)
{
  return entry->user_data_destroy == NULL || (entry->word & COTHREAD_CALLBACK_DESTROY_ANYWHERE) != 0 ||
         cothread_scheduler_is_own_thread (self->scheduler);
}

/* As many as may wait: more would be memory without a bound. */
gboolean
cothread_callback_queue_is_full_of_dropped (CothreadCallbackQueue *self)
{
  guint max_length = cothread_callback_queue_bound (self);

  return max_length != 0 && self->dropped.length >= max_length;
}

void
cothread_callback_queue_keep_for_owner (CothreadCallbackQueue *self, const CothreadEntry *entry)
{
  cothread_entry_list_push (&self->dropped, entry);
  cothread_callback_queue_add_errand (self, COTHREAD_ERRAND_FREE);
}

/* What the poster is to do after an attempt to make room. */
typedef enum
{
  ROOM_TRY_AGAIN,
  ROOM_NONE_YET, /* every entry is in hand, or about to be pushed */
  ROOM_REFUSE,   /* dropping more would hold memory without bound */
} Room;

/* Where the poster may free it, it gets it in `to_free`. */
static Room
drop_oldest_locked (CothreadCallbackQueue *self, CothreadEntry *to_free)
{
  const CothreadEntry *oldest = cothread_callback_queue_peek_oldest (self);
  gboolean may_free;
  CothreadEntry dropped;

  if (oldest == NULL)
    return ROOM_NONE_YET;
  may_free = cothread_callback_queue_may_free_here (self, cothread_entry_contents (oldest));
  if (!may_free && cothread_callback_queue_is_full_of_dropped (self))
    return ROOM_REFUSE;
  cothread_callback_queue_pop_oldest (self, &dropped);
  if (cothread_entry_posted_ns (&dropped) != 0)
    __atomic_store_n (&self->oldest_ns, cothread_entry_posted_ns (&dropped), __ATOMIC_RELAXED);
  if (may_free)
    *to_free = dropped;
  else
    cothread_callback_queue_keep_for_owner (self, &dropped);
  cothread_callback_queue_note_length (self);
  cothread_callback_queue_begin_change (self);
  __atomic_add_fetch (&self->chain.n_gone, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n (&self->n_dropped_oldest, self->n_dropped_oldest + 1, __ATOMIC_RELEASE);
  cothread_callback_queue_end_change (self);
  if (ct_link_is_linked (&self->flushes))
    cothread_callback_queue_add_errand (self, COTHREAD_ERRAND_FLUSH);
  return ROOM_TRY_AGAIN;
}

/* Takes the oldest entry out, and frees it where that is allowed. */
static Room
drop_oldest (CothreadCallbackQueue *self)
{
  gboolean is_own_thread = cothread_scheduler_is_own_thread (self->scheduler);
  CothreadEntry to_free = { 0 };
  Room room;

  if (is_own_thread)
    cothread_callback_queue_put_back (self); /* what is in hand can be dropped, too */
  pthread_mutex_lock (&self->lock);
  room = drop_oldest_locked (self, &to_free);
  pthread_mutex_unlock (&self->lock);

  cothread_entry_drop (&to_free);
  cothread_callback_queue_tell_of_errands (self);
  return room;
}

static void
count_blocked_post (CothreadCallbackQueue *self)
{
  pthread_mutex_lock (&self->lock);
  COTHREAD_COUNT (self->n_blocked_posts);
  pthread_mutex_unlock (&self->lock);
}

static gboolean
suspend_task (CothreadCallbackQueue *self, gint64 deadline_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  CtWaiter waiter;
  guint64 began_ns;
  gboolean was_woken;

  if (core == NULL)
    return FALSE;
  pthread_mutex_lock (&self->lock);
  began_ns = cothread_callback_queue_begin_blocked (self);
  pthread_mutex_unlock (&self->lock);
  cothread_waiters_begin (&self->room_waiters, &waiter, core->current);
  cothread_waiters_queue (&self->room_waiters, &waiter);
  was_woken = cothread_wait_on (core, &waiter, deadline_us, "room in the callback queue", self, error);
  pthread_mutex_lock (&self->lock);
  cothread_callback_queue_end_blocked (self, began_ns);
  pthread_mutex_unlock (&self->lock);
  return was_woken;
}

void
cothread_callback_queue_tell_of_room (CothreadCallbackQueue *self)
{
  pthread_cond_broadcast (&self->room_cond);
  for (GList *link = self->room_replies.head; link != NULL; link = link->next)
    cothread_reply_answer (link->data);
}

/* Somebody whose thread must not block: a task of another scheduler, or one who
 * may be cancelled. */
static gboolean
wait_for_reply (CothreadCallbackQueue *self, const CothreadPatience *patience, GError **error)
{
  g_autoptr (CothreadReply) reply = cothread_reply_new ();
  GList link = { .data = reply };
  gint64 timeout_us = COTHREAD_FOREVER;
  gboolean is_over;
  guint64 began_ns;

  if (patience->deadline_us != CT_TIME_NEVER)
    {
      gint64 now_us = g_get_monotonic_time ();

      timeout_us = MAX (0, patience->deadline_us - now_us);
    }
  pthread_mutex_lock (&self->lock);
  began_ns = cothread_callback_queue_begin_blocked (self);
  __atomic_add_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  /* What has changed before this told nobody. */
  if (!is_full (self) || cothread_callback_queue_is_closed (self) ||
      __atomic_load_n (&self->overflow, __ATOMIC_SEQ_CST) != COTHREAD_OVERFLOW_BLOCK)
    cothread_reply_answer (reply);
  g_queue_push_tail_link (&self->room_replies, &link);
  pthread_mutex_unlock (&self->lock);
  is_over = cothread_reply_wait (reply, timeout_us, patience->cancellable, "room in the callback queue", self, error);
  pthread_mutex_lock (&self->lock);
  g_queue_unlink (&self->room_replies, &link);
  __atomic_sub_fetch (&self->n_blocked, 1, __ATOMIC_SEQ_CST);
  cothread_callback_queue_end_blocked (self, began_ns);
  pthread_mutex_unlock (&self->lock);
  return is_over;
}

static gboolean
wait_in_other_thread (CothreadCallbackQueue *self, const CothreadPatience *patience, GError **error)
{
  if (patience->cancellable != NULL ||
      (cothread_running_scheduler != NULL && cothread_running_scheduler->core->current->kind == CT_TASK_NATIVE))
    return wait_for_reply (self, patience, error);
  return block_thread (self, COTHREAD_OVERFLOW_BLOCK, patience->deadline_us) || cothread_wait_result (CT_WAKE_TIMEOUT, error);
}

static gboolean
wait_for_room (CothreadCallbackQueue *self, const CothreadPatience *patience, GError **error)
{
  CothreadTask *task = cothread_task_self ();
  g_autoptr (GError) failure = NULL;
  gboolean is_own_thread = cothread_scheduler_is_own_thread (self->scheduler);

  /* Blocking the thread that makes room would be for ever. */
  if (is_own_thread && (task == NULL || task->scheduler != self->scheduler || task->core.kind != CT_TASK_NATIVE))
    return cothread_callback_queue_refuse (self, "full, and only its own thread could make room; "
                                           "post from a task, or from another thread", error);
  if (is_own_thread ? suspend_task (self, patience->deadline_us, &failure) : wait_in_other_thread (self, patience, &failure))
    return TRUE;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return cothread_callback_queue_refuse (self, "full, and no room came in time", error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Who has claimed a place fills it at once, unless it is interrupted just there. */
#define PATIENT_LOOKS 1000

static gboolean
make_room_by_dropping (CothreadCallbackQueue *self, GError **error)
{
  Room room = drop_oldest (self);

  if (cothread_scheduler_is_own_thread (self->scheduler))
    for (guint i = 0; room == ROOM_NONE_YET && i < PATIENT_LOOKS; i++)
      {
        g_thread_yield ();
        room = drop_oldest (self);
      }
  switch (room)
    {
    case ROOM_NONE_YET:
      if (cothread_scheduler_is_own_thread (self->scheduler))
        return cothread_callback_queue_refuse (self, "full of entries that are about to be posted", error);
      block_thread (self, COTHREAD_OVERFLOW_DROP_OLDEST, g_get_monotonic_time () + LOOK_AGAIN_US);
      return TRUE;
    case ROOM_REFUSE:
      return cothread_callback_queue_refuse (self, COTHREAD_DROPPED_ARE_TOO_MANY, error);
    case ROOM_TRY_AGAIN:
    default:
      return TRUE;
    }
}

/* A task waits by its scheduler's clock, which may be a virtual one. */
static gint64
now_for_poster (CothreadCallbackQueue *self)
{
  if (cothread_scheduler_is_own_thread (self->scheduler) && self->scheduler->core != NULL)
    return ct_scheduler_now (self->scheduler->core);
  return g_get_monotonic_time ();
}

static void
begin_to_wait (CothreadCallbackQueue *self, CothreadPatience *patience)
{
  gint64 timeout_us = cothread_callback_queue_get_block_timeout (self);

  if (patience->deadline_us >= 0)
    return;
  if (timeout_us < 0 || (patience->timeout_us >= 0 && patience->timeout_us < timeout_us))
    timeout_us = patience->timeout_us;
  patience->deadline_us = ct_clock_deadline (now_for_poster (self), timeout_us);
  count_blocked_post (self);
}

gboolean
cothread_callback_queue_make_room (CothreadCallbackQueue *self, CothreadPatience *patience, GError **error)
{
  switch ((CothreadOverflowPolicy) __atomic_load_n (&self->overflow, __ATOMIC_RELAXED))
    {
    case COTHREAD_OVERFLOW_DROP_OLDEST:
      return make_room_by_dropping (self, error);
    case COTHREAD_OVERFLOW_BLOCK:
      if (patience->timeout_us == 0)
        return cothread_callback_queue_refuse (self, "full", error);
      begin_to_wait (self, patience);
      return wait_for_room (self, patience, error);
    case COTHREAD_OVERFLOW_COALESCE:
      return cothread_callback_queue_refuse (self, "full, and nothing that waits has the same key", error);
    case COTHREAD_OVERFLOW_DROP_NEWEST:
      return TRUE; /* it became the policy this moment: the poster looks again */
    case COTHREAD_OVERFLOW_FAIL:
    default:
      return cothread_callback_queue_refuse (self, "full", error);
    }
}
