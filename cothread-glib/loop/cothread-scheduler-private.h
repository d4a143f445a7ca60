/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"
#include "loop/cothread-inbox.h"
#include "loop/cothread-scheduler.h"

#define COTHREAD_RECENT_TURNS 256

/* How a turn ends and who goes next; cothread-source.c has the scheme. */
typedef struct
{
  gboolean is_open;
  gint64 deadline_us; /* while closed: the worker may run from then on */
  gint64 used_us;     /* by turns since the fence last ran, or the deadline came ... */
  gint64 rest_ns;     /* ... and less than a microsecond more */
  gint64 share_us;    /* what they may use after a deadline came; 0: a slice */
  gint64 last_end_us;
} CothreadGate;

typedef struct
{
  guint64 turns;
  guint64 turns_cut;
  gint64 last_us;
  gint64 longest_us;
  gint64 busy_us; /* all together ... */
  gint64 rest_ns; /* ... and less than a microsecond more */
  gint64 recent_us[COTHREAD_RECENT_TURNS];
  guint depth;         /* nested turns in progress */
  gint64 running_from; /* since when the innermost has held the loop */
} CothreadTurns;

typedef struct _CothreadPrecise CothreadPrecise;
typedef struct _CothreadQuitPost CothreadQuitPost;
typedef struct _CothreadSweep CothreadSweep;

struct _CothreadScheduler
{
  GObject parent_instance;

  CtScheduler *core;   /* NULL once shut down */
  gsize owner; /* cothread_thread_id() of the thread it lives on; 0: of none any more */

  GMainContext *context; /* not referenced: its sources are ours */
  gboolean is_of_default_context; /* which NULL stands for in GLib */
  GSource *worker;
  GSource *fence; /* while there is a use for it */
  guint n_turns_without_fence; /* without a use */
  GSource *sentinel;
  guint n_prepared; /* times that the sentinel was */
  gboolean is_preparing; /* only to see whether that is possible */
  GSource *jump; /* a test scheduler's */
  GArray *polled; /* of GPollFD: what GLib polls for the worker */
  guint64 polled_generation;

  CothreadInbox inbox;
  gint wake_fd;
  CtFdWatch wake_watch;

  CothreadSweep *sweep; /* or NULL */
  gint64 sweep_us;      /* when to look for closed descriptors; 0: not at all */
  gboolean has_swept;   /* and nothing has happened since */

  gint64 slice_us;
  double minimum_share;
  CothreadGate gate;
  guint64 run_ticks;   /* that the gate has not been told of: a few us */
  CothreadTurns turns;

  gboolean is_unref_due; /* the context's reference, when nothing runs any more */
  guint n_answers; /* that tasks wait for, and only the context can bring */
  gboolean is_shut_down;
  gboolean is_of_parent; /* the parent process's; then it is shut down, too */
  gboolean has_complained; /* about a thread that iterates its context */
  gboolean interrupt_pending; /* main was not waiting when it came */

  guint64 n_failed;
  guint64 n_cancelled;
  guint64 n_stalls; /* atomic */
  /* For the stall detector, which reads them in its own thread. */
  guint64 loop_phase; /* odd: between polls, so that somebody holds the loop */
  guint64 n_callbacks;
  gpointer callback; /* the function of the one that runs */
  gint64 created_us;

  CothreadQuitPost *quit_post; /* or NULL */
  CothreadPrecise *precise;    /* or NULL */
  GObject *callback_queue; /* the callback layer's default queue */
  CtLink callback_queues;  /* all that are open, the most urgent first */
  CtLink shutdown_hooks;
  CtLink end_hooks; /* the same, called once no task runs any more */

  CothreadScheduler *next_of_all; /* for a debugger */
  CtScheduler *core_of_parent; /* only kept; or NULL */
  CtLink runners; /* of the languages without stacks */
};

/* The monitor is told of each one that begins: COTHREAD_TRACE ... */
void cothread_scheduler_created (CothreadScheduler *self);
/* ... and that a context drives: COTHREAD_MONITOR. */
void cothread_scheduler_attached (CothreadScheduler *self);

/* Every scheduler of the process, for a debugger that has nothing to call. */
extern CothreadScheduler *cothread_all_schedulers __attribute__ ((visibility ("hidden")));

/* `run` is called once at shutdown, before the tasks are cancelled; the hook is
 * off the list then. `forked` instead in a child process, where the scheduler is
 * the parent's: may touch memory and close descriptors, but change nothing that
 * both processes share. May be NULL: there is nothing to do. */
typedef struct
{
  CtLink link;
  void (*run) (CtLink *link);
  void (*forked) (CtLink *link);
} CothreadShutdownHook;

/* The scheduler whose turn runs on this thread at the moment, or NULL. Stack
 * switches stay on the thread, so this needs no care across them. */
extern __thread CothreadScheduler *cothread_running_scheduler __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));

extern __thread gsize cothread_thread_number __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));
gsize cothread_thread_take_number (void);

/* The calling thread: a number that no other thread of the process ever has, so
 * that what a thread has left belongs to nobody. Never 0. */
static inline gsize
cothread_thread_id (void)
{
  return G_LIKELY (cothread_thread_number != 0) ? cothread_thread_number : cothread_thread_take_number ();
}

static inline gboolean
cothread_scheduler_is_own_thread (CothreadScheduler *self)
{
  return self->owner == cothread_thread_id ();
}

static inline gint64
cothread_scheduler_now (const CothreadScheduler *self)
{
  return self->core != NULL ? ct_scheduler_now (self->core) : g_get_monotonic_time ();
}

/* The running task's scheduler, or that of the thread-default context, made if
 * need be. */
CothreadScheduler *cothread_scheduler_ensure (GError **error);


/* The parts of cothread_scheduler_new(); the second takes the poller. */
CtPoller *cothread_scheduler_make_poller (GError **error);
CothreadScheduler *cothread_scheduler_new_with (CtClock clock, CtPoller *poller, GError **error);

/* For what the library does elsewhere (in threads) on behalf of a task: a
 * virtual clock stands still meanwhile. On the scheduler's thread. */
void cothread_scheduler_hold_time (CothreadScheduler *self);
void cothread_scheduler_release_time (CothreadScheduler *self);

void cothread_scheduler_set_deadlock_error (CothreadScheduler *self, GError **error);

/* Any thread: delivers the mail in the scheduler's next turn. */
void cothread_scheduler_post_mail (CothreadScheduler *self, CothreadMail *mail);
/* The same for a signal handler, which may have interrupted anything: no lock is
 * taken, and errno may change. FALSE: the scheduler is shut down. */
gboolean cothread_scheduler_post_mail_from_signal (CothreadScheduler *self, CothreadMail *mail);

/* One call of poll_scheduler, with what the library keeps around it. */
gboolean cothread_scheduler_run_turn (CothreadScheduler *self, const GPollFD *ready, guint n_ready,
                                      gint64 begin_us, gint64 slice_us, gint64 *timeout_us);
/* After each time that tasks ran from a dispatch at this depth. */
void cothread_source_turn_ended (CothreadScheduler *self, gint depth);

/* For the class of every object with properties: has them notified on the
 * thread's own stack, also if a task set them with g_object_set(). */
void cothread_notify_on_thread_stack (GObject *object, guint n_pspecs, GParamSpec **pspecs,
                                      void (*dispatch) (GObject *object, guint n_pspecs, GParamSpec **pspecs));

/* The context died elsewhere: the stacks of its tasks cannot be unwound. */
void cothread_scheduler_forget (CothreadScheduler *self);

/* Any thread: nobody hears of the end on this scheduler any more. */
void cothread_quit_post_drop (CothreadQuitPost *post);

/* Destroys a source, unless its context dies and does that itself. */
void cothread_leave_context (GSource *source);
/* The languages without stacks tell what they did not tell yet. May be called on
 * any stack. */
void cothread_scheduler_sync_runners (CothreadScheduler *self);
/* How many of their tasks are ready. */
guint cothread_scheduler_count_ready_in_runners (CothreadScheduler *self);

/* Wakes a task that waits, from a callback that anybody may have called. Where
 * nothing else is ready the task runs at once, in the dispatch that brought the
 * callback, as its continuation would; when this returns it may be gone. */
void cothread_source_wake (CothreadScheduler *self, CtTask *task);
/* The context let go of it while a task ran. */
static inline void
cothread_scheduler_drop_if_due (CothreadScheduler *self)
{
  if (G_LIKELY (!self->is_unref_due) || self->turns.depth > 0)
    return;
  self->is_unref_due = FALSE;
  g_object_unref (self);
}

/* A task ran for so long, outside any turn. */
void cothread_source_note_run (CothreadScheduler *self, gint64 length_us);
/* When the loop last began to look what is ready. */
gint64 cothread_source_get_time (CothreadScheduler *self);

void cothread_source_attach (CothreadScheduler *self, GMainContext *context);
/* FALSE inside some source's prepare() or check(). */
gboolean cothread_source_can_iterate (CothreadScheduler *self);

/* Which scheduler lives on which context: the calling thread's, or NULL; whether
 * there is one, be it another thread's, in *is_taken. */
CothreadScheduler *cothread_registry_lookup (GMainContext *context, gboolean *is_taken);
/* What cothread_scheduler_ensure() would find, without making one. */
CothreadScheduler *cothread_registry_peek (void);
gboolean cothread_registry_add (GMainContext *context, CothreadScheduler *self);
/* Whether the calling thread may make a scheduler for a context; FALSE with an
 * error. */
gboolean cothread_registry_may_own (GMainContext *context, gboolean is_taken, GError **error);
void cothread_registry_remove (GMainContext *context, CothreadScheduler *self);
void cothread_registry_forget_all (void);
