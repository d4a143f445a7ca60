/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A word in memory that changes when a time has come, without a thread, a
 * signal or a system call in between: an io_uring timeout, whose completion the
 * kernel writes into memory shared with us. Looking at the word costs nothing
 * that can be measured; setting the alarm is one system call of a microsecond.
 *
 * Not available where the kernel has no io_uring or a policy forbids it. */

typedef struct
{
  const guint *word; /* NULL until first set, or if not available */
  gboolean is_unavailable;
  guint seen;        /* the word while nothing has happened */
  gint64 pending_us; /* when the alarm that is set goes off; 0: none is */

  int ring_fd;
  int owner_pid;
  guint *head;
  guint *tail; /* what `word` points to */
  guint *submit_tail;
  guint submit_mask;
  guint *submit_array;
  void *entries;
  void *rings;
  gsize rings_bytes;
  gsize entries_bytes;
} CtAlarm;

/* Makes the word differ from `seen` at end_us, `delay_us` from now, or earlier:
 * an alarm that was set before may still go off first. FALSE: not available. */
gboolean ct_alarm_set (CtAlarm *alarm, gint64 end_us, gint64 delay_us);

/* The word has changed: the alarm that was pending is over. */
void ct_alarm_acknowledge (CtAlarm *alarm);

void ct_alarm_clear (CtAlarm *alarm);
