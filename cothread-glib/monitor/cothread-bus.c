/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-bus.h"

#include "callback/cothread-callback-queue-private.h"
#include "loop/cothread-scheduler-private.h"
#include "monitor/cothread-bus-private.h"
#include "monitor/cothread-dump.h"
#include "monitor/cothread-fields-private.h"
#include "monitor/cothread-statistics.h"
#include "monitor/cothread-task-info.h"

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
 * methods `GetStatistics() → a{sv}`, `ListQueues() → aa{sv}`, `ListTasks(u max) →
 * aa{sv}` and `Dump(b backtraces, u max) → s`. Members are called as those of
 * #CothreadStatistics, #CothreadCallbackStatistics and #CothreadTaskInfo are.
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
  "<method name='ListQueues'><arg type='aa{sv}' direction='out'/></method>"
  "<method name='ListTasks'><arg type='u' name='max' direction='in'/><arg type='aa{sv}' direction='out'/></method>"
  "<method name='Dump'><arg type='b' name='backtraces' direction='in'/><arg type='u' name='max' direction='in'/>"
  "<arg type='s' direction='out'/></method>"
  "</interface></node>";

/* A message of the bus has a limit of 128 MiB. */
#define MAX_TASKS 100000

static GVariant *
get_statistics (CothreadBusMonitor *self)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (self->scheduler);

  return g_variant_new ("(@a{sv})", cothread_fields_to_variant (cothread_statistics_fields, statistics));
}

static GVariant *
list_queues (CothreadBusMonitor *self)
{
  const CtLink *hooks = &self->scheduler->shutdown_hooks;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (CtLink *link = hooks->next; link != hooks; link = link->next)
    {
      CothreadCallbackQueue *queue = cothread_callback_queue_from_hook (link);
      g_autoptr (CothreadCallbackStatistics) statistics = NULL;
      GVariantDict dict;

      if (queue == NULL)
        continue;
      statistics = cothread_callback_queue_get_statistics (queue);
      g_variant_dict_init (&dict, cothread_fields_to_variant (cothread_callback_statistics_fields, statistics));
      g_variant_dict_insert_value (&dict, "name", g_variant_new_take_string (g_utf8_make_valid (cothread_callback_queue_get_name (queue), -1)));
      g_variant_builder_add_value (&builder, g_variant_dict_end (&dict));
    }
  return g_variant_new ("(@aa{sv})", g_variant_builder_end (&builder));
}

static GVariant *
list_tasks (CothreadBusMonitor *self, guint max)
{
  g_autoptr (GPtrArray) infos = cothread_scheduler_list_task_infos (self->scheduler, max == 0 ? MAX_TASKS : MIN (max, MAX_TASKS));
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < infos->len; i++)
    g_variant_builder_add_value (&builder, cothread_fields_to_variant (cothread_task_info_fields, infos->pdata[i]));
  return g_variant_new ("(@aa{sv})", g_variant_builder_end (&builder));
}

static GVariant *
dump (CothreadBusMonitor *self, gboolean backtraces, guint max)
{
  char *text = cothread_scheduler_dump_text (self->scheduler, backtraces ? COTHREAD_DUMP_BACKTRACES : COTHREAD_DUMP_DEFAULT,
                                             max == 0 ? MAX_TASKS : MIN (max, MAX_TASKS));

  return g_variant_new ("(@s)", g_variant_new_take_string (text));
}

typedef struct
{
  CothreadBusMonitor *monitor;
  GDBusMethodInvocation *invocation;
  uid_t uid; /* of the caller; (uid_t) -1: the bus does not know */
} Call;

static void
answer (Call *call)
{
  CothreadBusMonitor *self = call->monitor;
  GVariant *parameters = g_dbus_method_invocation_get_parameters (call->invocation);
  const char *method = g_dbus_method_invocation_get_method_name (call->invocation);
  gboolean backtraces = FALSE;
  guint max = 0;

  if (call->uid != getuid ())
    g_dbus_method_invocation_return_error (call->invocation, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                                           "Only the user whose process this is may look at it");
  else if (self->is_stopped)
    g_dbus_method_invocation_return_error (call->invocation, G_DBUS_ERROR, G_DBUS_ERROR_FAILED, "The scheduler is shut down");
  else if (g_str_equal (method, "GetStatistics"))
    g_dbus_method_invocation_return_value (call->invocation, get_statistics (self));
  else if (g_str_equal (method, "ListQueues"))
    g_dbus_method_invocation_return_value (call->invocation, list_queues (self));
  else if (g_str_equal (method, "ListTasks"))
    {
      g_variant_get (parameters, "(u)", &max);
      g_dbus_method_invocation_return_value (call->invocation, list_tasks (self, max));
    }
  else
    {
      g_variant_get (parameters, "(bu)", &backtraces, &max);
      g_dbus_method_invocation_return_value (call->invocation, dump (self, backtraces, max));
    }
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
  self->bus_name = n == 1 ? g_strdup_printf (COTHREAD_MONITOR_BUS_NAME ".p%d", (int) getpid ())
                          : g_strdup_printf (COTHREAD_MONITOR_BUS_NAME ".p%d_%d", (int) getpid (), n);
  self->shutdown_hook.run = shut_down;
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
