/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-fd.h"
#include "loop/cothread-async-wait-private.h"

#include <poll.h>

static gboolean
take_readiness (CothreadAsyncWait *wait, const CtWaiter *fired)
{
  const GPollFD *wanted = wait->object;

  if (fired == NULL)
    {
      int failure;

      wait->watch = (CtFdWatch) { .fd = wanted->fd, .events = wanted->events };
      failure = ct_poller_add (wait->scheduler->core->poller, &wait->watch);
      if (failure != 0)
        {
          wait->failure = g_error_new (G_IO_ERROR, g_io_error_from_errno (failure), "Descriptor %d: %s", wanted->fd,
                                       g_strerror (failure));
          return TRUE;
        }
      if (wait->watch.revents == 0)
        return FALSE;
    }
  wait->value = GUINT_TO_POINTER (wait->watch.revents);
  return TRUE;
}

/* With a timeout of 0 nobody has looked at the descriptor yet. */
static gboolean
look_once_more (CothreadAsyncWait *wait, CtWake wake)
{
  GPollFD fd = *(const GPollFD *) wait->object;

  if (wake == CT_WAKE_TIMEOUT && ct_poller_look (wait->scheduler->core->poller, &fd, 1) > 0)
    {
      g_clear_error (&wait->failure);
      wait->value = GUINT_TO_POINTER (fd.revents);
    }
  return TRUE;
}

static void
remove_watch (CothreadAsyncWait *wait)
{
  if (wait->scheduler != NULL)
    ct_poller_remove (wait->scheduler->core->poller, &wait->watch);
}

static const CothreadAsyncWaitKind fd_kind = {
  "descriptor", "readiness of a descriptor", take_readiness, look_once_more, remove_watch,
};

/**
 * cothread_wait_fd_async:
 * @fd: an open descriptor
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits until a descriptor is ready, as cothread_wait_fd() does, but calls back
 * instead of suspending a task. The callback comes in the caller's
 * thread-default context. May be called in a task and outside; never suspends.
 *
 * ```c
 * cothread_wait_fd_async (fd, G_IO_IN, 5 * G_USEC_PER_SEC, cancellable, on_ready, self);
 * ```
 *
 * Since: 0.1
 */
void
cothread_wait_fd_async (gint fd, GIOCondition condition, gint64 timeout_us, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  GPollFD *wanted;

  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  wanted = g_new (GPollFD, 1);
  *wanted = (GPollFD) { fd, (gushort) condition, 0 };
  cothread_async_wait (&fd_kind, NULL, timeout_us, wanted, g_free, cancellable, callback, user_data);
}

/**
 * cothread_wait_fd_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_wait_fd_async() began. Fails with an error of %G_IO_ERROR
 * for a descriptor that is not open, with %G_IO_ERROR_TIMED_OUT,
 * %G_IO_ERROR_CANCELLED, and like cothread_sleep_finish().
 *
 * Returns: what is ready, with %G_IO_ERR, %G_IO_HUP or %G_IO_NVAL if such a
 *   thing happened; 0 on failure
 *
 * Since: 0.1
 */
GIOCondition
cothread_wait_fd_finish (GAsyncResult *result, GError **error)
{
  gpointer happened = NULL;

  if (!cothread_async_wait_finish (&fd_kind, NULL, result, &happened, error))
    return (GIOCondition) 0;
  return (GIOCondition) GPOINTER_TO_UINT (happened);
}
