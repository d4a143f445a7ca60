/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "monitor/cothread-trace-sysprof-private.h"

#ifdef HAVE_SYSPROF

#include "loop/cothread-task-private.h"
#include "monitor/cothread-unwind-private.h"

#include <sysprof-capture.h>

#define GROUP "cothread"

typedef struct
{
  gint64 since_ns;
  const char *reason; /* static or interned */
} Wait;

struct _CothreadTraceSysprof
{
  const CtTask *running; /* NULL: nobody */
  gint64 running_since_ns;
  GHashTable *waits; /* task id: Wait */
  GHashTable *functions; /* address: text */
  GArray *callbacks; /* when those that have begun did, in ns */
  GPtrArray *callback_names;
  guint counters[2];
};

static void
define_counters (CothreadTraceSysprof *self)
{
  SysprofCaptureCounter counters[2] = { { "" } };

  self->counters[0] = sysprof_collector_request_counters (2);
  self->counters[1] = self->counters[0] + 1;
  for (guint i = 0; i < 2; i++)
    {
      g_strlcpy (counters[i].category, GROUP, sizeof counters[i].category);
      g_strlcpy (counters[i].name, i == 0 ? "tasks" : "ready tasks", sizeof counters[i].name);
      counters[i].id = self->counters[i];
      counters[i].type = SYSPROF_CAPTURE_COUNTER_INT64;
    }
  sysprof_collector_define_counters (counters, 2);
}

CothreadTraceSysprof *
cothread_trace_sysprof_new (void)
{
  CothreadTraceSysprof *self;

  sysprof_collector_init ();
  if (!sysprof_collector_is_active ())
    return NULL;
  self = g_new0 (CothreadTraceSysprof, 1);
  self->waits = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->functions = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->callbacks = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->callback_names = g_ptr_array_new ();
  define_counters (self);
  return self;
}

void
cothread_trace_sysprof_free (CothreadTraceSysprof *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->waits);
  g_hash_table_unref (self->functions);
  g_array_unref (self->callbacks);
  g_ptr_array_unref (self->callback_names);
  g_free (self);
}

static const char *
name_of (const CtTask *task)
{
  return task->kind == CT_TASK_MAIN ? "main" : cothread_task_get_name ((CothreadTask *) task);
}

static void
end_run (CothreadTraceSysprof *self, gint64 now_ns)
{
  if (self->running != NULL)
    sysprof_collector_mark (self->running_since_ns, now_ns - self->running_since_ns, GROUP, "run", name_of (self->running));
  self->running = NULL;
}

static void
begin_run (CothreadTraceSysprof *self, const CtTask *task, gint64 now_ns)
{
  end_run (self, now_ns);
  self->running = task;
  self->running_since_ns = now_ns;
}

static void
begin_wait (CothreadTraceSysprof *self, const CtTask *task, const char *reason, gint64 now_ns)
{
  Wait wait = { now_ns, reason };

  g_hash_table_insert (self->waits, g_memdup2 (&task->id, sizeof task->id), g_memdup2 (&wait, sizeof wait));
}

static void
end_wait (CothreadTraceSysprof *self, const CtTask *task, gint64 now_ns)
{
  const Wait *wait = g_hash_table_lookup (self->waits, &task->id);

  if (wait == NULL)
    return;
  sysprof_collector_mark_printf (wait->since_ns, now_ns - wait->since_ns, GROUP, "wait", "%s: %s", name_of (task),
                                 wait->reason != NULL ? wait->reason : "?");
  g_hash_table_remove (self->waits, &task->id);
}

static const char *
name_function (CothreadTraceSysprof *self, gconstpointer function)
{
  char *name = g_hash_table_lookup (self->functions, function);

  if (name == NULL)
    {
      name = cothread_unwind_name ((gpointer) function, TRUE);
      g_hash_table_insert (self->functions, (gpointer) function, name);
    }
  return name;
}

static void
begin_callback (CothreadTraceSysprof *self, gconstpointer function, gint64 now_ns)
{
  g_array_append_val (self->callbacks, now_ns);
  g_ptr_array_add (self->callback_names, (gpointer) name_function (self, function));
}

/* One that was suspended ends after others that began later: the last one is
 * taken for it, as it is in most cases. */
static void
end_callback (CothreadTraceSysprof *self, gint64 now_ns)
{
  guint last = self->callbacks->len - 1;
  gint64 since_ns;

  if (self->callbacks->len == 0)
    return;
  since_ns = g_array_index (self->callbacks, gint64, last);
  sysprof_collector_mark (since_ns, now_ns - since_ns, GROUP, "callback", self->callback_names->pdata[last]);
  g_array_set_size (self->callbacks, last);
  g_ptr_array_set_size (self->callback_names, (gint) last);
}

static void
set_counters (CothreadTraceSysprof *self, const CothreadTraceEvent *event)
{
  SysprofCaptureCounterValue values[2] = { { .v64 = (gint64) event->id }, { .v64 = event->ready } };

  sysprof_collector_set_counters (self->counters, values, 2);
}

void
cothread_trace_sysprof_note (CothreadTraceSysprof *self, const CothreadTraceEvent *event, const CtTask *task)
{
  gint64 now_ns = SYSPROF_CAPTURE_CURRENT_TIME;

  switch ((CtProbeEvent) event->event)
    {
    case CT_PROBE_RUN:
      begin_run (self, task, now_ns);
      break;
    case CT_PROBE_WAIT:
      if (self->running == task)
        end_run (self, now_ns);
      begin_wait (self, task, event->arg, now_ns);
      break;
    case CT_PROBE_WAKE:
      end_wait (self, task, now_ns);
      break;
    case CT_PROBE_FINISH:
      end_wait (self, task, now_ns);
      if (self->running == task)
        end_run (self, now_ns);
      break;
    case CT_PROBE_LEAVE:
    case CT_PROBE_TURN_BEGIN: /* of a loop within a task: its time is that of those inside */
      end_run (self, now_ns);
      break;
    case CT_PROBE_TURN_END:
      end_run (self, now_ns);
      if (task != NULL && task->kind != CT_TASK_MAIN)
        begin_run (self, task, now_ns);
      set_counters (self, event);
      break;
    case CT_PROBE_CALLBACK_BEGIN:
      begin_callback (self, event->arg, now_ns);
      break;
    case CT_PROBE_CALLBACK_END:
      end_callback (self, now_ns);
      break;
    case CT_PROBE_SPAWN:
    default:
      break;
    }
}

#else

CothreadTraceSysprof *
cothread_trace_sysprof_new (void)
{
  return NULL;
}

void
cothread_trace_sysprof_free (G_GNUC_UNUSED CothreadTraceSysprof *self)
{
}

void
cothread_trace_sysprof_note (G_GNUC_UNUSED CothreadTraceSysprof *self, G_GNUC_UNUSED const CothreadTraceEvent *event,
                             G_GNUC_UNUSED const CtTask *task)
{
}

#endif
