/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What other threads tell a scheduler: a lock-free stack of mail, taken as a
 * whole. A sentinel in place of an empty stack says that the loop is asleep,
 * so that only the first mail then pays for a system call. */

typedef struct _CothreadMail CothreadMail;

struct _CothreadMail
{
  CothreadMail *next;
  /* On the scheduler's thread; or, if that scheduler is shut down, in the
   * thread that posts. */
  void (*deliver) (CothreadMail *mail);
};

typedef struct
{
  CothreadMail *head; /* atomic */
} CothreadInbox;

#define COTHREAD_INBOX_ASLEEP ((CothreadMail *) 1)
#define COTHREAD_INBOX_CLOSED ((CothreadMail *) 2)

/* Any thread, and a signal handler: nothing but atomic operations. FALSE: it is
 * closed. */
gboolean cothread_inbox_push (CothreadInbox *inbox, CothreadMail *mail, gboolean *must_wake);

/* Any thread. Returns whether the loop has to be woken. */
gboolean cothread_inbox_post (CothreadInbox *inbox, CothreadMail *mail);

/* Delivers everything, oldest first. A mail may be posted anew by its own
 * delivery. */
void cothread_inbox_deliver (CothreadInbox *inbox);

/* Delivers everything and lets no more in. */
void cothread_inbox_close (CothreadInbox *inbox);

/* The loop is about to sleep. Returns FALSE if there is mail instead. */
gboolean cothread_inbox_sleep (CothreadInbox *inbox);

static inline gboolean
cothread_inbox_is_empty (CothreadInbox *inbox)
{
  CothreadMail *head = __atomic_load_n (&inbox->head, __ATOMIC_RELAXED);

  return head == NULL || head == COTHREAD_INBOX_ASLEEP || head == COTHREAD_INBOX_CLOSED;
}
