/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-monitor.h"
#include "monitor/cothread-ticker-private.h"
#include "monitor/cothread-warning-private.h"

/**
 * CothreadMonitor:
 *
 * A scheduler's statistics as properties that notify, for something that shows
 * them.
 *
 * The monitor takes a snapshot at intervals (four times a second to begin with)
 * and notifies the properties that differ from the last one: however much
 * happens in between, that is one notification each.
 *
 * To be used on the scheduler's thread.
 *
 * Since: 0.1
 */

#define DEFAULT_INTERVAL_MS 250
#define CHECK_INTERVAL_US G_USEC_PER_SEC

struct _CothreadMonitor
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  CothreadStatistics now;
  double busy_share;
  CothreadTicker ticker;
  CothreadChecker *checker; /* or NULL */
  gint64 checked_us;
};

G_DEFINE_FINAL_TYPE (CothreadMonitor, cothread_monitor, G_TYPE_OBJECT)

enum
{
  PROP_SCHEDULER = 1,
  PROP_INTERVAL,
  PROP_STATISTICS,
  PROP_BUSY_SHARE,
  PROP_CHECKS,
  PROP_TASKS,
  PROP_READY,
  PROP_YIELDING,
  PROP_WAITING,
  PROP_RUNNING,
  PROP_SPAWNED,
  PROP_FINISHED,
  PROP_FAILED,
  PROP_CANCELLED,
  PROP_SWITCHES,
  PROP_TICKS,
  PROP_TURNS,
  PROP_TURNS_CUT,
  PROP_LONGEST_TURN,
  PROP_TIMERS,
  PROP_DESCRIPTORS,
  PROP_STACK_RESERVED,
  PROP_STACKS_LIVE,
  PROP_STACKS_POOLED,
  PROP_STALLS,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* The members that are properties of their own. */
typedef struct
{
  guint offset;
  guint bytes; /* 0: no such member */
} Field;

#define FIELD(member) { G_STRUCT_OFFSET (CothreadStatistics, member), sizeof ((CothreadStatistics *) NULL)->member }

static const Field fields[N_PROPERTIES] = {
  [PROP_TASKS] = FIELD (tasks),
  [PROP_READY] = FIELD (ready),
  [PROP_YIELDING] = FIELD (yielding),
  [PROP_WAITING] = FIELD (waiting),
  [PROP_RUNNING] = FIELD (running),
  [PROP_SPAWNED] = FIELD (spawned),
  [PROP_FINISHED] = FIELD (finished),
  [PROP_FAILED] = FIELD (failed),
  [PROP_CANCELLED] = FIELD (cancelled),
  [PROP_SWITCHES] = FIELD (switches),
  [PROP_TICKS] = FIELD (ticks),
  [PROP_TURNS] = FIELD (turns),
  [PROP_TURNS_CUT] = FIELD (turns_cut),
  [PROP_LONGEST_TURN] = FIELD (longest_turn_us),
  [PROP_TIMERS] = FIELD (timers),
  [PROP_DESCRIPTORS] = FIELD (descriptors),
  [PROP_STACK_RESERVED] = FIELD (stack_reserved_bytes),
  [PROP_STACKS_LIVE] = FIELD (stacks_live),
  [PROP_STACKS_POOLED] = FIELD (stacks_pooled),
  [PROP_STALLS] = FIELD (stalls),
};

enum
{
  SIGNAL_WARNING,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
check (CothreadMonitor *self)
{
  g_autoptr (GPtrArray) fresh = cothread_checker_run (self->checker);

  self->checked_us = g_get_monotonic_time ();
  for (guint i = 0; i < fresh->len; i++)
    g_signal_emit (self, signals[SIGNAL_WARNING], 0, fresh->pdata[i]);
}

static void
refresh (gpointer data)
{
  CothreadMonitor *self = data;
  g_autoptr (CothreadStatistics) now = cothread_scheduler_get_statistics (self->scheduler);
  CothreadStatistics before = self->now;
  double busy_share = 0;

  if (now->age_us > before.age_us)
    busy_share = CLAMP ((double) (now->busy_us - before.busy_us) / (double) (now->age_us - before.age_us), 0, 1);
  self->now = *now;
  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < N_PROPERTIES; i++)
    if (fields[i].bytes != 0 &&
        memcmp ((const char *) &before + fields[i].offset, (const char *) now + fields[i].offset, fields[i].bytes) != 0)
      g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
  if (busy_share != self->busy_share)
    {
      self->busy_share = busy_share;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY_SHARE]);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATISTICS]);
  g_object_ref (self);
  g_object_thaw_notify (G_OBJECT (self));
  if (self->checker != NULL &&
      (self->ticker.interval_ms == 0 || g_get_monotonic_time () - self->checked_us >= CHECK_INTERVAL_US))
    check (self);
  g_object_unref (self);
}

static void
cothread_monitor_constructed (GObject *object)
{
  CothreadMonitor *self = COTHREAD_MONITOR (object);

  G_OBJECT_CLASS (cothread_monitor_parent_class)->constructed (object);
  if (self->scheduler == NULL)
    self->scheduler = g_object_ref (cothread_scheduler_get_default ());
  cothread_ticker_start (&self->ticker, self->scheduler, DEFAULT_INTERVAL_MS, refresh, self);
  refresh (self);
}

static void
cothread_monitor_dispose (GObject *object)
{
  CothreadMonitor *self = COTHREAD_MONITOR (object);

  cothread_ticker_stop (&self->ticker);
  g_clear_pointer (&self->checker, cothread_checker_free);
  G_OBJECT_CLASS (cothread_monitor_parent_class)->dispose (object);
}

static void
cothread_monitor_finalize (GObject *object)
{
  CothreadMonitor *self = COTHREAD_MONITOR (object);

  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_monitor_parent_class)->finalize (object);
}

static void
get_field (CothreadMonitor *self, guint id, GValue *value)
{
  const void *member = (const char *) &self->now + fields[id].offset;

  if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const guint *) member);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const guint64 *) member);
  else
    g_value_set_int64 (value, *(const gint64 *) member);
}

static void
cothread_monitor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadMonitor *self = COTHREAD_MONITOR (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      g_value_set_object (value, self->scheduler);
      break;
    case PROP_INTERVAL:
      g_value_set_uint (value, self->ticker.interval_ms);
      break;
    case PROP_STATISTICS:
      g_value_set_boxed (value, &self->now);
      break;
    case PROP_BUSY_SHARE:
      g_value_set_double (value, self->busy_share);
      break;
    case PROP_CHECKS:
      g_value_set_boolean (value, self->checker != NULL);
      break;
    default:
      if (id < N_PROPERTIES && fields[id].bytes != 0)
        get_field (self, id, value);
      else
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_monitor_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadMonitor *self = COTHREAD_MONITOR (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      self->scheduler = g_value_dup_object (value);
      break;
    case PROP_INTERVAL:
      cothread_monitor_set_interval (self, g_value_get_uint (value));
      break;
    case PROP_CHECKS:
      cothread_monitor_set_checks (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static GParamSpec *
count32 (const char *name)
{
  return g_param_spec_uint (name, NULL, NULL, 0, G_MAXUINT, 0, READABLE);
}

static GParamSpec *
count64 (const char *name)
{
  return g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
}

static GParamSpec *
time_us (const char *name)
{
  return g_param_spec_int64 (name, NULL, NULL, 0, G_MAXINT64, 0, READABLE);
}

static void
install_statistics (void)
{
  /**
   * CothreadMonitor:tasks:
   *
   * How many tasks are alive.
   *
   * Since: 0.1
   */
  properties[PROP_TASKS] = count32 ("tasks");
  /**
   * CothreadMonitor:ready:
   *
   * How many tasks run in this turn or the next.
   *
   * Since: 0.1
   */
  properties[PROP_READY] = count32 ("ready");
  /**
   * CothreadMonitor:yielding:
   *
   * How many of those let all others run first.
   *
   * Since: 0.1
   */
  properties[PROP_YIELDING] = count32 ("yielding");
  /**
   * CothreadMonitor:waiting:
   *
   * How many tasks are suspended.
   *
   * Since: 0.1
   */
  properties[PROP_WAITING] = count32 ("waiting");
  /**
   * CothreadMonitor:running:
   *
   * How many tasks run, or run a nested main loop.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING] = count32 ("running");
  /**
   * CothreadMonitor:spawned:
   *
   * How many tasks were ever spawned.
   *
   * Since: 0.1
   */
  properties[PROP_SPAWNED] = count64 ("spawned");
  /**
   * CothreadMonitor:finished:
   *
   * How many tasks have returned.
   *
   * Since: 0.1
   */
  properties[PROP_FINISHED] = count64 ("finished");
  /**
   * CothreadMonitor:failed:
   *
   * How many of those returned an error.
   *
   * Since: 0.1
   */
  properties[PROP_FAILED] = count64 ("failed");
  /**
   * CothreadMonitor:cancelled:
   *
   * How many of those ended because they were cancelled.
   *
   * Since: 0.1
   */
  properties[PROP_CANCELLED] = count64 ("cancelled");
  /**
   * CothreadMonitor:switches:
   *
   * How many times a task was resumed.
   *
   * Since: 0.1
   */
  properties[PROP_SWITCHES] = count64 ("switches");
  /**
   * CothreadMonitor:ticks:
   *
   * How many times the ready queue was taken.
   *
   * Since: 0.1
   */
  properties[PROP_TICKS] = count64 ("ticks");
  /**
   * CothreadMonitor:turns:
   *
   * How many turns the main loop gave the scheduler.
   *
   * Since: 0.1
   */
  properties[PROP_TURNS] = count64 ("turns");
  /**
   * CothreadMonitor:turns-cut:
   *
   * How many turns ended because the slice was used up.
   *
   * Since: 0.1
   */
  properties[PROP_TURNS_CUT] = count64 ("turns-cut");
  /**
   * CothreadMonitor:longest-turn:
   *
   * The longest turn, in microseconds.
   *
   * Since: 0.1
   */
  properties[PROP_LONGEST_TURN] = time_us ("longest-turn");
  /**
   * CothreadMonitor:timers:
   *
   * How many deadlines are pending.
   *
   * Since: 0.1
   */
  properties[PROP_TIMERS] = count32 ("timers");
  /**
   * CothreadMonitor:descriptors:
   *
   * How many waits on descriptors are pending.
   *
   * Since: 0.1
   */
  properties[PROP_DESCRIPTORS] = count32 ("descriptors");
  /**
   * CothreadMonitor:stack-reserved:
   *
   * Virtual memory reserved for stacks, in bytes.
   *
   * Since: 0.1
   */
  properties[PROP_STACK_RESERVED] = count64 ("stack-reserved");
  /**
   * CothreadMonitor:stacks-live:
   *
   * How many stacks are in use.
   *
   * Since: 0.1
   */
  properties[PROP_STACKS_LIVE] = count32 ("stacks-live");
  /**
   * CothreadMonitor:stacks-pooled:
   *
   * How many stacks are kept warm for the next tasks.
   *
   * Since: 0.1
   */
  properties[PROP_STACKS_POOLED] = count32 ("stacks-pooled");
  /**
   * CothreadMonitor:stalls:
   *
   * How often something held the main loop for too long.
   *
   * Since: 0.1
   */
  properties[PROP_STALLS] = count64 ("stalls");
}

static void
cothread_monitor_class_init (CothreadMonitorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = cothread_monitor_constructed;
  object_class->dispose = cothread_monitor_dispose;
  object_class->finalize = cothread_monitor_finalize;
  object_class->get_property = cothread_monitor_get_property;
  object_class->set_property = cothread_monitor_set_property;

  /**
   * CothreadMonitor:scheduler: (getter get_scheduler)
   *
   * What is monitored.
   *
   * Since: 0.1
   */
  properties[PROP_SCHEDULER] =
    g_param_spec_object ("scheduler", NULL, NULL, COTHREAD_TYPE_SCHEDULER,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadMonitor:interval: (getter get_interval) (setter set_interval)
   *
   * Milliseconds between two snapshots; 0: only when
   * cothread_monitor_refresh() is called.
   *
   * Since: 0.1
   */
  properties[PROP_INTERVAL] =
    g_param_spec_uint ("interval", NULL, NULL, 0, G_MAXINT, DEFAULT_INTERVAL_MS,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * CothreadMonitor:statistics: (getter get_statistics)
   *
   * The last snapshot.
   *
   * Since: 0.1
   */
  properties[PROP_STATISTICS] =
    g_param_spec_boxed ("statistics", NULL, NULL, COTHREAD_TYPE_STATISTICS, READABLE);
  /**
   * CothreadMonitor:busy-share: (getter get_busy_share)
   *
   * Which share of the time between the last two snapshots turns have held the
   * main loop, 0 to 1.
   *
   * Since: 0.1
   */
  properties[PROP_BUSY_SHARE] = g_param_spec_double ("busy-share", NULL, NULL, 0, 1, 0, READABLE);
  /**
   * CothreadMonitor:checks: (getter get_checks) (setter set_checks)
   *
   * Whether to look for tasks that nothing can wake any more and for failures
   * that nobody has seen, with each snapshot but at most once a second. The
   * former visits every task, and is left out while there are more than 100 000.
   *
   * Since: 0.1
   */
  properties[PROP_CHECKS] =
    g_param_spec_boolean ("checks", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  install_statistics ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * CothreadMonitor::warning:
   * @self: a monitor
   * @warning: what looks wrong
   *
   * A check has found something that the last one had not.
   *
   * Since: 0.1
   */
  signals[SIGNAL_WARNING] =
    g_signal_new ("warning", COTHREAD_TYPE_MONITOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, COTHREAD_TYPE_WARNING | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
cothread_monitor_init (G_GNUC_UNUSED CothreadMonitor *self)
{
}

/**
 * cothread_monitor_new:
 * @scheduler: (nullable): a scheduler of the calling thread; %NULL: the default
 *   one
 *
 * Makes a monitor.
 *
 * Returns: (transfer full): a new monitor
 *
 * Since: 0.1
 */
CothreadMonitor *
cothread_monitor_new (CothreadScheduler *scheduler)
{
  g_return_val_if_fail (scheduler == NULL || COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (scheduler == NULL || cothread_scheduler_is_own_thread (scheduler), NULL);

  return g_object_new (COTHREAD_TYPE_MONITOR, "scheduler", scheduler, NULL);
}

/**
 * cothread_monitor_get_scheduler: (get-property scheduler)
 * @self: a monitor
 *
 * Returns: (transfer none): what is monitored
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_monitor_get_scheduler (CothreadMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_MONITOR (self), NULL);
  return self->scheduler;
}

/**
 * cothread_monitor_refresh:
 * @self: a monitor
 *
 * Takes a snapshot now.
 *
 * Since: 0.1
 */
void
cothread_monitor_refresh (CothreadMonitor *self)
{
  g_return_if_fail (COTHREAD_IS_MONITOR (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  cothread_call_on_thread_stack (refresh, self);
}

/**
 * cothread_monitor_get_interval: (get-property interval)
 * @self: a monitor
 *
 * Returns: milliseconds between two snapshots; 0: none by itself
 *
 * Since: 0.1
 */
guint
cothread_monitor_get_interval (CothreadMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_MONITOR (self), 0);
  return self->ticker.interval_ms;
}

/**
 * cothread_monitor_set_interval: (set-property interval)
 * @self: a monitor
 * @interval_ms: milliseconds; 0: only when cothread_monitor_refresh() is called
 *
 * Sets how often the monitor takes a snapshot.
 *
 * Since: 0.1
 */
void
cothread_monitor_set_interval (CothreadMonitor *self, guint interval_ms)
{
  g_return_if_fail (COTHREAD_IS_MONITOR (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  if (cothread_ticker_set_interval (&self->ticker, interval_ms))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INTERVAL]);
}

/**
 * cothread_monitor_get_statistics: (get-property statistics)
 * @self: a monitor
 *
 * Returns: (transfer full): the last snapshot
 *
 * Since: 0.1
 */
CothreadStatistics *
cothread_monitor_get_statistics (CothreadMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_MONITOR (self), NULL);
  return cothread_statistics_copy (&self->now);
}

/**
 * cothread_monitor_get_busy_share: (get-property busy-share)
 * @self: a monitor
 *
 * Returns: the share of the time that turns have held the main loop lately
 *
 * Since: 0.1
 */
double
cothread_monitor_get_busy_share (CothreadMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_MONITOR (self), 0);
  return self->busy_share;
}

/**
 * cothread_monitor_get_checks: (get-property checks)
 * @self: a monitor
 *
 * Returns: whether it looks for what is wrong with the tasks
 *
 * Since: 0.1
 */
gboolean
cothread_monitor_get_checks (CothreadMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_MONITOR (self), FALSE);
  return self->checker != NULL;
}

/**
 * cothread_monitor_set_checks: (set-property checks)
 * @self: a monitor
 * @checks: whether to look for what is wrong with the tasks
 *
 * Switches #CothreadMonitor::warning on or off. Failures are those of the whole
 * process.
 *
 * Since: 0.1
 */
void
cothread_monitor_set_checks (CothreadMonitor *self, gboolean checks)
{
  g_return_if_fail (COTHREAD_IS_MONITOR (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  if (checks == (self->checker != NULL))
    return;
  if (checks)
    self->checker = cothread_checker_new (self->scheduler);
  else
    g_clear_pointer (&self->checker, cothread_checker_free);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHECKS]);
}
