/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* An HTTP/1.1 server written as tasks, under wrk with 1000 connections. */

#define N_CONNECTIONS 1000

static guint64 n_requests;

/* The body's length, and where it begins; 0 if the head is not complete. */
static gsize
parse_head (const char *request, gsize n_bytes, gsize *body_bytes)
{
  const char *end = g_strstr_len (request, (gssize) n_bytes, "\r\n\r\n");
  const char *length;

  *body_bytes = 0;
  if (end == NULL)
    return 0;
  length = g_strstr_len (request, end - request, "Content-Length: ");
  if (length != NULL)
    *body_bytes = (gsize) g_ascii_strtoull (length + strlen ("Content-Length: "), NULL, 10);
  return (gsize) (end - request) + 4;
}

static gboolean
answer (CothreadDescriptor *peer, const char *body, gsize n_bytes, GError **error)
{
  char head[128];
  int n = g_snprintf (head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n", n_bytes);

  n_requests++;
  return cothread_descriptor_write_all (peer, head, (gsize) n, COTHREAD_FOREVER, error) &&
         cothread_descriptor_write_all (peer, body, n_bytes, COTHREAD_FOREVER, error);
}

/* One connection: requests one after another, perhaps several in one packet. */
static gpointer
serve (gpointer data, GError **error)
{
  g_autoptr (CothreadDescriptor) peer = data;
  char buffer[4096];
  gsize n_bytes = 0;

  for (;;)
    {
      gsize body_bytes, head_bytes;
      gssize n;

      while ((head_bytes = parse_head (buffer, n_bytes, &body_bytes)) > 0 && n_bytes >= head_bytes + body_bytes)
        {
          if (!answer (peer, buffer + head_bytes, body_bytes, error))
            {
              if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
                g_clear_error (error); /* as below */
              return NULL;
            }
          n_bytes -= head_bytes + body_bytes;
          memmove (buffer, buffer + head_bytes + body_bytes, n_bytes);
        }
      n = cothread_descriptor_read (peer, buffer + n_bytes, sizeof buffer - n_bytes, COTHREAD_FOREVER, error);
      if (n <= 0)
        {
          /* wrk resets what is open when its time is up. */
          g_clear_error (error);
          return NULL;
        }
      n_bytes += (gsize) n;
    }
}

static gpointer
accept_all (gpointer data, G_GNUC_UNUSED GError **unused)
{
  gint listener = GPOINTER_TO_INT (data), fd;
  g_autoptr (GError) error = NULL;

  while ((fd = cothread_accept (listener, NULL, NULL, COTHREAD_FOREVER, &error)) >= 0)
    start ("connection", serve, cothread_descriptor_new (fd, NULL));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  return NULL;
}

static gint
listen_somewhere (guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t n_bytes = sizeof address;
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, n_bytes), ==, 0);
  g_assert_cmpint (listen (fd, 4096), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &n_bytes), ==, 0);
  *port = ntohs (address.sin_port);
  return fd;
}

static char *
write_script (void)
{
  g_autofree char *path = NULL;
  gint fd = g_file_open_tmp ("cothread-wrk-XXXXXX.lua", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, "wrk.method = 'POST'\nwrk.body = 'what is sent comes back'\n"
                                      "response = function (status, headers, body)\n"
                                      "  if status ~= 200 or body ~= wrk.body then os.exit (9) end\nend\n", -1, NULL));
  return g_steal_pointer (&path);
}

static gpointer
run_wrk (gpointer port, GError **error)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/", GPOINTER_TO_UINT (port));
  g_autofree char *connections = g_strdup_printf ("-c%u", N_CONNECTIONS);
  g_autofree char *script = write_script ();
  const char *const argv[] = { "wrk", "-t2", connections, "-d3s", "--timeout", "60s", "-s", script, url, NULL };
  g_autoptr (GBytes) output = NULL;
  g_autofree char *text = NULL;

  g_assert_true (cothread_run (argv, NULL, &output, NULL, NULL, error));
  text = g_strndup (g_bytes_get_data (output, NULL), g_bytes_get_size (output));
  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, "requests in"));
  g_assert_null (strstr (text, "Socket errors"));
  g_assert_null (strstr (text, "Non-2xx"));
  g_unlink (script);
  return NULL;
}

static gboolean
allow_descriptors (rlim_t n)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= n)
    return TRUE;
  limit.rlim_cur = MIN (n, limit.rlim_max);
  return limit.rlim_cur >= n && setrlimit (RLIMIT_NOFILE, &limit) == 0;
}

static void
test_a_thousand_connections (void)
{
  g_autofree char *wrk = g_find_program_in_path ("wrk");
  g_autoptr (CothreadTask) client = NULL;
  guint16 port;
  gint listener;

  if (wrk == NULL || !allow_descriptors (N_CONNECTIONS + 100))
    {
      g_test_skip ("no wrk here, or too few descriptors");
      return;
    }
  use_default_time_slice ();
  listener = listen_somewhere (&port);
  start ("server", accept_all, GINT_TO_POINTER (listener));
  client = spawn ("client", run_wrk, GUINT_TO_POINTER (port));
  g_assert_true (cothread_task_join (client, COTHREAD_FOREVER, NULL, NULL));
  g_assert_true (cothread_close (listener, NULL));
  run_until_no_task_is_left ();
  g_assert_cmpuint (n_requests, >=, N_CONNECTIONS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/io/http/a-thousand-connections", test_a_thousand_connections);
  return g_test_run ();
}
