/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork-private.h"
#include "monitor/cothread-stall-private.h"

/**
 * CothreadStallDetector:
 *
 * Finds out who holds a main loop for too long, while it is being held.
 *
 * A thread of its own looks now and then whether the loop, its tasks or its
 * callbacks have made a step. When they have made none for the threshold (100
 * ms is a good one), it interrupts the loop's thread with a signal, notes what
 * that is doing, and writes a structured log message that names the task or the
 * callback, with a backtrace. When the loop goes on,
 * #CothreadStallDetector::stalled is emitted.
 *
 * The signal is a real-time signal that nobody else uses, one for each stall.
 * System calls that can be restarted are; `nanosleep()` and `poll()` return
 * `EINTR`, as with any signal.
 *
 * Costs the loop's thread nothing that shows.
 *
 * Since: 0.1
 */

#define LOOKS 4 /* for each threshold */
#define SHORTEST_PAUSE_US 1000
#define MIN_THRESHOLD_US 1000

/* Whether anything has moved. */
typedef struct
{
  guint64 phase;
  guint64 switches;
  guint64 callbacks;
} Steps;

struct _CothreadStallDetector
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  gint64 threshold_us;
  CothreadShutdownHook shutdown_hook;
  gpointer prepared;
  pthread_t loop_thread;
  GThread *thread;
  GWeakRef *self; /* for the thread, which must not keep us alive */

  GMutex lock; /* for the rest */
  GCond cond;
  gboolean must_stop;
  guint64 n_stalls;
  CothreadStall *last;
};

G_DEFINE_FINAL_TYPE (CothreadStallDetector, cothread_stall_detector, G_TYPE_OBJECT)

enum
{
  PROP_SCHEDULER = 1,
  PROP_THRESHOLD,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

enum
{
  SIGNAL_STALLED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* The way of a stall to the scheduler's thread. */
typedef struct
{
  CothreadMail mail;
  CothreadStallDetector *detector;
  CothreadStall *stall;
} StallMail;

static void
emit (gpointer data)
{
  StallMail *self = data;

  g_signal_emit (self->detector, signals[SIGNAL_STALLED], 0, self->stall);
}

static void
deliver (CothreadMail *mail)
{
  StallMail *self = (StallMail *) mail;

  /* A scheduler that was shut down meanwhile has it delivered elsewhere. */
  if (cothread_scheduler_is_own_thread (self->detector->scheduler))
    cothread_call_on_thread_stack (emit, self);
  g_object_unref (self->detector);
  cothread_stall_free (self->stall);
  g_free (self);
}

static void
tell (CothreadStallDetector *self, CothreadStall *stall)
{
  CothreadStallDetector *kept = g_weak_ref_get (self->self);
  StallMail *mail;

  if (kept == NULL)
    {
      cothread_stall_free (stall);
      return;
    }
  mail = g_new0 (StallMail, 1);
  mail->mail.deliver = deliver;
  mail->detector = kept;
  mail->stall = stall;
  cothread_scheduler_post_mail (self->scheduler, &mail->mail);
}

static Steps
read_steps (const CothreadScheduler *scheduler)
{
  const CtScheduler *core = __atomic_load_n (&scheduler->core, __ATOMIC_RELAXED);

  if (core == NULL) /* abandoned, but then not freed */
    return (Steps) { 0 };
  return (Steps) {
    .phase = __atomic_load_n (&scheduler->loop_phase, __ATOMIC_RELAXED),
    .switches = __atomic_load_n (&core->n_switches, __ATOMIC_RELAXED),
    .callbacks = __atomic_load_n (&scheduler->n_callbacks, __ATOMIC_RELAXED),
  };
}

static gboolean
is_same (const Steps *a, const Steps *b)
{
  return a->phase == b->phase && a->switches == b->switches && a->callbacks == b->callbacks;
}

/* Under the lock. FALSE: the detector is to stop. */
static gboolean
pause_until_next_look (CothreadStallDetector *self)
{
  gint64 end_us = g_get_monotonic_time () + MAX (self->threshold_us / LOOKS, SHORTEST_PAUSE_US);

  while (!self->must_stop && g_cond_wait_until (&self->cond, &self->lock, end_us))
    ;
  return !self->must_stop;
}

static CothreadStall *
report (CothreadStallDetector *self, gint64 held_us)
{
  CothreadLook look = { .scheduler = self->scheduler };
  CothreadStall *stall;

  cothread_look_at (self->loop_thread, &look);
  stall = cothread_stall_new (&look, held_us);
  g_mutex_lock (&self->lock);
  cothread_stall_free (self->last);
  self->last = cothread_stall_copy (stall);
  self->n_stalls++;
  g_mutex_unlock (&self->lock);
  cothread_stall_log (stall);
  __atomic_add_fetch (&self->scheduler->n_stalls, 1, __ATOMIC_RELAXED);
  return stall;
}

static gpointer
watch (gpointer data)
{
  CothreadStallDetector *self = data;
  CothreadStall *stall = NULL; /* the one that goes on */
  Steps seen = read_steps (self->scheduler);
  gint64 seen_us = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  while (pause_until_next_look (self))
    {
      Steps now = read_steps (self->scheduler);
      gint64 now_us = g_get_monotonic_time ();
      gboolean is_held = (now.phase & 1) != 0 && is_same (&now, &seen);

      g_mutex_unlock (&self->lock);
      if (!is_held && stall != NULL)
        {
          stall->held_us = now_us - seen_us;
          tell (self, g_steal_pointer (&stall));
        }
      if (!is_held)
        {
          seen = now;
          seen_us = now_us;
        }
      else if (stall == NULL && now_us - seen_us >= self->threshold_us)
        stall = report (self, now_us - seen_us);
      g_mutex_lock (&self->lock);
    }
  g_mutex_unlock (&self->lock);
  cothread_stall_free (stall);
  return NULL;
}

static void
stop (CothreadStallDetector *self)
{
  GThread *thread;

  cothread_fork_clean_up ();
  thread = g_steal_pointer (&self->thread);
  if (thread == NULL)
    return;
  ct_link_unlink (&self->shutdown_hook.link);
  g_mutex_lock (&self->lock);
  self->must_stop = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  g_thread_join (thread);
  cothread_look_unprepare (g_steal_pointer (&self->prepared));
}

/* Its thread does not exist here. */
static void
scheduler_is_forked (CtLink *link)
{
  CothreadStallDetector *self =
    CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadStallDetector, shutdown_hook);

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  if (self->thread != NULL)
    cothread_look_unprepare (g_steal_pointer (&self->prepared));
  self->thread = NULL;
}

static void
shut_down (CtLink *link)
{
  CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

  stop (CT_CONTAINER_OF (hook, CothreadStallDetector, shutdown_hook));
}

static void
cothread_stall_detector_constructed (GObject *object)
{
  CothreadStallDetector *self = COTHREAD_STALL_DETECTOR (object);

  G_OBJECT_CLASS (cothread_stall_detector_parent_class)->constructed (object);
  if (self->scheduler == NULL)
    self->scheduler = g_object_ref (cothread_scheduler_get_default ());
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));
  if (self->scheduler->is_shut_down)
    return;
  self->prepared = cothread_look_prepare ();
  self->loop_thread = pthread_self ();
  self->shutdown_hook.run = shut_down;
  self->shutdown_hook.forked = scheduler_is_forked;
  ct_link_insert_before (&self->scheduler->shutdown_hooks, &self->shutdown_hook.link);
  self->thread = g_thread_new ("cothread-stalls", watch, self);
}

static void
cothread_stall_detector_dispose (GObject *object)
{
  stop (COTHREAD_STALL_DETECTOR (object));
  G_OBJECT_CLASS (cothread_stall_detector_parent_class)->dispose (object);
}

static void
cothread_stall_detector_finalize (GObject *object)
{
  CothreadStallDetector *self = COTHREAD_STALL_DETECTOR (object);

  g_weak_ref_clear (self->self);
  g_free (self->self);
  cothread_stall_free (self->last);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_stall_detector_parent_class)->finalize (object);
}

static void
cothread_stall_detector_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadStallDetector *self = COTHREAD_STALL_DETECTOR (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      g_value_set_object (value, self->scheduler);
      break;
    case PROP_THRESHOLD:
      g_value_set_int64 (value, self->threshold_us);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_stall_detector_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadStallDetector *self = COTHREAD_STALL_DETECTOR (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      self->scheduler = g_value_dup_object (value);
      break;
    case PROP_THRESHOLD:
      self->threshold_us = g_value_get_int64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_stall_detector_class_init (CothreadStallDetectorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = cothread_stall_detector_constructed;
  object_class->dispose = cothread_stall_detector_dispose;
  object_class->finalize = cothread_stall_detector_finalize;
  object_class->get_property = cothread_stall_detector_get_property;
  object_class->set_property = cothread_stall_detector_set_property;

  /**
   * CothreadStallDetector:scheduler:
   *
   * Whose loop it watches.
   *
   * Since: 0.1
   */
  properties[PROP_SCHEDULER] =
    g_param_spec_object ("scheduler", NULL, NULL, COTHREAD_TYPE_SCHEDULER,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadStallDetector:threshold: (getter get_threshold)
   *
   * How long the loop may be held, in microseconds. A stall is noticed when it
   * has lasted for this to one and a quarter of it.
   *
   * Since: 0.1
   */
  properties[PROP_THRESHOLD] =
    g_param_spec_int64 ("threshold", NULL, NULL, MIN_THRESHOLD_US, G_MAXINT64 / 2, 100000,
                        G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * CothreadStallDetector::stalled:
   * @self: a detector
   * @stall: what happened
   *
   * Something held the loop for longer than the threshold, and is over. Emitted
   * on the thread's own stack, in the scheduler's next turn.
   *
   * Since: 0.1
   */
  signals[SIGNAL_STALLED] =
    g_signal_new ("stalled", COTHREAD_TYPE_STALL_DETECTOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, COTHREAD_TYPE_STALL | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
cothread_stall_detector_init (CothreadStallDetector *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  ct_link_init (&self->shutdown_hook.link);
  self->self = g_new0 (GWeakRef, 1);
  g_weak_ref_init (self->self, self);
}

/**
 * cothread_stall_detector_new:
 * @scheduler: (nullable): a scheduler of the calling thread; %NULL: the default
 *   one
 * @threshold_us: how long the loop may be held, in microseconds, 1000 or more
 *
 * Starts to watch a scheduler's loop, until the detector is dropped or the
 * scheduler shut down.
 *
 * Returns: (transfer full): a new detector
 *
 * Since: 0.1
 */
CothreadStallDetector *
cothread_stall_detector_new (CothreadScheduler *scheduler, gint64 threshold_us)
{
  g_return_val_if_fail (scheduler == NULL || COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (scheduler == NULL || cothread_scheduler_is_own_thread (scheduler), NULL);
  g_return_val_if_fail (threshold_us >= MIN_THRESHOLD_US, NULL);

  return g_object_new (COTHREAD_TYPE_STALL_DETECTOR, "scheduler", scheduler, "threshold", threshold_us, NULL);
}

/**
 * cothread_stall_detector_stop:
 * @self: a detector
 *
 * Ends the watch. To be called on the scheduler's thread; so is dropping the
 * last reference.
 *
 * Since: 0.1
 */
void
cothread_stall_detector_stop (CothreadStallDetector *self)
{
  g_return_if_fail (COTHREAD_IS_STALL_DETECTOR (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  stop (self);
}

/**
 * cothread_stall_detector_get_threshold: (get-property threshold)
 * @self: a detector
 *
 * Returns: how long the loop may be held, in microseconds
 *
 * Since: 0.1
 */
gint64
cothread_stall_detector_get_threshold (CothreadStallDetector *self)
{
  g_return_val_if_fail (COTHREAD_IS_STALL_DETECTOR (self), 0);
  return self->threshold_us;
}

/**
 * cothread_stall_detector_get_n_stalls:
 * @self: a detector
 *
 * How many stalls there were, the one that goes on included. For any thread.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
cothread_stall_detector_get_n_stalls (CothreadStallDetector *self)
{
  guint64 n;

  g_return_val_if_fail (COTHREAD_IS_STALL_DETECTOR (self), 0);
  g_mutex_lock (&self->lock);
  n = self->n_stalls;
  g_mutex_unlock (&self->lock);
  return n;
}

/**
 * cothread_stall_detector_dup_last:
 * @self: a detector
 *
 * The last stall, as it was when it was noticed. For any thread, so that one
 * can ask while the loop is held.
 *
 * Returns: (transfer full) (nullable): the stall, or %NULL if there was none
 *
 * Since: 0.1
 */
CothreadStall *
cothread_stall_detector_dup_last (CothreadStallDetector *self)
{
  CothreadStall *last;

  g_return_val_if_fail (COTHREAD_IS_STALL_DETECTOR (self), NULL);
  g_mutex_lock (&self->lock);
  last = self->last != NULL ? cothread_stall_copy (self->last) : NULL;
  g_mutex_unlock (&self->lock);
  return last;
}
