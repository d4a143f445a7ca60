/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-gio.h"
#include "loop/cothread-shield.h"
#include "loop/cothread-wait-private.h"

/* What programs wait for most. Each is a few lines over cothread_await(), and
 * whatever is not here is as few lines for whoever needs it. */

#define INFOS_A_CALL 256

/**
 * cothread_load_file:
 * @file: a file
 * @contents: (out) (transfer full) (array length=length) (element-type guint8):
 *   its contents, with a zero byte after them
 * @length: (out) (optional): how many bytes
 * @error: return location for a #GError
 *
 * Loads a whole file. Suspends the calling task, as cothread_await() does.
 *
 * ```c
 * g_autofree char *text = NULL;
 *
 * if (!cothread_load_file (file, &text, NULL, error))
 *   return FALSE;
 * ```
 *
 * Fails like g_file_load_contents_finish() and cothread_await(); nothing is
 * returned then. A thread of GIO that reads from something that gives nothing (a
 * FIFO, a file system that is gone) cannot be cancelled: the task waits for it.
 *
 * Returns: whether it was loaded
 *
 * Since: 0.1
 */
gboolean
cothread_load_file (GFile *file, char **contents, gsize *length, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (G_IS_FILE (file), FALSE);
  g_return_val_if_fail (contents != NULL, FALSE);

  result = cothread_await (error, g_file_load_contents_async, file);
  return result != NULL && g_file_load_contents_finish (file, result, contents, length, NULL, error);
}

/* Not by g_file_replace_contents_async(): cancelled at the wrong moment, that
 * drops the stream it has just opened, which puts an empty file in the place of
 * the old one; and it tells nobody that closing failed. So what opens and what
 * closes is not cancelled: the cancellable is NULL. */
static GFileOutputStream *
open_replacement (GFile *file, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  CothreadAwait await;

  if (!cothread_await_begin (&await, "g_file_replace_async", COTHREAD_FOREVER, error))
    return NULL;
  g_file_replace_async (file, NULL, FALSE, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT, NULL, cothread_await_callback, &await);
  result = cothread_await_end (&await, error);
  return result != NULL ? g_file_replace_finish (file, result, error) : NULL;
}

static gboolean
close_replacement (GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  CothreadAwait await;

  if (!cothread_await_begin (&await, "g_output_stream_close_async", COTHREAD_FOREVER, error))
    return FALSE;
  g_output_stream_close_async (stream, G_PRIORITY_DEFAULT, cancellable, cothread_await_callback, &await);
  result = cothread_await_end (&await, error);
  return result != NULL && g_output_stream_close_finish (stream, result, error);
}

/* Closing with a cancelled cancellable leaves the old file where it is. */
static void
discard_replacement (GOutputStream *stream)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_cancellable_cancel (cancelled);
  cothread_shield_begin ();
  if (!g_output_stream_is_closed (stream))
    close_replacement (stream, cancelled, NULL);
  cothread_shield_end ();
  if (!g_output_stream_is_closed (stream))
    g_output_stream_close (stream, cancelled, NULL);
}

static gboolean
write_replacement (GOutputStream *stream, const char *contents, gsize n_bytes, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, g_output_stream_write_all_async, stream, contents, n_bytes,
                                                    G_PRIORITY_DEFAULT);

  return result != NULL && g_output_stream_write_all_finish (stream, result, NULL, error);
}

/**
 * cothread_save_file:
 * @file: a file
 * @contents: (array length=length) (element-type guint8): what to write; it
 *   must stay as it is until the function has returned
 * @length: how many bytes; -1: up to the first zero byte
 * @error: return location for a #GError
 *
 * Replaces the contents of a file, or makes one. If it fails or is cancelled,
 * what was there stays as it was; of a file that was not there a part may be
 * left. Suspends the calling task, as cothread_await() does.
 *
 * ```c
 * cothread_save_file (file, text, -1, error);
 * ```
 *
 * Fails like g_file_replace_finish(), g_output_stream_write_all_finish(),
 * g_output_stream_close_finish() and cothread_await(). A cancellation that comes
 * when all is written and the file is being replaced comes too late: it was
 * saved.
 *
 * Returns: whether it was saved
 *
 * Since: 0.1
 */
gboolean
cothread_save_file (GFile *file, const char *contents, gssize length, GError **error)
{
  g_autoptr (GFileOutputStream) stream = NULL;
  gboolean success;
  gsize n_bytes;

  g_return_val_if_fail (G_IS_FILE (file), FALSE);
  g_return_val_if_fail (contents != NULL || length == 0, FALSE);

  n_bytes = length >= 0 ? (gsize) length : strlen (contents);
  stream = open_replacement (file, error);
  if (stream == NULL)
    return FALSE;
  success = (n_bytes == 0 || write_replacement (G_OUTPUT_STREAM (stream), contents, n_bytes, error)) &&
            close_replacement (G_OUTPUT_STREAM (stream), NULL, error);
  if (!success)
    discard_replacement (G_OUTPUT_STREAM (stream));
  return success;
}

static GList *
next_infos (GFileEnumerator *children, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, g_file_enumerator_next_files_async, children, INFOS_A_CALL,
                                                    G_PRIORITY_DEFAULT);

  return result != NULL ? g_file_enumerator_next_files_finish (children, result, error) : NULL;
}

/**
 * cothread_list_folder:
 * @folder: a folder
 * @attributes: what to ask for, such as `standard::name,standard::type`
 * @flags: how to treat links
 * @error: return location for a #GError
 *
 * Lists what is in a folder, in the order in which the system gives it. Suspends
 * the calling task, as cothread_await() does, once for each portion: other tasks
 * run in between.
 *
 * ```c
 * g_autoptr (GPtrArray) infos = cothread_list_folder (folder, "standard::name", G_FILE_QUERY_INFO_NONE, error);
 *
 * for (guint i = 0; infos != NULL && i < infos->len; i++)
 *   g_print ("%s\n", g_file_info_get_name (infos->pdata[i]));
 * ```
 *
 * Fails like g_file_enumerate_children_finish(),
 * g_file_enumerator_next_files_finish() and cothread_await().
 *
 * Returns: (transfer container) (element-type GFileInfo) (nullable): the files,
 *   or %NULL
 *
 * Since: 0.1
 */
GPtrArray *
cothread_list_folder (GFile *folder, const char *attributes, GFileQueryInfoFlags flags, GError **error)
{
  g_autoptr (GPtrArray) infos = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GFileEnumerator) children = NULL;
  g_autoptr (GError) failure = NULL;
  GList *more;

  g_return_val_if_fail (G_IS_FILE (folder), NULL);
  g_return_val_if_fail (attributes != NULL, NULL);

  result = cothread_await (error, g_file_enumerate_children_async, folder, attributes, flags, G_PRIORITY_DEFAULT);
  if (result == NULL)
    return NULL;
  children = g_file_enumerate_children_finish (folder, result, error);
  if (children == NULL)
    return NULL;
  while ((more = next_infos (children, &failure)) != NULL)
    {
      for (GList *link = more; link != NULL; link = link->next)
        g_ptr_array_add (infos, link->data);
      g_list_free (more);
    }
  if (failure == NULL)
    return g_steal_pointer (&infos);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/**
 * cothread_resolve:
 * @host_name: a host name or an address
 * @error: return location for a #GError
 *
 * Looks up the addresses of a host. Suspends the calling task, as
 * cothread_await() does.
 *
 * ```c
 * GList *addresses = cothread_resolve ("www.gnome.org", error);
 * ...
 * g_resolver_free_addresses (addresses);
 * ```
 *
 * Fails like g_resolver_lookup_by_name_finish() and cothread_await().
 *
 * Returns: (transfer container) (element-type GInetAddress): the addresses, to be
 *   freed with g_resolver_free_addresses(); %NULL on failure
 *
 * Since: 0.1
 */
GList *
cothread_resolve (const char *host_name, GError **error)
{
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (host_name != NULL, NULL);

  resolver = g_resolver_get_default ();
  result = cothread_await (error, g_resolver_lookup_by_name_async, resolver, host_name);
  return result != NULL ? g_resolver_lookup_by_name_finish (resolver, result, error) : NULL;
}

/**
 * cothread_connect_to_host:
 * @host_and_port: a host name or address, perhaps with a port: `localhost:8080`
 * @default_port: the port where none is given
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Connects to a host, by whatever address and proxy answers. Suspends the
 * calling task, as cothread_await() does. For TLS, or a #GSocketClient with
 * options, await its own functions.
 *
 * ```c
 * g_autoptr (GSocketConnection) peer = cothread_connect_to_host ("example.org", 80, 10 * G_USEC_PER_SEC, error);
 * ```
 *
 * Fails like g_socket_client_connect_to_host_finish() and cothread_await_for().
 *
 * Returns: (transfer full) (nullable): the connection, or %NULL
 *
 * Since: 0.1
 */
GSocketConnection *
cothread_connect_to_host (const char *host_and_port, guint16 default_port, gint64 timeout_us, GError **error)
{
  g_autoptr (GSocketClient) client = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (host_and_port != NULL, NULL);

  client = g_socket_client_new ();
  result = cothread_await_for (timeout_us, error, g_socket_client_connect_to_host_async, client, host_and_port, default_port);
  return result != NULL ? g_socket_client_connect_to_host_finish (client, result, error) : NULL;
}

/**
 * cothread_accept_connection:
 * @listener: a listener with at least one address or port
 * @source_object: (out) (optional) (transfer none) (nullable): what was given
 *   with the address
 * @error: return location for a #GError
 *
 * Waits for a connection. Suspends the calling task, as cothread_await() does.
 *
 * ```c
 * g_autoptr (GSocketListener) listener = g_socket_listener_new ();
 * guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, error);
 * g_autoptr (GSocketConnection) visitor = cothread_accept_connection (listener, NULL, error);
 * ```
 *
 * Fails like g_socket_listener_accept_finish() and cothread_await(). With
 * %G_IO_ERROR_TOO_MANY_OPEN_FILES there is nothing wrong with the listener: wait
 * a little and try again; see also #CothreadServer.
 *
 * Returns: (transfer full) (nullable): the connection, or %NULL
 *
 * Since: 0.1
 */
GSocketConnection *
cothread_accept_connection (GSocketListener *listener, GObject **source_object, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (G_IS_SOCKET_LISTENER (listener), NULL);

  result = cothread_await (error, g_socket_listener_accept_async, listener);
  return result != NULL ? g_socket_listener_accept_finish (listener, result, source_object, error) : NULL;
}

/* Before something is begun that cannot be taken back. */
static gboolean
can_wait (GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);

  return core != NULL && (!ct_task_is_cancelled (core->current) ||
                          cothread_wait_on (core, NULL, CT_TIME_NEVER, "program", NULL, error));
}

static gboolean
wait_for_end (GSubprocess *process, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, g_subprocess_wait_async, process);

  return result != NULL && g_subprocess_wait_finish (process, result, error);
}

/* Nothing of it may be left behind: not even a zombie. */
static void
kill_process (GSubprocess *process)
{
  g_subprocess_force_exit (process);
  cothread_shield_begin ();
  wait_for_end (process, NULL);
  cothread_shield_end ();
}

/**
 * cothread_run:
 * @argv: (array zero-terminated=1): the program, looked for in `PATH`, and its
 *   arguments
 * @input: (nullable): what it reads; %NULL: nothing
 * @output: (out) (optional) (transfer full): what it wrote; if %NULL, it writes
 *   where this process does
 * @errors: (out) (optional) (transfer full): the same for its error output
 * @wait_status: (out) (optional): for g_spawn_check_wait_status()
 * @error: return location for a #GError
 *
 * Runs a program to its end. Its input and both outputs are served at once,
 * however much there is. Suspends the calling task, as cothread_await() does;
 * if the task is cancelled, the program is killed (what it has started itself is
 * not), and waited for. A task that was cancelled before starts nothing.
 *
 * ```c
 * static const char *const argv[] = { "git", "log", "-1", NULL };
 * g_autoptr (GBytes) text = NULL;
 *
 * if (cothread_run (argv, NULL, &text, NULL, NULL, error))
 *   fwrite (g_bytes_get_data (text, NULL), 1, g_bytes_get_size (text), stdout);
 * ```
 *
 * Without @wait_status a program that ends with another status than 0 or is
 * killed is a failure too, with an error of %G_SPAWN_EXIT_ERROR or
 * %G_SPAWN_ERROR; what it wrote is returned all the same. Otherwise fails like
 * g_subprocess_newv(), g_subprocess_communicate_finish() and cothread_await(),
 * and returns nothing.
 *
 * Returns: whether it ran, and ended well
 *
 * Since: 0.1
 */
gboolean
cothread_run (const char *const *argv, GBytes *input, GBytes **output, GBytes **errors, gint *wait_status, GError **error)
{
  GSubprocessFlags flags = (input != NULL ? G_SUBPROCESS_FLAGS_STDIN_PIPE : 0) |
                           (output != NULL ? G_SUBPROCESS_FLAGS_STDOUT_PIPE : 0) |
                           (errors != NULL ? G_SUBPROCESS_FLAGS_STDERR_PIPE : 0);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (argv != NULL && argv[0] != NULL, FALSE);

  if (!can_wait (error))
    return FALSE;
  process = g_subprocess_newv (argv, flags, error);
  if (process == NULL)
    return FALSE;
  result = cothread_await (error, g_subprocess_communicate_async, process, input);
  if (result == NULL || !g_subprocess_communicate_finish (process, result, output, errors, error))
    {
      kill_process (process);
      return FALSE;
    }
  if (wait_status == NULL)
    return g_spawn_check_wait_status (g_subprocess_get_status (process), error);
  *wait_status = g_subprocess_get_status (process);
  return TRUE;
}

/**
 * cothread_call_dbus:
 * @connection: a connection
 * @bus_name: (nullable): whom to call; %NULL without a bus
 * @object_path: the object
 * @interface_name: the interface
 * @method_name: the method
 * @parameters: (nullable): a tuple; taken if floating
 * @reply_type: (nullable): what the answer has to be, a tuple
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Calls a method. Suspends the calling task, as cothread_await() does. When the
 * task is cancelled or the time is up the answer is no longer waited for; the
 * other side is not told.
 *
 * ```c
 * g_autoptr (GVariant) answer =
 *   cothread_call_dbus (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
 *                       "GetNameOwner", g_variant_new ("(s)", name), G_VARIANT_TYPE ("(s)"), COTHREAD_FOREVER, error);
 * ```
 *
 * Fails like g_dbus_connection_call_finish() (an error of the other side is
 * mapped to a #GError as there; an answer of another type than @reply_type is
 * %G_IO_ERROR_INVALID_ARGUMENT, a connection that ends %G_IO_ERROR_CLOSED), and
 * like cothread_await_for().
 *
 * Returns: (transfer full) (nullable): the answer, a tuple, or %NULL
 *
 * Since: 0.1
 */
GVariant *
cothread_call_dbus (GDBusConnection *connection, const char *bus_name, const char *object_path, const char *interface_name,
                    const char *method_name, GVariant *parameters, const GVariantType *reply_type, gint64 timeout_us,
                    GError **error)
{
  g_autoptr (GVariant) own = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (G_IS_DBUS_CONNECTION (connection), NULL);

  result = cothread_await_for (timeout_us, error, g_dbus_connection_call, connection, bus_name, object_path, interface_name,
                               method_name, own, reply_type, G_DBUS_CALL_FLAGS_NONE, G_MAXINT);
  return result != NULL ? g_dbus_connection_call_finish (connection, result, error) : NULL;
}
