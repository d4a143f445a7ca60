/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait.h"

/* What every public wait begins and ends with.
 *
 * begin: the scheduler of whoever wants to wait, or NULL with an error where
 * waiting is impossible. */
CtScheduler *cothread_wait_begin_slowly (GError **error);

/* NULL, or a sentence. */
const char *cothread_wait_why_not (const CtScheduler *core);

static inline CtScheduler *
cothread_wait_begin (GError **error)
{
  CothreadScheduler *self = cothread_running_scheduler;

  if (G_LIKELY (self != NULL && self->core->current->kind == CT_TASK_NATIVE && !self->core->is_depth_uncertain))
    return self->core;
  return cothread_wait_begin_slowly (error);
}

/* Suspends; `reason` is static text for the task list, `object` what is waited
 * for. FALSE with an error unless something fired. */
gboolean cothread_wait_on (CtScheduler *core, CtWaiter *waiters, gint64 deadline_us,
                           const char *reason, gconstpointer object, GError **error);

gboolean cothread_wait_result (CtWake wake, GError **error);

/* For a wait on what is ready already: FALSE with an error if the calling task
 * is cancelled, which every wait reports. */
gboolean cothread_wait_for_ready (GError **error);

/* The deadline for a public timeout; FALSE, after a critical, for one that is
 * neither a time nor COTHREAD_FOREVER. */
gboolean cothread_deadline_from_timeout (CtScheduler *core, gint64 timeout_us, gint64 *deadline_us);
