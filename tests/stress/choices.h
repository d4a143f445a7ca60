/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* A small program drawn from a seed, in virtual time: tasks that take steps at
 * random, of every kind of wait, in each other's way. What is known of it beside
 * the library, so that the two can be compared, is here. */

#define CHOICE_EVENTS 4
#define CHOICE_QUEUES 2
#define CHOICE_LOCKS 2
#define CHOICE_SEMAPHORES 2
#define CHOICE_TIMERS 3
#define CHOICE_FDS 2
#define CHOICE_MAX_TASKS 40
#define CHOICE_MAX_DEPTH 4

typedef struct
{
  guint32 state; /* of the generator */
  guint64 seed;
  guint64 trace; /* a sum over all that happened: equal for equal seeds */
  GMainContext *context;
  CothreadTestScheduler *tester;
  CothreadScheduler *scheduler;

  GPtrArray *tasks; /* references to those that may live */
  CothreadEvent *events[CHOICE_EVENTS];
  CothreadPulse *pulse;
  CothreadEventQueue *items[CHOICE_QUEUES];
  CothreadCallbackQueue *queues[CHOICE_QUEUES];
  CothreadLock *locks[CHOICE_LOCKS];
  CothreadSemaphore *semaphores[CHOICE_SEMAPHORES];
  CothreadTimer *timers[CHOICE_TIMERS];
  GCancellable *cancellable; /* of the _async() waits that began last */
  GObject *emitter;

  gpointer lock_holder[CHOICE_LOCKS]; /* some address in the holder's stack; NULL: free */
  guint n_permits_held[CHOICE_SEMAPHORES];

  guint n_steps;  /* left */
  guint n_live;   /* tasks */
  guint n_nested; /* main loops */
  guint n_async;  /* _async() waits whose callback has not come */
  gint64 n_values; /* made and not freed: values, items, user data, results */
  gboolean is_over;
} Choices;

extern Choices choices;

guint32 choice_pick (guint32 n);
/* Into the sum. */
void choice_note (guint64 what);

gpointer choice_value_new (void);
void choice_value_free (gpointer value);

/* Not NULL in a task that is in a shielded section. */
extern const CothreadTaskLocal choice_is_shielded;
gint64 choice_pick_timeout (void);
/* One of those that may live; or NULL. */
CothreadTask *choice_pick_task (void);
/* What a wait gave, which must be something that it may give. */
void choice_note_result (gboolean success, GError *error);
/* For tasks that count: takes so many steps. */
gpointer choice_be_task (gpointer n, GError **error);
void choice_task_ended (gpointer n);

void choice_begin_async (void);
/* Waits anywhere, with a main loop if it must be. */
void choice_wait_nested (void);
/* What can be done anywhere. */
void choice_act (void);
/* One step of whoever may wait: a task, or plain main(). */
void choice_step (guint depth);
CothreadTask *choice_spawn (CothreadScope *scope);
