/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-server.h"
#include "io/cothread-gio.h"
#include "io/cothread-stream.h"
#include "loop/cothread-async-wait-private.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-shield.h"
#include "loop/cothread-task.h"
#include "sync/cothread-event.h"
#include "sync/cothread-semaphore.h"
#include "sync/cothread-sources-private.h"

/* After a failure to accept: what it lacks (descriptors, memory) may be there
 * again when a connection has ended, or by then. */
#define PAUSE_US (100 * 1000)

/**
 * CothreadServer: (skip)
 *
 * Serves connections, each in a task of its own, and not more than so many at
 * once. Those who come while all places are taken wait in the system's backlog.
 *
 * ```c
 * g_autoptr (CothreadServer) server = cothread_server_new (1000, serve, NULL, NULL);
 *
 * g_socket_listener_add_inet_port (cothread_server_get_listener (server), 8080, NULL, error);
 * cothread_server_start (server, error);
 * ```
 *
 * If a connection cannot be accepted (no descriptor is left) or served (no stack
 * is), that is logged as a warning, once until it works again, and the server
 * goes on.
 *
 * A server belongs to the thread that made it.
 *
 * Since: 0.1
 */
struct _CothreadServer
{
  GObject parent_instance;

  gsize thread;
  CothreadServerFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;

  GSocketListener *listener;
  CothreadSemaphore *places;
  CothreadEvent *freed; /* a connection has ended: try to accept again */
  CothreadEvent *over;  /* stopped, and nobody is served any more */
  CothreadTask *acceptor;
  GHashTable *servants; /* a set of tasks */
  guint64 n_refused;
  gboolean is_stopped;
  gboolean has_complained;
};

typedef struct
{
  CothreadServer *server;
  GSocketConnection *connection;
} Visit;

G_DEFINE_FINAL_TYPE (CothreadServer, cothread_server, G_TYPE_OBJECT)

static void
cothread_server_finalize (GObject *object)
{
  CothreadServer *self = COTHREAD_SERVER (object);

  if (self->user_data_destroy != NULL)
    self->user_data_destroy (self->user_data);
  g_object_unref (self->listener);
  g_object_unref (self->places);
  g_object_unref (self->freed);
  g_object_unref (self->over);
  g_hash_table_unref (self->servants);
  G_OBJECT_CLASS (cothread_server_parent_class)->finalize (object);
}

static void
cothread_server_class_init (CothreadServerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_server_finalize;
}

static void
cothread_server_init (CothreadServer *self)
{
  self->thread = cothread_thread_id ();
  self->listener = g_socket_listener_new ();
  self->freed = cothread_event_new (TRUE);
  self->over = cothread_event_new (FALSE);
  self->servants = g_hash_table_new (NULL, NULL);
}

/**
 * cothread_server_new: (skip)
 * @max_connections: how many are served at once, at least 1
 * @func: serves a connection
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data with the server
 *
 * Makes a server that listens nowhere yet. Never suspends.
 *
 * Returns: (transfer full): a new server
 *
 * Since: 0.1
 */
CothreadServer *
cothread_server_new (guint max_connections, CothreadServerFunc func, gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadServer *self;

  g_return_val_if_fail (max_connections > 0, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  self = g_object_new (COTHREAD_TYPE_SERVER, NULL);
  self->places = cothread_semaphore_new (max_connections, max_connections);
  self->func = func;
  self->user_data = user_data;
  self->user_data_destroy = user_data_destroy;
  return self;
}

/**
 * cothread_server_get_listener: (skip)
 * @self: a server
 *
 * Where to add the addresses and ports to listen at, before the server is
 * started, with g_socket_listener_add_inet_port() and its siblings. Without any
 * nobody ever comes.
 *
 * Returns: (transfer none): the listener
 *
 * Since: 0.1
 */
GSocketListener *
cothread_server_get_listener (CothreadServer *self)
{
  g_return_val_if_fail (COTHREAD_IS_SERVER (self), NULL);
  return self->listener;
}

static void
note_end (CothreadServer *self)
{
  if (self->is_stopped && self->acceptor == NULL && g_hash_table_size (self->servants) == 0)
    cothread_event_signal (self->over);
}

static void
complain (CothreadServer *self, const char *what, const GError *error)
{
  self->n_refused++;
  if (!self->has_complained)
    g_warning ("%s: %s", what, error->message);
  self->has_complained = TRUE;
}

/* On the task's stack, whether the function ran or not. */
static void
end_visit (gpointer data)
{
  Visit *visit = data;
  CothreadServer *self = visit->server;

  /* A cancelled task hangs up as well. */
  cothread_shield_begin ();
  cothread_stream_close (G_IO_STREAM (visit->connection), NULL);
  cothread_shield_end ();
  g_object_unref (visit->connection);
  g_free (visit);
  g_hash_table_remove (self->servants, cothread_task_self ());
  cothread_semaphore_release (self->places);
  cothread_event_signal (self->freed);
  note_end (self);
  g_object_unref (self);
}

static gpointer
serve (gpointer data, G_GNUC_UNUSED GError **error)
{
  Visit *visit = data;

  visit->server->func (visit->connection, visit->server->user_data);
  return NULL;
}

/* The place is the visitor's from here on. */
static void
receive (CothreadServer *self, GSocketConnection *connection)
{
  CothreadSpawnOptions options = { .function = "connection", .user_data_destroy = end_visit };
  Visit *visit = g_new (Visit, 1);
  g_autoptr (GError) error = NULL;
  CothreadTask *task;

  *visit = (Visit) { g_object_ref (self), connection };
  task = cothread_spawn_full (serve, visit, &options, &error);
  if (task == NULL)
    {
      complain (self, "A connection is refused", error);
      return; /* end_visit() was called */
    }
  g_hash_table_add (self->servants, task);
  cothread_task_unref (task); /* lives until end_visit() */
}

static gboolean
is_end (CothreadServer *self, const GError *error)
{
  return self->is_stopped || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static gpointer
accept_connections (gpointer data, G_GNUC_UNUSED GError **unused)
{
  CothreadServer *self = data;

  while (cothread_semaphore_acquire (self->places, COTHREAD_FOREVER, NULL))
    {
      g_autoptr (GError) error = NULL;
      GSocketConnection *connection = cothread_accept_connection (self->listener, NULL, &error);

      if (connection != NULL)
        {
          self->has_complained = FALSE;
          receive (self, connection);
          continue;
        }
      cothread_semaphore_release (self->places);
      if (is_end (self, error))
        break;
      complain (self, "No connection can be accepted for the moment", error);
      cothread_event_reset (self->freed);
      cothread_event_wait (self->freed, PAUSE_US, NULL);
    }
  return NULL;
}

static void
end_accepting (gpointer data)
{
  CothreadServer *self = data;

  if (self->acceptor != NULL) /* else it was never spawned */
    {
      self->is_stopped = TRUE;
      g_socket_listener_close (self->listener);
      self->acceptor = NULL;
      note_end (self);
    }
  g_object_unref (self);
}

/**
 * cothread_server_start: (skip)
 * @self: a server
 * @error: return location for a #GError
 *
 * Begins to accept connections, in a task. The server lives until it was stopped
 * and nobody is served any more. Never suspends.
 *
 * Fails like cothread_spawn_full(), and can be started later then. Starting it
 * twice, or in another thread than the one that made it, is a critical.
 *
 * Returns: whether it was started
 *
 * Since: 0.1
 */
gboolean
cothread_server_start (CothreadServer *self, GError **error)
{
  CothreadSpawnOptions options = { .function = "server", .user_data_destroy = end_accepting };

  g_return_val_if_fail (COTHREAD_IS_SERVER (self), FALSE);
  g_return_val_if_fail (self->thread == cothread_thread_id (), FALSE);
  g_return_val_if_fail (self->acceptor == NULL && !self->is_stopped, FALSE);

  self->acceptor = cothread_spawn_full (accept_connections, g_object_ref (self), &options, error);
  cothread_task_unref (self->acceptor); /* lives until end_accepting() */
  return self->acceptor != NULL;
}

/**
 * cothread_server_stop: (skip)
 * @self: a server
 *
 * Stops listening, and cancels the tasks of all connections. Does not wait for
 * them; see cothread_server_wait(). It cannot be started again. May be called
 * by a task of its own too; never suspends. Another thread is a critical.
 *
 * ```c
 * cothread_server_stop (server);
 * cothread_server_wait (server, 10 * G_USEC_PER_SEC, error);
 * ```
 *
 * Since: 0.1
 */
void
cothread_server_stop (CothreadServer *self)
{
  g_autoptr (GPtrArray) tasks = NULL;
  GHashTableIter iterator;
  gpointer task;

  g_return_if_fail (COTHREAD_IS_SERVER (self));
  g_return_if_fail (self->thread == cothread_thread_id ());

  self->is_stopped = TRUE;
  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  if (self->acceptor != NULL)
    g_ptr_array_add (tasks, cothread_task_ref (self->acceptor));
  g_hash_table_iter_init (&iterator, self->servants);
  while (g_hash_table_iter_next (&iterator, &task, NULL))
    g_ptr_array_add (tasks, cothread_task_ref (task));
  for (guint i = 0; i < tasks->len; i++)
    cothread_task_cancel (tasks->pdata[i]);
  note_end (self);
}

static gboolean
is_all_over (CothreadAsyncWait *wait, G_GNUC_UNUSED const CtWaiter *fired)
{
  CothreadServer *self = wait->object;
  CothreadWaiters *waiters = cothread_event_get_waiters (self->over);

  if (cothread_event_is_signalled (self->over))
    return TRUE;
  cothread_waiters_begin (waiters, &wait->waiter, NULL);
  cothread_waiters_queue (waiters, &wait->waiter);
  return FALSE;
}

static const CothreadAsyncWaitKind over_kind = { "server wait", "end of a server", is_all_over, NULL, NULL };

/**
 * cothread_server_wait: (skip)
 * @self: a server
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until the server was stopped and nobody is served any more, which is at
 * once if it was never started. Suspends the calling task unless all is over
 * already. Fails with %G_IO_ERROR_TIMED_OUT, and like cothread_sleep().
 *
 * Returns: whether all is over
 *
 * Since: 0.1
 */
gboolean
cothread_server_wait (CothreadServer *self, gint64 timeout_us, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_SERVER (self), FALSE);
  return cothread_event_wait (self->over, timeout_us, error);
}

/**
 * cothread_server_wait_async: (skip)
 * @self: a server
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits as cothread_server_wait() does, but calls back, in the caller's
 * thread-default context, instead of suspending a task. Another thread than
 * that of the server is a critical.
 *
 * Since: 0.1
 */
void
cothread_server_wait_async (CothreadServer *self, gint64 timeout_us, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_SERVER (self));
  g_return_if_fail (self->thread == cothread_thread_id ());
  g_return_if_fail (timeout_us >= COTHREAD_FOREVER);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  cothread_async_wait (&over_kind, self, timeout_us, self, NULL, cancellable, callback, user_data);
}

/**
 * cothread_server_wait_finish: (skip)
 * @self: a server
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_server_wait_async() began. Fails with
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and like cothread_sleep_finish().
 *
 * Returns: whether all is over
 *
 * Since: 0.1
 */
gboolean
cothread_server_wait_finish (CothreadServer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (COTHREAD_IS_SERVER (self), FALSE);

  return cothread_async_wait_finish (&over_kind, self, result, NULL, error);
}

/**
 * cothread_server_get_n_connections: (skip)
 * @self: a server
 *
 * Returns: how many connections are served at this moment
 *
 * Since: 0.1
 */
guint
cothread_server_get_n_connections (CothreadServer *self)
{
  g_return_val_if_fail (COTHREAD_IS_SERVER (self), 0);
  return g_hash_table_size (self->servants);
}

/**
 * cothread_server_get_n_refused: (skip)
 * @self: a server
 *
 * Returns: how many times a connection could not be accepted or served
 *
 * Since: 0.1
 */
guint64
cothread_server_get_n_refused (CothreadServer *self)
{
  g_return_val_if_fail (COTHREAD_IS_SERVER (self), 0);
  return self->n_refused;
}
