/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-chain-private.h"
#include "core/ct-histogram.h"
#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "sync/cothread-waiters-private.h"

#include <pthread.h>

/* Entries that the running turn has in hand can no longer be dropped: at most
 * this many, and at most an eighth of the bound. They keep their places until
 * they begin. */
#define COTHREAD_IN_HAND_MAX 64

typedef struct
{
  CothreadEntry entries[COTHREAD_IN_HAND_MAX];
  guint begin;
  guint end;
} CothreadHand;
/* Callback tasks kept for the next callback that may wait. */
#define COTHREAD_IDLE_RUNNERS 1

/* Whether the next post has to wake the drainer. The mail is a single object,
 * so between its posting and its delivery nobody may post it again. */
typedef enum
{
  COTHREAD_REST_NONE,   /* the drainer looks by itself */
  COTHREAD_REST_TOLD,   /* the mail is under way */
  COTHREAD_REST_NEW,    /* the drainer has not begun, but will */
  COTHREAD_REST_IDLE,   /* a poster that makes this TOLD posts the mail */
  COTHREAD_REST_PAUSED, /* a poster that drops an entry may do the same */
} CothreadRest;

/* Posters that wait for room, tasks included. Those who wait at the moment count
 * by the sum of the times at which they began. */
typedef struct
{
  guint64 n_now;
  guint64 began_sum_ns;
  guint64 ended_sum_ns; /* how long all others waited */
  guint64 longest_ns;
} CothreadBlocked;

#define COTHREAD_SLOW_CALLBACKS 16

typedef struct
{
  CothreadCallbackFunc func;
  guint64 n_timed;
  guint64 total_ns;
  guint64 longest_ns;
} CothreadSlowFunction;

/* What was measured of the entries that were timed. */
typedef struct
{
  CtHistogram time_in_queue;
  CtHistogram run_time;
  CothreadSlowFunction slow[COTHREAD_SLOW_CALLBACKS];
} CothreadTiming;

/* What posters leave for the drainer to do beside the entries; a set. */
enum
{
  COTHREAD_ERRAND_FREE = 1 << 0,      /* what is on `dropped` */
  COTHREAD_ERRAND_WATERMARK = 1 << 1, /* the high one was reached */
  COTHREAD_ERRAND_FLUSH = 1 << 2,     /* one may be complete */
};

typedef struct _CothreadCallbackRunner CothreadCallbackRunner;

struct _CothreadCallbackQueue
{
  GObject parent_instance;

  char *name;
  CothreadScheduler *scheduler; /* referenced */
  CothreadShutdownHook shutdown_hook;
  CtLink link; /* among the scheduler's queues, while open */
  guint fork_generation;
  int priority;

  /* What posters read and seldom anybody writes; all atomic. */
  char apart[128];
  guint max_length;     /* 0: none */
  guint overflow;       /* CothreadOverflowPolicy */
  guint high_watermark; /* 0: none */
  guint is_above;       /* the high one was reached, and the low one not since */
  guint errands;
  guint rest; /* CothreadRest */
  CothreadChain chain;
  guint n_blocked; /* threads that wait for room */
  guint high_water;
  gint64 block_timeout_us;
  guint64 oldest_ns; /* no entry that waits was posted before */
  CothreadMail mail; /* wakes the drainer */

  /* POSIX's own, which ThreadSanitizer understands. */
  pthread_mutex_t lock;      /* for the rest of this block */
  CothreadHand pending;      /* before what is on the chain */
  CothreadEntryList dropped; /* to be freed on the scheduler's thread */
  GHashTable *keys;          /* of CothreadKeyed that can be replaced; NULL until needed */
  CtLink flushes;            /* CothreadFlush, oldest first */
  pthread_cond_t room_cond;
  GQueue room_replies; /* of those who wait for room in another way */
  guint64 n_dropped_oldest;
  guint64 n_dropped_newest;
  guint64 n_coalesced;
  guint64 n_refused;
  guint64 n_blocked_posts;
  CothreadBlocked blocked;
  guint64 changes; /* odd while what has to be read together is changed */

  /* The scheduler's thread only. */
  guint64 told_blocked_us; /* by the last snapshot */
  CothreadTask *drainer; /* stackless; NULL once closed */
  CothreadHand in_hand;
  gboolean has_taken_all; /* that there were when it took some in hand */
  CothreadEntryList freeing; /* dropped ones, to be freed one at a time */
  guint n_started; /* begun, but their places are not given back yet */
  CothreadWaiters room_waiters; /* tasks of this scheduler */
  CothreadCallbackRunner *active_runner;
  GQueue idle_runners;
  guint n_runners;
  guint max_runners;
  gsize runner_stack_bytes; /* 0: what tasks have */
  gboolean has_warned_of_runners;
  gboolean is_paused;
  guint low_watermark;
  CothreadTiming *timing; /* NULL until something was timed */
  guint64 next_flush; /* complete at so many left; G_MAXUINT64: none */
  guint64 n_run;
  guint64 n_dropped_closed;
};

/* Of a queue that is elsewhere: the numbers are the caller's to fill in. */
CothreadCallbackStatistics *cothread_callback_statistics_new (const CtHistogram *time_in_queue, const CtHistogram *run_time);

/* The open queue that a scheduler's shutdown hook belongs to, or NULL. */
CothreadCallbackQueue *cothread_callback_queue_from_hook (CtLink *link);

/* The consumer's side, in cothread-callback-drain.c. */
void cothread_callback_queue_drain_step (CothreadTask *drainer, gpointer queue);
void cothread_callback_queue_drain_nested (CothreadTask *drainer, gpointer queue);
void cothread_callback_queue_start_drainer (CothreadCallbackQueue *self);
/* The next entry to run, taking more in hand where need be; NULL: none. */
const CothreadEntry *cothread_callback_queue_next (CothreadCallbackQueue *self);
/* Runs it. */
void cothread_callback_queue_run_next (CothreadCallbackQueue *self);
void cothread_callback_queue_put_back (CothreadCallbackQueue *self);
/* Gives back the places of entries that have begun. */
void cothread_callback_queue_free_places (CothreadCallbackQueue *self);
/* Under the lock: the oldest entry that is not in hand, or NULL. */
const CothreadEntry *cothread_callback_queue_peek_oldest (CothreadCallbackQueue *self);
gboolean cothread_callback_queue_pop_oldest (CothreadCallbackQueue *self, CothreadEntry *entry);
/* A queue stays with the process that made it, whose threads and locks its memory
 * describes. */
static inline gboolean
cothread_callback_queue_is_of_parent (CothreadCallbackQueue *self)
{
  return G_UNLIKELY (self->fork_generation != cothread_fork_get_generation ());
}

/* The failure of whatever would put something into the queue. */
void cothread_callback_queue_set_closed_error (CothreadCallbackQueue *self, GError **error);
/* Past any bound; on the scheduler's thread. */
void cothread_callback_queue_post_always (CothreadCallbackQueue *self, const CothreadEntry *entry);

/* Under the lock: wakes the threads among those who wait for room. */
void cothread_callback_queue_tell_of_room (CothreadCallbackQueue *self);
/* Wakes posters that wait for room, up to n tasks of this scheduler. */
void cothread_callback_queue_announce_room (CothreadCallbackQueue *self, guint n);
/* Wakes the drainer, which then looks at everything anew. */
void cothread_callback_queue_nudge (CothreadCallbackQueue *self);

static inline gboolean
cothread_callback_queue_is_own_thread (CothreadCallbackQueue *self)
{
  return self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler);
}

/* Among the scheduler's queues, in their order. */
void cothread_callback_queue_enlist (CothreadCallbackQueue *self);

static inline guint
cothread_callback_queue_bound (CothreadCallbackQueue *self)
{
  return __atomic_load_n (&self->max_length, __ATOMIC_RELAXED);
}

/* How many may wait, with a bound or without. */
static inline guint
cothread_callback_queue_limit (guint max_length)
{
  /* 0 becomes the largest. */
  return MIN (max_length - 1, COTHREAD_CHAIN_MAX_LENGTH - 1) + 1;
}

static inline gboolean
cothread_callback_queue_is_closed (CothreadCallbackQueue *self)
{
  return cothread_chain_is_closed (&self->chain);
}

/* How long a poster waits for room. */
typedef struct
{
  gint64 timeout_us;         /* at most this, besides block-timeout; -1: no limit */
  GCancellable *cancellable; /* or NULL */
  gint64 deadline_us;        /* -1: it has not begun to wait */
} CothreadPatience;

/* Takes what the entry has, whatever comes of it. */
gboolean cothread_callback_queue_post_entry (CothreadCallbackQueue *self, CothreadEntry *entry, CothreadPatience patience, GError **error);

/* What to do about a full queue, in cothread-callback-room.c. Makes room, or
 * waits for it; FALSE: the post fails. */
gboolean cothread_callback_queue_make_room (CothreadCallbackQueue *self, CothreadPatience *patience, GError **error);
/* Counts and reports it. */
gboolean cothread_callback_queue_refuse (CothreadCallbackQueue *self, const char *why, GError **error);
/* If it rests like that. */
void cothread_callback_queue_wake_drainer (CothreadCallbackQueue *self, guint rest);
void cothread_callback_queue_tell_of_errands (CothreadCallbackQueue *self);
/* What was dropped is freed at once, or, under the lock, kept for the owner. */
gboolean cothread_callback_queue_may_free_here (CothreadCallbackQueue *self, const CothreadEntry *entry);
gboolean cothread_callback_queue_is_full_of_dropped (CothreadCallbackQueue *self);
void cothread_callback_queue_keep_for_owner (CothreadCallbackQueue *self, const CothreadEntry *entry);
#define COTHREAD_DROPPED_ARE_TOO_MANY "full, and what was dropped waits to be freed on the scheduler's thread"

/* Entries that replace each other, in cothread-callback-keys.c. Under the lock,
 * each time an entry is queued or leaves the queue. */
CothreadKeyed *cothread_callback_queue_find_key (CothreadCallbackQueue *self, const CothreadKeyed *like);
void cothread_callback_queue_list_key (CothreadCallbackQueue *self, CothreadKeyed *keyed);
void cothread_callback_queue_unlist_key (CothreadCallbackQueue *self, CothreadKeyed *keyed);
void cothread_callback_queue_relist_keys (CothreadCallbackQueue *self, const CothreadHand *entries);

/* Those who wait until all that was posted before has run, in
 * cothread-callback-flush.c. */
void cothread_callback_queue_complete_flushes (CothreadCallbackQueue *self);
void cothread_callback_queue_fail_flushes (CothreadCallbackQueue *self);

/* Tells of the watermarks, in cothread-callback-watermarks.c; runs handlers of
 * the program. */
void cothread_callback_queue_reached_high (CothreadCallbackQueue *self);
void cothread_callback_queue_reached_low (CothreadCallbackQueue *self);
void cothread_callback_queue_add_watermark_signals (CothreadCallbackQueueClass *klass);

static inline void
cothread_callback_queue_add_errand (CothreadCallbackQueue *self, guint errand)
{
  __atomic_or_fetch (&self->errands, errand, __ATOMIC_SEQ_CST);
}

/* On the scheduler's thread: entries that have not begun. */
static inline guint
cothread_callback_queue_waiting (CothreadCallbackQueue *self)
{
  return (guint) cothread_chain_get_length (&self->chain) - self->n_started;
}

/* To be called before places become free: the queue was never longer than at one
 * of those moments, or is now. */
void cothread_callback_queue_note_length (CothreadCallbackQueue *self);

/* Entries that have left the queue from its front. On the scheduler's thread;
 * exact under the lock. */
static inline guint64
cothread_callback_queue_n_left (CothreadCallbackQueue *self)
{
  return self->n_run + __atomic_load_n (&self->n_dropped_oldest, __ATOMIC_RELAXED);
}

/* Under the lock, around changes that have to be read together. What is stored
 * between them is stored with release order, so that a reader who sees it sees
 * that the number is odd, too. */
static inline void
cothread_callback_queue_begin_change (CothreadCallbackQueue *self)
{
  __atomic_store_n (&self->changes, self->changes + 1, __ATOMIC_RELEASE);
}

static inline void
cothread_callback_queue_end_change (CothreadCallbackQueue *self)
{
  __atomic_store_n (&self->changes, self->changes + 1, __ATOMIC_RELEASE);
}

/* A counter that is written under the lock and read without. */
#define COTHREAD_COUNT(counter) __atomic_store_n (&(counter), (counter) + 1, __ATOMIC_RELAXED)

static inline guint64
cothread_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

/* Who waits for room, under the lock; in cothread-callback-statistics.c. Returns
 * when that was. */
guint64 cothread_callback_queue_begin_blocked (CothreadCallbackQueue *self);
void cothread_callback_queue_end_blocked (CothreadCallbackQueue *self, guint64 began_ns);

/* Measurements, in cothread-callback-timing.c. */
void cothread_callback_queue_stamp (CothreadCallbackQueue *self, CothreadEntry *entry, gboolean is_first);
void cothread_callback_queue_run_timed (CothreadCallbackQueue *self, const CothreadEntry *contents, guint64 posted_ns);
/* The slice is used up, and was not when this function was called, untimed. */
void cothread_callback_queue_note_overrun (CothreadCallbackQueue *self, CothreadCallbackFunc func);
/* What a program calls the function, as far as it tells. */
char *cothread_callback_name (CothreadCallbackFunc func);

/* One post in so many is timed, on the average, at distances that differ: every
 * so-manieth might always be of the same kind. */
#define COTHREAD_SAMPLE_EVERY 64
extern __thread guint cothread_posts_to_sample __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));

/* Callbacks that may wait, in cothread-callback-runner.c. */
gboolean cothread_callback_runner_start (CothreadCallbackQueue *queue);
/* The queue was closed: they end. */
void cothread_callback_runners_wake_idle (CothreadCallbackQueue *queue);
