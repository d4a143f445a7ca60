/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-remote-private.h"

#include "io/cothread-gio.h"

#include <stdlib.h>
#include <unistd.h>

/**
 * CothreadRemote:
 *
 * The scheduler of another process, seen through the session bus: the other side
 * of #CothreadBusMonitor.
 *
 * Everything that asks suspends the calling task and has a timeout (5 s, see
 * cothread_remote_set_timeout()); it fails with
 *
 * - %G_IO_ERROR_CLOSED if the process has ended, or the bus has gone;
 * - %G_IO_ERROR_TIMED_OUT if it does not answer, since something holds its main
 *   loop: asking again later is fine;
 * - %G_IO_ERROR_CANCELLED if the task was cancelled;
 * - what the other side says otherwise, such as %G_DBUS_ERROR_ACCESS_DENIED where
 *   the process is another user's.
 *
 * What comes is believed only as far as its types are right.
 *
 * To be used on the thread that has made it.
 *
 * Since: 0.1
 */
struct _CothreadRemote
{
  GObject parent_instance;

  GDBusConnection *bus;
  char *bus_name;
  gint64 timeout_us;
};

G_DEFINE_FINAL_TYPE (CothreadRemote, cothread_remote, G_TYPE_OBJECT)

#define TIMEOUT_US (5 * G_USEC_PER_SEC)
#define PREFIX COTHREAD_MONITOR_BUS_NAME ".p"

static void
cothread_remote_finalize (GObject *object)
{
  CothreadRemote *self = COTHREAD_REMOTE (object);

  g_clear_object (&self->bus);
  g_free (self->bus_name);
  G_OBJECT_CLASS (cothread_remote_parent_class)->finalize (object);
}

static void
cothread_remote_class_init (CothreadRemoteClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_remote_finalize;
}

static void
cothread_remote_init (CothreadRemote *self)
{
  self->timeout_us = TIMEOUT_US;
}

static GDBusConnection *
connect_to_bus (GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await_for (TIMEOUT_US, error, g_bus_get, G_BUS_TYPE_SESSION);
  g_autoptr (GError) failure = NULL;
  GDBusConnection *bus;

  if (result == NULL)
    return NULL;
  bus = g_bus_get_finish (result, &failure);
  if (bus != NULL)
    g_dbus_connection_set_exit_on_close (bus, FALSE);
  else
    g_set_error (error, failure->domain, failure->code, "There is no session bus: %s", failure->message);
  return bus;
}

static GVariant *
ask_bus (GDBusConnection *bus, const char *method, GVariant *parameters, const char *type, GError **error)
{
  return cothread_call_dbus (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                             parameters, G_VARIANT_TYPE (type), TIMEOUT_US, error);
}

static char **
list_names (GDBusConnection *bus, GError **error)
{
  g_autoptr (GVariant) reply = ask_bus (bus, "ListNames", NULL, "(as)", error);
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  g_autofree const char **names = NULL;

  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(^a&s)", &names);
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_has_prefix (names[i], PREFIX) && atoi (names[i] + strlen (PREFIX)) != getpid ())
      g_strv_builder_add (found, names[i]);
  return g_strv_builder_end (found);
}

/**
 * cothread_remote_list: (skip)
 * @error: return location for a #GError
 *
 * Lists the other processes that can be watched, those of #CothreadBusMonitor.
 * Suspends the calling task.
 *
 * Fails if there is no session bus, or it does not answer within five seconds.
 *
 * Returns: (transfer full) (array zero-terminated=1) (nullable): their bus names,
 *   or %NULL
 *
 * Since: 0.1
 */
char **
cothread_remote_list (GError **error)
{
  g_autoptr (GDBusConnection) bus = connect_to_bus (error);

  return bus != NULL ? list_names (bus, error) : NULL;
}

/**
 * cothread_remote_dup_program:
 * @bus_name: a bus name of #CothreadBusMonitor
 *
 * Returns: (transfer full): the name of the program that runs in that process, as
 *   it was called, in valid UTF-8; `?` if the system does not tell
 *
 * Since: 0.1
 */
char *
cothread_remote_dup_program (const char *bus_name)
{
  g_autofree char *path = NULL;
  g_autofree char *command = NULL; /* its words end with NULs: the first is read */
  g_autofree char *name = NULL;

  g_return_val_if_fail (bus_name != NULL, NULL);

  if (g_str_has_prefix (bus_name, PREFIX))
    path = g_strdup_printf ("/proc/%d/cmdline", atoi (bus_name + strlen (PREFIX)));
  if (path == NULL || !g_file_get_contents (path, &command, NULL, NULL) || *command == '\0')
    return g_strdup ("?");
  name = g_path_get_basename (command);
  return g_utf8_make_valid (name, -1);
}

static char *
choose (GDBusConnection *bus, GError **error)
{
  g_auto (GStrv) names = list_names (bus, error);

  if (names == NULL)
    return NULL;
  if (g_strv_length (names) == 1)
    return g_strdup (names[0]);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                       names[0] == NULL ? "No process can be watched: it has to run with COTHREAD_MONITOR=1"
                                        : "Several processes can be watched: name one of them");
  return NULL;
}

static char *
find_name (GDBusConnection *bus, const char *process, GError **error)
{
  gboolean is_bus_name = strpbrk (process, ".:") != NULL;
  g_autofree char *name = is_bus_name ? g_strdup (process) : g_strconcat (PREFIX, process, NULL);
  g_autoptr (GVariant) reply = NULL;
  gboolean has_owner = FALSE;

  if (!g_dbus_is_name (name))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is neither a process number nor a bus name", process);
      return NULL;
    }
  reply = ask_bus (bus, "NameHasOwner", g_variant_new ("(s)", name), "(b)", error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(b)", &has_owner);
  if (has_owner)
    return g_steal_pointer (&name);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               "%s %s cannot be watched: it has to run with COTHREAD_MONITOR=1", is_bus_name ? "The process of" : "Process", process);
  return NULL;
}

/**
 * cothread_remote_new: (skip)
 * @process: (nullable): the number of a process, or a bus name; %NULL: the only
 *   other process that can be watched
 * @error: return location for a #GError
 *
 * Finds a process that can be watched. Suspends the calling task.
 *
 * Fails with %G_IO_ERROR_NOT_FOUND if there is none of that name, or none at all,
 * or %NULL was passed and there are several; with %G_IO_ERROR_INVALID_ARGUMENT if
 * @process is no name; and if there is no session bus.
 *
 * Returns: (transfer full) (nullable): a new object, or %NULL
 *
 * Since: 0.1
 */
CothreadRemote *
cothread_remote_new (const char *process, GError **error)
{
  g_autoptr (GDBusConnection) bus = connect_to_bus (error);
  CothreadRemote *self;
  char *name;

  if (bus == NULL)
    return NULL;
  name = process != NULL ? find_name (bus, process, error) : choose (bus, error);
  if (name == NULL)
    return NULL;
  self = g_object_new (COTHREAD_TYPE_REMOTE, NULL);
  self->bus = g_steal_pointer (&bus);
  self->bus_name = name;
  return self;
}

/**
 * cothread_remote_get_bus_name:
 * @self: a remote scheduler
 *
 * Returns: (transfer none): the bus name under which it is found
 *
 * Since: 0.1
 */
const char *
cothread_remote_get_bus_name (CothreadRemote *self)
{
  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);
  return self->bus_name;
}

/**
 * cothread_remote_get_process:
 * @self: a remote scheduler
 *
 * Returns: (transfer none): what people call the process: its number (and `_2` and
 *   so on for its other schedulers), or else the bus name
 *
 * Since: 0.1
 */
const char *
cothread_remote_get_process (CothreadRemote *self)
{
  g_return_val_if_fail (COTHREAD_IS_REMOTE (self), NULL);
  return g_str_has_prefix (self->bus_name, PREFIX) ? self->bus_name + strlen (PREFIX) : self->bus_name;
}

/**
 * cothread_remote_set_timeout:
 * @self: a remote scheduler
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 *
 * Sets how long to wait for an answer; five seconds to begin with.
 *
 * Since: 0.1
 */
void
cothread_remote_set_timeout (CothreadRemote *self, gint64 timeout_us)
{
  g_return_if_fail (COTHREAD_IS_REMOTE (self));
  g_return_if_fail (timeout_us > 0 || timeout_us == COTHREAD_FOREVER);
  self->timeout_us = timeout_us;
}

/* What D-Bus says in its own words, said in those of who asked. */
static void
explain (CothreadRemote *self, GError *failure, GError **error)
{
  if (g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
      g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
      g_error_matches (failure, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "Process %s has ended", cothread_remote_get_process (self));
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CLOSED))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The session bus has gone");
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Process %s does not answer: something holds its main loop",
                 cothread_remote_get_process (self));
  else
    {
      g_dbus_error_strip_remote_error (failure);
      g_propagate_error (error, g_error_copy (failure));
    }
}

GVariant *
cothread_remote_ask (CothreadRemote *self, const char *method, GVariant *parameters, const char *type, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GVariant *reply = cothread_call_dbus (self->bus, self->bus_name, COTHREAD_MONITOR_OBJECT_PATH, COTHREAD_MONITOR_INTERFACE,
                                        method, parameters, G_VARIANT_TYPE (type), self->timeout_us, &failure);

  if (reply == NULL)
    explain (self, failure, error);
  return reply;
}
