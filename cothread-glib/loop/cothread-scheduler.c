/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-alloc.h"
#include "loop/cothread-task-extra.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * CothreadScheduler:
 *
 * Runs the tasks of one thread, inside a #GMainContext or any other loop.
 *
 * A scheduler belongs to the thread that made it; only the callback queue may
 * be used from others. There is one for each #GMainContext:
 * cothread_scheduler_get_default() makes it when it is first asked for.
 *
 * Its turns end when nothing is ready or when the #CothreadScheduler:time-slice
 * is used up; then everything else in the context gets its own turn, down to
 * idle handlers of default priority.
 *
 * Since: 0.1
 */

#define DEFAULT_SLICE_US 2000
#define MIN_SLICE_US 50
#define MAX_SLICE_US G_USEC_PER_SEC
#define DEFAULT_MINIMUM_SHARE 0.2
#define MAX_MINIMUM_SHARE 0.9

G_DEFINE_FINAL_TYPE (CothreadScheduler, cothread_scheduler, G_TYPE_OBJECT)

enum
{
  PROP_TIME_SLICE = 1,
  PROP_MINIMUM_SHARE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

CothreadScheduler *cothread_all_schedulers;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER; /* which ThreadSanitizer understands */

void
cothread_all_schedulers_lock_for_fork (void)
{
  pthread_mutex_lock (&all_lock);
}

void
cothread_all_schedulers_unlock_for_fork (void)
{
  pthread_mutex_unlock (&all_lock);
}

static void
join_all (CothreadScheduler *self)
{
  pthread_mutex_lock (&all_lock);
  self->next_of_all = cothread_all_schedulers;
  cothread_all_schedulers = self;
  pthread_mutex_unlock (&all_lock);
}

static void
leave_all (CothreadScheduler *self)
{
  pthread_mutex_lock (&all_lock);
  for (CothreadScheduler **at = &cothread_all_schedulers; *at != NULL; at = &(*at)->next_of_all)
    if (*at == self)
      {
        *at = self->next_of_all;
        break;
      }
  pthread_mutex_unlock (&all_lock);
}

static void
cothread_scheduler_dispose (GObject *object)
{
  CothreadScheduler *self = COTHREAD_SCHEDULER (object);

  if (self->core != NULL && !cothread_scheduler_is_own_thread (self))
    cothread_scheduler_forget (self);
  else if (self->core != NULL)
    cothread_scheduler_shutdown (self);
  leave_all (self); /* while there are references: the child of a fork takes one of each */
  G_OBJECT_CLASS (cothread_scheduler_parent_class)->dispose (object);
}

static void
cothread_scheduler_finalize (GObject *object)
{
  CothreadScheduler *self = COTHREAD_SCHEDULER (object);

  if (self->wake_fd >= 0)
    close (self->wake_fd);
  g_clear_pointer (&self->polled, g_array_unref);
  G_OBJECT_CLASS (cothread_scheduler_parent_class)->finalize (object);
}

static void
cothread_scheduler_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadScheduler *self = COTHREAD_SCHEDULER (object);

  switch (id)
    {
    case PROP_TIME_SLICE:
      g_value_set_int64 (value, self->slice_us);
      break;
    case PROP_MINIMUM_SHARE:
      g_value_set_double (value, self->minimum_share);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_scheduler_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadScheduler *self = COTHREAD_SCHEDULER (object);

  switch (id)
    {
    case PROP_TIME_SLICE:
      cothread_scheduler_set_time_slice (self, g_value_get_int64 (value));
      break;
    case PROP_MINIMUM_SHARE:
      cothread_scheduler_set_minimum_share (self, g_value_get_double (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void cothread_scheduler_dispatch_properties_changed (GObject *object, guint n_pspecs, GParamSpec **pspecs);

static void
cothread_scheduler_class_init (CothreadSchedulerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispatch_properties_changed = cothread_scheduler_dispatch_properties_changed;
  object_class->dispose = cothread_scheduler_dispose;
  object_class->finalize = cothread_scheduler_finalize;
  object_class->get_property = cothread_scheduler_get_property;
  object_class->set_property = cothread_scheduler_set_property;

  /**
   * CothreadScheduler:time-slice: (getter get_time_slice) (setter set_time_slice)
   *
   * How long a turn may last, in microseconds; 1 to 4 ms are sensible. A turn
   * exceeds it by no more than the one task or callback that was running.
   *
   * It begins as 2000, or as the environment's `COTHREAD_SLICE_US` says.
   *
   * Since: 0.1
   */
  properties[PROP_TIME_SLICE] =
    g_param_spec_int64 ("time-slice", NULL, NULL, MIN_SLICE_US, MAX_SLICE_US, DEFAULT_SLICE_US,
                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * CothreadScheduler:minimum-share: (getter get_minimum_share) (setter set_minimum_share)
   *
   * The share of the time that tasks get when the rest of the program leaves
   * none, such as a paint that takes 25 ms and is always due; 0 to 0.9.
   *
   * Since: 0.1
   */
  properties[PROP_MINIMUM_SHARE] =
    g_param_spec_double ("minimum-share", NULL, NULL, 0, MAX_MINIMUM_SHARE, DEFAULT_MINIMUM_SHARE,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

/* COTHREAD_SLICE_US, for a program that does not set it itself. */
static gint64
initial_slice_us (void)
{
  const char *text = g_getenv ("COTHREAD_SLICE_US");
  guint64 slice_us;
  g_autoptr (GError) error = NULL;

  if (text == NULL || *text == '\0')
    return DEFAULT_SLICE_US;
  if (g_ascii_string_to_unsigned (text, 10, MIN_SLICE_US, MAX_SLICE_US, &slice_us, &error))
    return (gint64) slice_us;
  g_warning ("COTHREAD_SLICE_US: %s; the time slice is %d µs", error->message, DEFAULT_SLICE_US);
  return DEFAULT_SLICE_US;
}

static void
cothread_scheduler_init (CothreadScheduler *self)
{
  self->owner = cothread_thread_id ();
  self->wake_fd = -1;
  self->slice_us = initial_slice_us ();
  self->minimum_share = DEFAULT_MINIMUM_SHARE;
  self->gate.is_open = TRUE;
  self->is_shut_down = TRUE; /* until it has begun: g_object_new() alone makes a dead one */
  self->polled = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  ct_link_init (&self->shutdown_hooks);
  ct_link_init (&self->end_hooks);
  ct_link_init (&self->callback_queues);
  cothread_fork_watch ();
  join_all (self);
  ct_link_init (&self->runners);
}

static void
write_wake_fd (CothreadScheduler *self)
{
  guint64 one = 1;

  /* EAGAIN would mean 2^64 - 2 unread wakeups: the loop is awake. */
  while (write (self->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

static void
read_wake_fd (CtFdWatch *watch)
{
  guint64 count;

  while (read (watch->fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
}

static void
drive_context (gpointer data)
{
  g_main_context_iteration (((CothreadScheduler *) data)->context, TRUE);
}

static void
wake_loop (gpointer data)
{
  CothreadScheduler *self = data;

  if (self->context != NULL)
    g_main_context_wakeup (self->context);
  else
    write_wake_fd (self);
}

CtPoller *
cothread_scheduler_make_poller (GError **error)
{
  return g_strcmp0 (g_getenv ("COTHREAD_POLLER"), "poll") == 0 ? ct_poller_poll_new () : ct_poller_epoll_new (error);
}

/* Takes the poller. */
CothreadScheduler *
cothread_scheduler_new_with (CtClock clock, CtPoller *poller, GError **error)
{
  g_autoptr (CothreadScheduler) self = NULL;
  int failure;

  cothread_fork_clean_up ();
  self = g_object_new (COTHREAD_TYPE_SCHEDULER, NULL);
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake_fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s", g_strerror (errno));
      ct_poller_free (poller);
      return NULL;
    }
  self->core = ct_scheduler_new (clock, poller, CT_STACK_GUARD_AUTO, error);
  if (self->core == NULL)
    return NULL;
  self->is_shut_down = FALSE;
  self->created_us = ct_scheduler_now (self->core);
  self->core->owner = self;
  self->core->wake_loop = wake_loop;
  /* What the thread happens to keep must not move a virtual time. */
  if (!clock.is_virtual)
    self->core->give_back = cothread_task_alloc_give_back;
  self->wake_watch = (CtFdWatch) { .fd = self->wake_fd, .events = G_IO_IN, .notify = read_wake_fd };
  failure = ct_poller_add (self->core->poller, &self->wake_watch);
  if (failure != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Wakeup descriptor: %s", g_strerror (failure));
      return NULL;
    }
  cothread_scheduler_created (self);
  return g_steal_pointer (&self);
}

/**
 * cothread_scheduler_new:
 * @error: return location for a #GError
 *
 * Makes a scheduler for the calling thread that no main context drives (yet):
 * attach it with cothread_scheduler_attach(), or call
 * cothread_scheduler_poll() from a loop of your own.
 *
 * Most programs need cothread_scheduler_get_default() instead.
 *
 * Fails with an error of %G_IO_ERROR if the system has no descriptor or no
 * memory left.
 *
 * Returns: (transfer full): a new scheduler, or %NULL
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_scheduler_new (GError **error)
{
  CtPoller *poller = cothread_scheduler_make_poller (error);

  return poller != NULL ? cothread_scheduler_new_with (ct_clock_monotonic, poller, error) : NULL;
}

/**
 * cothread_scheduler_get_default:
 *
 * The scheduler of the calling thread's thread-default main context; inside a
 * task, the one that runs it. It is made at the first call and lives until its
 * context is destroyed or cothread_scheduler_shutdown() is called.
 *
 * Called in a thread whose context belongs to another thread, this is a
 * critical and gives %NULL: push a context of the thread's own first.
 *
 * Returns: (transfer none): the scheduler
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_scheduler_get_default (void)
{
  g_autoptr (GError) error = NULL;
  CothreadScheduler *self = cothread_scheduler_ensure (&error);

  if (self == NULL)
    g_critical ("No scheduler: %s", error->message);
  return self;
}

/**
 * cothread_scheduler_peek_default:
 *
 * The scheduler that cothread_scheduler_get_default() would return, if there is
 * one already: for those who only look, and must not make one by looking.
 *
 * Returns: (transfer none) (nullable): the scheduler, or %NULL
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_scheduler_peek_default (void)
{
  return cothread_registry_peek ();
}

/**
 * cothread_scheduler_attach:
 * @self: a scheduler made with cothread_scheduler_new()
 * @context: (nullable): a main context; %NULL: the default one
 *
 * Lets a main context drive the scheduler. The context holds a reference until
 * it is destroyed or the scheduler is shut down.
 *
 * To be called once, on the scheduler's thread; a context has one scheduler.
 * Anything else is a critical and changes nothing.
 *
 * Returns: whether the scheduler is attached now
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_attach (CothreadScheduler *self, GMainContext *context)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self), FALSE);
  g_return_val_if_fail (!self->is_shut_down, FALSE);

  if (context == NULL)
    context = g_main_context_default ();
  if (self->context != NULL)
    {
      g_critical ("This scheduler is attached to a main context already");
      return FALSE;
    }
  if (!cothread_registry_add (context, self))
    {
      g_critical ("This main context has a scheduler already: use cothread_scheduler_get_default()");
      return FALSE;
    }
  self->core->drive = drive_context;
  cothread_source_attach (self, context);
  cothread_scheduler_attached (self);
  return TRUE;
}

void
cothread_scheduler_post_mail (CothreadScheduler *self, CothreadMail *mail)
{
  gboolean must_wake = cothread_inbox_post (&self->inbox, mail);

  /* From the loop's own thread nothing is written unless the loop has been
   * told, in this very iteration, that it may sleep. */
  if (cothread_scheduler_is_own_thread (self))
    {
      if (self->core != NULL)
        ct_scheduler_made_ready (self->core);
    }
  else if (must_wake)
    write_wake_fd (self);
}

gboolean
cothread_scheduler_post_mail_from_signal (CothreadScheduler *self, CothreadMail *mail)
{
  gboolean must_wake = FALSE;

  if (!cothread_inbox_push (&self->inbox, mail, &must_wake))
    return FALSE;
  /* Not g_main_context_wakeup(), which locks the context: its loop may be what
   * was interrupted. */
  if (must_wake)
    write_wake_fd (self);
  return TRUE;
}

void
cothread_source_turn_ended (CothreadScheduler *self, gint depth)
{
  if (self->core->frame == NULL)
    self->core->is_depth_uncertain = FALSE; /* every nested loop has ended */
  if (G_UNLIKELY (g_main_depth () != depth))
    g_critical ("A task waited in a handler that a main loop of its own, over another context, had called; "
                "GLib's record of what it is dispatching is wrong until that task ends the loop");
}

gboolean
cothread_scheduler_run_turn (CothreadScheduler *self, const GPollFD *ready, guint n_ready,
                             gint64 begin_us, gint64 slice_us, gint64 *timeout_us)
{
  CothreadScheduler *outer = cothread_running_scheduler;
  gint depth = g_main_depth ();
  gboolean was_not_interrupted;

  cothread_running_scheduler = self;
  cothread_inbox_deliver (&self->inbox);
  was_not_interrupted = ct_scheduler_poll (self->core, ready, n_ready, begin_us, slice_us, depth, timeout_us);
  if (timeout_us != NULL && !cothread_inbox_is_empty (&self->inbox))
    *timeout_us = 0;
  if (!was_not_interrupted)
    self->interrupt_pending = TRUE;
  /* One that has forked comes back here in the child as well. */
  cothread_running_scheduler = G_LIKELY (!self->is_of_parent) ? outer : NULL;
  cothread_source_turn_ended (self, depth);
  return was_not_interrupted;
}

/**
 * cothread_scheduler_poll: (skip)
 * @self: a scheduler that is not attached to a main context
 * @ready: (array length=n_ready): descriptors with their `revents`
 * @n_ready: how many
 * @wanted: (nullable): an array of #GPollFD, filled with what to poll next
 * @timeout_us: (out) (optional): how long the loop may sleep: 0, work is left;
 *   -1, for ever; or microseconds
 * @error: return location for a #GError
 *
 * Drives the scheduler from any loop: takes what the loop's last poll found,
 * runs one turn, and says what to poll and for how long. A descriptor of the
 * library's own is always among the wanted ones; it becomes readable when
 * another thread posts, or when this thread makes a task ready between two
 * calls.
 *
 * Fails with %COTHREAD_ERROR_INTERRUPTED if cothread_scheduler_interrupt() was
 * called; the turn is over and everything else goes on at the next call.
 *
 * Returns: %FALSE if an interrupt came
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_poll (CothreadScheduler *self,
                         const GPollFD *ready,
                         guint n_ready,
                         GArray *wanted,
                         gint64 *timeout_us,
                         GError **error)
{
  gint64 sleep_us;
  guint64 outer_phase;
  gboolean was_not_interrupted;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self), FALSE);
  g_return_val_if_fail (!self->is_shut_down, FALSE);
  g_return_val_if_fail (self->context == NULL, FALSE);
  g_return_val_if_fail (ready != NULL || n_ready == 0, FALSE);
  g_return_val_if_fail (wanted == NULL || g_array_get_element_size (wanted) == sizeof (GPollFD), FALSE);

  g_object_ref (self); /* a task may drop the last one */
  outer_phase = self->loop_phase;
  __atomic_store_n (&self->loop_phase, (outer_phase + 1) | 1, __ATOMIC_RELAXED);
  was_not_interrupted = cothread_scheduler_run_turn (self, ready, n_ready, ct_scheduler_now (self->core), self->slice_us, &sleep_us);
  __atomic_store_n (&self->loop_phase, ((self->loop_phase | 1) + 1) | (outer_phase & 1), __ATOMIC_RELAXED);
  self->interrupt_pending = FALSE;
  if (wanted != NULL)
    {
      g_array_set_size (wanted, 0);
      self->core->poller->klass->list (self->core->poller, wanted);
    }
  if (sleep_us != 0)
    {
      if (cothread_inbox_sleep (&self->inbox))
        self->core->is_loop_asleep = TRUE;
      else
        sleep_us = 0;
    }
  if (timeout_us != NULL)
    *timeout_us = sleep_us;
  if (!was_not_interrupted)
    g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED, "The scheduler was interrupted");
  g_object_unref (self);
  return was_not_interrupted;
}

/**
 * cothread_scheduler_interrupt:
 * @self: a scheduler
 *
 * Interrupts the main task: whatever the thread's own stack waits for, now or
 * next, fails with %COTHREAD_ERROR_INTERRUPTED, and its wakeup is undone. All
 * other tasks go on.
 *
 * To be called on the scheduler's thread, for instance from a
 * g_unix_signal_add() handler for `SIGINT`.
 *
 * Since: 0.1
 */
void
cothread_scheduler_interrupt (CothreadScheduler *self)
{
  g_return_if_fail (COTHREAD_IS_SCHEDULER (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self));
  g_return_if_fail (!self->is_shut_down);

  ct_scheduler_interrupt (self->core);
}

/**
 * cothread_scheduler_get_time_slice: (get-property time-slice)
 * @self: a scheduler
 *
 * Returns: the time slice of a turn, in microseconds
 *
 * Since: 0.1
 */
gint64
cothread_scheduler_get_time_slice (CothreadScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), 0);
  return self->slice_us;
}

/**
 * cothread_scheduler_set_time_slice: (set-property time-slice)
 * @self: a scheduler
 * @slice_us: 50 to 1 000 000 microseconds
 *
 * Sets the time slice, from the next turn on.
 *
 * Since: 0.1
 */
void
cothread_scheduler_set_time_slice (CothreadScheduler *self, gint64 slice_us)
{
  g_return_if_fail (COTHREAD_IS_SCHEDULER (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self));
  g_return_if_fail (slice_us >= MIN_SLICE_US && slice_us <= MAX_SLICE_US);

  if (slice_us == self->slice_us)
    return;
  self->slice_us = slice_us;
  if (self->core != NULL)
    self->core->slice_us = slice_us;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIME_SLICE]);
}

/**
 * cothread_scheduler_get_minimum_share: (get-property minimum-share)
 * @self: a scheduler
 *
 * Returns: the share of the time that is kept for tasks, 0 to 0.9
 *
 * Since: 0.1
 */
double
cothread_scheduler_get_minimum_share (CothreadScheduler *self)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), 0);
  return self->minimum_share;
}

/**
 * cothread_scheduler_set_minimum_share: (set-property minimum-share)
 * @self: a scheduler
 * @share: 0 to 0.9
 *
 * Sets the share of the time that is kept for tasks when the rest of the
 * program is slow.
 *
 * Since: 0.1
 */
void
cothread_scheduler_set_minimum_share (CothreadScheduler *self, double share)
{
  g_return_if_fail (COTHREAD_IS_SCHEDULER (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self));
  g_return_if_fail (share >= 0 && share <= MAX_MINIMUM_SHARE);

  if (share == self->minimum_share)
    return;
  self->minimum_share = share;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MINIMUM_SHARE]);
}

static void
cothread_scheduler_dispatch_properties_changed (GObject *object, guint n_pspecs, GParamSpec **pspecs)
{
  cothread_notify_on_thread_stack (object, n_pspecs, pspecs,
                                   G_OBJECT_CLASS (cothread_scheduler_parent_class)->dispatch_properties_changed);
}
