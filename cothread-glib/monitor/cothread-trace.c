/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-trace-private.h"

#include "loop/cothread-task-private.h"
#include "monitor/cothread-probe-private.h"
#include "monitor/cothread-trace-sysprof-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * CothreadTrace:
 *
 * Records what a scheduler does: spawns, runs, waits, wakeups, callbacks and
 * turns, with the processor's own time stamps, the last so many in a ring.
 *
 * cothread_trace_write() makes a file in Chrome's JSON format of it, which
 * <https://ui.perfetto.dev> shows. A program that runs with `COTHREAD_TRACE=file`
 * in its environment does so by itself, when its scheduler is shut down or it
 * exits. A second scheduler writes `file.2`; a process that finds the file taken by
 * another one that still runs, such as the child of a fork, adds its process id.
 *
 * In a program that runs under Sysprof, of a library built with it, a trace also
 * puts marks for runs, waits and callbacks and counters of tasks into the capture.
 *
 * To be used on the scheduler's thread.
 *
 * Since: 0.1
 */

#define MIN_EVENTS 16
#define MAX_EVENTS (1u << 26)
#define DEFAULT_EVENTS (1u << 20)
/* Names that differ, e.g. by a number; more get the name of their function. */
#define MAX_NAMES 65536

struct _CothreadTrace
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  CothreadShutdownHook shutdown_hook;
  gboolean is_on;
  CtProbe *probe;
  CothreadTraceRing ring;
  GHashTable *texts; /* names of tasks, owned */
  CothreadTraceSysprof *sysprof; /* or NULL */
};

G_DEFINE_FINAL_TYPE (CothreadTrace, cothread_trace, G_TYPE_OBJECT)

static const char *
keep_name (CothreadTrace *self, const CothreadTask *task)
{
  const char *kept;

  if (task->name == NULL)
    return task->function;
  kept = g_hash_table_lookup (self->texts, task->name);
  if (kept == NULL)
    {
      if (g_hash_table_size (self->texts) >= MAX_NAMES)
        return task->function;
      kept = g_strdup (task->name);
      g_hash_table_add (self->texts, (gpointer) kept);
    }
  return kept;
}

static void
note (CtProbe *probe, CtProbeEvent what, const CtTask *task, gconstpointer arg)
{
  CothreadTrace *self = probe->note_data;
  CothreadTraceEvent *event = &self->ring.events[self->ring.n++ & (self->ring.size - 1)];

  event->ticks = ct_probe_now (probe);
  event->id = task != NULL ? task->id : 0;
  event->arg = arg;
  event->event = what;
  if (G_LIKELY (what == CT_PROBE_RUN || what == CT_PROBE_WAIT || what == CT_PROBE_WAKE))
    ;
  else if (what == CT_PROBE_SPAWN || what == CT_PROBE_FINISH)
    event->arg = keep_name (self, (const CothreadTask *) task);
  else if (what == CT_PROBE_TURN_END)
    {
      const CtScheduler *core = self->scheduler->core;

      event->id = core->n_live;
      event->ready = core->tick.length + core->ready.length + core->yielding.length;
    }
  if (G_UNLIKELY (self->sysprof != NULL))
    cothread_trace_sysprof_note (self->sysprof, event, task);
}

/* Main is no task that anybody asked about, but its waits are worth seeing. */
static void
collect_live_names (CothreadTrace *self)
{
  GHashTable *names = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  const CtScheduler *core = self->scheduler->core;
  guint64 main_id = 0;

  g_hash_table_insert (names, g_memdup2 (&main_id, sizeof main_id), (gpointer) "main");
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    {
      const CothreadTask *task = CT_CONTAINER_OF (link, CothreadTask, core.all);
      const char *name = keep_name (self, task);

      if (name != NULL)
        g_hash_table_insert (names, g_memdup2 (&task->core.id, sizeof task->core.id), (gpointer) name);
    }
  g_clear_pointer (&self->ring.live_names, g_hash_table_unref);
  self->ring.live_names = names;
}

static void
take_rate (CothreadTrace *self)
{
  self->ring.ticks_per_us = ct_probe_ticks_per_us (self->probe);
}

static void
stop (CothreadTrace *self)
{
  if (!self->is_on)
    return;
  self->is_on = FALSE;
  take_rate (self);
  collect_live_names (self);
  ct_link_unlink (&self->shutdown_hook.link);
  self->probe->note = NULL;
  self->probe->note_data = NULL;
  ct_probe_set_timing (self->probe, (CtProbeTiming) self->probe->timing);
  self->probe = NULL;
  g_clear_pointer (&self->sysprof, cothread_trace_sysprof_free);
  cothread_probe_drop_if_unused (self->scheduler);
}

/* Its file, if it has one, is for the parent to write. */
static void
scheduler_is_forked (CtLink *link)
{
  CothreadTrace *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadTrace, shutdown_hook);

  self->is_on = FALSE;
  self->probe = NULL;
}

static void
shut_down (CtLink *link)
{
  CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

  stop (CT_CONTAINER_OF (hook, CothreadTrace, shutdown_hook));
}

static void
cothread_trace_dispose (GObject *object)
{
  stop (COTHREAD_TRACE (object));
  G_OBJECT_CLASS (cothread_trace_parent_class)->dispose (object);
}

static void
cothread_trace_finalize (GObject *object)
{
  CothreadTrace *self = COTHREAD_TRACE (object);

  g_free (self->ring.events);
  g_clear_pointer (&self->ring.live_names, g_hash_table_unref);
  g_hash_table_unref (self->texts);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (cothread_trace_parent_class)->finalize (object);
}

static void
cothread_trace_class_init (CothreadTraceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = cothread_trace_dispose;
  object_class->finalize = cothread_trace_finalize;
}

static void
cothread_trace_init (CothreadTrace *self)
{
  self->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ct_link_init (&self->shutdown_hook.link);
}

static guint
round_up (guint n)
{
  guint size = MIN_EVENTS;

  while (size < n)
    size *= 2;
  return size;
}

/**
 * cothread_trace_new:
 * @scheduler: (nullable): a scheduler of the calling thread; %NULL: the default
 *   one
 * @max_events: how many events to keep, the last ones, at 32 bytes each; 0: a
 *   million
 * @error: return location for a #GError
 *
 * Begins to record, until the trace is stopped or dropped or the scheduler shut
 * down.
 *
 * Fails with %G_IO_ERROR_BUSY if the scheduler is being traced already, with
 * %G_IO_ERROR_INVALID_ARGUMENT for more than 2^26 events, with
 * %G_IO_ERROR_NO_SPACE if there is no memory for so many, and with
 * %COTHREAD_ERROR_CLOSED if the scheduler is shut down.
 *
 * Returns: (transfer full): a new trace, or %NULL
 *
 * Since: 0.1
 */
CothreadTrace *
cothread_trace_new (CothreadScheduler *scheduler, guint max_events, GError **error)
{
  g_autoptr (CothreadTrace) self = NULL;
  guint size = round_up (max_events == 0 ? DEFAULT_EVENTS : MIN (max_events, MAX_EVENTS));

  if (scheduler == NULL)
    scheduler = cothread_scheduler_get_default ();
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);

  if (max_events > MAX_EVENTS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "A trace of %u events was asked for; the most is %u", max_events, MAX_EVENTS);
      return NULL;
    }
  if (scheduler->core == NULL)
    {
      g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "The scheduler is shut down");
      return NULL;
    }
  if (scheduler->core->probe != NULL && scheduler->core->probe->note != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "The scheduler is being traced already");
      return NULL;
    }
  self = g_object_new (COTHREAD_TYPE_TRACE, NULL);
  self->scheduler = g_object_ref (scheduler);
  self->ring.size = size;
  self->ring.events = g_try_new (CothreadTraceEvent, size);
  if (self->ring.events == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "No memory for a trace of %u events", size);
      return NULL;
    }
  /* The pages are to be there: a fault would be dearer than a hundred events. */
  memset (self->ring.events, 0, (gsize) size * sizeof *self->ring.events);
  self->sysprof = cothread_trace_sysprof_new ();
  self->probe = cothread_probe_ensure (scheduler);
  self->probe->note_data = self;
  self->probe->note = note;
  ct_probe_set_timing (self->probe, (CtProbeTiming) self->probe->timing);
  self->ring.begin_ticks = ct_probe_now (self->probe);
  self->shutdown_hook.run = shut_down;
  self->shutdown_hook.forked = scheduler_is_forked;
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->shutdown_hook.link);
  self->is_on = TRUE;
  return g_steal_pointer (&self);
}

/**
 * cothread_trace_stop:
 * @self: a trace
 *
 * Records no more. What was recorded can still be written.
 *
 * Since: 0.1
 */
void
cothread_trace_stop (CothreadTrace *self)
{
  g_return_if_fail (COTHREAD_IS_TRACE (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  stop (self);
}

/**
 * cothread_trace_get_n_events:
 * @self: a trace
 *
 * Returns: how many events were recorded, including those lost since
 *
 * Since: 0.1
 */
guint64
cothread_trace_get_n_events (CothreadTrace *self)
{
  g_return_val_if_fail (COTHREAD_IS_TRACE (self), 0);
  return self->ring.n;
}

/**
 * cothread_trace_get_n_lost:
 * @self: a trace
 *
 * Returns: how many events had to make room for later ones
 *
 * Since: 0.1
 */
guint64
cothread_trace_get_n_lost (CothreadTrace *self)
{
  g_return_val_if_fail (COTHREAD_IS_TRACE (self), 0);
  return self->ring.n > self->ring.size ? self->ring.n - self->ring.size : 0;
}

/**
 * cothread_trace_write:
 * @self: a trace
 * @path: (type filename): a file, which is overwritten
 * @error: return location for a #GError
 *
 * Writes what was recorded so far as Chrome's JSON.
 *
 * Fails with an error of %G_IO_ERROR, such as %G_IO_ERROR_NO_SPACE when the
 * disk is full; what is in the file then is not complete.
 *
 * Returns: whether all of it was written
 *
 * Since: 0.1
 */
gboolean
cothread_trace_write (CothreadTrace *self, const char *path, GError **error)
{
  FILE *file;
  int failure;

  g_return_val_if_fail (COTHREAD_IS_TRACE (self), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self->scheduler), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  errno = 0;
  file = fopen (path, "we");
  failure = file == NULL ? errno : 0;
  if (file != NULL)
    {
      if (self->is_on)
        {
          take_rate (self);
          collect_live_names (self);
        }
      failure = cothread_trace_export (&self->ring, file);
      if (fclose (file) != 0 && failure == 0)
        failure = errno;
    }
  if (failure == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Cannot write the trace to %s: %s", path, g_strerror (failure));
  return FALSE;
}

/* ---- COTHREAD_TRACE ---- */

typedef struct
{
  CothreadTrace *trace;
  char *path;
  CothreadShutdownHook hook; /* before the trace's own */
} TraceOfEnvironment;

static GMutex lock;
static GPtrArray *of_environment; /* of TraceOfEnvironment that are to be written yet */
static char *file_of_process;
static pid_t process; /* whose file that is */
static int claim = -1;

/* Parent and child, several children, and what else runs with the same
 * environment must not write over each other: the first has the file as long as
 * it lives. */
static char *
claim_file (const char *path)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
  struct stat status;

  if (fd < 0)
    return g_strdup (path); /* writing will say why */
  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    {
      if (flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        {
          close (fd);
          return g_strdup_printf ("%s.%d", path, (int) getpid ());
        }
      claim = fd;
      return g_strdup (path);
    }
  close (fd);
  return g_strdup (path);
}

/* The path for one more scheduler; with the lock held. */
static char *
take_path (const char *path)
{
  static guint n_made;

  if (process != getpid ())
    {
      process = getpid ();
      n_made = 0;
      if (claim >= 0) /* the parent's */
        close (claim);
      claim = -1;
      g_free (file_of_process);
      file_of_process = claim_file (path);
    }
  n_made++;
  return n_made == 1 ? g_strdup (file_of_process) : g_strdup_printf ("%s.%u", file_of_process, n_made);
}

static void
write_and_free (TraceOfEnvironment *self)
{
  g_autoptr (GError) error = NULL;

  if (!cothread_trace_write (self->trace, self->path, &error))
    g_warning ("%s", error->message);
  ct_link_unlink (&self->hook.link);
  g_object_ref (self->trace->scheduler); /* the reference that was given up */
  g_object_unref (self->trace);
  g_free (self->path);
  g_free (self);
}

static void
write_at_shutdown (CtLink *link)
{
  TraceOfEnvironment *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), TraceOfEnvironment, hook);

  g_mutex_lock (&lock);
  g_ptr_array_remove (of_environment, self);
  g_mutex_unlock (&lock);
  write_and_free (self);
}

/* Only those of the thread that exits: the others' still run. */
static void
write_at_exit (void)
{
  for (guint i = 0; i < of_environment->len; i++)
    {
      TraceOfEnvironment *self = of_environment->pdata[i];
      g_autoptr (GError) error = NULL;

      if (cothread_scheduler_is_own_thread (self->trace->scheduler) && self->trace->scheduler->core != NULL &&
          !self->trace->scheduler->is_of_parent && !cothread_trace_write (self->trace, self->path, &error))
        g_warning ("%s", error->message);
    }
}

void
cothread_trace_obey_environment (CothreadScheduler *scheduler)
{
  const char *path = g_getenv ("COTHREAD_TRACE");
  g_autoptr (GError) error = NULL;
  TraceOfEnvironment *self;
  CothreadTrace *trace;

  if (path == NULL || *path == '\0')
    return;
  trace = cothread_trace_new (scheduler, 0, &error);
  if (trace == NULL)
    {
      g_warning ("COTHREAD_TRACE: %s", error->message);
      return;
    }
  /* It ends with the scheduler, which it must not keep alive. */
  g_object_unref (scheduler);
  self = g_new0 (TraceOfEnvironment, 1);
  self->trace = trace;
  self->hook.run = write_at_shutdown;
  ct_link_init (&self->hook.link);
  ct_link_insert_before (scheduler->shutdown_hooks.next, &self->hook.link);
  g_mutex_lock (&lock);
  if (of_environment == NULL)
    {
      of_environment = g_ptr_array_new ();
      atexit (write_at_exit);
    }
  self->path = take_path (path);
  g_ptr_array_add (of_environment, self);
  g_mutex_unlock (&lock);
}
