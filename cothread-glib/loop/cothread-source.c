/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"

#ifdef HAVE_SYSPROF
#include <sysprof-capture.h>
#endif

/* How the scheduler shares a GMainContext.
 *
 * GLib does not even prepare a source while one of higher priority is ready, so
 * anything that is always ready at priority 0 stops GTK's layout and painting
 * (120) altogether; anything below is starved by others in turn. Hence two
 * sources and a gate between them:
 *
 * - the worker (priority 0) runs a turn, if the gate is open;
 * - a turn closes the gate before it runs anything (a nested main loop may be
 *   the next thing that happens), and leaves it closed once turns have used up
 *   a slice or left work behind;
 * - the fence (priority 200) opens the gate. It gets its turn only when
 *   everything else in the context has had its own: input, layout, painting,
 *   idle handlers;
 * - where the answer to a task comes while nothing else is ready, that task goes
 *   on in the dispatch that brought it, as a callback would: the worker's own
 *   dispatch would cost an iteration;
 * - if the others keep the fence waiting for longer than 16 ms, the worker runs
 *   all the same, for a slice in proportion to the time it was kept waiting, so
 *   that tasks keep a minimum share of the processor.
 *
 * Both sources may recurse: otherwise GLib takes the descriptor out of its poll
 * and puts it back at every dispatch, and a nested loop would stop all tasks.
 * Readiness is read from flags in prepare(): a ready time set from this thread
 * would write an eventfd each time. */

#define WORKER_PRIORITY G_PRIORITY_DEFAULT
#define FENCE_PRIORITY G_PRIORITY_DEFAULT_IDLE
#define GATE_DEADLINE_US 16000
#define LONGEST_SLICE_US 8000
#define SWEEP_DELAY_US G_USEC_PER_SEC

typedef struct
{
  GSource parent;
  CothreadScheduler *scheduler; /* NULL once destroyed */
  GArray *polled;               /* of GPollFD, which GLib looks at until the source is destroyed; or NULL */
} SchedulerSource;

static CothreadScheduler *
scheduler_of (GSource *source)
{
  return ((SchedulerSource *) source)->scheduler;
}

static gint
milliseconds_until (gint64 deadline_us, gint64 now_us)
{
  /* Rounded up: waking before a deadline would only mean sleeping again. */
  return deadline_us <= now_us ? 0 : (gint) MIN (G_MAXINT, (deadline_us - now_us - 1) / 1000 + 1);
}

/* A virtual clock stands still while the real one goes on. */
static gint64
time_of_iteration (CothreadScheduler *self, GSource *source)
{
  self->iteration_us = G_UNLIKELY (self->core->clock.is_virtual) ? ct_scheduler_now (self->core) : g_source_get_time (source);
  return self->iteration_us;
}

/* Not g_source_add_unix_fd(): what is ready there is dispatched whatever check()
 * says, and check() is where the gate is. */
static void
poll_instead (GSource *source, GArray *fds)
{
  SchedulerSource *self = (SchedulerSource *) source;

  for (guint i = 0; self->polled != NULL && i < self->polled->len; i++)
    g_source_remove_poll (source, &g_array_index (self->polled, GPollFD, i));
  g_clear_pointer (&self->polled, g_array_unref);
  self->polled = g_array_ref (fds);
  for (guint i = 0; i < fds->len; i++)
    g_source_add_poll (source, &g_array_index (fds, GPollFD, i));
}

/* With epoll the list never changes; a poller without it has a longer one. */
static void
update_polled_fds (CothreadScheduler *self)
{
  CtPoller *poller = self->core->poller;
  g_autoptr (GArray) wanted = NULL;

  if (self->polled->len > 0 && (poller->klass->has_one_fd || self->polled_generation == poller->generation))
    return;
  wanted = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  poller->klass->list (poller, wanted);
  poll_instead (self->worker, wanted);
  g_array_unref (self->polled);
  self->polled = g_steal_pointer (&wanted);
  self->polled_generation = poller->generation;
}

static gboolean
is_any_fd_ready (CothreadScheduler *self)
{
  for (guint i = 0; i < self->polled->len; i++)
    if (g_array_index (self->polled, GPollFD, i).revents != 0)
      return TRUE;
  return FALSE;
}

/* A nested loop iterates: the turn that opened it does not hold the loop. */
static void
note_nested_iteration (CothreadScheduler *self, gint64 now_us)
{
  self->turns.running_from = now_us;
}

static void
record_turn (CothreadTurns *turns, gint64 end_us, gboolean was_cut)
{
  gint64 length_us = end_us - turns->running_from;

#ifdef HAVE_SYSPROF
  sysprof_collector_mark (turns->running_from * 1000, length_us * 1000, "cothread", was_cut ? "turn, cut" : "turn", "");
#endif
  turns->recent_us[turns->turns % COTHREAD_RECENT_TURNS] = length_us;
  turns->turns++;
  turns->turns_cut += was_cut;
  turns->last_us = length_us;
  turns->busy_us += length_us;
  turns->longest_us = MAX (turns->longest_us, length_us);
}

static gboolean
has_work (CothreadScheduler *self, gint64 now_us)
{
  return ct_scheduler_has_work (self->core) || !cothread_inbox_is_empty (&self->inbox) ||
         ct_timer_heap_next_deadline (&self->core->timers) <= now_us;
}

static gboolean
is_iterated_by_own_thread (CothreadScheduler *self)
{
  if (G_LIKELY (cothread_scheduler_is_own_thread (self)))
    return TRUE;
  if (!self->has_complained)
    g_critical ("A main context is iterated by a thread that its scheduler does not live on; no task runs there");
  self->has_complained = TRUE;
  return FALSE;
}

/* The kernel takes a closed descriptor out of an epoll set without a word. Who
 * closed it was somebody whom the loop called, so it looks a second after it was
 * last busy; and then no more, so that a parked program sleeps. */
static void
plan_sweep (CothreadScheduler *self, gint64 now_us, gint *timeout_ms)
{
  gint left_ms;

  if (self->core->poller->n_watches == 0 || self->core->clock.is_virtual || self->has_swept)
    self->sweep_us = 0;
  else if (self->sweep_us == 0)
    self->sweep_us = now_us + SWEEP_DELAY_US;
  self->has_swept = FALSE;
  if (self->sweep_us == 0)
    return;
  left_ms = milliseconds_until (self->sweep_us, now_us);
  if (*timeout_ms < 0 || left_ms < *timeout_ms)
    *timeout_ms = left_ms;
}

static void
sweep (CothreadScheduler *self, gint64 now_us)
{
  if (G_LIKELY (self->sweep_us == 0 || now_us < self->sweep_us))
    return;
  self->sweep_us = 0;
  self->has_swept = TRUE;
  ct_poller_sweep (self->core->poller);
}

static gboolean
worker_prepare (GSource *source, gint *timeout_ms)
{
  CothreadScheduler *self = scheduler_of (source);
  gint64 now_us, deadline_us;

  *timeout_ms = -1;
  if (self == NULL || self->core == NULL || !is_iterated_by_own_thread (self))
    return FALSE;
  now_us = time_of_iteration (self, source);
  if (self->turns.depth > 0)
    note_nested_iteration (self, now_us);
  update_polled_fds (self);
  if (has_work (self, now_us) || !cothread_inbox_sleep (&self->inbox))
    {
      if (self->gate.is_open)
        {
          *timeout_ms = 0;
          return TRUE;
        }
      *timeout_ms = milliseconds_until (self->gate.deadline_us, now_us);
      return *timeout_ms == 0;
    }
  deadline_us = ct_timer_heap_next_deadline (&self->core->timers);
  if (deadline_us != CT_TIME_NEVER && !self->core->clock.is_virtual)
    *timeout_ms = milliseconds_until (deadline_us, now_us);
  ct_poller_settle (self->core->poller);
  plan_sweep (self, now_us, timeout_ms);
  self->core->is_loop_asleep = TRUE;
  return FALSE;
}

static gboolean
worker_check (GSource *source)
{
  CothreadScheduler *self = scheduler_of (source);
  gint64 now_us;

  if (self == NULL || self->core == NULL || !cothread_scheduler_is_own_thread (self))
    return FALSE;
  self->core->is_loop_asleep = FALSE;
  now_us = time_of_iteration (self, source);
  if (self->turns.depth > 0)
    note_nested_iteration (self, now_us);
  sweep (self, now_us);
  if (!self->gate.is_open && now_us < self->gate.deadline_us)
    return FALSE;
  return is_any_fd_ready (self) || has_work (self, now_us);
}

/* Others were so slow that the fence never came: a share in proportion. */
static gint64
slice_after_waiting (CothreadScheduler *self, gint64 waited_us)
{
  gint64 share_us = (gint64) ((double) waited_us * self->minimum_share / (1 - self->minimum_share));

  return CLAMP (share_us, self->slice_us, MAX (self->slice_us, LONGEST_SLICE_US));
}

/* Many short turns in a row keep the others waiting as one long turn does. */
static gboolean
gate_is_used_up (const CothreadScheduler *self)
{
  return self->gate.used_us >= MAX (self->gate.share_us, self->slice_us);
}

static gboolean
worker_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  CothreadScheduler *self = scheduler_of (source);
  CothreadTurns *turns = &self->turns;
  gint64 start_us, end_us, slice_us, outer_from, timeout_us;
  gboolean any_ready;

  g_object_ref (self);
  start_us = ct_scheduler_now (self->core);
  slice_us = self->slice_us;
  if (!self->gate.is_open)
    {
      slice_us = self->gate.share_us = slice_after_waiting (self, start_us - self->gate.last_end_us);
      self->gate.used_us = 0;
    }
  self->gate.is_open = FALSE;
  self->gate.deadline_us = start_us + GATE_DEADLINE_US;

  outer_from = turns->running_from;
  turns->running_from = start_us;
  turns->depth++;
  any_ready = is_any_fd_ready (self);
  cothread_scheduler_run_turn (self, (const GPollFD *) (gpointer) self->polled->data,
                               any_ready ? self->polled->len : 0, slice_us, &timeout_us);
  turns->depth--;
  end_us = ct_scheduler_now (self->core);
  record_turn (turns, end_us, timeout_us == 0 && end_us - start_us >= slice_us);
  turns->running_from = turns->depth > 0 ? end_us : outer_from;

  self->gate.used_us += end_us - start_us;
  self->gate.last_end_us = end_us;
  self->gate.deadline_us = end_us + GATE_DEADLINE_US;
  if (timeout_us != 0 && !gate_is_used_up (self))
    self->gate.is_open = TRUE;
  cothread_scheduler_drop_if_due (self);
  g_object_unref (self);
  return G_SOURCE_CONTINUE;
}

/* No turn of its own, but a part of what the gate allows for. */
void
cothread_source_note_run (CothreadScheduler *self, gint64 length_us)
{
  self->turns.busy_us += length_us;
  self->turns.longest_us = MAX (self->turns.longest_us, length_us);
  self->gate.used_us += length_us;
  if (!gate_is_used_up (self))
    return;
  self->gate.is_open = FALSE;
  self->gate.last_end_us = ct_scheduler_now (self->core);
  self->gate.deadline_us = self->gate.last_end_us + GATE_DEADLINE_US;
}

static gboolean
fence_prepare (GSource *source, gint *timeout_ms)
{
  CothreadScheduler *self = scheduler_of (source);

  *timeout_ms = -1;
  return self != NULL && self->core != NULL && !self->gate.is_open;
}

static gboolean
fence_check (GSource *source)
{
  gint timeout_ms;

  return fence_prepare (source, &timeout_ms);
}

static gboolean
fence_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  CothreadScheduler *self = scheduler_of (source);

  self->gate.is_open = TRUE;
  self->gate.used_us = self->gate.share_us = 0;
  return G_SOURCE_CONTINUE;
}

static void
set_loop_phase (CothreadScheduler *self, guint64 phase)
{
  if (cothread_scheduler_is_own_thread (self))
    __atomic_store_n (&self->loop_phase, phase, __ATOMIC_RELAXED);
}

/* Prepared before anything else in every iteration, since nothing is more
 * urgent: so no handler of a loop that a task runs is called unnoticed. */
static gboolean
sentinel_prepare (GSource *source, gint *timeout_ms)
{
  CothreadScheduler *self = scheduler_of (source);

  *timeout_ms = -1;
  if (self != NULL && G_UNLIKELY (self->is_of_parent))
    {
      /* Before GLib polls a set that is the parent's as well. */
      cothread_fork_clean_up ();
      return FALSE;
    }
  if (self != NULL)
    {
      set_loop_phase (self, (self->loop_phase | 1) + 1);
      self->n_prepared++;
    }
  if (self != NULL && self->core != NULL && self->turns.depth > 0)
    {
      self->core->is_depth_uncertain = TRUE;
      ct_scheduler_note_nested (self->core);
    }
  return FALSE;
}

/* Whatever runs from here to the next prepare() holds the loop. */
static gboolean
sentinel_check (GSource *source)
{
  CothreadScheduler *self = scheduler_of (source);

  if (self != NULL && !self->is_of_parent)
    set_loop_phase (self, self->loop_phase | 1);
  return FALSE;
}

/* GLib does not say where it is; but asked to prepare its sources once more, it
 * warns and does nothing. */
gboolean
cothread_source_can_iterate (CothreadScheduler *self)
{
  guint before = self->n_prepared;
  gint priority;

  if (self->is_preparing)
    return FALSE;
  if (self->sentinel == NULL || !g_main_context_acquire (self->context))
    return TRUE;
  self->is_preparing = TRUE;
  g_main_context_prepare (self->context, &priority);
  self->is_preparing = FALSE;
  g_main_context_release (self->context);
  self->core->is_loop_asleep = FALSE;
  return self->n_prepared != before;
}

static void
worker_finalize (GSource *source)
{
  g_clear_pointer (&((SchedulerSource *) source)->polled, g_array_unref);
}

static GSourceFuncs sentinel_funcs = { sentinel_prepare, sentinel_check, NULL, NULL, NULL, NULL };
static GSourceFuncs worker_funcs = { worker_prepare, worker_check, worker_dispatch, worker_finalize, NULL, NULL };
static GSourceFuncs fence_funcs = { fence_prepare, fence_check, fence_dispatch, NULL, NULL, NULL };

static gboolean
never_called (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_REMOVE;
}

/* The context goes, or somebody destroyed the source: either way nothing will
 * ever run the tasks again. Runs without the context's lock. */
static void
worker_destroyed (gpointer data)
{
  CothreadScheduler *self = data;

  if (self->is_shut_down || cothread_scheduler_is_own_thread (self))
    cothread_scheduler_shutdown (self);
  else
    cothread_scheduler_forget (self);
  /* By a task that runs now: whoever runs it still needs the scheduler. */
  if (self->turns.depth > 0 && cothread_scheduler_is_own_thread (self))
    self->is_unref_due = TRUE;
  else
    g_object_unref (self);
}

static GSource *
new_source (CothreadScheduler *self, GSourceFuncs *funcs, int priority, const char *name)
{
  GSource *source = g_source_new (funcs, sizeof (SchedulerSource));

  ((SchedulerSource *) source)->scheduler = self;
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE);
  g_source_set_static_name (source, name);
  return source;
}

void
cothread_source_attach (CothreadScheduler *self, GMainContext *context)
{
  self->context = context;
  self->is_of_default_context = context == g_main_context_default ();
  self->worker = new_source (self, &worker_funcs, WORKER_PRIORITY, "cothread worker");
  self->fence = new_source (self, &fence_funcs, FENCE_PRIORITY, "cothread fence");
  self->sentinel = new_source (self, &sentinel_funcs, G_MININT, "cothread sentinel");
  /* The callback is there for its destroy notify: the only thing that GLib
   * calls when a context dies with the source in it. */
  g_source_set_callback (self->worker, never_called, g_object_ref (self), worker_destroyed);
  update_polled_fds (self);
  g_source_attach (self->worker, context);
  g_source_attach (self->fence, context);
  g_source_attach (self->sentinel, context);
}
