/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-sweep.h"
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
/* Turns without a use for the fence after which it leaves the context. */
#define FENCE_IDLE_TURNS 100

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

/* When the loop last began to look what is ready: GLib reads the clock when it is
 * first asked. A virtual clock stands still while the real one goes on. */
static gint64
time_of_iteration (CothreadScheduler *self)
{
  return G_UNLIKELY (self->core->clock.is_virtual) ? ct_scheduler_now (self->core) : g_source_get_time (self->worker);
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
note_nested_iteration (CothreadScheduler *self)
{
  if (G_UNLIKELY (self->turns.depth > 0))
    self->turns.running_from = time_of_iteration (self);
}

/* Of many that take less than a microsecond nothing may be lost. */
static gint64
whole_microseconds (gint64 *rest_ns, gint64 length_ns)
{
  gint64 ns = *rest_ns + length_ns;

  *rest_ns = ns % 1000;
  return ns / 1000;
}

static gint64
note_time_of_run (CothreadTurns *turns, gint64 length_ns)
{
  gint64 length_us = whole_microseconds (&turns->rest_ns, length_ns);

  turns->busy_us += length_us;
  turns->longest_us = MAX (turns->longest_us, length_us);
  return length_us;
}

static void
record_turn (CothreadTurns *turns, gint64 length_ns, gboolean was_cut)
{
  gint64 length_us = note_time_of_run (turns, length_ns);

#ifdef HAVE_SYSPROF
  sysprof_collector_mark (turns->running_from * 1000, length_ns, "cothread", was_cut ? "turn, cut" : "turn", "");
#endif
  turns->recent_us[turns->turns % COTHREAD_RECENT_TURNS] = length_us;
  turns->turns++;
  turns->turns_cut += was_cut;
  turns->last_us = length_us;
}

/* The clock is asked only if somebody waits for it. */
static gboolean
is_timer_due (CothreadScheduler *self)
{
  gint64 deadline_us = ct_timer_heap_next_deadline (&self->core->timers);

  return deadline_us != CT_TIME_NEVER && deadline_us <= time_of_iteration (self);
}

static gboolean
is_work_left (CothreadScheduler *self)
{
  return ct_scheduler_has_work (self->core) || !cothread_inbox_is_empty (&self->inbox);
}

static gboolean
has_work (CothreadScheduler *self)
{
  return is_work_left (self) || is_timer_due (self);
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

static GSourceFuncs fence_funcs = { fence_prepare, fence_check, fence_dispatch, NULL, NULL, NULL };

/* The fence stands in the context only while turns use up their slices: even a
 * source that is never ready costs 60 ns an iteration. */
static void
put_fence (CothreadScheduler *self)
{
  self->n_turns_without_fence = 0;
  if (self->fence != NULL || self->context == NULL || g_source_is_destroyed (self->worker))
    return;
  self->fence = new_source (self, &fence_funcs, FENCE_PRIORITY, "cothread fence");
  g_source_attach (self->fence, self->context);
}

static void
take_fence_away (CothreadScheduler *self)
{
  g_source_destroy (self->fence);
  g_clear_pointer (&self->fence, g_source_unref);
}

static gboolean
worker_prepare (GSource *source, gint *timeout_ms)
{
  CothreadScheduler *self = scheduler_of (source);
  gint64 deadline_us;

  *timeout_ms = -1;
  if (self == NULL || self->core == NULL || !is_iterated_by_own_thread (self))
    return FALSE;
  note_nested_iteration (self);
  update_polled_fds (self);
  if (!self->gate.is_open)
    put_fence (self); /* a loop inside the turn that closed it */
  if (has_work (self) || !cothread_inbox_sleep (&self->inbox))
    {
      if (self->gate.is_open)
        {
          *timeout_ms = 0;
          return TRUE;
        }
      *timeout_ms = milliseconds_until (self->gate.deadline_us, time_of_iteration (self));
      return *timeout_ms == 0;
    }
  deadline_us = ct_timer_heap_next_deadline (&self->core->timers);
  if (deadline_us != CT_TIME_NEVER && !self->core->clock.is_virtual)
    *timeout_ms = milliseconds_until (deadline_us, time_of_iteration (self));
  ct_poller_settle (self->core->poller);
  if (self->core->poller->n_watches > 0 && self->sweep_us == 0)
    cothread_sweep_plan (self);
  self->core->is_loop_asleep = TRUE;
  return FALSE;
}

static gboolean
worker_check (GSource *source)
{
  CothreadScheduler *self = scheduler_of (source);

  if (self == NULL || self->core == NULL || !cothread_scheduler_is_own_thread (self))
    return FALSE;
  self->core->is_loop_asleep = FALSE;
  note_nested_iteration (self);
  if (!self->gate.is_open && time_of_iteration (self) < self->gate.deadline_us)
    return FALSE;
  /* Here, and not in dispatch(): until that the processor brings nearer what it
   * will need. */
  return (is_any_fd_ready (self) && ct_poller_fetch (self->core->poller)) || has_work (self);
}

/* Others were so slow that the fence never came: a share in proportion. */
static gint64
slice_after_waiting (CothreadScheduler *self, gint64 waited_us)
{
  gint64 share_us = (gint64) ((double) waited_us * self->minimum_share / (1 - self->minimum_share));

  return CLAMP (share_us, self->slice_us, MAX (self->slice_us, LONGEST_SLICE_US));
}

static void
use_gate (CothreadScheduler *self, gint64 length_ns)
{
  self->gate.used_us += whole_microseconds (&self->gate.rest_ns, length_ns);
}

/* Many short turns in a row keep the others waiting as one long turn does. */
static gboolean
gate_is_used_up (const CothreadScheduler *self)
{
  return self->gate.used_us >= MAX (self->gate.share_us, self->slice_us);
}

static void
close_gate (CothreadScheduler *self, gint64 now_us)
{
  self->gate.is_open = FALSE;
  self->gate.last_end_us = now_us;
  self->gate.deadline_us = now_us + GATE_DEADLINE_US;
}

/* By the processor's counter; but where the slice is about used up the clock, which
 * ends the turn, has the last word. */
static gint64
time_since (CothreadScheduler *self, const CtStopwatch *stopwatch, gint64 start_us, gint64 slice_us)
{
  gint64 length_ns = ct_stopwatch_read_ns (stopwatch, &self->core->ticks_counter);

  return length_ns < slice_us * 950 ? length_ns : 1000 * (ct_scheduler_now (self->core) - start_us);
}

/* GLib's reference to the callback's data, which is the scheduler, lasts as long
 * as the dispatch. */
static gboolean
worker_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  CothreadScheduler *self = scheduler_of (source);
  CothreadTurns *turns = &self->turns;
  gint64 start_us, end_us, slice_us, length_ns, outer_from;
  CtStopwatch stopwatch;
  gboolean any_ready;

  start_us = ct_scheduler_now (self->core);
  ct_stopwatch_start (&stopwatch, &self->core->ticks_counter);
  slice_us = self->slice_us;
  if (!self->gate.is_open)
    {
      slice_us = self->gate.share_us = slice_after_waiting (self, start_us - self->gate.last_end_us);
      self->gate.used_us = 0;
    }
  close_gate (self, start_us);

  outer_from = turns->running_from;
  turns->running_from = start_us;
  turns->depth++;
  if (G_UNLIKELY (cothread_sweep_is_due (self, start_us)))
    cothread_sweep_now (self);
  any_ready = is_any_fd_ready (self);
  cothread_scheduler_run_turn (self, (const GPollFD *) (gpointer) self->polled->data,
                               any_ready ? self->polled->len : 0, start_us, slice_us, NULL);
  turns->depth--;
  length_ns = time_since (self, &stopwatch, start_us, slice_us);
  end_us = start_us + length_ns / 1000;
  record_turn (turns, turns->running_from == start_us ? length_ns : 1000 * (end_us - turns->running_from),
               length_ns >= slice_us * 1000 && ct_scheduler_get_sleep_time (self->core) == 0);
  turns->running_from = turns->depth > 0 ? end_us : outer_from;

  close_gate (self, end_us);
  use_gate (self, length_ns);
  if (is_work_left (self) || gate_is_used_up (self))
    put_fence (self);
  else
    {
      self->gate.is_open = TRUE;
      if (self->fence != NULL && ++self->n_turns_without_fence > FENCE_IDLE_TURNS)
        take_fence_away (self);
    }
  cothread_scheduler_drop_if_due (self);
  return G_SOURCE_CONTINUE;
}

/* No turn of its own, but a part of what the gate allows for. */
void
cothread_source_note_run (CothreadScheduler *self, gint64 length_us)
{
  note_time_of_run (&self->turns, length_us * 1000);
  use_gate (self, length_us * 1000);
  if (!gate_is_used_up (self))
    return;
  close_gate (self, ct_scheduler_now (self->core));
  put_fence (self);
}

gint64
cothread_source_get_time (CothreadScheduler *self)
{
  return time_of_iteration (self);
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

void
cothread_source_attach (CothreadScheduler *self, GMainContext *context)
{
  self->context = context;
  self->is_of_default_context = context == g_main_context_default ();
  self->worker = new_source (self, &worker_funcs, WORKER_PRIORITY, "cothread worker");
  self->sentinel = new_source (self, &sentinel_funcs, G_MININT, "cothread sentinel");
  /* The callback is there for its destroy notify: the only thing that GLib
   * calls when a context dies with the source in it. */
  g_source_set_callback (self->worker, never_called, g_object_ref (self), worker_destroyed);
  update_polled_fds (self);
  g_source_attach (self->worker, context);
  g_source_attach (self->sentinel, context);
}
