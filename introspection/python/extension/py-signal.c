/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "py-wait.h"

#if PY_VERSION_HEX >= 0x030D0000

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* From 3.13 on Python tells only the main thread's first thread state of a
 * signal, and a task has one of its own: one that never waits would never hear
 * of Ctrl-C. A pending call is for whichever thread state the main thread runs
 * with, once another thread has made it give the lock away. */

#define PATIENCE_US (20 * 1000)

static int
check_signals (G_GNUC_UNUSED void *data)
{
  return PyErr_CheckSignals ();
}

static gboolean
is_readable (gint fd, gint timeout_ms, gboolean *is_hung_up)
{
  struct pollfd one = { fd, POLLIN, 0 };

  if (poll (&one, 1, timeout_ms) < 0)
    return FALSE;
  *is_hung_up = (one.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  return (one.revents & POLLIN) != 0;
}

/* As long as main's wait does not take what the signal handler has written, some
 * task keeps the thread busy. */
static gpointer
watch (gpointer data)
{
  gint fd = GPOINTER_TO_INT (data);
  gboolean is_hung_up = FALSE;

  while (!is_hung_up)
    {
      if (!is_readable (fd, -1, &is_hung_up))
        continue;
      g_usleep (PATIENCE_US);
      if (is_readable (fd, 0, &is_hung_up) && !is_hung_up && Py_IsInitialized () && !Py_IsFinalizing () &&
          Py_AddPendingCall (check_signals, NULL) == 0)
        PyGILState_Release (PyGILState_Ensure ());
    }
  close (fd);
  return NULL;
}

void
py_signal_watch (gint fd)
{
  gint own_fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  GThread *thread = own_fd >= 0 ? g_thread_try_new ("cothread signals", watch, GINT_TO_POINTER (own_fd), NULL) : NULL;

  if (thread != NULL)
    g_thread_unref (thread);
  else if (own_fd >= 0)
    close (own_fd);
}

#else

void
py_signal_watch (G_GNUC_UNUSED gint fd)
{
}

#endif
