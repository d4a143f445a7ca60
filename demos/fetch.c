/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Fetches several pages at once, a task for each: straight lines where there
 * would be a chain of callbacks.
 *
 *   cothread-fetch http://example.org/ https://example.org/ ...
 */
#include <cothread-glib.h>
#include <string.h>

#define TIMEOUT_US (30 * G_USEC_PER_SEC)

/* Any _async() function of GIO is a wait; this one has no convenience. */
static GSocketConnection *
connect_to (GUri *uri, GError **error)
{
  gboolean is_tls = g_str_equal (g_uri_get_scheme (uri), "https");
  g_autofree char *text = g_uri_to_string (uri);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GAsyncResult) result = NULL;

  g_socket_client_set_tls (client, is_tls);
  result = cothread_await_for (TIMEOUT_US, error, g_socket_client_connect_to_uri_async, client, text, is_tls ? 443 : 80);
  return result != NULL ? g_socket_client_connect_to_uri_finish (client, result, error) : NULL;
}

/* The status line, and how many bytes came after the head. */
static char *
read_answer (GInputStream *stream, gsize *n_bytes, GError **error)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
  g_autofree char *status = NULL;
  char *line, buffer[16384];
  gboolean is_head = TRUE;
  gssize n;

  g_data_input_stream_set_newline_type (lines, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  status = cothread_stream_read_line (lines, NULL, error);
  if (status == NULL)
    return NULL;
  while (is_head && (line = cothread_stream_read_line (lines, NULL, error)) != NULL)
    {
      is_head = *line != '\0';
      g_free (line);
    }
  for (*n_bytes = 0; (n = cothread_stream_read (G_INPUT_STREAM (lines), buffer, sizeof buffer, error)) > 0;)
    *n_bytes += (gsize) n;
  return n == 0 ? g_steal_pointer (&status) : NULL;
}

static gpointer
fetch (gpointer address, GError **error)
{
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GUri) uri = g_uri_parse (address, G_URI_FLAGS_NONE, error);
  g_autoptr (GSocketConnection) connection = uri != NULL ? connect_to (uri, error) : NULL;
  g_autofree char *request = NULL, *status = NULL;
  gsize n_bytes;

  if (connection == NULL)
    return NULL;
  request = g_strdup_printf ("GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", *g_uri_get_path (uri) != '\0' ? g_uri_get_path (uri) : "/",
                             g_uri_get_host (uri));
  if (!cothread_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request, strlen (request), NULL, error))
    return NULL;
  status = read_answer (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &n_bytes, error);
  if (status != NULL)
    g_print ("%s: %s, %" G_GSIZE_FORMAT " bytes, %.0f ms\n", (const char *) address, status, n_bytes,
             (double) (g_get_monotonic_time () - start_us) / 1000);
  return NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  int status = 0;

  for (int i = 1; i < argc; i++)
    g_ptr_array_add (tasks, cothread_spawn (fetch, argv[i]));
  for (guint i = 0; i < tasks->len; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!cothread_task_join (tasks->pdata[i], COTHREAD_FOREVER, NULL, &error))
        {
          g_printerr ("%s: %s\n", argv[i + 1], error->message);
          status = 1;
        }
    }
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return status;
}
