/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-sanitizer-private.h"
#include "loop/cothread-scheduler-private.h"

#include <pthread.h>

/* An answer on its way from one thread to whoever waits for it in another: a
 * task suspends, main drives its context, and a thread without a scheduler
 * blocks. Counted: who answers and who waits each hold one. Answered once, by
 * any thread; waited for by one. */
typedef struct
{
  guint ref_count; /* atomic; GLib's own are invisible to ThreadSanitizer */
  pthread_mutex_t lock; /* for the next four */
  pthread_cond_t cond;
  gboolean is_answered;
  gboolean is_cancelled; /* by the waiter's cancellable */
  gboolean is_told;
  CothreadScheduler *home; /* where somebody waits at this moment; referenced */
  CothreadMail mail;
  /* On that scheduler's thread. */
  CtTask *task;
  CtWaiter waiter; /* linked nowhere: the mail fires it */
} CothreadReply;

CothreadReply *cothread_reply_new (void);
CothreadReply *cothread_reply_ref (CothreadReply *self);
void cothread_reply_unref (CothreadReply *self);

void cothread_reply_answer (CothreadReply *self);

/* Whether the answer came: else it fails with G_IO_ERROR_TIMED_OUT, with
 * G_IO_ERROR_CANCELLED, or as every wait does. `reason` is static text. */
gboolean cothread_reply_wait (CothreadReply *self, gint64 timeout_us, GCancellable *cancellable,
                              const char *reason, gconstpointer object, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadReply, cothread_reply_unref)
