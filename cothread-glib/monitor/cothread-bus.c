/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-bus.h"

#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-bus-answers-private.h"
#include "monitor/cothread-bus-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <unistd.h>

/**
 * CothreadBusMonitor:
 *
 * Lets another process of the same user look at a scheduler, through the session
 * bus: `cothread-top`, the dashboard, or `busctl`.
 *
 * The object `/org/cothread/Monitor` of the name
 * `org.cothread.Monitor.p` and the process's number (and `_2`, ... for a second
 * scheduler) has the interface `org.cothread.Monitor1` with the
 * methods `GetStatistics() → a{sv}`, `GetTurns() → x time_slice_us, ax recent`,
 * `ListQueues() → aa{sv}`, `ListTasks(u max) → aa{sv}`, `GetBacktrace(t task) →
 * as`, `ListWarnings(t after) → t last, a(utss) warnings` and `Dump(b backtraces,
 * u max) → s`. Members are called as those of #CothreadStatistics,
 * #CothreadCallbackStatistics and #CothreadTaskInfo are. `ListTasks` lists 2 000
 * tasks at most, since each holds the main loop for some 30 µs; `PackTasks(u max) →
 * as names, s letters, ay rows` is fifty times cheaper, and lists 100 000: a row
 * has each member in turn, as its letter says (u and i four bytes, t and x eight, b
 * one, s a byte that tells whether there is a text, and then the text with its NUL),
 * in the machine's byte order. #CothreadRemote is the other side.
 *
 * Everybody but the same user is refused.
 *
 * Nothing waits for the bus: without one, there is one warning and the program
 * goes on. A program with `COTHREAD_MONITOR=1` in its environment has such an
 * object by itself, if a main context drives its scheduler.
 *
 * Since: 0.1
 */
struct _CothreadBusMonitor
{
  GObject parent_instance;

  CothreadScheduler *scheduler;
  CothreadShutdownHook shutdown_hook;
  GCancellable *cancellable;
  GDBusConnection *connection;
  CothreadBusWarnings *warnings;
  char *bus_name;
  guint name_id;
  guint object_id;
  gboolean is_stopped;
  gboolean goes_with_scheduler; /* the reference is the scheduler's */
};

G_DEFINE_FINAL_TYPE (CothreadBusMonitor, cothread_bus_monitor, G_TYPE_OBJECT)

static const char description[] =
  "<node><interface name='" COTHREAD_MONITOR_INTERFACE "'>"
  "<method name='GetStatistics'><arg type='a{sv}' direction='out'/></method>"
  "<method name='GetTurns'><arg type='x' name='time_slice_us' direction='out'/><arg type='ax' name='recent' direction='out'/></method>"
  "<method name='ListQueues'><arg type='aa{sv}' direction='out'/></method>"
  "<method name='ListTasks'><arg type='u' name='max' direction='in'/><arg type='aa{sv}' direction='out'/></method>"
  "<method name='PackTasks'><arg type='u' name='max' direction='in'/><arg type='as' name='names' direction='out'/>"
  "<arg type='s' name='letters' direction='out'/><arg type='ay' name='rows' direction='out'/></method>"
  "<method name='GetBacktrace'><arg type='t' name='task' direction='in'/><arg type='as' direction='out'/></method>"
  "<method name='ListWarnings'><arg type='t' name='after' direction='in'/><arg type='t' name='last' direction='out'/>"
  "<arg type='a(utss)' name='warnings' direction='out'/></method>"
  "<method name='Dump'><arg type='b' name='backtraces' direction='in'/><arg type='u' name='max' direction='in'/>"
  "<arg type='s' direction='out'/></method>"
  "</interface></node>";

typedef struct
{
  CothreadBusMonitor *monitor;
  GDBusMethodInvocation *invocation;
  uid_t uid; /* of the caller; (uid_t) -1: the bus does not know */
} Call;

static GVariant *
find_answer (CothreadBusMonitor *self, GDBusMethodInvocation *invocation)
{
  GVariant *parameters = g_dbus_method_invocation_get_parameters (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  gboolean backtraces = FALSE;
  guint64 number = 0;
  guint max = 0;

  if (g_str_equal (method, "GetStatistics"))
    return cothread_bus_get_statistics (self->scheduler);
  if (g_str_equal (method, "GetTurns"))
    return cothread_bus_get_turns (self->scheduler);
  if (g_str_equal (method, "ListQueues"))
    return cothread_bus_list_queues (self->scheduler);
  if (g_str_equal (method, "ListTasks"))
    {
      g_variant_get (parameters, "(u)", &max);
      return cothread_bus_list_tasks (self->scheduler, max);
    }
  if (g_str_equal (method, "PackTasks"))
    {
      g_variant_get (parameters, "(u)", &max);
      return cothread_bus_pack_tasks (self->scheduler, max);
    }
  if (g_str_equal (method, "GetBacktrace"))
    {
      g_variant_get (parameters, "(t)", &number);
      return cothread_bus_get_backtrace (self->scheduler, number);
    }
  if (g_str_equal (method, "ListWarnings"))
    {
      g_variant_get (parameters, "(t)", &number);
      return cothread_bus_warnings_list (self->warnings, self->connection,
                                         g_dbus_method_invocation_get_sender (invocation), number);
    }
  g_variant_get (parameters, "(bu)", &backtraces, &max);
  return cothread_bus_dump (self->scheduler, backtraces, max);
}

static void
answer (Call *call)
{
  CothreadBusMonitor *self = call->monitor;

  if (call->uid != getuid ())
    g_dbus_method_invocation_return_error (call->invocation, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                                           "Only the user whose process this is may look at it");
  else if (self->is_stopped)
    g_dbus_method_invocation_return_error (call->invocation, G_DBUS_ERROR, G_DBUS_ERROR_FAILED, "The scheduler is shut down");
  else
    g_dbus_method_invocation_return_value (call->invocation, find_answer (self, call->invocation));
  g_object_unref (self);
  g_free (call);
}

static void
user_is_known (GObject *connection, GAsyncResult *result, gpointer data)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (connection), result, NULL);
  Call *call = data;
  guint uid;

  if (reply != NULL)
    {
      g_variant_get (reply, "(u)", &uid);
      call->uid = (uid_t) uid;
    }
  answer (call);
}

/* A session bus lets nobody else in as a rule, but it can be told to. */
static void
handle_call (GDBusConnection *connection, const char *sender, G_GNUC_UNUSED const char *path,
             G_GNUC_UNUSED const char *interface, G_GNUC_UNUSED const char *method,
             G_GNUC_UNUSED GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  Call *call = g_new0 (Call, 1);

  call->monitor = g_object_ref (data);
  call->invocation = invocation;
  call->uid = (uid_t) -1;
  g_dbus_connection_call (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetConnectionUnixUser", g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, user_is_known, call);
}

static const GDBusInterfaceVTable vtable = { handle_call, NULL, NULL, { NULL } };

static void
name_lost (G_GNUC_UNUSED GDBusConnection *connection, const char *name, G_GNUC_UNUSED gpointer data)
{
  g_warning ("The session bus does not give this process the name %s: nobody can watch it", name);
}

static void
connected (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (CothreadBusMonitor) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusNodeInfo) node = NULL;
  GDBusConnection *connection = g_bus_get_finish (result, &error);

  if (connection == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_warning ("Nobody can watch this process, since there is no session bus: %s", error->message);
      return;
    }
  self->connection = connection;
  if (self->is_stopped)
    return;
  /* The observed program goes on when its session ends. */
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  node = g_dbus_node_info_new_for_xml (description, &error);
  if (node != NULL)
    self->object_id = g_dbus_connection_register_object (connection, COTHREAD_MONITOR_OBJECT_PATH, node->interfaces[0],
                                                         &vtable, self, NULL, &error);
  if (self->object_id == 0)
    {
      g_warning ("Nobody can watch this process: %s", error->message);
      return;
    }
  self->name_id = g_bus_own_name_on_connection (connection, self->bus_name, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                NULL, name_lost, NULL, NULL);
}

static void
stop (CothreadBusMonitor *self)
{
  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  ct_link_unlink (&self->shutdown_hook.link);
  g_cancellable_cancel (self->cancellable);
  if (self->name_id != 0)
    g_bus_unown_name (self->name_id);
  if (self->object_id != 0)
    g_dbus_connection_unregister_object (self->connection, self->object_id);
  self->name_id = self->object_id = 0;
  g_clear_pointer (&self->warnings, cothread_bus_warnings_free);
}

/* The connection is the parent's: nothing is said on it. */
static void
scheduler_is_forked (CtLink *link)
{
  CothreadBusMonitor *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadBusMonitor, shutdown_hook);

  self->is_stopped = TRUE;
  self->name_id = self->object_id = 0;
}

static void
shut_down (CtLink *link)
{
  CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

  CothreadBusMonitor *self = CT_CONTAINER_OF (hook, CothreadBusMonitor, shutdown_hook);

  stop (self);
  if (self->goes_with_scheduler)
    g_object_unref (self);
}

static void
cothread_bus_monitor_dispose (GObject *object)
{
  stop (COTHREAD_BUS_MONITOR (object));
  G_OBJECT_CLASS (cothread_bus_monitor_parent_class)->dispose (object);
}

static void
cothread_bus_monitor_finalize (GObject *object)
{
  CothreadBusMonitor *self = COTHREAD_BUS_MONITOR (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);
  g_clear_object (&self->scheduler);
  g_free (self->bus_name);
  G_OBJECT_CLASS (cothread_bus_monitor_parent_class)->finalize (object);
}

static void
cothread_bus_monitor_class_init (CothreadBusMonitorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = cothread_bus_monitor_dispose;
  G_OBJECT_CLASS (klass)->finalize = cothread_bus_monitor_finalize;
}

static void
cothread_bus_monitor_init (CothreadBusMonitor *self)
{
  self->is_stopped = TRUE;
  self->cancellable = g_cancellable_new ();
  ct_link_init (&self->shutdown_hook.link);
}

/**
 * cothread_bus_monitor_new:
 * @scheduler: (nullable): a scheduler of the calling thread that a main context
 *   drives; %NULL: the default one
 *
 * Lets others look at a scheduler, until the object is dropped or the scheduler
 * shut down. The bus is asked for without waiting for it.
 *
 * Returns: (transfer full): a new object
 *
 * Since: 0.1
 */
CothreadBusMonitor *
cothread_bus_monitor_new (CothreadScheduler *scheduler)
{
  static gint n_made;
  CothreadBusMonitor *self;
  gint n;

  if (scheduler == NULL)
    scheduler = cothread_scheduler_get_default ();
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);
  g_return_val_if_fail (scheduler->context != NULL && scheduler->core != NULL, NULL);

  n = g_atomic_int_add (&n_made, 1) + 1;
  self = g_object_new (COTHREAD_TYPE_BUS_MONITOR, NULL);
  self->is_stopped = FALSE;
  self->scheduler = g_object_ref (scheduler);
  self->warnings = cothread_bus_warnings_new (scheduler);
  self->bus_name = n == 1 ? g_strdup_printf (COTHREAD_MONITOR_BUS_NAME ".p%d", (int) getpid ())
                          : g_strdup_printf (COTHREAD_MONITOR_BUS_NAME ".p%d_%d", (int) getpid (), n);
  self->shutdown_hook.run = shut_down;
  self->shutdown_hook.forked = scheduler_is_forked;
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->shutdown_hook.link);
  /* What the answers need to come back to this scheduler's context. */
  g_main_context_push_thread_default (scheduler->context);
  g_bus_get (G_BUS_TYPE_SESSION, self->cancellable, connected, g_object_ref (self));
  g_main_context_pop_thread_default (scheduler->context);
  return self;
}

/**
 * cothread_bus_monitor_stop:
 * @self: an object that lets others look
 *
 * Lets nobody look any more.
 *
 * Since: 0.1
 */
void
cothread_bus_monitor_stop (CothreadBusMonitor *self)
{
  g_return_if_fail (COTHREAD_IS_BUS_MONITOR (self));
  g_return_if_fail (cothread_scheduler_is_own_thread (self->scheduler));

  stop (self);
}

/**
 * cothread_bus_monitor_get_bus_name:
 * @self: an object that lets others look
 *
 * Returns: (transfer none): under which name it is found on the session bus
 *
 * Since: 0.1
 */
const char *
cothread_bus_monitor_get_bus_name (CothreadBusMonitor *self)
{
  g_return_val_if_fail (COTHREAD_IS_BUS_MONITOR (self), NULL);
  return self->bus_name;
}

void
cothread_bus_monitor_obey_environment (CothreadScheduler *scheduler)
{
  if (g_strcmp0 (g_getenv ("COTHREAD_MONITOR"), "1") == 0)
    cothread_bus_monitor_new (scheduler)->goes_with_scheduler = TRUE;
}
