/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-poller.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

/* One descriptor for any number of descriptors: the surrounding loop polls the
 * epoll set and nothing else. */

#define EVENTS_A_CALL 256
/* In cache lines, from where it began to wait: the calls from there and to it. */
#define FRAMES_BELOW -2
#define FRAMES_ABOVE 2
#define TASK_LINES 2

typedef struct
{
  CtPoller parent;
  gint epoll_fd;
  guint n_fetched; /* and not reported yet */
  struct epoll_event fetched[EVENTS_A_CALL];
} EpollPoller;

G_STATIC_ASSERT (EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI);
G_STATIC_ASSERT (EPOLLERR == POLLERR && EPOLLHUP == POLLHUP);

/* A file that has a second descriptor stays in the set when the first is
 * closed, under a number that may be another file's by then: the generation
 * tells what is reported about it from what is reported about the other. */
static struct epoll_event
make_event (const CtPoller *poller, gint fd, gushort events, gboolean kept)
{
  return (struct epoll_event) {
    .events = events | (kept ? (guint32) EPOLLET : (guint32) EPOLLONESHOT),
    .data.u64 = (guint32) fd | (guint64) poller->slots[fd].generation << 32,
  };
}

static int
epoll_arm (CtPoller *poller, gint fd, gushort events, gboolean kept)
{
  EpollPoller *self = (EpollPoller *) poller;
  CtPollerSlot *slot = &poller->slots[fd];
  struct epoll_event event;

  /* What is ready is reported anew, so what was fetched before is out of date. */
  slot->generation++;
  event = make_event (poller, fd, events, kept);
  /* The kernel, not our memory, knows what is registered: closing a descriptor
   * takes it out of the set without a word. */
  if (slot->is_known && epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
    return 0;
  if (slot->is_known && errno != ENOENT)
    return errno;
  slot->is_known = FALSE;
  slot->generation++;
  event = make_event (poller, fd, events, kept);
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 &&
      (errno != EEXIST || epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0))
    return errno;
  slot->is_known = TRUE;
  return 0;
}

static void
epoll_disarm (CtPoller *poller, gint fd)
{
  EpollPoller *self = (EpollPoller *) poller;
  struct epoll_event event = { .events = 0 };

  /* Without any event asked for, epoll still reports errors once; hence out. */
  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, &event);
  poller->slots[fd].is_known = FALSE;
}

static void
report (CtPoller *poller, const struct epoll_event *event)
{
  gint fd = (gint) (guint32) event->data.u64;

  if (poller->slots[fd].generation == event->data.u64 >> 32)
    ct_poller_report (poller, fd, (gushort) event->events);
}

/* A load, which nobody waits for as long as there is other work: in a wake it was
 * measured to be quicker than a prefetch (AMD Zen 4, 5 000 stacks in no cache). Not
 * one that the sanitizers see: it is another task's stack. */
static inline void
touch (gconstpointer memory)
{
#ifdef __x86_64__
  guint8 value;

  __asm__ volatile ("movb %1, %0" : "=q"(value) : "m"(*(const guint8 *) memory));
#else
  __builtin_prefetch (memory, 1);
#endif
}

/* Of very many descriptors the next that is ready is in no cache: its slot, its
 * watch, the task, and the frames to which that will return. Asked for together
 * they take the time of one. */
static void
fetch_waiters (const CtPoller *poller, const struct epoll_event *events, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gconstpointer stack = poller->stacks_ahead[(guint32) events[i].data.u64];

      __builtin_prefetch (&poller->slots[(guint32) events[i].data.u64], 1);
      if (stack != NULL)
        touch (stack);
    }
  for (guint i = 0; i < n; i++)
    {
      const CtPollerSlot *slot = &poller->slots[(guint32) events[i].data.u64];
      const char *stack = poller->stacks_ahead[(guint32) events[i].data.u64];
      const char *task = slot->task_ahead;

      if (task == NULL)
        continue;
      for (int line = 0; line < TASK_LINES; line++)
        __builtin_prefetch (task + line * CT_CACHE_LINE, 1);
      __builtin_prefetch (slot->watches.next, 1);
      for (int line = FRAMES_BELOW; line <= FRAMES_ABOVE; line++)
        __builtin_prefetch (stack + line * CT_CACHE_LINE, 1);
    }
}

/* To arm it anew as it is armed does nothing, but for a file that the set does
 * not know. */
static gboolean
epoll_is_lost (CtPoller *poller, gint fd)
{
  const CtPollerSlot *slot = &poller->slots[fd];
  struct epoll_event event = make_event (poller, fd, slot->events, slot->is_kept);

  return epoll_ctl (((EpollPoller *) poller)->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0 &&
         (errno == ENOENT || errno == EBADF);
}

static void
fetch (EpollPoller *self, gint timeout_ms)
{
  int n = epoll_wait (self->epoll_fd, self->fetched, EVENTS_A_CALL, timeout_ms);

  self->n_fetched = (guint) MAX (0, n);
  fetch_waiters (&self->parent, self->fetched, self->n_fetched);
}

/* Reporting runs no task, so nobody fetches meanwhile. */
static guint
report_fetched (EpollPoller *self)
{
  guint n = self->n_fetched;

  self->n_fetched = 0;
  for (guint i = 0; i < n; i++)
    report (&self->parent, &self->fetched[i]);
  return n;
}

static void
epoll_poller_wait (CtPoller *poller, gint64 timeout_us)
{
  EpollPoller *self = (EpollPoller *) poller;
  gint timeout_ms = timeout_us < 0 ? -1 : (gint) MIN (G_MAXINT, (timeout_us + 999) / 1000);

  if (self->n_fetched == 0)
    fetch (self, timeout_ms);
  while (report_fetched (self) == EVENTS_A_CALL)
    fetch (self, 0);
}

static gboolean
epoll_fetch (CtPoller *poller)
{
  EpollPoller *self = (EpollPoller *) poller;

  if (self->n_fetched == 0)
    fetch (self, 0);
  return self->n_fetched > 0;
}

static void
epoll_list (CtPoller *poller, GArray *fds)
{
  GPollFD fd = { ((EpollPoller *) poller)->epoll_fd, G_IO_IN, 0 };

  g_array_append_val (fds, fd);
}

static void
epoll_collect (CtPoller *poller, const GPollFD *ready, guint n_ready)
{
  for (guint i = 0; i < n_ready; i++)
    if (ready[i].fd == ((EpollPoller *) poller)->epoll_fd && ready[i].revents != 0)
      {
        epoll_poller_wait (poller, 0);
        return;
      }
}

static void
epoll_free (CtPoller *poller)
{
  close (((EpollPoller *) poller)->epoll_fd);
  ct_poller_clear (poller);
  g_free (poller);
}

static const CtPollerClass epoll_class = {
  .name = "epoll",
  .has_one_fd = TRUE,
  .can_keep = TRUE,
  .arm = epoll_arm,
  .disarm = epoll_disarm,
  .is_lost = epoll_is_lost,
  .wait = epoll_poller_wait,
  .list = epoll_list,
  .collect = epoll_collect,
  .fetch = epoll_fetch,
  .free = epoll_free,
};

CtPoller *
ct_poller_epoll_new (GError **error)
{
  gint epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  EpollPoller *self;

  if (epoll_fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "epoll_create1: %s", g_strerror (errno));
      return NULL;
    }
  self = g_new0 (EpollPoller, 1);
  ct_poller_init (&self->parent, &epoll_class);
  self->epoll_fd = epoll_fd;
  return &self->parent;
}
