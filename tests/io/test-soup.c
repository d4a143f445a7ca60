/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <libsoup/soup.h>
#include <string.h>

/* A client task against a server of libsoup, in the same loop. */

#define N_CLIENTS 50
#define BODY_BYTES 100000

static guint n_served;

static void
handle (G_GNUC_UNUSED SoupServer *server, SoupServerMessage *message, G_GNUC_UNUSED const char *path,
        G_GNUC_UNUSED GHashTable *query, G_GNUC_UNUSED gpointer unused)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  const char *method = soup_server_message_get_method (message);

  n_served++;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  if (g_str_equal (method, "PUT"))
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, body->data, (gsize) body->length);
  else
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "hello", 5);
}

static SoupServer *
start_server (guint *port)
{
  SoupServer *server = soup_server_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  n_served = 0;
  soup_server_add_handler (server, NULL, handle, NULL, NULL);
  g_assert_true (soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  uris = soup_server_get_uris (server);
  *port = (guint) g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return server;
}

/* Word by word over a socket. */
static gpointer
fetch_by_hand (gpointer port, GError **error)
{
  g_autoptr (GSocketConnection) connection = cothread_connect_to_host ("127.0.0.1", (guint16) GPOINTER_TO_UINT (port), COTHREAD_FOREVER, error);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  g_autofree char *status = NULL;
  char *line;
  char body[5];
  gsize n = 0;

  g_data_input_stream_set_newline_type (input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  g_assert_true (cothread_stream_write_all (output, request, strlen (request), NULL, error));
  status = cothread_stream_read_line (input, NULL, error);
  g_assert_cmpstr (status, ==, "HTTP/1.1 200 OK");
  while ((line = cothread_stream_read_line (input, NULL, error)) != NULL && *line != '\0')
    g_free (line);
  g_free (line);
  g_assert_true (cothread_stream_read_all (G_INPUT_STREAM (input), body, sizeof body, &n, error));
  g_assert_cmpmem (body, n, "hello", 5);
  g_assert_true (cothread_stream_close (G_IO_STREAM (connection), error));
  return NULL;
}

typedef struct
{
  SoupSession *session;
  guint port;
} Client;

/* libsoup's own client: anybody's _async() function is a wait. */
static gpointer
put_with_session (gpointer data, GError **error)
{
  Client *client = data;
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/", client->port);
  g_autoptr (SoupMessage) message = soup_message_new ("PUT", uri);
  g_autofree char *text = g_strnfill (BODY_BYTES, 'x');
  g_autoptr (GBytes) body = g_bytes_new (text, BODY_BYTES), back = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  soup_message_set_request_body_from_bytes (message, "text/plain", body);
  result = cothread_await (error, soup_session_send_and_read_async, client->session, message, G_PRIORITY_DEFAULT);
  back = soup_session_send_and_read_finish (client->session, result, error);
  g_assert_no_error (*error);
  g_assert_true (g_bytes_equal (body, back));
  return NULL;
}

static void
test_many_clients_by_hand (void)
{
  guint port;
  g_autoptr (SoupServer) server = start_server (&port);

  for (guint i = 0; i < N_CLIENTS; i++)
    start ("client", fetch_by_hand, GUINT_TO_POINTER (port));
  run_until_no_task_is_left ();
  g_assert_cmpuint (n_served, ==, N_CLIENTS);
  soup_server_disconnect (server);
}

static void
test_a_session_in_tasks (void)
{
  Client client = { .session = soup_session_new () };
  g_autoptr (SoupServer) server = start_server (&client.port);

  for (guint i = 0; i < N_CLIENTS; i++)
    start ("client", put_with_session, &client);
  run_until_no_task_is_left ();
  g_assert_cmpuint (n_served, ==, N_CLIENTS);
  soup_session_abort (client.session);
  g_object_unref (client.session);
  soup_server_disconnect (server);
}

static SoupServerMessage *unanswered;

static void
never_answer (SoupServer *server, SoupServerMessage *message, G_GNUC_UNUSED const char *path,
              G_GNUC_UNUSED GHashTable *query, G_GNUC_UNUSED gpointer unused)
{
  unanswered = g_object_ref (message);
G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  soup_server_pause_message (server, message);
G_GNUC_END_IGNORE_DEPRECATIONS
}

static gpointer
get_what_never_comes (gpointer data, GError **error)
{
  Client *client = data;
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/never", client->port);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);
  g_autoptr (GAsyncResult) result = cothread_await (error, soup_session_send_and_read_async, client->session, message, G_PRIORITY_DEFAULT);
  g_autoptr (GBytes) body = result != NULL ? soup_session_send_and_read_finish (client->session, result, error) : NULL;

  g_assert_null (body);
  return NULL;
}

static void
test_a_session_is_cancelled_and_goes_on (void)
{
  Client client = { .session = soup_session_new () };
  g_autoptr (SoupServer) server = start_server (&client.port);
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  soup_server_add_handler (server, "/never", never_answer, NULL, NULL);
  task = spawn ("client", get_what_never_comes, &client);
  while (unanswered == NULL)
    g_assert_true (cothread_sleep (MS, NULL));
  cothread_task_cancel (task);
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  start ("client", put_with_session, &client);
  run_until_no_task_is_left ();
  g_assert_cmpuint (n_served, ==, 1);
  g_clear_object (&unanswered);
  soup_session_abort (client.session);
  g_object_unref (client.session);
  soup_server_disconnect (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/io/soup/many-clients-by-hand", test_many_clients_by_hand);
  behaviour_add ("/io/soup/a-session-in-tasks", test_a_session_in_tasks);
  behaviour_add ("/io/soup/a-session-is-cancelled-and-goes-on", test_a_session_is_cancelled_and_goes_on);
  return g_test_run ();
}
