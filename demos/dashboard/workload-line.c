/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "workload-line.h"

#include "ctv-format.h"

static void
add_index (GString *line, DashIndexer *indexer)
{
  const DashIndexProgress *progress = dash_indexer_get_progress (indexer);
  g_autofree char *duplicates = ctv_format_count (progress->duplicates);
  g_autofree char *bytes = g_format_size (progress->bytes);
  g_autofree char *root = g_filename_display_name (dash_indexer_get_root (indexer));

  g_string_append_printf (line, "%s %s: %s, %s %s", progress->resting ? "Indexed" : "Indexing",
                          root, bytes, duplicates, progress->duplicates == 1 ? "duplicate" : "duplicates");
  if (progress->failed > 0)
    g_string_append_printf (line, ", %" G_GUINT64_FORMAT " unreadable", progress->failed);
  if (progress->lost > 0)
    g_string_append_printf (line, ", %u results lost", progress->lost);
  if (progress->rounds > 0)
    g_string_append_printf (line, " (round %u)", progress->rounds + !progress->resting);
}

static void
add_sleepers (GString *line, DashSleepers *sleepers)
{
  guint alive = dash_sleepers_get_alive (sleepers);
  g_autofree char *count = ctv_format_count (alive);

  if (alive > 0)
    g_string_append_printf (line, " · %s asleep", count);
  if (dash_sleepers_get_problem (sleepers) != NULL)
    g_string_append_printf (line, " (no more: %s)", dash_sleepers_get_problem (sleepers));
}

static void
add_echo (GString *line, DashEcho *echo)
{
  g_autofree char *count = ctv_format_count (dash_echo_get_round_trips (echo));

  if (dash_echo_get_problem (echo) != NULL)
    g_string_append_printf (line, " · echo: %s", dash_echo_get_problem (echo));
  else if (dash_echo_get_port (echo) != 0)
    g_string_append_printf (line, " · echo on port %u: %s round trips", dash_echo_get_port (echo), count);
}

char *
dash_workload_line (DashEngine *engine)
{
  GString *line = g_string_new (NULL);

  add_index (line, engine->targets.indexer);
  add_sleepers (line, engine->targets.sleepers);
  add_echo (line, engine->targets.echo);

  return g_string_free (line, FALSE);
}

char *
dash_watch_line (DashWatch *watch)
{
  g_autofree char *program = ctv_format_text (watch->program);
  g_autofree char *name = ctv_format_text (watch->remote != NULL ? cothread_remote_get_bus_name (watch->remote) : watch->target);

  return watch->remote != NULL ? g_strdup_printf ("Watching %s, %s", program, name) : g_strdup_printf ("Looking for %s", name);
}
