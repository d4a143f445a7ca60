/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* What a scheduler takes from outside, pretended: a clock that moves when it is
 * told to, descriptors whose readiness the test sets, and an order from a seed
 * for the tasks of one tick. The poller owns it all.
 *
 * A descriptor that was never pretended is asked of the system. */

typedef struct _CtSimulation CtSimulation;

#define CT_SIMULATION_MAX_FD 65535
#define CT_SIMULATION_START_US G_USEC_PER_SEC
/* What is later never comes, so that sums with a time do not overflow. */
#define CT_SIMULATION_END_US (G_MAXINT64 - G_USEC_PER_SEC)

struct _CtSimulation
{
  CtPollerClass klass; /* the poller's: the system's, but for what is pretended */
  const CtPollerClass *backend;
  CtPoller *poller;
  gint64 now_us;
  guint64 seed; /* 0: tasks run in the order in which they became ready */
  guint64 random;
  guint holds; /* while not 0, something outside may still come: time is real */
  GArray *pretended; /* of gint: what is ready, or -1; by descriptor */
  /* Rung when a pretended descriptor is ready, so that this is told when the
   * loop polls, as the system's descriptors are. */
  gint bell_fd;
  CtFdWatch bell;
};

/* Takes the system's poller. */
CtSimulation *ct_simulation_new (CtPoller *poller, guint64 seed, GError **error);

CtClock ct_simulation_get_clock (CtSimulation *self);
/* For CtScheduler.arrange. */
void ct_simulation_arrange (CtScheduler *scheduler);

static inline CtSimulation *
ct_simulation_of (const CtScheduler *scheduler)
{
  return scheduler->clock.is_virtual ? scheduler->clock.data : NULL;
}

/* Whether something can come that is not pretended. */
gboolean ct_simulation_has_outside (const CtSimulation *self);

/* What is ready on a descriptor from now on; POLLNVAL: it is closed. */
void ct_simulation_pretend (CtSimulation *self, gint fd, gushort ready);
