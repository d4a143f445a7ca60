/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-bus-warnings-private.h"

#include "monitor/cothread-monitor.h"
#include "monitor/cothread-warning.h"

#define INTERVAL_MS 1000
#define MOST_KEPT 64
#define MOST_WATCHERS 16

typedef struct
{
  CothreadBusWarnings *warnings;
  guint watch_id;
} Watcher;

struct _CothreadBusWarnings
{
  CothreadScheduler *scheduler; /* not referenced */
  CothreadMonitor *monitor;     /* NULL while nobody watches */
  GHashTable *watchers;         /* unique bus name: Watcher */
  GQueue kept;                  /* CothreadWarning, oldest first */
  guint64 n;                    /* ever, and the number of the last */
};

static void
free_watcher (gpointer data)
{
  Watcher *watcher = data;

  g_bus_unwatch_name (watcher->watch_id);
  g_free (watcher);
}

CothreadBusWarnings *
cothread_bus_warnings_new (CothreadScheduler *scheduler)
{
  CothreadBusWarnings *self = g_new0 (CothreadBusWarnings, 1);

  self->scheduler = scheduler;
  self->watchers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_watcher);
  g_queue_init (&self->kept);
  return self;
}

static void
stop_checks (CothreadBusWarnings *self)
{
  if (self->monitor == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->monitor, self);
  g_clear_object (&self->monitor);
}

void
cothread_bus_warnings_free (CothreadBusWarnings *self)
{
  if (self == NULL)
    return;
  stop_checks (self);
  g_hash_table_unref (self->watchers);
  g_queue_clear_full (&self->kept, (GDestroyNotify) cothread_warning_free);
  g_free (self);
}

static void
keep (G_GNUC_UNUSED CothreadMonitor *monitor, const CothreadWarning *warning, CothreadBusWarnings *self)
{
  g_queue_push_tail (&self->kept, cothread_warning_copy (warning));
  self->n++;
  if (self->kept.length > MOST_KEPT)
    cothread_warning_free (g_queue_pop_head (&self->kept));
}

static void
watcher_left (G_GNUC_UNUSED GDBusConnection *connection, const char *name, gpointer data)
{
  CothreadBusWarnings *self = ((Watcher *) data)->warnings;

  g_hash_table_remove (self->watchers, name);
  if (g_hash_table_size (self->watchers) == 0)
    stop_checks (self);
}

static void
know_watcher (CothreadBusWarnings *self, GDBusConnection *connection, const char *name)
{
  Watcher *watcher;

  if (g_hash_table_contains (self->watchers, name) || g_hash_table_size (self->watchers) >= MOST_WATCHERS)
    return;
  watcher = g_new0 (Watcher, 1);
  watcher->warnings = self;
  watcher->watch_id = g_bus_watch_name_on_connection (connection, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                      watcher_left, watcher, NULL);
  g_hash_table_insert (self->watchers, g_strdup (name), watcher);
}

static void
begin_checks (CothreadBusWarnings *self)
{
  if (self->monitor != NULL)
    return;
  self->monitor = cothread_monitor_new (self->scheduler);
  cothread_monitor_set_interval (self->monitor, INTERVAL_MS);
  cothread_monitor_set_checks (self->monitor, TRUE);
  g_signal_connect (self->monitor, "warning", G_CALLBACK (keep), self);
}

GVariant *
cothread_bus_warnings_list (CothreadBusWarnings *self, GDBusConnection *connection, const char *watcher, guint64 after)
{
  guint64 number = self->n - self->kept.length;
  GVariantBuilder builder;

  know_watcher (self, connection, watcher);
  begin_checks (self);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(utss)"));
  for (GList *link = self->kept.head; link != NULL; link = link->next)
    {
      const CothreadWarning *warning = link->data;

      if (++number > after)
        g_variant_builder_add (&builder, "(utss)", (guint) warning->kind, warning->task_id, warning->task_name, warning->message);
    }
  return g_variant_new ("(ta(utss))", self->n, &builder);
}
