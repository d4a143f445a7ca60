/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watched.h"

#include <cothread-glib.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define MAX_ASKED 100000

struct _Watched
{
  GDBusConnection *bus;
  char *name;
  GVariant *before; /* the statistics of the last look, or NULL */
  gint64 before_us;
};

static GDBusConnection *
connect_to_bus (GError **error)
{
  GDBusConnection *bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, error);

  if (bus == NULL)
    g_prefix_error (error, "There is no session bus: ");
  else
    g_dbus_connection_set_exit_on_close (bus, FALSE);
  return bus;
}

static GVariant *
call (GDBusConnection *bus, const char *name, const char *path, const char *interface, const char *method,
      GVariant *parameters, const char *type, GError **error)
{
  return cothread_call_dbus (bus, name, path, interface, method, parameters, G_VARIANT_TYPE (type), CALL_TIMEOUT_US, error);
}

static GVariant *
ask_bus (GDBusConnection *bus, const char *method, GVariant *parameters, const char *type, GError **error)
{
  return call (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, parameters, type, error);
}

/* The names of those that can be watched. */
static GStrv
find_names (GDBusConnection *bus, GError **error)
{
  g_autoptr (GVariant) reply = ask_bus (bus, "ListNames", NULL, "(as)", error);
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  g_autofree const char **names = NULL;

  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(^a&s)", &names);
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_has_prefix (names[i], COTHREAD_MONITOR_BUS_NAME ".p"))
      g_strv_builder_add (found, names[i]);
  return g_strv_builder_end (found);
}

static char *
name_of_process (const char *bus_name)
{
  gint process = atoi (bus_name + strlen (COTHREAD_MONITOR_BUS_NAME ".p"));
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", process);
  char *name = NULL;

  if (!g_file_get_contents (path, &name, NULL, NULL))
    return g_strdup ("?");
  return g_strchomp (name);
}

gboolean
watched_list (FILE *file, GError **error)
{
  g_autoptr (GDBusConnection) bus = connect_to_bus (error);
  g_auto (GStrv) names = bus != NULL ? find_names (bus, error) : NULL;

  if (names == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *program = name_of_process (names[i]);

      fprintf (file, "%s  %s\n", names[i] + strlen (COTHREAD_MONITOR_BUS_NAME ".p"), program);
    }
  return TRUE;
}

static char *
choose_name (GDBusConnection *bus, gint process, GError **error)
{
  g_auto (GStrv) names = find_names (bus, error);

  if (names == NULL)
    return NULL;
  if (process != 0)
    {
      g_autofree char *wanted = g_strdup_printf (COTHREAD_MONITOR_BUS_NAME ".p%d", process);

      if (g_strv_contains ((const char *const *) names, wanted))
        return g_steal_pointer (&wanted);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   "Process %d cannot be watched: it has to run with COTHREAD_MONITOR=1", process);
      return NULL;
    }
  if (g_strv_length (names) == 1)
    return g_strdup (names[0]);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                       names[0] == NULL ? "No process can be watched: it has to run with COTHREAD_MONITOR=1"
                                        : "Several processes can be watched: name one (--list shows them)");
  return NULL;
}

Watched *
watched_new (gint process, GError **error)
{
  g_autoptr (Watched) self = g_new0 (Watched, 1);

  self->bus = connect_to_bus (error);
  if (self->bus == NULL)
    return NULL;
  self->name = choose_name (self->bus, process, error);
  return self->name != NULL ? g_steal_pointer (&self) : NULL;
}

void
watched_free (Watched *self)
{
  g_clear_object (&self->bus);
  g_clear_pointer (&self->before, g_variant_unref);
  g_free (self->name);
  g_free (self);
}

/* The first member of the answer's tuple. */
static GVariant *
ask (Watched *self, const char *method, GVariant *parameters, const char *type, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GVariant) reply = call (self->bus, self->name, COTHREAD_MONITOR_OBJECT_PATH, COTHREAD_MONITOR_INTERFACE,
                                     method, parameters, type, &failure);

  if (reply != NULL)
    return g_variant_get_child_value (reply, 0);
  if (g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
      g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
      g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Process %s has ended", self->name + strlen (COTHREAD_MONITOR_BUS_NAME ".p"));
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CLOSED))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The session bus has gone");
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The process does not answer: something holds its main loop");
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

char *
watched_dump (Watched *self, GError **error)
{
  g_autoptr (GVariant) text = ask (self, "Dump", g_variant_new ("(bu)", TRUE, 0), "(s)", error);

  return text != NULL ? g_variant_dup_string (text, NULL) : NULL;
}

static guint64
get_number (GVariant *dict, const char *name)
{
  g_autoptr (GVariant) value = dict != NULL ? g_variant_lookup_value (dict, name, NULL) : NULL;

  if (value == NULL)
    return 0;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    return g_variant_get_uint32 (value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return g_variant_get_uint64 (value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    return (guint64) MAX (0, g_variant_get_int64 (value));
  return 0;
}

static const char *
get_text (GVariant *dict, const char *name)
{
  const char *text = "";

  g_variant_lookup (dict, name, "&s", &text);
  return text;
}

static void
describe_statistics (Watched *self, GVariant *now, GString *text)
{
  gint64 now_us = g_get_monotonic_time ();
  double seconds = self->before != NULL ? (double) (now_us - self->before_us) / 1e6 : (double) get_number (now, "age_us") / 1e6;
  double busy = (double) (get_number (now, "busy_us") - get_number (self->before, "busy_us")) / 1e4 / MAX (seconds, 1e-6);
  double switches = (double) (get_number (now, "switches") - get_number (self->before, "switches")) / MAX (seconds, 1e-6);

#define N(name) get_number (now, name)
  g_string_append_printf (text, "cothread-top: process %s, busy %.0f %%, %.0f switches/s, longest turn %.1f ms, %" G_GUINT64_FORMAT " stalls\n",
                          self->name + strlen (COTHREAD_MONITOR_BUS_NAME ".p"), CLAMP (busy, 0, 100), switches,
                          (double) N ("longest_turn_us") / 1e3, N ("stalls"));
  g_string_append_printf (text, "tasks: %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT " ready, %" G_GUINT64_FORMAT " waiting, %" G_GUINT64_FORMAT
                          " running), %" G_GUINT64_FORMAT " spawned, %" G_GUINT64_FORMAT " failed; %" G_GUINT64_FORMAT " timers, %" G_GUINT64_FORMAT " descriptors\n",
                          N ("tasks"), N ("ready"), N ("waiting"), N ("running"), N ("spawned"), N ("failed"), N ("timers"), N ("descriptors"));
#undef N
  g_clear_pointer (&self->before, g_variant_unref);
  self->before = g_variant_ref (now);
  self->before_us = now_us;
}

static void
describe_queues (GVariant *queues, GString *text)
{
  for (gsize i = 0; i < g_variant_n_children (queues); i++)
    {
      g_autoptr (GVariant) queue = g_variant_get_child_value (queues, i);

      g_string_append_printf (text, "queue %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", at most %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " run\n",
                              get_text (queue, "name"), get_number (queue, "length"), get_number (queue, "max_length"),
                              get_number (queue, "high_water"), get_number (queue, "run"));
    }
}

static int
by_switches (gconstpointer a, gconstpointer b)
{
  guint64 x = get_number (*(GVariant **) a, "switches"), y = get_number (*(GVariant **) b, "switches");

  return (x < y) - (x > y);
}

/* A name may hold whatever a terminal would take for a command. */
static char *
printable (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (out, g_unichar_iscntrl (c) ? 0xfffd : c);
    }
  return g_string_free (out, FALSE);
}

static void
describe_task (GVariant *task, GString *text)
{
  g_autofree char *name = printable (get_text (task, "name"));
  g_autofree char *reason = printable (get_text (task, "wait_reason"));
  g_autofree char *object = printable (get_text (task, "wait_object"));

  g_string_append_printf (text, "%8" G_GUINT64_FORMAT "  %-8s %-6s %10" G_GUINT64_FORMAT "  %-24s %s %s\n", get_number (task, "id"),
                          get_text (task, "state"), get_text (task, "language"), get_number (task, "switches"), name, reason, object);
}

static void
describe_tasks (GVariant *tasks, guint max_tasks, GString *text)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);

  for (gsize i = 0; i < g_variant_n_children (tasks); i++)
    g_ptr_array_add (sorted, g_variant_get_child_value (tasks, i));
  g_ptr_array_sort (sorted, by_switches);
  g_string_append (text, "      id  state    in       switches  name                     waits for\n");
  for (guint i = 0; i < MIN (sorted->len, max_tasks); i++)
    describe_task (sorted->pdata[i], text);
}

char *
watched_describe (Watched *self, guint max_tasks, GError **error)
{
  g_autoptr (GVariant) statistics = ask (self, "GetStatistics", NULL, "(a{sv})", error);
  g_autoptr (GVariant) queues = statistics != NULL ? ask (self, "ListQueues", NULL, "(aa{sv})", error) : NULL;
  g_autoptr (GVariant) tasks = queues != NULL ? ask (self, "ListTasks", g_variant_new ("(u)", MAX_ASKED), "(aa{sv})", error) : NULL;
  GString *text;

  if (tasks == NULL)
    return NULL;
  text = g_string_new (NULL);
  describe_statistics (self, statistics, text);
  describe_queues (queues, text);
  describe_tasks (tasks, max_tasks, text);
  return g_string_free (text, FALSE);
}
