/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-test-scheduler.h"
#include "core/ct-simulation.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "loop/cothread-wait-private.h"

/**
 * CothreadTestScheduler:
 *
 * A scheduler for tests: its clock is virtual and jumps to the next deadline
 * when nothing is ready, descriptors can be pretended, and tasks that become
 * ready together run in an order drawn from a seed. The same seed gives the same
 * run, so that a failure found with one of a thousand seeds replays exactly. A
 * test of a program that sleeps for hours takes milliseconds, and a wait that
 * nothing can ever end fails with %COTHREAD_ERROR_DEADLOCK instead of hanging.
 *
 * It makes the scheduler of the calling thread's thread-default main context:
 * everything under test finds it by itself. That context may be run in any way,
 * by a wait in plain `main()`, by a #GMainLoop, or by
 * cothread_test_scheduler_run().
 *
 * Time passes only when nothing in the main context is ready: a task that polls
 * the clock without sleeping waits for ever. Other sources of time in the
 * context, such as g_timeout_add(), go by the real clock.
 *
 * Everything is to be called on the scheduler's thread. Dropping the last
 * reference shuts the scheduler down.
 *
 * Since: 0.1
 */
struct _CothreadTestScheduler
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  guint64 seed;
};

G_DEFINE_FINAL_TYPE (CothreadTestScheduler, cothread_test_scheduler, G_TYPE_OBJECT)

#define NAMED_TASKS 10
#define JUMP_PRIORITY G_MAXINT /* when nothing at all is ready */
/* Answers of GIO mostly come from its threads, which need a moment of real time;
 * but one may itself wait for virtual time to pass. */
#define ANSWER_PATIENCE_US 50000

typedef struct
{
  GSource parent;
  CothreadScheduler *scheduler; /* not referenced: destroys the source when it ends */
  gint64 jump_us; /* real time: not before then, while answers are awaited; or 0 */
} JumpSource;

static CtSimulation *
simulation_of (CothreadTestScheduler *self)
{
  return self->scheduler->core != NULL ? ct_simulation_of (self->scheduler->core) : NULL;
}

static gboolean
can_jump (CothreadScheduler *scheduler)
{
  CtScheduler *core = scheduler->core;

  return core != NULL && core->timers.length > 0 && ct_simulation_of (core)->holds == 0 &&
         !ct_scheduler_has_work (core) && cothread_inbox_is_empty (&scheduler->inbox) &&
         ct_timer_heap_next_deadline (&core->timers) > ct_scheduler_now (core) &&
         ct_timer_heap_next_deadline (&core->timers) <= CT_SIMULATION_END_US;
}

static gboolean
jump_prepare (GSource *source, gint *timeout_ms)
{
  JumpSource *self = (JumpSource *) source;
  gint64 now_us;

  *timeout_ms = -1;
  if (!can_jump (self->scheduler))
    {
      self->jump_us = 0;
      return FALSE;
    }
  if (self->scheduler->n_answers == 0)
    return TRUE;
  now_us = g_source_get_time (source);
  if (self->jump_us == 0)
    self->jump_us = now_us + ANSWER_PATIENCE_US;
  if (now_us >= self->jump_us)
    return TRUE;
  *timeout_ms = (gint) (self->jump_us - now_us) / 1000 + 1;
  return FALSE;
}

static gboolean
jump_check (GSource *source)
{
  JumpSource *self = (JumpSource *) source;

  return can_jump (self->scheduler) && (self->scheduler->n_answers == 0 || g_source_get_time (source) >= self->jump_us);
}

static gboolean
jump_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  CothreadScheduler *scheduler = ((JumpSource *) source)->scheduler;

  ((JumpSource *) source)->jump_us = 0;
  if (can_jump (scheduler))
    ct_simulation_of (scheduler->core)->now_us = ct_timer_heap_next_deadline (&scheduler->core->timers);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs jump_funcs = { jump_prepare, jump_check, jump_dispatch, NULL, NULL, NULL };

static void
attach_jump_source (CothreadScheduler *scheduler)
{
  scheduler->jump = g_source_new (&jump_funcs, sizeof (JumpSource));
  ((JumpSource *) scheduler->jump)->scheduler = scheduler;
  g_source_set_priority (scheduler->jump, JUMP_PRIORITY);
  g_source_set_can_recurse (scheduler->jump, TRUE);
  g_source_set_static_name (scheduler->jump, "cothread virtual clock");
  g_source_attach (scheduler->jump, scheduler->context);
}

/* Whether the context polls for anything that is not ours: a descriptor of
 * another source, or its timeout. To be asked when nothing is ready. */
static gboolean
others_may_wake (CothreadScheduler *scheduler)
{
  guint n_own = scheduler->polled->len + 1; /* and the context's own wakeup */
  gint timeout_ms = 0;
  gint priority, n;

  if (scheduler->n_answers > 0 || ct_simulation_has_outside (ct_simulation_of (scheduler->core)))
    return TRUE;
  if (!g_main_context_acquire (scheduler->context))
    return TRUE;
  g_main_context_prepare (scheduler->context, &priority);
  n = g_main_context_query (scheduler->context, priority, &timeout_ms, NULL, 0);
  g_main_context_release (scheduler->context);
  return (guint) n > n_own || timeout_ms >= 0;
}

/* FALSE: nothing will ever happen. */
static gboolean
drive_once (CothreadScheduler *scheduler)
{
  g_autoptr (GMainContext) context = g_main_context_ref (scheduler->context);

  if (g_main_context_iteration (context, FALSE))
    return TRUE;
  if (scheduler->core == NULL || scheduler->core->is_interrupted)
    return TRUE;
  if (!others_may_wake (scheduler))
    return FALSE;
  g_main_context_iteration (context, TRUE);
  return TRUE;
}

/* For a wait in plain main(). */
static void
drive_virtually (gpointer data)
{
  CothreadScheduler *scheduler = data;

  if (!drive_once (scheduler))
    ct_task_fire (&scheduler->core->main, CT_WAKE_DEADLOCK, NULL);
}

/* The library's own, which wait for work, keep nothing from ending. */
static gboolean
is_of_program (CothreadTask *task)
{
  return !task->is_service;
}

static gboolean
has_anything_to_do (CothreadScheduler *scheduler)
{
  CtScheduler *core = scheduler->core;

  if (ct_scheduler_has_work (core) || !cothread_inbox_is_empty (&scheduler->inbox))
    return TRUE;
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    if (is_of_program (CT_CONTAINER_OF (link, CothreadTask, core.all)))
      return TRUE;
  return FALSE;
}

static void
append_task (GString *text, CothreadTask *task)
{
  g_autofree char *reason = cothread_task_dup_wait_reason (task);

  g_string_append_printf (text, "%s (%s)", cothread_task_get_name (task), reason != NULL ? reason : "no reason known");
}

void
cothread_scheduler_set_deadlock_error (CothreadScheduler *self, GError **error)
{
  g_autoptr (GString) text = g_string_new ("Nothing can wake this wait any more");
  guint n = 0;

  for (CtLink *link = self->core->all.next; link != &self->core->all; link = link->next)
    {
      CothreadTask *task = CT_CONTAINER_OF (link, CothreadTask, core.all);

      if (!is_of_program (task) || ++n > NAMED_TASKS)
        continue;
      g_string_append (text, n == 1 ? ". Tasks that wait: " : ", ");
      append_task (text, task);
    }
  if (n > NAMED_TASKS)
    g_string_append_printf (text, " and %u more", n - NAMED_TASKS);
  g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK, text->str);
}

void
cothread_scheduler_hold_time (CothreadScheduler *self)
{
  if (self->core != NULL && self->core->clock.is_virtual)
    ct_simulation_of (self->core)->holds++;
}

void
cothread_scheduler_release_time (CothreadScheduler *self)
{
  if (self->core != NULL && self->core->clock.is_virtual)
    ct_simulation_of (self->core)->holds--;
}

static void
cothread_test_scheduler_dispose (GObject *object)
{
  CothreadTestScheduler *self = COTHREAD_TEST_SCHEDULER (object);

  if (self->scheduler != NULL)
    cothread_scheduler_shutdown (self->scheduler);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_test_scheduler_parent_class)->dispose (object);
}

static void
cothread_test_scheduler_class_init (CothreadTestSchedulerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = cothread_test_scheduler_dispose;
}

static void
cothread_test_scheduler_init (G_GNUC_UNUSED CothreadTestScheduler *self)
{
}

static CothreadScheduler *
make_scheduler (GMainContext *context, guint64 seed, GError **error)
{
  g_autoptr (CothreadScheduler) scheduler = NULL;
  CtPoller *poller = cothread_scheduler_make_poller (error);
  CtSimulation *simulation;

  if (poller == NULL)
    return NULL;
  simulation = ct_simulation_new (poller, seed, error);
  if (simulation == NULL)
    return NULL;
  scheduler = cothread_scheduler_new_with (ct_simulation_get_clock (simulation), poller, error);
  if (scheduler == NULL || !cothread_scheduler_attach (scheduler, context))
    return NULL;
  scheduler->core->drive = drive_virtually;
  if (seed != 0)
    scheduler->core->arrange = ct_simulation_arrange;
  attach_jump_source (scheduler);
  return g_steal_pointer (&scheduler);
}

/**
 * cothread_test_scheduler_new:
 * @seed: what the order of tasks is drawn from; 0: no drawing, tasks run in the
 *   order in which they become ready, as they do outside of tests
 * @error: return location for a #GError
 *
 * Makes the scheduler of the calling thread's thread-default main context a
 * virtual one. To be called before that context has a scheduler.
 *
 * With a seed, the order of the tasks of each tick is drawn at random, but tasks
 * still start in the order in which they were spawned.
 *
 * Fails with %G_IO_ERROR_EXISTS if the context has a scheduler already, with
 * %COTHREAD_ERROR_WRONG_CONTEXT if it belongs to another thread, and with an
 * error of %G_IO_ERROR if the system has no descriptor or no memory left.
 *
 * Returns: (transfer full): a test scheduler, or %NULL
 *
 * Since: 0.1
 */
CothreadTestScheduler *
cothread_test_scheduler_new (guint64 seed, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  CothreadScheduler *scheduler;
  CothreadTestScheduler *self;
  gboolean is_taken;

  cothread_registry_lookup (context, &is_taken);
  if (is_taken)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                           "This main context has a scheduler already: push another one with "
                           "g_main_context_push_thread_default(), or make the test scheduler first");
      return NULL;
    }
  if (!cothread_registry_may_own (context, FALSE, error))
    return NULL;
  scheduler = make_scheduler (context, seed, error);
  if (scheduler == NULL)
    return NULL;
  self = g_object_new (COTHREAD_TYPE_TEST_SCHEDULER, NULL);
  self->scheduler = scheduler;
  self->seed = seed;
  return self;
}

/**
 * cothread_test_scheduler_get_scheduler:
 * @self: a test scheduler
 *
 * The scheduler that it controls: cothread_scheduler_get_default() in its
 * context.
 *
 * Returns: (transfer none): the scheduler
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_test_scheduler_get_scheduler (CothreadTestScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_TEST_SCHEDULER (self), NULL);
  return self->scheduler;
}

/**
 * cothread_test_scheduler_get_seed:
 * @self: a test scheduler
 *
 * Returns: the seed that it was made with
 *
 * Since: 0.1
 */
guint64
cothread_test_scheduler_get_seed (CothreadTestScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_TEST_SCHEDULER (self), 0);
  return self->seed;
}

static gboolean
is_usable (CothreadTestScheduler *self)
{
  return self->scheduler != NULL && self->scheduler->core != NULL &&
         cothread_scheduler_is_own_thread (self->scheduler);
}

/* FALSE, with an error: where only main may be. */
static gboolean
may_run (CothreadTestScheduler *self, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);

  if (core == NULL)
    return FALSE;
  if (core == self->scheduler->core && core->current == &core->main)
    return TRUE;
  g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT,
                       core == self->scheduler->core ? "A task cannot run its own scheduler"
                                                     : "Another scheduler is this thread's default");
  return FALSE;
}

/**
 * cothread_test_scheduler_run:
 * @self: a test scheduler
 * @error: return location for a #GError
 *
 * Runs the main context until no task is left, letting time jump. A #CothreadTimer
 * that is pending does not count, nor does a callback queue that is empty. Where
 * tasks go on for ever let some time pass instead, with cothread_sleep().
 *
 * To be called in plain `main()`, outside any task and any dispatch; elsewhere
 * it fails with %COTHREAD_ERROR_WRONG_CONTEXT. Fails with
 * %COTHREAD_ERROR_DEADLOCK if tasks are left that nothing can wake (the message
 * names them), with %COTHREAD_ERROR_INTERRUPTED if the scheduler is interrupted,
 * and with %COTHREAD_ERROR_CLOSED if it is shut down, also meanwhile.
 *
 * Returns: %TRUE if every task has ended
 *
 * Since: 0.1
 */
gboolean
cothread_test_scheduler_run (CothreadTestScheduler *self, GError **error)
{
  g_autoptr (CothreadScheduler) scheduler = NULL;

  g_return_val_if_fail (COTHREAD_IS_TEST_SCHEDULER (self), FALSE);
  g_return_val_if_fail (self->scheduler != NULL && cothread_scheduler_is_own_thread (self->scheduler), FALSE);
  if (self->scheduler->core != NULL && !may_run (self, error))
    return FALSE;
  scheduler = g_object_ref (self->scheduler);
  while (scheduler->core != NULL && has_anything_to_do (scheduler))
    {
      gboolean goes_on = drive_once (scheduler);

      if (scheduler->interrupt_pending)
        {
          scheduler->interrupt_pending = FALSE;
          return cothread_wait_result (CT_WAKE_INTERRUPT, error);
        }
      if (!goes_on)
        {
          cothread_scheduler_set_deadlock_error (scheduler, error);
          return FALSE;
        }
    }
  if (scheduler->core == NULL)
    {
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler was shut down");
      return FALSE;
    }
  return TRUE;
}

/**
 * cothread_test_scheduler_advance:
 * @self: a test scheduler
 * @interval_us: microseconds, not negative
 *
 * Moves the virtual clock on, as if the caller had computed for that long: a
 * task that calls it may use up the time slice. What is due then runs when the
 * main context runs next; cothread_sleep() from plain `main()` is the way to let
 * time pass with everything that happens in it.
 *
 * Never suspends.
 *
 * Since: 0.1
 */
void
cothread_test_scheduler_advance (CothreadTestScheduler *self, gint64 interval_us)
{
  CtSimulation *simulation;

  g_return_if_fail (COTHREAD_IS_TEST_SCHEDULER (self));
  g_return_if_fail (is_usable (self));
  g_return_if_fail (interval_us >= 0);

  simulation = simulation_of (self);
  simulation->now_us = MIN (ct_clock_deadline (simulation->now_us, interval_us), CT_SIMULATION_END_US);
}

/**
 * cothread_test_scheduler_set_ready:
 * @self: a test scheduler
 * @fd: any number from 0 to 65535; no descriptor needs to be open under it
 * @condition: what the descriptor is ready for from now on: %G_IO_IN,
 *   %G_IO_OUT, %G_IO_PRI, %G_IO_ERR, %G_IO_HUP, or nothing; %G_IO_NVAL: it is
 *   closed
 *
 * Pretends that a descriptor is ready, or is not. From the first call on, waits
 * for this number see what is pretended and never ask the system; numbers that
 * were never pretended are real descriptors. As with real ones, the condition
 * stays until it is changed, and of two tasks that wait for the same event one
 * is woken at a time.
 *
 * Never suspends.
 *
 * Since: 0.1
 */
void
cothread_test_scheduler_set_ready (CothreadTestScheduler *self, gint fd, GIOCondition condition)
{
  g_return_if_fail (COTHREAD_IS_TEST_SCHEDULER (self));
  g_return_if_fail (is_usable (self));
  g_return_if_fail (fd >= 0 && fd <= CT_SIMULATION_MAX_FD);

  ct_simulation_pretend (simulation_of (self), fd, (gushort) condition);
}

/**
 * cothread_test_scheduler_hold:
 * @self: a test scheduler
 *
 * Says that something outside of the scheduler is under way: another thread or
 * process will post a callback, cancel a task or write to a descriptor. Until
 * the matching cothread_test_scheduler_release() the clock stands still when
 * nothing is ready and the main context really waits; nothing is a deadlock.
 *
 * What the library itself does in threads, such as
 * cothread_run_in_thread(), holds the clock by itself. Never suspends.
 *
 * Since: 0.1
 */
void
cothread_test_scheduler_hold (CothreadTestScheduler *self)
{
  g_return_if_fail (COTHREAD_IS_TEST_SCHEDULER (self));
  g_return_if_fail (is_usable (self));

  cothread_scheduler_hold_time (self->scheduler);
}

/**
 * cothread_test_scheduler_release:
 * @self: a test scheduler
 *
 * Ends what cothread_test_scheduler_hold() began. Without a beginning it is a
 * critical. Never suspends.
 *
 * Since: 0.1
 */
void
cothread_test_scheduler_release (CothreadTestScheduler *self)
{
  g_return_if_fail (COTHREAD_IS_TEST_SCHEDULER (self));
  g_return_if_fail (is_usable (self));
  g_return_if_fail (simulation_of (self)->holds > 0);

  cothread_scheduler_release_time (self->scheduler);
}
