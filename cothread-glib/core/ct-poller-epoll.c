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

typedef struct
{
  CtPoller parent;
  gint epoll_fd;
} EpollPoller;

G_STATIC_ASSERT (EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI);
G_STATIC_ASSERT (EPOLLERR == POLLERR && EPOLLHUP == POLLHUP);

static int
epoll_arm (CtPoller *poller, gint fd, gushort events, gboolean permanent)
{
  EpollPoller *self = (EpollPoller *) poller;
  struct epoll_event event = { .events = events | (permanent ? (guint32) EPOLLET : (guint32) EPOLLONESHOT), .data.fd = fd };
  gboolean known = poller->slots[fd].is_known;

  /* The kernel, not our memory, knows what is registered: closing a descriptor
   * takes it out of the set without a word. */
  if (known && epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
    return 0;
  if (known && errno != ENOENT)
    return errno;
  poller->slots[fd].is_known = FALSE;
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 &&
      (errno != EEXIST || epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0))
    return errno;
  poller->slots[fd].is_known = TRUE;
  return 0;
}

static void
epoll_disarm (CtPoller *poller, gint fd)
{
  EpollPoller *self = (EpollPoller *) poller;
  struct epoll_event event = { .events = EPOLLONESHOT, .data.fd = fd };

  /* Without any event asked for, epoll still reports errors once; hence out. */
  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, &event);
  poller->slots[fd].is_known = FALSE;
}

static void
epoll_poller_wait (CtPoller *poller, gint64 timeout_us)
{
  EpollPoller *self = (EpollPoller *) poller;
  struct epoll_event events[EVENTS_A_CALL];
  gint timeout_ms = timeout_us < 0 ? -1 : (gint) MIN (G_MAXINT, (timeout_us + 999) / 1000);
  int n;

  do
    {
      n = epoll_wait (self->epoll_fd, events, EVENTS_A_CALL, timeout_ms);
      for (int i = 0; i < n; i++)
        ct_poller_report (poller, events[i].data.fd, (gushort) events[i].events);
      timeout_ms = 0;
    }
  while (n == EVENTS_A_CALL);
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
  .arm = epoll_arm,
  .disarm = epoll_disarm,
  .wait = epoll_poller_wait,
  .list = epoll_list,
  .collect = epoll_collect,
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
