/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core-fixture.h"

/* What the tasks of the model test wait for, and what woke them. Every change
 * goes through these functions, so that each wait's end can be foretold. */

#define MODEL_EVENTS 6
#define MODEL_PIPES 2
#define MODEL_NOTHING (-1)

typedef struct _Actor Actor;

struct _Actor
{
  TestTask *task;
  CtWaiter waiters[3];
  gint64 deadline_us;
  gint woken_by;          /* the CtWake that the model expects, or MODEL_NOTHING */
  CtWaiter *fired;        /* with CT_WAKE_NORMAL: by which registration */
  gint waits_for_pipe;    /* or MODEL_NOTHING */
  gboolean is_waiting;
};

typedef struct
{
  CoreFixture *f;
  GRand *rand;
  GPtrArray *actors;
  CtLink events[MODEL_EVENTS];
  guint64 n_registered;
  int pipes[MODEL_PIPES][2];
  guint pipe_bytes[MODEL_PIPES];
  guint steps_left;
  guint depth;
  guint n_waits;
  guint n_wakeups;
} Model;

extern Model model;

gint model_pick (gint n);

/* Up to three registrations on events, or none. */
CtWaiter *model_register_at_random (Actor *actor);
/* Chooses a deadline; to be called right before the wait. */
gint64 model_begin_wait (Actor *actor);
/* Compares the wakeup with what the model says. */
void model_end_wait (Actor *actor);
/* Such a wait from its beginning to its end. */
void model_wait_for_a_pipe (Actor *actor);

void model_fire_at_random (void);
void model_cancel (Actor *actor);

/* To be called when nothing is ready. */
void model_assert_that_nobody_was_forgotten (void);
