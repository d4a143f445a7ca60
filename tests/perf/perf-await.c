/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf.h"

#include <cothread-glib.h>
#include <string.h>

/* Waiting for operations of GIO in tasks, beside callbacks that each start the
 * next operation. Both pass a cancellable. */

typedef struct
{
  guint at_once; /* chains of operations */
  guint n;       /* operations in each */
} AwaitLoad;

static guint n_running;
static GFile *file;
static GCancellable *cancellable;

static void
run_until_done (void)
{
  while (n_running > 0)
    g_main_context_iteration (NULL, TRUE);
}

typedef struct
{
  guint left;
  GInputStream *stream;
  char buffer[16];
} Chain;

static Chain *
chain_new (const AwaitLoad *load)
{
  static const char text[] = "0123456789abcdef";
  Chain *self = g_new0 (Chain, 1);

  self->left = load->n;
  self->stream = g_memory_input_stream_new_from_data (text, sizeof text - 1, NULL);
  n_running++;
  return self;
}

static void
chain_free (Chain *self)
{
  g_object_unref (self->stream);
  g_free (self);
  n_running--;
}

/* ---- a stream in memory: nothing but the price of an operation ---- */

static void memory_next (Chain *self);

static void
memory_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  memory_next (data);
}

static void
memory_next (Chain *self)
{
  if (self->left-- > 0)
    g_input_stream_read_async (self->stream, self->buffer, sizeof self->buffer, G_PRIORITY_DEFAULT, cancellable, memory_read, self);
  else
    chain_free (self);
}

static gpointer
memory_task (gpointer data, GError **error)
{
  Chain *self = data;

  for (; self->left > 0; self->left--)
    {
      g_autoptr (GAsyncResult) result = cothread_await (error, g_input_stream_read_async, self->stream, self->buffer,
                                                        sizeof self->buffer, G_PRIORITY_DEFAULT);

      g_input_stream_read_finish (self->stream, result, error);
    }
  chain_free (self);
  return NULL;
}

/* ---- a file's information: asked for in a thread of GIO's ---- */

static void file_next (Chain *self);

static void
file_queried (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (source), result, NULL);

  file_next (data);
}

static void
file_next (Chain *self)
{
  if (self->left-- > 0)
    g_file_query_info_async (file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT, cancellable, file_queried, self);
  else
    chain_free (self);
}

static gpointer
file_task (gpointer data, GError **error)
{
  Chain *self = data;

  for (; self->left > 0; self->left--)
    {
      g_autoptr (GAsyncResult) result = cothread_await (error, g_file_query_info_async, file, "standard::size",
                                                        G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT);
      g_autoptr (GFileInfo) info = g_file_query_info_finish (file, result, error);
    }
  chain_free (self);
  return NULL;
}

/* ---- */

static double
measure (const AwaitLoad *load, void (*start) (Chain *chain))
{
  double start_ns = perf_now_ns ();

  for (guint i = 0; i < load->at_once; i++)
    start (chain_new (load));
  run_until_done ();
  return (perf_now_ns () - start_ns) / load->n / load->at_once;
}

static void
start_memory_task (Chain *chain)
{
  cothread_task_unref (cothread_spawn (memory_task, chain));
}

static void
start_file_task (Chain *chain)
{
  cothread_task_unref (cothread_spawn (file_task, chain));
}

static double
memory_in_tasks (gpointer load)
{
  return measure (load, start_memory_task);
}

static double
memory_in_callbacks (gpointer load)
{
  return measure (load, memory_next);
}

static double
file_in_tasks (gpointer load)
{
  return measure (load, start_file_task);
}

static double
file_in_callbacks (gpointer load)
{
  return measure (load, file_next);
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Awaiting an operation of GIO", &argc, &argv, NULL);
  AwaitLoad one = { 1, perf_scale (perf, 5000) }, many = { 100, perf_scale (perf, 100) };
  const struct
  {
    const char *what;
    PerfFunc tasks, callbacks;
    AwaitLoad *load;
  } rows[] = {
    { "g_file_query_info_async, 1 at a time", file_in_tasks, file_in_callbacks, &one },
    { "g_file_query_info_async, 100 at a time", file_in_tasks, file_in_callbacks, &many },
    { "g_input_stream_read_async in memory, 1 at a time", memory_in_tasks, memory_in_callbacks, &one },
    { "g_input_stream_read_async in memory, 100 at a time", memory_in_tasks, memory_in_callbacks, &many },
  };

  file = g_file_new_for_path ("/etc/passwd");
  cancellable = g_cancellable_new ();
  perf_set_repeat (perf, 15);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const PerfPeer peer = { "its bare callback form", rows[i].callbacks, rows[i].load };

      perf_compare (perf, rows[i].what, rows[i].tasks, rows[i].load, &peer, 1);
    }
  return perf_finish (perf);
}
