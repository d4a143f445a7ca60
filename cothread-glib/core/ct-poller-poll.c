/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-poller.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

/* poll(2), for systems without epoll: what is armed is what is listed. */

static int
poll_arm (G_GNUC_UNUSED CtPoller *poller, gint fd, G_GNUC_UNUSED gushort events, G_GNUC_UNUSED gboolean kept)
{
  struct stat status;

  if (fstat (fd, &status) < 0)
    return errno;
  /* What epoll says of them. */
  return S_ISREG (status.st_mode) || S_ISDIR (status.st_mode) ? EPERM : 0;
}

static void
poll_disarm (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED gint fd)
{
}

static void
poll_list (CtPoller *poller, GArray *fds)
{
  for (guint fd = 0; fd < poller->n_slots; fd++)
    if (poller->slots[fd].is_armed)
      {
        GPollFD entry = { (gint) fd, poller->slots[fd].events, 0 };

        g_array_append_val (fds, entry);
      }
}

static void
poll_collect (CtPoller *poller, const GPollFD *ready, guint n_ready)
{
  for (guint i = 0; i < n_ready; i++)
    if (ready[i].revents != 0)
      ct_poller_report (poller, ready[i].fd, ready[i].revents);
}

static void
poll_wait (CtPoller *poller, gint64 timeout_us)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  gint timeout_ms = timeout_us < 0 ? -1 : (gint) MIN (G_MAXINT, (timeout_us + 999) / 1000);

  poll_list (poller, fds);
  if (g_poll ((GPollFD *) (void *) fds->data, fds->len, timeout_ms) > 0)
    poll_collect (poller, (const GPollFD *) (void *) fds->data, fds->len);
}

static void
poll_free (CtPoller *poller)
{
  ct_poller_clear (poller);
  g_free (poller);
}

static const CtPollerClass poll_class = {
  .name = "poll",
  .arm = poll_arm,
  .disarm = poll_disarm,
  .wait = poll_wait,
  .list = poll_list,
  .collect = poll_collect,
  .free = poll_free,
};

CtPoller *
ct_poller_poll_new (void)
{
  CtPoller *self = g_new0 (CtPoller, 1);

  ct_poller_init (self, &poll_class);
  return self;
}
