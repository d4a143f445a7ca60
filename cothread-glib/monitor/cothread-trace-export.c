/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-json-private.h"
#include "monitor/cothread-trace-private.h"
#include "monitor/cothread-unwind-private.h"

#include <errno.h>
#include <unistd.h>

/* What happens on a stack becomes slices that lie inside each other: a turn,
 * the runs of tasks in it, a callback, the turns of a nested loop. Waits are
 * drawn on tracks of their own, one for each task. */

#define CHUNK_BYTES 65536
#define THREAD_ID 1

typedef enum
{
  SLICE_TURN,
  SLICE_RUN,
  SLICE_CALLBACK,
} SliceKind;

typedef struct
{
  SliceKind kind;
  double begin_us;
  guint64 id;
  const char *name;
} Slice;

typedef struct
{
  const CothreadTraceRing *ring;
  FILE *file;
  int failure;
  CothreadJson json;
  GArray *open;      /* of Slice */
  GHashTable *names; /* task id: text */
  GHashTable *functions; /* address: text, owned */
  GHashTable *waits; /* task id: reason */
} Export;

static void
flush (Export *self)
{
  if (self->failure == 0 && fwrite (self->json.text->str, 1, self->json.text->len, self->file) != self->json.text->len)
    self->failure = errno != 0 ? errno : EIO;
  g_string_truncate (self->json.text, 0);
}

static void
begin_event (Export *self, const char *name, const char *category, const char *phase, double at_us)
{
  if (self->json.text->len > CHUNK_BYTES)
    flush (self);
  cothread_json_begin (&self->json, NULL, '{');
  cothread_json_add_text (&self->json, "name", name);
  cothread_json_add_text (&self->json, "cat", category);
  cothread_json_add_text (&self->json, "ph", phase);
  cothread_json_add_double (&self->json, "ts", at_us);
  cothread_json_add_int (&self->json, "pid", getpid ());
  cothread_json_add_int (&self->json, "tid", THREAD_ID);
}

static void
end_event (Export *self)
{
  cothread_json_end (&self->json, '}');
}

static void
add_task_arg (Export *self, guint64 id)
{
  cothread_json_begin (&self->json, "args", '{');
  cothread_json_add_uint (&self->json, "task", id);
  cothread_json_end (&self->json, '}');
}

static const char *
name_task (Export *self, guint64 id)
{
  const char *name = g_hash_table_lookup (self->names, &id);

  if (name == NULL && self->ring->live_names != NULL)
    name = g_hash_table_lookup (self->ring->live_names, &id);
  return name != NULL ? name : "task";
}

static const char *
name_function (Export *self, gconstpointer function)
{
  char *name = g_hash_table_lookup (self->functions, function);

  if (name == NULL)
    {
      char *end;

      name = cothread_unwind_name ((gpointer) function, TRUE);
      end = strchr (name, '+');
      if (end != NULL)
        *end = '\0';
      g_hash_table_insert (self->functions, (gpointer) function, name);
    }
  return name;
}

static void
open_slice (Export *self, SliceKind kind, double at_us, guint64 id, const char *name)
{
  Slice slice = { kind, at_us, id, name };

  g_array_append_val (self->open, slice);
}

static const Slice *
top (Export *self)
{
  return self->open->len > 0 ? &g_array_index (self->open, Slice, self->open->len - 1) : NULL;
}

static void
close_top (Export *self, double at_us)
{
  static const char *const categories[] = { "turn", "task", "callback" };
  Slice slice = *top (self);

  g_array_set_size (self->open, self->open->len - 1);
  begin_event (self, slice.name, categories[slice.kind], "X", slice.begin_us);
  cothread_json_add_double (&self->json, "dur", at_us - slice.begin_us);
  if (slice.kind == SLICE_RUN)
    add_task_arg (self, slice.id);
  end_event (self);
}

static void
close_if (Export *self, SliceKind kind, double at_us)
{
  if (top (self) != NULL && top (self)->kind == kind)
    close_top (self, at_us);
}

/* A ring that has lost its beginning may start inside a turn. */
static void
close_turn (Export *self, double at_us)
{
  gboolean has_turn = FALSE;

  for (guint i = 0; i < self->open->len; i++)
    has_turn |= g_array_index (self->open, Slice, i).kind == SLICE_TURN;
  while (has_turn && top (self)->kind != SLICE_TURN)
    close_top (self, at_us);
  if (has_turn)
    close_top (self, at_us);
  else
    close_if (self, SLICE_RUN, at_us);
}

static void
add_instant (Export *self, const char *name, double at_us, guint64 id)
{
  begin_event (self, name, "task", "i", at_us);
  cothread_json_add_text (&self->json, "s", "t");
  add_task_arg (self, id);
  end_event (self);
}

static void
add_wait (Export *self, const char *phase, double at_us, guint64 id, const char *reason)
{
  g_autofree char *track = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
  g_autofree char *name = g_strdup_printf ("%s waits: %s", name_task (self, id), reason);

  begin_event (self, name, "wait", phase, at_us);
  cothread_json_add_text (&self->json, "id", track);
  end_event (self);
}

static void
end_wait (Export *self, double at_us, guint64 id)
{
  const char *reason = g_hash_table_lookup (self->waits, &id);

  if (reason == NULL)
    return;
  add_wait (self, "e", at_us, id, reason);
  g_hash_table_remove (self->waits, &id);
}

static guint64 *
key (guint64 id)
{
  return g_memdup2 (&id, sizeof id);
}

static void
add_counters (Export *self, const CothreadTraceEvent *event, double at_us)
{
  begin_event (self, "tasks", "turn", "C", at_us);
  cothread_json_begin (&self->json, "args", '{');
  cothread_json_add_uint (&self->json, "alive", event->id);
  cothread_json_add_uint (&self->json, "ready", event->ready);
  cothread_json_end (&self->json, '}');
  end_event (self);
}

static void
add (Export *self, const CothreadTraceEvent *event)
{
  double at_us = (double) (event->ticks - self->ring->begin_ticks) / self->ring->ticks_per_us;

  switch ((CtProbeEvent) event->event)
    {
    case CT_PROBE_SPAWN:
      add_instant (self, "spawn", at_us, event->id);
      break;
    case CT_PROBE_RUN:
      close_if (self, SLICE_RUN, at_us);
      open_slice (self, SLICE_RUN, at_us, event->id, name_task (self, event->id));
      break;
    case CT_PROBE_WAIT:
      g_hash_table_insert (self->waits, key (event->id), (gpointer) (event->arg != NULL ? event->arg : "something"));
      add_wait (self, "b", at_us, event->id, g_hash_table_lookup (self->waits, &event->id));
      break;
    case CT_PROBE_WAKE:
      end_wait (self, at_us, event->id);
      break;
    case CT_PROBE_FINISH:
      add_instant (self, "finish", at_us, event->id);
      break;
    case CT_PROBE_TURN_BEGIN:
      open_slice (self, SLICE_TURN, at_us, 0, "turn");
      break;
    case CT_PROBE_TURN_END:
      close_turn (self, at_us);
      add_counters (self, event, at_us);
      break;
    case CT_PROBE_LEAVE:
      close_if (self, SLICE_RUN, at_us);
      break;
    case CT_PROBE_CALLBACK_BEGIN:
      open_slice (self, SLICE_CALLBACK, at_us, event->id, name_function (self, event->arg));
      break;
    case CT_PROBE_CALLBACK_END:
      close_if (self, SLICE_CALLBACK, at_us);
      break;
    default:
      break;
    }
}

/* Spawns and ends carry the name, so it is known before the first run, and also
 * if the spawn was overwritten. */
static void
collect_names (Export *self, guint64 first)
{
  for (guint64 i = first; i < self->ring->n; i++)
    {
      const CothreadTraceEvent *event = &self->ring->events[i & (self->ring->size - 1)];

      if ((event->event == CT_PROBE_SPAWN || event->event == CT_PROBE_FINISH) && event->arg != NULL)
        g_hash_table_insert (self->names, key (event->id), (gpointer) event->arg);
    }
}

static void
add_metadata (Export *self)
{
  begin_event (self, "thread_name", "__metadata", "M", 0);
  cothread_json_begin (&self->json, "args", '{');
  cothread_json_add_text (&self->json, "name", "cothread");
  cothread_json_end (&self->json, '}');
  end_event (self);
}

int
cothread_trace_export (const CothreadTraceRing *ring, FILE *file)
{
  Export self = { .ring = ring, .file = file };
  guint64 first = ring->n > ring->size ? ring->n - ring->size : 0;
  double end_us = 0;

  self.json.text = g_string_sized_new (2 * CHUNK_BYTES);
  self.open = g_array_new (FALSE, FALSE, sizeof (Slice));
  self.names = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self.functions = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self.waits = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  collect_names (&self, first);
  cothread_json_begin (&self.json, NULL, '{');
  cothread_json_add_text (&self.json, "displayTimeUnit", "ns");
  cothread_json_begin (&self.json, "traceEvents", '[');
  add_metadata (&self);
  for (guint64 i = first; i < ring->n && self.failure == 0; i++)
    {
      const CothreadTraceEvent *event = &ring->events[i & (ring->size - 1)];

      add (&self, event);
      end_us = (double) (event->ticks - ring->begin_ticks) / ring->ticks_per_us;
    }
  while (top (&self) != NULL)
    close_top (&self, end_us);
  cothread_json_end (&self.json, ']');
  cothread_json_end (&self.json, '}');
  flush (&self);
  g_string_free (self.json.text, TRUE);
  g_array_unref (self.open);
  g_hash_table_unref (self.names);
  g_hash_table_unref (self.functions);
  g_hash_table_unref (self.waits);
  return self.failure;
}
