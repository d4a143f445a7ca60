/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-hooks.h"
#include "core/ct-poller.h"
#include "core/ct-probe.h"
#include "core/ct-slice.h"
#include "core/ct-task.h"

/* The scheduler: ready, yield and timer queues, and the seven places where
 * control moves between stacks. Knows no main loop, no GObject and no thread
 * but its own. */

/* A poll_scheduler call in progress. They nest like a stack: a main loop that
 * a task runs polls from that task's stack. */
typedef struct _CtFrame CtFrame;

struct _CtFrame
{
  CtFrame *outer;
  CtTask *caller; /* who was current */
  CtTask *stack;  /* whose stack the call is on: a native task or main */
  CtContext *home; /* the outer call's, while this one runs */
  CtSlice slice;  /* the outer call's, while this one runs */
  gint depth;     /* the caller's own notion of nesting, e.g. g_main_depth() */
  gboolean is_interrupted;
};

/* Something for the thread's own stack to do; the requester waits for it. */
typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
  CtContext *requester;
} CtRequest;

/* In one byte, so that a switch looks once. */
typedef enum
{
  CT_ATTENTION_FINISHED = 1 << 0, /* a task has finished and is to be reaped */
  CT_ATTENTION_HOOKS = 1 << 1,
} CtAttention;

struct _CtScheduler
{
  /* First of all what a yield touches: three cache lines. */
  CtTask *current; /* never NULL */
  CtQueue tick;     /* what the present tick still has to run */
  CtQueue yielding; /* woken together, and only if nothing else is ready */
  guint64 n_switches;
  guint64 n_settled; /* switches that the two lengths know of */
  guint64 look_at; /* the switch at which the probe looks; CT_PROBE_NEVER */
  union
  {
    guint32 unusual; /* any of these */
    struct
    {
      guint8 attention; /* CtAttention: what whoever was switched to has to see to */
      guint8 is_interrupted;
      /* A task may be running a main loop: what it calls may be at another depth
       * than the frame. Set by the owner. */
      guint8 is_depth_uncertain;
      guint8 is_tick_long; /* when it began */
    };
  };
  CtSlice slice;

  CtQueue ready; /* runs in the next tick */
  CtTickCounter ticks_counter;
  CtProbe *probe;   /* NULL: nobody watches */
  CtTask *finished; /* its stack is free as soon as somebody else runs */
  const CtSwitchHooks *hooks; /* or NULL */

  CtLink timed_yielders; /* CtWaiters: yielding, with a deadline */
  CtTimerHeap timers;

  CtContext scheduler_context; /* the scheduler task */
  CtContext *home; /* where a task that waits goes when the turn is over */
  CtStack *scheduler_stack;
  CtTask main; /* the thread's own stack */
  CtFrame *frame;
  CtRequest request;
  guint thread_stack_calls; /* nested ct_scheduler_call_on_thread_stack() */

  CtClock clock;
  CtPoller *poller;
  CtStackPool *pool;
  gint64 slice_us;

  /* Changes the order of the tick that begins (NULL: as they became ready). */
  void (*arrange) (CtScheduler *self);
  /* How a wait on the thread's own stack passes the time (NULL: the scheduler
   * polls by itself). */
  void (*drive) (gpointer owner);
  /* Called once when something becomes ready although the surrounding loop was
   * told that it may sleep. */
  void (*wake_loop) (gpointer owner);
  gpointer owner; /* of the two above */
  /* Gives up to `max` of what the owner keeps for tasks to come back to the
   * system; returns how many more it could. May be NULL. */
  guint (*give_back) (guint max);
  gpointer hooks_data;
  gboolean is_loop_asleep;

  gboolean is_reaping;
  gboolean is_turn_over;  /* main was woken: let it go on after this tick */
  gboolean is_main_woken; /* ... and has not gone on yet */
  gboolean is_turn_done;  /* there is nobody left to run in it */
  gboolean is_fresh;     /* nothing has run in this turn yet */
  gboolean is_shutting_down;
  gboolean tasks_are_laid; /* nothing that tasks waited for knows them any more */
  gboolean wants_clean_stacks; /* for the high-water marks of tasks */

  CtTimer trim_timer; /* gives stacks back, once, after a peak */
  gboolean may_need_trim; /* something happened since that was last asked */

  CtLink all; /* every live task but main */
  guint n_live;
  guint64 next_id;
  guint64 n_spawned;
  guint64 n_finished;
  guint64 n_ticks;
  guint64 n_turns;
};

/* Makes a scheduler for the calling thread and does switches 1 and 2. Takes
 * the poller. */
CtScheduler *ct_scheduler_new (CtClock clock, CtPoller *poller, CtStackGuard guard, GError **error);
/* No task may be alive. */
void ct_scheduler_free (CtScheduler *scheduler);

/* Puts a task at the end of the ready queue. */
gboolean ct_scheduler_spawn (CtScheduler *scheduler, CtTask *task, const CtTaskClass *klass, gsize stack_bytes, GError **error);
void ct_scheduler_spawn_stackless (CtScheduler *scheduler, CtTask *task, const CtTaskClass *klass);
/* Ends a stackless task, from its own step or while it is parked. */
void ct_task_finish_stackless (CtTask *task);
/* Takes a stackless task that waits, or is ready, out of every queue: its wait is
 * over, and whoever takes it back has it run or finish. */
void ct_task_take_back (CtTask *task);

/* The original's poll_scheduler: takes the descriptors that are ready, runs one
 * turn, which begins at begin_us (now), and tells who wants to know how long the
 * loop may sleep: 0 (work is left), -1 (for ever), or microseconds. Returns FALSE
 * if an interrupt came instead. */
gboolean ct_scheduler_poll (CtScheduler *scheduler, const GPollFD *ready, guint n_ready,
                            gint64 begin_us, gint64 slice_us, gint depth, gint64 *timeout_us);

/* A loop iterates that the current task has opened: a stackless one is told. */
void ct_scheduler_note_nested (CtScheduler *scheduler);

/* Nobody runs on it any more, for good; who would be woken is not. What is on
 * its stacks stays; descriptors are left as they are, and only ct_poller_free()
 * may be called of the poller. In constant time, and may be called in the child
 * of a fork, where next to nothing may. */
void ct_scheduler_abandon (CtScheduler *scheduler);
/* Main, if it waits on an abandoned scheduler, is told (CT_WAKE_ABANDONED). */
void ct_scheduler_end_wait_of_main (CtScheduler *scheduler);
/* What the tasks of an abandoned one wait for forgets them. O(number of tasks);
 * happens by itself when one of them would be woken. */
void ct_scheduler_lay_tasks (CtScheduler *scheduler);

/* At any time, from any stack; the hooks must outlive the scheduler. */
void ct_scheduler_set_hooks (CtScheduler *scheduler, const CtSwitchHooks *hooks, gpointer data);

/* What an abandoned scheduler has in place of a probe. */
extern CtProbe ct_probe_of_abandoned;

static inline gboolean
ct_scheduler_is_abandoned (const CtScheduler *scheduler)
{
  return scheduler->probe == &ct_probe_of_abandoned;
}

/* How long nothing will be ready: 0, or -1 for ever, or microseconds. */
gint64 ct_scheduler_get_sleep_time (CtScheduler *scheduler);
void ct_scheduler_interrupt (CtScheduler *scheduler);

/* Suspends the current task until one of the registrations fires, or the
 * deadline passes, or it is cancelled. */
CtWake ct_scheduler_wait (CtScheduler *scheduler, CtWaiter *waiters, gint64 deadline_us);
/* Suspends until nothing else is ready, ... */
CtWake ct_scheduler_yield (CtScheduler *scheduler);
/* ... or the deadline passes. */
CtWake ct_scheduler_yield_until (CtScheduler *scheduler, gint64 deadline_us);

/* The same for a stackless task, which then returns to the scheduler. */
void ct_task_park (CtTask *task, CtWaiter *waiters, gint64 deadline_us);
/* Its next step comes in the next tick. */
void ct_task_requeue (CtTask *task);

/* Wakes a waiting task, once; FALSE if it was not waiting (any more). */
gboolean ct_task_fire (CtTask *task, CtWake wake, CtWaiter *fired);
void ct_task_cancel (CtTask *task);

/* Runs func on the thread's own stack, now, wherever the caller is. */
void ct_scheduler_call_on_thread_stack (CtScheduler *scheduler, void (*func) (gpointer data), gpointer data);

static inline gboolean
ct_scheduler_has_work (const CtScheduler *scheduler)
{
  return !ct_queue_is_empty (&scheduler->tick) || !ct_queue_is_empty (&scheduler->ready) ||
         !ct_queue_is_empty (&scheduler->yielding) || ct_link_is_linked (&scheduler->timed_yielders) ||
         scheduler->is_interrupted;
}

static inline gboolean
ct_scheduler_is_on_thread_stack (const CtScheduler *scheduler)
{
  return scheduler->current->kind != CT_TASK_NATIVE;
}

static inline gboolean
ct_scheduler_slice_is_used_up (CtScheduler *scheduler)
{
  return ct_slice_is_used_up (&scheduler->slice, &scheduler->ticks_counter);
}

static inline void
ct_scheduler_made_ready (CtScheduler *scheduler)
{
  if (G_UNLIKELY (scheduler->is_loop_asleep))
    {
      scheduler->is_loop_asleep = FALSE;
      scheduler->wake_loop (scheduler->owner);
    }
}

static inline gint64
ct_scheduler_now (const CtScheduler *scheduler)
{
  return ct_clock_now (&scheduler->clock);
}

/* Checks every invariant; for debug builds and tests. O(number of tasks). */
void ct_scheduler_check (const CtScheduler *scheduler);

/* ---- shared by the files of this folder ---- */

/* What the turn runs next, still on the tick queue; a new tick is taken where
 * the old one is done. NULL: the turn is over. */
CtTask *ct_scheduler_peek_next (CtScheduler *scheduler);
void ct_scheduler_reap_finished (CtScheduler *scheduler);
void ct_scheduler_call_suspend_hook (CtScheduler *scheduler, CtTask *stack);
void ct_scheduler_call_resume_hook (CtScheduler *scheduler, CtTask *stack);
void ct_scheduler_attend (CtScheduler *scheduler, CtTask *stack);
void ct_scheduler_begin_turn (CtScheduler *scheduler, gint64 begin_us, gint64 slice_us);
/* The scheduler task's entry function. */
void ct_scheduler_loop (gpointer scheduler);
/* Leaves the thread's own stack, which serves requests until it is resumed. */
void ct_scheduler_park_main (CtScheduler *scheduler, CtContext *to);
/* Back on it, with a request: serves that and all that follow. */
void ct_scheduler_serve (CtScheduler *scheduler);
/* Tasks have ended, and their stacks may be too many now. */
void ct_scheduler_note_finished (CtScheduler *scheduler);

/* Before a task's first switch. */
void ct_scheduler_give_stack (CtScheduler *scheduler, CtTask *task);

/* Of very many tasks the next one is in no cache: not the task, and not the
 * frames that it will return to. Each says, while it is at hand, where the stack
 * is of the one that is to run two after itself. */
#define CT_FEW_TASKS 500

static inline void
ct_task_tell_ahead (CtTask *task, gconstpointer stack)
{
  CT_CONTAINER_OF (task->link.prev->prev, CtTask, link)->stack_ahead = stack;
}

static inline void
ct_task_fetch_ahead (const CtTask *task)
{
  gsize stack = (gsize) task->stack_ahead; /* a number: it may be NULL */

  __builtin_prefetch (task->link.next->next);
  for (guint line = 0; line < 4 * CT_CACHE_LINE; line += CT_CACHE_LINE)
    __builtin_prefetch ((gconstpointer) (stack + line), 1);
}

/* What ends its wait: it stands on no queue of waiters any more, and on no other
 * yet. */
static inline void
ct_task_disarm (CtTask *task, CtWake wake, CtWaiter *fired)
{
  task->is_armed = FALSE;
  task->wakeups++;
  task->wake = wake;
  task->fired = fired;
  if (task->timer.index != 0)
    ct_timer_heap_remove (&task->scheduler->timers, &task->timer);
  for (CtWaiter *waiter = task->waiters; waiter != NULL; waiter = waiter->next)
    ct_link_unlink (&waiter->link);
  task->waiters = NULL;
}

/* As long as the slice is not used up there is no need to look at the clock. An
 * alarm may be late: so not where it matters which of two comes first. */
static inline gboolean
ct_scheduler_no_timer_is_due_in_slice (const CtScheduler *self)
{
  gint64 deadline = ct_timer_heap_next_deadline (&self->timers);

  return deadline == CT_TIME_NEVER ||
         (deadline > self->slice.end_us && self->slice.end_us >= self->slice.begin_us && !self->clock.is_virtual);
}

static inline gboolean
ct_queue_is_long (const CtQueue *queue)
{
  return queue->length > CT_FEW_TASKS;
}

/* A yield that is quick takes its task from the tick to the yield queue and counts
 * nothing but the switch. To be called before a length of either is used. */
static inline void
ct_scheduler_settle_lengths (CtScheduler *self)
{
  guint n = (guint) (self->n_switches - self->n_settled);

  self->tick.length -= n;
  self->yielding.length += n;
  self->n_settled = self->n_switches;
}

static inline void
ct_scheduler_make_current (CtScheduler *self, CtTask *task)
{
  task->state = CT_TASK_RUNNING;
  task->switches++;
  self->n_switches++;
  self->n_settled++;
  self->is_fresh = FALSE;
  self->current = task;
  if (G_UNLIKELY (self->n_switches >= self->look_at))
    ct_probe_look (self->probe, task);
}

/* The first on the tick queue is off it and current. */
static inline void
ct_scheduler_enter (CtScheduler *self, CtTask *task)
{
  if (G_UNLIKELY (task->context.saved == NULL) && task->kind == CT_TASK_NATIVE)
    ct_scheduler_give_stack (self, task);
  if (G_UNLIKELY (ct_queue_is_long (&self->tick)))
    ct_task_fetch_ahead (task);
  ct_queue_remove_first (&self->tick);
  ct_scheduler_make_current (self, task);
}

/* The next task, off the queue and current, for whoever can switch straight to
 * it; NULL where it is the scheduler task's business. */
static inline CtTask *
ct_scheduler_hop (CtScheduler *self)
{
  CtTask *next;

  if (G_UNLIKELY (self->is_interrupted))
    return NULL;
  if (G_LIKELY (!ct_queue_is_empty (&self->tick) && !ct_scheduler_slice_is_used_up (self)))
    next = CT_CONTAINER_OF (self->tick.head.next, CtTask, link);
  else if (self->slice.end_us == G_MININT64)
    return NULL; /* over before it began: it runs alone (ct-at-once.h) */
  else
    next = ct_scheduler_peek_next (self);
  if (G_UNLIKELY (next == NULL))
    {
      self->is_turn_done = TRUE;
      return NULL;
    }
  if (G_UNLIKELY (next->kind == CT_TASK_STACKLESS))
    return NULL;
  ct_scheduler_enter (self, next);
  return next;
}

/* Control is here again after something ran, and what ran has not been freed. */
static inline void
ct_scheduler_note_leaving (CtScheduler *self)
{
  if (G_UNLIKELY (self->probe != NULL) && !self->is_fresh)
    ct_probe_leave (self->probe, self->current, self->slice.end_us);
}

static inline void
ct_scheduler_reap (CtScheduler *self)
{
  if (G_UNLIKELY (self->finished != NULL))
    ct_scheduler_reap_finished (self);
}

/* Around every switch away from a stack, but for the scheduler task's. */
static inline void
ct_scheduler_leave (CtScheduler *self, CtTask *stack)
{
  if (G_UNLIKELY (self->hooks != NULL))
    ct_scheduler_call_suspend_hook (self, stack);
}

static inline void
ct_scheduler_return (CtScheduler *self, CtTask *stack)
{
  if (G_UNLIKELY (self->hooks != NULL))
    ct_scheduler_call_resume_hook (self, stack);
}

/* The same, where a task may have finished meanwhile. */
static inline void
ct_scheduler_return_and_reap (CtScheduler *self, CtTask *stack)
{
  if (G_UNLIKELY (self->attention != 0))
    ct_scheduler_attend (self, stack);
}
