/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-fd-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"

#include <errno.h>
#include <poll.h>

/* Watches for this many descriptors live on the stack. */
#define FEW 16

static void
remove_watches (CtPoller *poller, CtFdWatch *watches, guint n)
{
  for (guint i = 0; i < n; i++)
    ct_poller_remove (poller, &watches[i]);
}

static __attribute__ ((noinline)) void
set_descriptor_error (GError **error, gint fd, int failure)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Descriptor %d: %s", fd, g_strerror (failure));
}

/* Adds watches until one turns out to be ready without waiting. */
static gboolean
add_watches (CtScheduler *core, CtFdWatch *watches, const GPollFD *fds, guint n, gboolean *is_ready, GError **error)
{
  *is_ready = FALSE;
  for (guint i = 0; i < n; i++)
    {
      int failure;

      watches[i] = (CtFdWatch) { .fd = fds[i].fd, .events = fds[i].events };
      watches[i].waiter.task = core->current;
      watches[i].waiter.next = i > 0 ? &watches[i - 1].waiter : NULL;
      failure = ct_poller_add (core->poller, &watches[i]);
      if (failure != 0)
        {
          set_descriptor_error (error, fds[i].fd, failure);
          remove_watches (core->poller, watches, i);
          return FALSE;
        }
      *is_ready |= watches[i].revents != 0;
    }
  return TRUE;
}

/* Time is up, but perhaps nobody has looked at the descriptors since the wait
 * began: with a timeout of 0 the loop never gets to its poll. */
static gboolean
is_ready_after_all (CtScheduler *core, GPollFD *fds, guint n, GError **error)
{
  if (core->current->wake != CT_WAKE_TIMEOUT || ct_poller_look (core->poller, fds, n) <= 0)
    return FALSE;
  g_clear_error (error);
  return TRUE;
}

static gint
poll_watches (CtScheduler *core, CtFdWatch *watches, GPollFD *fds, guint n, gint64 deadline_us, GError **error)
{
  gboolean is_ready;
  gint n_ready = 0;

  for (guint i = 0; i < n; i++)
    fds[i].revents = 0;
  if (!add_watches (core, watches, fds, n, &is_ready, error))
    return -1;
  if (!is_ready)
    {
      gconstpointer object = n > 0 ? GINT_TO_POINTER (fds[0].fd) : NULL;
      gboolean was_woken = cothread_wait_on (core, n > 0 ? &watches[n - 1].waiter : NULL, deadline_us,
                                             "descriptor", object, error);

      if (!was_woken)
        {
          remove_watches (core->poller, watches, n);
          if (!is_ready_after_all (core, fds, n, error))
            return -1;
        }
    }
  else if (!cothread_wait_for_ready (error))
    {
      remove_watches (core->poller, watches, n);
      return -1;
    }
  remove_watches (core->poller, watches, n);
  /* The first event woke us and undid the other watches: ask for the rest. */
  if (n > 1)
    ct_poller_look (core->poller, fds, n);
  for (guint i = 0; i < n; i++)
    {
      fds[i].revents |= watches[i].revents;
      n_ready += fds[i].revents != 0;
    }
  return n_ready;
}

/**
 * cothread_poll_list: (skip)
 * @fds: (array length=n_fds): descriptors and events; receives what happened
 * @n_fds: how many
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until at least one of several descriptors is ready, as poll() does, but
 * suspends only the calling task. Regular files are always ready, and then it
 * does not suspend. When the time is up it looks once more: with a timeout of 0
 * it suspends once, and then takes what is ready.
 *
 * Of two tasks that wait for the same event on one descriptor one is woken;
 * errors and hang-ups wake all. One that is closed meanwhile with
 * cothread_close() is ready, with %G_IO_NVAL.
 *
 * ```c
 * GPollFD fds[] = { { keyboard, G_IO_IN, 0 }, { serial_line, G_IO_IN, 0 } };
 *
 * if (cothread_poll_list (fds, 2, COTHREAD_FOREVER, error) > 0 && fds[1].revents != 0)
 *   ...
 * ```
 *
 * Fails with an error of %G_IO_ERROR for a descriptor that is not open, with
 * %G_IO_ERROR_TIMED_OUT, and like cothread_sleep().
 *
 * Returns: how many descriptors are ready, or -1
 *
 * Since: 0.1
 */
gint
cothread_poll_list (GPollFD *fds, guint n_fds, gint64 timeout_us, GError **error)
{
  CtFdWatch few[FEW];
  g_autofree CtFdWatch *many = NULL;
  CtScheduler *core;
  gint64 deadline_us;

  g_return_val_if_fail (fds != NULL || n_fds == 0, -1);

  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return -1;
  if (n_fds > FEW)
    many = g_new (CtFdWatch, n_fds);
  return poll_watches (core, many != NULL ? many : few, fds, n_fds, deadline_us, error);
}

static __attribute__ ((noinline)) GIOCondition
look_after_all (CtScheduler *core, gint fd, GIOCondition condition, GError **error)
{
  GPollFD one = { fd, (gushort) condition, 0 };

  return is_ready_after_all (core, &one, 1, error) ? one.revents : 0;
}

/* All in one frame: what a task that waits has on its stack, and the next that
 * is woken has in no cache, is a few cache lines. */
static inline __attribute__ ((always_inline)) GIOCondition
wait_until (CtScheduler *core, gint fd, GIOCondition condition, gboolean is_drained, gint64 deadline_us, GError **error)
{
  CtFdWatch *watch = ct_poller_take_watch (core->poller);
  GIOCondition revents = 0;
  int failure;

  *watch = (CtFdWatch) { .fd = fd, .events = (gushort) condition, .is_drained = is_drained };
  watch->waiter.task = core->current;
  failure = ct_poller_add (core->poller, watch);
  if (failure != 0)
    set_descriptor_error (error, fd, failure);
  else if (watch->revents != 0) /* such a file is always ready */
    revents = cothread_wait_for_ready (error) ? watch->revents : 0;
  else
    {
      CtWake wake;

      core->current->wait_reason = "descriptor";
      core->current->wait_object = GINT_TO_POINTER (fd);
      wake = ct_scheduler_wait (core, &watch->waiter, deadline_us);
      if (G_LIKELY (wake == CT_WAKE_NORMAL))
        revents = watch->revents;
      else if (!cothread_wait_result (wake, error))
        revents = look_after_all (core, fd, condition, error);
      ct_poller_remove (core->poller, watch);
    }
  ct_poller_give_watch (core->poller, watch);
  return revents;
}

GIOCondition
cothread_wait_fd_until (CtScheduler *core, gint fd, GIOCondition condition, gboolean is_drained, gint64 deadline_us, GError **error)
{
  return wait_until (core, fd, condition, is_drained, deadline_us, error);
}

static inline __attribute__ ((always_inline)) GIOCondition
wait_for_one (gint fd, GIOCondition condition, gboolean is_drained, gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return 0;
  return wait_until (core, fd, condition, is_drained, deadline_us, error);
}

/**
 * cothread_wait_fd:
 * @fd: an open descriptor
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until a descriptor is ready, which need not be non-blocking. Suspends the
 * calling task, and fails, like cothread_poll_list().
 *
 * ```c
 * if (cothread_wait_fd (fd, G_IO_IN, G_USEC_PER_SEC, error) != 0)
 *   n = read (fd, buffer, sizeof buffer);
 * ```
 *
 * Returns: what is ready, with %G_IO_ERR, %G_IO_HUP or %G_IO_NVAL if such a
 *   thing happened; 0 on failure
 *
 * Since: 0.1
 */
GIOCondition
cothread_wait_fd (gint fd, GIOCondition condition, gint64 timeout_us, GError **error)
{
  return wait_for_one (fd, condition, FALSE, timeout_us, error);
}

/**
 * cothread_wait_fd_again:
 * @fd: an open descriptor that cothread_wait_fd() has waited for since it was
 *   opened
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Like cothread_wait_fd(), for a caller who has read (or written) until there
 * was no more to read (or room to write): until the system said %EAGAIN, or
 * from a stream gave less than was asked for. What was there before is not
 * reported again, only what is new.
 *
 * It saves a system call in each wait: the descriptor stays registered from one
 * to the next, until the loop sleeps and nobody waits for it. So it must be the
 * same open file as in the last wait. Another file under the same number would
 * never be reported: wait for that with cothread_wait_fd() first. And it may
 * return although nothing is ready: try again then. Fails like
 * cothread_poll_list().
 *
 * ```c
 * while ((n = read (fd, buffer, sizeof buffer)) < 0 && errno == EAGAIN)
 *   if (cothread_wait_fd_again (fd, G_IO_IN, COTHREAD_FOREVER, error) == 0)
 *     return FALSE;
 * ```
 *
 * Returns: what has become ready, with %G_IO_ERR, %G_IO_HUP or %G_IO_NVAL if
 *   such a thing happened; 0 on failure
 *
 * Since: 0.1
 */
GIOCondition
cothread_wait_fd_again (gint fd, GIOCondition condition, gint64 timeout_us, GError **error)
{
  return wait_for_one (fd, condition, TRUE, timeout_us, error);
}
