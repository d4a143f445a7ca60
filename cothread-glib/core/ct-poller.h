/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-task.h"

/* Who waits for which descriptor, and how the system is asked. The table of
 * watches is shared by all backends; a backend only arms and asks.
 *
 * Waits are one-shot: a descriptor is armed when somebody begins to wait and is
 * disarmed by the event. So a descriptor that was closed and whose number was
 * given to another file is noticed at the next wait (a registration that only
 * seems to be there would lose wakeups), and a wait sees readiness that was
 * there before it began.
 *
 * Arming is a system call. Who knows that the file is the same as at his last
 * wait, and that nothing is left of what that reported, is spared it: such
 * waits (`is_drained`) keep the descriptor registered, edge-triggered, from one
 * to the next. What an edge reports and nobody takes is remembered, and a
 * registration that nobody waits on is undone before the loop sleeps. */

typedef struct _CtPoller CtPoller;
typedef struct _CtFdWatch CtFdWatch;

struct _CtFdWatch
{
  CtWaiter waiter; /* first: linked into the descriptor's waiters */
  gint fd;
  gushort events;  /* POLLIN, POLLPRI, POLLOUT, POLLRDHUP */
  gushort revents; /* what happened, with POLLERR, POLLHUP, POLLNVAL */
  gboolean is_added;
  gboolean is_drained; /* by the caller: only what is new since is of interest */
  /* NULL: wake waiter.task. Otherwise a permanent, edge-triggered watch of the
   * library's own. */
  void (*notify) (CtFdWatch *watch);
};

typedef struct
{
  CtLink watches;
  gushort events; /* what the backend was asked for ... */
  guint8 is_armed; /* ... and has not reported yet; errors count even for none */
  guint8 is_kept;  /* armed for good: reports each edge */
  guint8 is_known;
  guint8 is_lingering;
  gushort untaken;    /* reported since it was armed, and for nobody */
  guint32 generation; /* of the backend's registration */
  /* Who began to wait last and still does, so that the poller can have him brought
   * nearer; or NULL. */
  gconstpointer task_ahead;
  gpointer unused[3]; /* a slot is a cache line */
} CtPollerSlot;

G_STATIC_ASSERT (sizeof (gpointer) < 8 || (sizeof (CtPollerSlot) == CT_CACHE_LINE && sizeof (CtFdWatch) == CT_CACHE_LINE));

typedef struct
{
  const char *name;
  gboolean has_one_fd; /* list() always gives the same one */
  gboolean can_keep;   /* else each report disarms */
  /* Asks for `events` on fd from now on: what is ready already is reported, and
   * nothing more after the first report, or, kept, each edge. Returns 0 or an
   * errno; EPERM: such a file is always ready. */
  int (*arm) (CtPoller *poller, gint fd, gushort events, gboolean kept);
  void (*disarm) (CtPoller *poller, gint fd);
  /* Whether a descriptor that was armed and has not reported is no longer what it
   * was: closed, and perhaps opened anew as another file. NULL: wait() tells. */
  gboolean (*is_lost) (CtPoller *poller, gint fd);
  /* Waits up to timeout_us (-1: for ever) and reports what happened. */
  void (*wait) (CtPoller *poller, gint64 timeout_us);
  /* Appends what a foreign loop has to poll. */
  void (*list) (CtPoller *poller, GArray *fds);
  /* Reports what a foreign loop's poll found. */
  void (*collect) (CtPoller *poller, const GPollFD *ready, guint n_ready);
  /* That poll found something: asks at once what, for collect(), which comes soon,
   * and has the memory brought nearer that it will take. FALSE: it was nothing.
   * Calls nobody, and asks for no more than fits its buffer. May be NULL. */
  gboolean (*fetch) (CtPoller *poller);
  /* What is ready at this moment, into revents. NULL: as poll(2) says. */
  gint (*look) (CtPoller *poller, GPollFD *fds, guint n_fds);
  void (*free) (CtPoller *poller);
} CtPollerClass;

struct _CtPoller
{
  const CtPollerClass *klass;
  const CtPollerClass *silenced; /* what klass was, or NULL */
  CtPollerSlot *slots;
  /* For each slot, and not in it (they are asked for at the same time): about
   * where the stack is of `task_ahead`, or NULL. */
  gconstpointer *stacks_ahead;
  guint n_slots;
  guint n_watches;   /* tasks' waits only */
  guint64 generation; /* changes whenever the answer of list() does */
  CtFdWatch *free_watches; /* linked by waiter.next */
  GPtrArray *watch_blocks; /* of CtFdWatch[] */
  gint *lingering;    /* kept, and the last waiter has left */
  guint n_lingering;
  guint n_lingering_allocated;
};

CtPoller *ct_poller_epoll_new (GError **error);
CtPoller *ct_poller_poll_new (void);
void ct_poller_free (CtPoller *poller);
/* From now on it asks the system nothing and changes nothing there: its set
 * belongs to another process. Only to be freed, which closes what is ours. */
void ct_poller_silence (CtPoller *poller);

/* Returns 0 or an errno: EBADF for a descriptor that is not open. Where the
 * file is always ready, sets revents at once and leaves the watch out. */
int ct_poller_add (CtPoller *poller, CtFdWatch *watch);
/* A watch from a store where those of all tasks lie together: on the stacks of
 * thousands of tasks each is on a page of its own, and in no cache. */
CtFdWatch *ct_poller_take_watch (CtPoller *poller);
void ct_poller_give_watch (CtPoller *poller, CtFdWatch *watch);

/* After each add, whether the watch fired or not. */
void ct_poller_remove (CtPoller *poller, CtFdWatch *watch);
/* The descriptor is about to be closed: whoever waits for it is told
 * (POLLNVAL), and nothing of it is kept for the next file of its number. */
void ct_poller_forget (CtPoller *poller, gint fd);
/* Does that for each descriptor that somebody waits for and that was closed
 * without a word. A system call for each. */
void ct_poller_sweep (CtPoller *poller);
/* Before the loop sleeps: nothing that nobody waits for may wake it. */
void ct_poller_settle_slowly (CtPoller *poller);

static inline void
ct_poller_settle (CtPoller *poller)
{
  if (poller->n_lingering > 0)
    ct_poller_settle_slowly (poller);
}

static inline gboolean
ct_poller_fetch (CtPoller *poller)
{
  return poller->klass->fetch == NULL || poller->klass->fetch (poller);
}

/* What is ready of these at this moment, watched or not; how many, or -1. */
gint ct_poller_look (CtPoller *poller, GPollFD *fds, guint n_fds);

/* For backends. */
CtPollerSlot *ct_poller_ensure_slot (CtPoller *poller, gint fd);
void ct_poller_init (CtPoller *poller, const CtPollerClass *klass);
void ct_poller_clear (CtPoller *poller);
void ct_poller_report (CtPoller *poller, gint fd, gushort revents);
