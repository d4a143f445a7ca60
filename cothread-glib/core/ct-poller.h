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
 * there before it began. */

typedef struct _CtPoller CtPoller;
typedef struct _CtFdWatch CtFdWatch;

struct _CtFdWatch
{
  CtWaiter waiter; /* first: linked into the descriptor's waiters */
  gint fd;
  gushort events;  /* POLLIN, POLLPRI, POLLOUT, POLLRDHUP */
  gushort revents; /* what happened, with POLLERR, POLLHUP, POLLNVAL */
  gboolean is_added;
  /* NULL: wake waiter.task. Otherwise a permanent, edge-triggered watch of the
   * library's own. */
  void (*notify) (CtFdWatch *watch);
};

typedef struct
{
  CtLink watches;
  gushort events; /* what the backend was asked for ... */
  guint8 is_armed; /* ... and has not reported yet; errors count even for none */
  guint8 is_known;
} CtPollerSlot;

typedef struct
{
  const char *name;
  gboolean has_one_fd; /* list() always gives the same one */
  /* Asks for `events` on fd from now on, once (or always, permanently).
   * Returns 0 or an errno; EPERM: such a file is always ready. */
  int (*arm) (CtPoller *poller, gint fd, gushort events, gboolean permanent);
  void (*disarm) (CtPoller *poller, gint fd);
  /* Waits up to timeout_us (-1: for ever) and reports what happened. */
  void (*wait) (CtPoller *poller, gint64 timeout_us);
  /* Appends what a foreign loop has to poll. */
  void (*list) (CtPoller *poller, GArray *fds);
  /* Reports what a foreign loop's poll found. */
  void (*collect) (CtPoller *poller, const GPollFD *ready, guint n_ready);
  void (*free) (CtPoller *poller);
} CtPollerClass;

struct _CtPoller
{
  const CtPollerClass *klass;
  CtPollerSlot *slots;
  guint n_slots;
  guint n_watches;   /* tasks' waits only */
  guint64 generation; /* changes whenever the answer of list() does */
};

CtPoller *ct_poller_epoll_new (GError **error);
CtPoller *ct_poller_poll_new (void);
void ct_poller_free (CtPoller *poller);

/* Returns 0 or an errno: EBADF for a descriptor that is not open. Where the
 * file is always ready, sets revents at once and leaves the watch out. */
int ct_poller_add (CtPoller *poller, CtFdWatch *watch);
/* After each add, whether the watch fired or not. */
void ct_poller_remove (CtPoller *poller, CtFdWatch *watch);

/* For backends. */
void ct_poller_init (CtPoller *poller, const CtPollerClass *klass);
void ct_poller_clear (CtPoller *poller);
void ct_poller_report (CtPoller *poller, gint fd, gushort revents);
