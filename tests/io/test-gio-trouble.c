/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every convenience, cancelled at every point, begun where nothing can wait, and
 * with no descriptor left: it fails or does its work, and leaves nothing behind. */

static char *folder_path, *file_path, *mark_path;
static GFile *folder, *file;
static GSocketListener *listener;
static guint16 port;
static gint client = -1;

/* Enough for several portions of a listing. */
#define N_FILES 700

static void
make_file (const char *path, const char *contents)
{
  g_assert_true (g_file_set_contents (path, contents, -1, NULL));
}

static void
set_up (void)
{
  folder_path = g_dir_make_tmp ("cothread-trouble-XXXXXX", NULL);
  file_path = g_build_filename (folder_path, "file", NULL);
  mark_path = g_build_filename (folder_path, "mark", NULL);
  folder = g_file_new_for_path (folder_path);
  file = g_file_new_for_path (file_path);
  make_file (file_path, "old");
  listener = g_socket_listener_new ();
  port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_assert_cmpuint (port, >, 0);
}

static void
tear_down (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder_path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder_path, name, NULL);

      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (folder_path), ==, 0);
  g_clear_pointer (&folder_path, g_free);
  g_clear_pointer (&file_path, g_free);
  g_clear_pointer (&mark_path, g_free);
  g_clear_object (&folder);
  g_clear_object (&file);
  g_socket_listener_close (listener);
  g_clear_object (&listener);
}

/* ---- the conveniences: what each leaves if it fails ---- */

static gboolean
load (GError **error)
{
  g_autofree char *contents = NULL;
  gsize length = 99;
  gboolean success = cothread_load_file (file, &contents, &length, error);

  g_assert_true (success == (contents != NULL));
  if (success)
    g_assert_cmpmem (contents, length, "old", 3);
  return success;
}

static gboolean
save (GError **error)
{
  return cothread_save_file (file, "brand new", -1, error);
}

static void
check_saved (gboolean success)
{
  g_autofree char *contents = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder_path, 0, NULL);
  const char *name;

  g_assert_true (g_file_get_contents (file_path, &contents, NULL, NULL));
  g_assert_cmpstr (contents, ==, success ? "brand new" : "old");
  while ((name = g_dir_read_name (dir)) != NULL)
    g_assert_cmpstr (name, ==, "file"); /* no copy that was begun */
  make_file (file_path, "old");
}

static void
fill_folder (void)
{
  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%u", folder_path, i);
      gint fd = open (path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

      g_assert_cmpint (fd, >=, 0);
      close (fd);
    }
}

static gboolean
list (GError **error)
{
  g_autoptr (GPtrArray) infos = cothread_list_folder (folder, "standard::name", G_FILE_QUERY_INFO_NONE, error);

  if (infos != NULL)
    g_assert_cmpuint (infos->len, >=, 1);
  return infos != NULL;
}

static gboolean
resolve (GError **error)
{
  GList *addresses = cothread_resolve ("localhost", error);
  gboolean success = addresses != NULL;

  g_resolver_free_addresses (addresses);
  return success;
}

static gboolean
connect_to_listener (GError **error)
{
  g_autoptr (GSocketConnection) connection = cothread_connect_to_host ("127.0.0.1", port, COTHREAD_FOREVER, error);

  return connection != NULL;
}

static void
call_listener (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };

  client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), ==, 0);
}

static gboolean
accept_client (GError **error)
{
  g_autoptr (GSocketConnection) connection = cothread_accept_connection (listener, NULL, error);

  return connection != NULL;
}

static void
hang_up_client (G_GNUC_UNUSED gboolean success)
{
  close (client);
  client = -1;
}

static gboolean
run_program (GError **error)
{
  const char *const argv[] = { "sh", "-c", "cat; echo marked > \"$0\"", mark_path, NULL };
  g_autoptr (GBytes) input = g_bytes_new_static ("text", 4), output = NULL;
  gboolean success = cothread_run (argv, input, &output, NULL, NULL, error);

  g_assert_true (success == (output != NULL));
  if (success)
    g_assert_cmpmem (g_bytes_get_data (output, NULL), g_bytes_get_size (output), "text", 4);
  return success;
}

static void
check_program (gboolean success)
{
  gint status;

  /* Neither one that runs nor a zombie. */
  g_assert_cmpint (waitpid (-1, &status, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
  if (success)
    g_assert_true (g_file_test (mark_path, G_FILE_TEST_EXISTS));
  g_unlink (mark_path);
}

typedef struct
{
  const char *name;
  gboolean (*run) (GError **error);
  void (*before) (void);
  void (*after) (gboolean success);
  gboolean opens_nothing;
} Convenience;

static const Convenience conveniences[] = {
  { "load", load, NULL, NULL, FALSE },
  { "save", save, NULL, check_saved, FALSE },
  { "list", list, fill_folder, NULL, FALSE },
  { "resolve", resolve, NULL, NULL, TRUE },
  { "connect", connect_to_listener, NULL, NULL, FALSE },
  { "accept", accept_client, call_listener, hang_up_client, FALSE },
  { "run", run_program, NULL, check_program, FALSE },
};

static gpointer
run_convenience (gpointer data, GError **error)
{
  return GINT_TO_POINTER (((const Convenience *) data)->run (error));
}

/* Files and sockets: the scheduler may open its alarm at any time. */
static guint
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL), *file_name = g_file_read_link (path, NULL);

      n += file_name != NULL && !g_str_has_prefix (file_name, "anon_inode:");
    }
  return n;
}

/* What a thread of GIO still holds is closed soon. */
static void
wait_for_files (guint n_expected)
{
  for (guint i = 0; i < 20000 && count_files () > n_expected; i++)
    g_assert_true (cothread_sleep (MS, NULL));
  g_assert_cmpuint (count_files (), <=, n_expected);
}

/* ---- cancelled ---- */

/* Cancels after so many turns of the loop. FALSE: it had ended before. */
static gboolean
cancel_after (const Convenience *it, guint n_iterations)
{
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gpointer success = NULL;
  gboolean was_cancelled;

  if (it->before != NULL)
    it->before ();
  task = spawn ("task", run_convenience, (gpointer) it);
  g_main_context_iteration (g_main_context_get_thread_default (), FALSE); /* it has begun */
  for (guint i = 0; i < n_iterations && !cothread_task_is_finished (task); i++)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  was_cancelled = !cothread_task_is_finished (task);
  cothread_task_cancel (task);
  if (!cothread_task_join (task, COTHREAD_FOREVER, &success, &error))
    {
      g_assert_true (was_cancelled);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  else
    g_assert_true (GPOINTER_TO_INT (success));
  if (it->after != NULL)
    it->after (GPOINTER_TO_INT (success));
  return was_cancelled;
}

#define MOST_ITERATIONS 10000

static void
be_cancelled_at_every_point (const Convenience *it)
{
  guint n_files, n;

  set_up ();
  cancel_after (it, MOST_ITERATIONS); /* what GIO opens once */
  n_files = count_files ();
  for (n = 0; cancel_after (it, n); n++)
    g_assert_cmpuint (n, <, MOST_ITERATIONS);
  g_assert_cmpuint (n, >, 0);
  wait_for_files (n_files);
  tear_down ();
}

static gpointer
cancel_self_and_run (gpointer data, GError **error)
{
  cothread_task_cancel (cothread_task_self ());
  return run_convenience (data, error);
}

static void
be_cancelled_before_it_begins (const Convenience *it)
{
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  set_up ();
  if (it->before != NULL)
    it->before ();
  task = spawn ("task", cancel_self_and_run, (gpointer) it);
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (mark_path, G_FILE_TEST_EXISTS)); /* no program ran */
  if (it->after != NULL)
    it->after (FALSE);
  tear_down ();
}

/* ---- where nothing can wait ---- */

static gboolean
run_in_handler (gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (((const Convenience *) data)->run (&error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  say ("refused");
  return G_SOURCE_REMOVE;
}

static void
be_begun_by_a_handler (const Convenience *it)
{
  set_up ();
  if (it->before != NULL)
    it->before ();
  add_source (G_PRIORITY_DEFAULT, run_in_handler, (gpointer) it);
  settle ();
  assert_said ("refused");
  g_assert_false (g_file_test (mark_path, G_FILE_TEST_EXISTS)); /* no program ran */
  if (it->after != NULL)
    it->after (FALSE);
  tear_down ();
}

/* ---- no descriptor is left ---- */

/* Whether it failed. A thread of GIO that closes something in the middle of it
 * may give it what it needs. */
static gboolean
fails_without_descriptors (const Convenience *it)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (gint));
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gboolean success;
  gint more;

  if (it->before != NULL)
    it->before ();
  while ((more = fcntl (0, F_DUPFD_CLOEXEC, 0)) >= 0)
    g_array_append_val (taken, more);
  task = spawn ("task", run_convenience, (gpointer) it);
  success = cothread_task_join (task, COTHREAD_FOREVER, NULL, &error);
  g_test_message ("%s: %s", it->name, success ? "did its work" : error->message);
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, gint, i));
  if (it->after != NULL)
    it->after (success);
  return !success;
}

static void
have_no_descriptor (const Convenience *it)
{
  struct rlimit limit, few;
  gboolean failed = FALSE;

  set_up ();
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  few = limit;
  few.rlim_cur = MIN (limit.rlim_cur, 512);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  for (guint i = 0; i < 100 && !failed; i++)
    failed = fails_without_descriptors (it) || it->opens_nothing;
  g_assert_true (failed);
  setrlimit (RLIMIT_NOFILE, &limit);
  cancel_after (it, MOST_ITERATIONS); /* and it goes on */
  tear_down ();
}

/* ---- what only some of them have ---- */

static gpointer
connect_briefly (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  g_autoptr (GError) error = NULL;

  /* Nobody is there, and nobody says so: the backlog is full. */
  g_assert_null (cothread_connect_to_host ("127.0.0.1", port, 50 * MS, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  say ("timeout");
  return NULL;
}

static void
test_a_connection_takes_too_long (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t n_bytes = sizeof address;
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), others[8];

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, n_bytes), ==, 0);
  g_assert_cmpint (listen (fd, 0), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &n_bytes), ==, 0);
  port = ntohs (address.sin_port);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      others[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void) !connect (others[i], (struct sockaddr *) &address, sizeof address);
    }
  start ("client", connect_briefly, NULL);
  run_until_no_task_is_left ();
  assert_said ("timeout");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    close (others[i]);
  close (fd);
}

static gpointer
save_new (G_GNUC_UNUSED gpointer unused, GError **error)
{
  return GINT_TO_POINTER (save (error));
}

/* Whatever a thread of GIO has done by then, and nobody has heard of. */
static void
test_a_save_is_cancelled_between_its_steps (void)
{
  set_up ();
  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (CothreadTask) task = spawn ("saver", save_new, NULL);
      gpointer success = NULL;

      for (guint n = 0; n < i / 3 && !cothread_task_is_finished (task); n++)
        g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
      g_usleep (20 * MS);
      cothread_task_cancel (task);
      cothread_task_join (task, COTHREAD_FOREVER, &success, NULL);
      check_saved (GPOINTER_TO_INT (success));
    }
  ignore_what_was_said ();
  tear_down ();
}

static gpointer
load_from_pipe (gpointer path, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GFile) pipe = g_file_new_for_path (path);
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_load_file (pipe, &contents, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say ("cancelled");
  return NULL;
}

/* A thread of GIO reads, and nothing can hold it up: the task waits for it. */
static void
test_a_read_that_cannot_be_cancelled_is_waited_for (void)
{
  g_autofree char *pipe_path = NULL;
  g_autoptr (CothreadTask) task = NULL;
  gint fd;

  set_up ();
  pipe_path = g_build_filename (folder_path, "pipe", NULL);
  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
  fd = open (pipe_path, O_RDWR | O_CLOEXEC);
  task = spawn ("loader", load_from_pipe, pipe_path);
  for (guint i = 0; i < 50; i++) /* until it reads, which nothing announces */
    g_assert_true (cothread_sleep (MS, NULL));
  cothread_task_cancel (task);
  for (guint i = 0; i < 50; i++)
    g_assert_true (cothread_sleep (MS, NULL));
  if (!cothread_task_is_finished (task)) /* else it had not begun to read */
    g_assert_cmpint (write (fd, "x", 1), ==, 1);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  close (fd);
  tear_down ();
}

static gpointer
run_with_odd_ends (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  static const char *const deaf[] = { "true", NULL };
  static const char *const killed[] = { "sh", "-c", "kill -9 $$", NULL };
  static const char *const loud[] = { "sh", "-c", "echo said; echo warned >&2; exit 7", NULL };
  g_autofree char *text = g_strnfill (1024 * 1024, 'x');
  g_autoptr (GBytes) much = g_bytes_new (text, 1024 * 1024), output = NULL, errors = NULL;
  g_autoptr (GError) error = NULL;
  gint status = 0;

  /* It reads nothing of what it is given; that the pipe broke is no failure. */
  g_assert_true (cothread_run (deaf, much, NULL, NULL, &status, &error) || error != NULL);
  g_clear_error (&error);
  g_assert_false (cothread_run (killed, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_true (cothread_run (killed, NULL, NULL, NULL, &status, &error));
  g_assert_true (WIFSIGNALED (status));
  /* What it said before it failed is there. */
  g_assert_false (cothread_run (loud, NULL, &output, &errors, NULL, &error));
  g_assert_error (error, G_SPAWN_EXIT_ERROR, 7);
  g_assert_cmpmem (g_bytes_get_data (output, NULL), g_bytes_get_size (output), "said\n", 5);
  g_assert_cmpmem (g_bytes_get_data (errors, NULL), g_bytes_get_size (errors), "warned\n", 7);
  say ("done");
  return NULL;
}

static void
test_programs_with_odd_ends (void)
{
  start ("runner", run_with_odd_ends, NULL);
  run_until_no_task_is_left ();
  assert_said ("done");
}

/* ---- */

static void
with_each (void (*test) (const Convenience *it))
{
  for (guint i = 0; i < G_N_ELEMENTS (conveniences); i++)
    {
      g_test_message ("%s", conveniences[i].name);
      test (&conveniences[i]);
      ignore_what_was_said ();
    }
}

static void
test_each_is_cancelled_at_every_point (void)
{
  with_each (be_cancelled_at_every_point);
}

static void
test_each_is_cancelled_before_it_begins (void)
{
  with_each (be_cancelled_before_it_begins);
}

static void
test_each_is_begun_by_a_handler (void)
{
  with_each (be_begun_by_a_handler);
}

static void
test_no_descriptor_is_left_for_any (void)
{
  with_each (have_no_descriptor);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/gio-trouble/" #name, test_##name)
  ADD (each_is_cancelled_at_every_point);
  ADD (each_is_cancelled_before_it_begins);
  ADD (each_is_begun_by_a_handler);
  ADD (no_descriptor_is_left_for_any);
  ADD (a_connection_takes_too_long);
  ADD (a_read_that_cannot_be_cancelled_is_waited_for);
  ADD (a_save_is_cancelled_between_its_steps);
  ADD (programs_with_odd_ends);
  return g_test_run ();
}
