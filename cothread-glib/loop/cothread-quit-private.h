/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler-private.h"

/* What a scheduler has to do with the end of the program: who waits for it, and
 * whether Ctrl-C is taken. Made on demand, freed at the scheduler's shutdown. */
struct _CothreadQuitPost
{
  gatomicrefcount ref_count;    /* the scheduler's and the mail's */
  CothreadScheduler *scheduler; /* NULL after its shutdown */
  CtLink waiters;               /* CtWaiters; used on the scheduler's thread */
  GSource *sigint;
  guint n_catchers;      /* waits for which Ctrl-C means to quit */
  gboolean is_interrupt; /* otherwise Ctrl-C interrupts main */
  CothreadShutdownHook hook;

  /* Under the lock of the list. */
  CtLink link;
  gboolean is_posted;
  CothreadMail mail;
};

CothreadQuitPost *cothread_quit_post_ensure (CothreadScheduler *scheduler);
/* SIGINT is taken from the system only while somebody wants it. FALSE with an
 * error where no main context can bring it. */
gboolean cothread_quit_post_update_sigint (CothreadQuitPost *post, GError **error);
