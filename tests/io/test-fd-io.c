/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Reading, writing, accepting and connecting descriptors in tasks. */

static gint ends[2];

static void
open_sockets (void)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==, 0);
}

static void
close_sockets (void)
{
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
open_pipe (void)
{
  make_pipe (ends);
  g_assert_true (g_unix_set_fd_nonblocking (ends[0], TRUE, NULL));
  g_assert_true (g_unix_set_fd_nonblocking (ends[1], TRUE, NULL));
}

static void
say_count (gssize n, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  g_assert_true ((n < 0) == (error != NULL));
  if (error == NULL)
    say ("%" G_GSSIZE_FORMAT, n);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say ("timeout");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    say ("cancelled");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    say ("closed");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE))
    say ("broken-pipe");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    say ("refused");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    say ("too-many");
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT))
    say ("wrong-context");
  else
    say ("%s", error->message);
}

static gpointer
read_some (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  char buffer[8];
  gssize n = cothread_read (ends[0], buffer, sizeof buffer, GPOINTER_TO_INT (timeout_us), &error);

  say_count (n, &error);
  return NULL;
}

#define FOREVER GINT_TO_POINTER (COTHREAD_FOREVER)

static gpointer
read_without_waiting (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  guint64 switches = own_switches ();

  read_some (FOREVER, NULL);
  read_some (FOREVER, NULL);
  g_assert_cmpuint (own_switches (), ==, switches);
  return NULL;
}

static void
test_what_is_there_is_read_without_waiting (void)
{
  open_pipe ();
  g_assert_cmpint (write (ends[1], "0123456789", 10), ==, 10);
  start ("reader", read_without_waiting, NULL);
  settle ();
  assert_said ("8 2");
  close_sockets ();
}

static void
test_what_comes_later_is_waited_for (void)
{
  open_pipe ();
  start ("reader", read_some, FOREVER);
  settle ();
  assert_said ("");
  g_assert_cmpint (write (ends[1], "abc", 3), ==, 3);
  run_until_no_task_is_left ();
  assert_said ("3");
  start ("reader", read_some, FOREVER);
  settle ();
  g_close (ends[1], NULL); /* the end of the file */
  run_until_no_task_is_left ();
  assert_said ("0");
  g_close (ends[0], NULL);
}

static void
test_time_passes (void)
{
  open_pipe ();
  start ("reader", read_some, GINT_TO_POINTER (2 * MS));
  start ("reader", read_some, GINT_TO_POINTER (0));
  run_until_no_task_is_left ();
  assert_said ("timeout timeout");
  close_sockets ();
}

static gpointer
cancel_self_and_read (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  cothread_task_cancel (cothread_task_self ());
  return read_some (FOREVER, NULL);
}

static void
test_a_cancelled_task_reads_nothing (void)
{
  g_autoptr (CothreadTask) task = NULL;
  char byte;

  open_pipe ();
  task = spawn ("reader", read_some, FOREVER);
  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  start ("reader", cancel_self_and_read, NULL);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1); /* still there */
  close_sockets ();
}

static void
test_main_reads (void)
{
  open_pipe ();
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  read_some (FOREVER, NULL);
  read_some (GINT_TO_POINTER (MS), NULL);
  assert_said ("1 timeout");
  close_sockets ();
}

static gpointer
read_file (gpointer path, GError **error)
{
  gint fd = open (path, O_RDONLY | O_CLOEXEC);
  guint64 switches = own_switches ();
  char text[16];

  g_assert_cmpint (cothread_read (fd, text, sizeof text, COTHREAD_FOREVER, error), ==, 4);
  g_assert_cmpint (cothread_read (fd, text, sizeof text, COTHREAD_FOREVER, error), ==, 0);
  g_assert_cmpuint (own_switches (), ==, switches);
  say ("read");
  g_assert_true (cothread_close (fd, error));
  return NULL;
}

static void
test_a_regular_file_is_always_ready (void)
{
  g_autofree char *path = NULL;
  gint fd = g_file_open_tmp (NULL, &path, NULL);

  g_assert_cmpint (write (fd, "text", 4), ==, 4);
  start ("reader", read_file, path);
  settle ();
  assert_said ("read");
  g_close (fd, NULL);
  g_unlink (path);
}

#define MUCH (1024 * 1024)

static gpointer
write_much (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autofree char *text = g_malloc (MUCH);

  for (guint i = 0; i < MUCH; i++)
    text[i] = (char) (i % 251);
  g_assert_true (cothread_write_all (ends[1], text, MUCH, COTHREAD_FOREVER, error));
  g_assert_true (cothread_close (ends[1], error));
  say ("written");
  return NULL;
}

static gpointer
read_much (G_GNUC_UNUSED gpointer unused, GError **error)
{
  guint total = 0;

  for (;;)
    {
      guchar a[7], b[1000];
      struct iovec vectors[] = { { a, sizeof a }, { b, sizeof b } };
      gssize n = cothread_readv (ends[0], vectors, 2, COTHREAD_FOREVER, error);

      g_assert_cmpint (n, >=, 0);
      if (n == 0)
        break;
      for (guint i = 0; i < n; i++, total++)
        g_assert_cmpint (i < sizeof a ? a[i] : b[i - sizeof a], ==, total % 251);
    }
  g_assert_cmpuint (total, ==, MUCH);
  say ("read");
  return NULL;
}

static void
test_more_than_fits_is_written_in_parts (void)
{
  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        open_pipe ();
      else
        open_sockets ();
      start ("writer", write_much, NULL);
      start ("reader", read_much, NULL);
      run_until_no_task_is_left ();
      assert_said ("written read");
      g_close (ends[0], NULL);
    }
}

static void
ignore (G_GNUC_UNUSED int number)
{
}

static void
test_signals_in_the_middle_do_no_harm (void)
{
  struct sigaction action = { .sa_handler = ignore }, before; /* without SA_RESTART */
  struct itimerval interval = { { 0, 300 }, { 0, 300 } }, none = { { 0, 0 }, { 0, 0 } };

  sigaction (SIGALRM, &action, &before);
  open_sockets ();
  setitimer (ITIMER_REAL, &interval, NULL);
  start ("writer", write_much, NULL);
  start ("reader", read_much, NULL);
  run_until_no_task_is_left ();
  setitimer (ITIMER_REAL, &none, NULL);
  sigaction (SIGALRM, &before, NULL);
  assert_said ("written read");
  g_close (ends[0], NULL);
}

static gpointer
write_one (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **unused_error)
{
  GError *error = NULL;

  say_count (cothread_write (ends[1], "x", 1, COTHREAD_FOREVER, &error), &error);
  return NULL;
}

static void
test_nobody_reads_any_more (void)
{
  open_sockets ();
  g_close (ends[0], NULL);
  start ("writer", write_one, NULL);
  run_until_no_task_is_left ();
  assert_said ("broken-pipe"); /* and no SIGPIPE */
  g_close (ends[1], NULL);
}

static gpointer
write_until_full (G_GNUC_UNUSED gpointer unused, GError **error)
{
  static char text[65536];

  while (cothread_write (ends[1], text, sizeof text, COTHREAD_FOREVER, error) > 0)
    ;
  say (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE) ? "broken-pipe" : "%s", (*error)->message);
  g_clear_error (error);
  return NULL;
}

static void
test_a_reader_goes_while_a_writer_waits (void)
{
  open_sockets ();
  start ("writer", write_until_full, NULL);
  settle ();
  assert_said ("");
  g_close (ends[0], NULL);
  run_until_no_task_is_left ();
  assert_said ("broken-pipe");
  g_close (ends[1], NULL);
}

/* One side has said all it will say, and goes on listening. */
static void
test_half_closed (void)
{
  char byte;

  open_sockets ();
  start ("reader", read_some, FOREVER);
  settle ();
  g_assert_cmpint (shutdown (ends[1], SHUT_WR), ==, 0);
  run_until_no_task_is_left ();
  assert_said ("0");
  g_assert_cmpint (write (ends[0], "x", 1), ==, 1);
  g_assert_cmpint (read (ends[1], &byte, 1), ==, 1);
  close_sockets ();
}

static gpointer
close_it (gpointer fd, GError **error)
{
  g_assert_true (cothread_close (GPOINTER_TO_INT (fd), error));
  return NULL;
}

static void
test_closing_wakes_all_who_wait (void)
{
  open_sockets ();
  start ("first", read_some, FOREVER);
  start ("second", read_some, FOREVER);
  settle ();
  start ("closer", close_it, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();
  assert_said ("closed closed");
  g_close (ends[1], NULL);
}

static gboolean
close_without_a_word (gpointer fd)
{
  close (GPOINTER_TO_INT (fd));
  return G_SOURCE_REMOVE;
}

/* By a handler of the main loop, that knows nothing of tasks. */
static void
test_somebody_else_closes_what_is_waited_for (void)
{
  open_sockets ();
  start ("first", read_some, FOREVER);
  start ("second", read_some, FOREVER);
  settle ();
  add_source (G_PRIORITY_DEFAULT, close_without_a_word, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();
  assert_said ("closed closed");
  g_close (ends[1], NULL);
}

static void
test_somebody_else_closes_and_opens_another (void)
{
  gint others[2], spare;

  if (g_strcmp0 (g_getenv ("COTHREAD_POLLER"), "poll") == 0)
    {
      g_test_skip ("poll() cannot tell one file from another");
      return;
    }
  open_sockets ();
  spare = ends[0];
  start ("reader", read_some, FOREVER);
  settle ();
  make_pipe (others);
  g_assert_cmpint (dup2 (others[0], spare), ==, spare);
  run_until_no_task_is_left ();
  assert_said ("closed");
  g_close (others[0], NULL);
  g_close (others[1], NULL);
  close_sockets ();
}

/* It looks once, and sleeps. */
static void
test_a_parked_program_is_not_woken_again_and_again (void)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GSource) limit = g_timeout_source_new (4000);
  g_autoptr (CothreadTask) task = NULL;
  guint n = 0;

  open_sockets ();
  task = spawn ("reader", read_some, FOREVER);
  settle ();
  g_source_set_callback (limit, close_without_a_word, GINT_TO_POINTER (-1), NULL);
  g_source_attach (limit, context);
  while (!g_source_is_destroyed (limit))
    {
      g_main_context_iteration (context, TRUE);
      n++;
    }
  g_assert_cmpuint (n, <=, 6); /* four seconds: the look, the limit, and GLib's own rounds */
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("cancelled");
  close_sockets ();
}

/* The number goes to another file at once. */
static void
test_closing_and_opening_another_under_its_number (void)
{
  gint others[2];

  open_sockets ();
  start ("reader", read_some, FOREVER);
  settle ();
  make_pipe (others);
  g_assert_cmpint (write (others[1], "wrong", 5), ==, 5);
  g_assert_true (cothread_close (ends[0], NULL));
  g_assert_cmpint (dup2 (others[0], ends[0]), ==, ends[0]);
  run_until_no_task_is_left ();
  assert_said ("closed");
  g_assert_true (g_unix_set_fd_nonblocking (ends[0], TRUE, NULL));
  start ("reader", read_some, FOREVER);
  start ("reader", read_some, FOREVER);
  settle ();
  assert_said ("5");
  g_assert_cmpint (write (others[1], "right", 5), ==, 5);
  run_until_no_task_is_left ();
  assert_said ("5");
  g_close (others[0], NULL);
  g_close (others[1], NULL);
  close_sockets ();
}

static void
test_a_descriptor_that_is_not_open (void)
{
  GError *error = NULL;

  g_assert_cmpint (cothread_read (-1, &error, 1, COTHREAD_FOREVER, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (cothread_close (-1, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_null (cothread_descriptor_new (-1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
}

static gboolean
read_in_handler (G_GNUC_UNUSED gpointer unused)
{
  read_some (FOREVER, NULL);
  return G_SOURCE_REMOVE;
}

static void
test_a_handler_reads_what_is_there_and_cannot_wait (void)
{
  open_pipe ();
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  add_source (G_PRIORITY_DEFAULT, read_in_handler, NULL);
  settle ();
  add_source (G_PRIORITY_DEFAULT, read_in_handler, NULL);
  settle ();
  assert_said ("1 wrong-context");
  close_sockets ();
}

static gpointer
read_endlessly (gpointer n, GError **error)
{
  gint fd = open ("/dev/zero", O_RDONLY | O_CLOEXEC);
  char buffer[4096];

  while (cothread_read (fd, buffer, sizeof buffer, COTHREAD_FOREVER, error) > 0)
    (*(guint *) n)++;
  g_close (fd, NULL);
  return NULL;
}

static void
test_who_never_waits_lets_others_run (void)
{
  guint n = 0;
  g_autoptr (CothreadTask) task = NULL;

  use_default_time_slice ();
  task = spawn ("reader", read_endlessly, &n);
  g_assert_true (cothread_sleep (5 * MS, NULL));
  g_assert_cmpuint (n, >, 0);
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
}

/* ---- sockets that listen ---- */

static gint
listen_at (struct sockaddr_in *address)
{
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t n_bytes = sizeof *address;

  *address = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  g_assert_cmpint (bind (fd, (struct sockaddr *) address, n_bytes), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) address, &n_bytes), ==, 0);
  return fd;
}

static gpointer
accept_and_greet (gpointer listener, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  struct sockaddr_in peer = { 0 };
  socklen_t n_bytes = sizeof peer;
  gint fd = cothread_accept (GPOINTER_TO_INT (listener), (struct sockaddr *) &peer, &n_bytes, COTHREAD_FOREVER, &error);

  if (fd < 0)
    {
      say_count (-1, &error);
      return NULL;
    }
  g_assert_cmpuint (ntohl (peer.sin_addr.s_addr), ==, INADDR_LOOPBACK);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_NONBLOCK, !=, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  g_assert_true (cothread_write_all (fd, "hello", 5, COTHREAD_FOREVER, NULL));
  g_assert_true (cothread_close (fd, NULL));
  return NULL;
}

static gpointer
connect_to (gpointer address, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  char text[8];

  if (cothread_connect (fd, address, sizeof (struct sockaddr_in), 30 * G_USEC_PER_SEC, &error))
    say_count (cothread_read (fd, text, sizeof text, 30 * G_USEC_PER_SEC, &error), &error);
  else
    say_count (-1, &error);
  g_close (fd, NULL);
  return NULL;
}

static void
test_accept_and_connect (void)
{
  struct sockaddr_in address;
  gint fd = listen_at (&address);

  start ("server", accept_and_greet, GINT_TO_POINTER (fd));
  settle ();
  start ("client", connect_to, &address);
  run_until_no_task_is_left ();
  assert_said ("5");
  start ("server", accept_and_greet, GINT_TO_POINTER (fd));
  settle ();
  g_assert_true (cothread_close (fd, NULL));
  run_until_no_task_is_left ();
  assert_said ("closed");
  start ("client", connect_to, &address);
  run_until_no_task_is_left ();
  assert_said ("refused");
}

static void
test_a_peer_resets_the_connection (void)
{
  struct sockaddr_in address;
  gint listener = listen_at (&address), fd;
  struct linger at_once = { 1, 0 };

  fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  ends[0] = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  start ("reader", read_some, FOREVER);
  settle ();
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
  g_close (fd, NULL);
  run_until_no_task_is_left ();
  assert_said ("broken-pipe");
  g_close (ends[0], NULL);
  g_close (listener, NULL);
}

static void
test_no_descriptor_is_left_to_accept (void)
{
  struct sockaddr_in address;
  gint listener = listen_at (&address), client;
  struct rlimit before, low;

  client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), ==, 0);
  getrlimit (RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = 3;
  setrlimit (RLIMIT_NOFILE, &low);
  start ("server", accept_and_greet, GINT_TO_POINTER (listener));
  run_until_no_task_is_left ();
  setrlimit (RLIMIT_NOFILE, &before);
  assert_said ("too-many");
  start ("server", accept_and_greet, GINT_TO_POINTER (listener)); /* it still waits */
  run_until_no_task_is_left ();
  g_close (client, NULL);
  g_close (listener, NULL);
}

static gpointer
connect_locally (gpointer address, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  gint fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  say_count (cothread_connect (fd, address, sizeof (struct sockaddr_un), 20 * MS, &error) ? 1 : -1, &error);
  g_close (fd, NULL);
  return NULL;
}

static void
test_a_local_backlog_is_full (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gint listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), accepted;

  g_snprintf (address.sun_path + 1, sizeof address.sun_path - 1, "cothread-test-%d", getpid ());
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listener, 0), ==, 0);
  start ("first", connect_locally, &address);
  run_until_no_task_is_left ();
  start ("second", connect_locally, &address); /* nobody accepts */
  run_until_no_task_is_left ();
  assert_said ("1 timeout");
  start ("third", connect_locally, &address);
  settle ();
  accepted = accept (listener, NULL, NULL);
  run_until_no_task_is_left ();
  assert_said ("1");
  g_close (accepted, NULL);
  g_close (listener, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/fd-io/" path, test)
  ADD ("what-is-there-is-read-without-waiting", test_what_is_there_is_read_without_waiting);
  ADD ("what-comes-later-is-waited-for", test_what_comes_later_is_waited_for);
  ADD ("time-passes", test_time_passes);
  ADD ("a-cancelled-task-reads-nothing", test_a_cancelled_task_reads_nothing);
  ADD ("main-reads", test_main_reads);
  ADD ("a-regular-file-is-always-ready", test_a_regular_file_is_always_ready);
  ADD ("more-than-fits-is-written-in-parts", test_more_than_fits_is_written_in_parts);
  ADD ("signals-in-the-middle-do-no-harm", test_signals_in_the_middle_do_no_harm);
  ADD ("nobody-reads-any-more", test_nobody_reads_any_more);
  ADD ("a-reader-goes-while-a-writer-waits", test_a_reader_goes_while_a_writer_waits);
  ADD ("half-closed", test_half_closed);
  ADD ("closing-wakes-all-who-wait", test_closing_wakes_all_who_wait);
  ADD ("somebody-else-closes-what-is-waited-for", test_somebody_else_closes_what_is_waited_for);
  ADD ("somebody-else-closes-and-opens-another", test_somebody_else_closes_and_opens_another);
  ADD ("a-parked-program-is-not-woken-again-and-again", test_a_parked_program_is_not_woken_again_and_again);
  ADD ("closing-and-opening-another-under-its-number", test_closing_and_opening_another_under_its_number);
  ADD ("a-descriptor-that-is-not-open", test_a_descriptor_that_is_not_open);
  ADD ("a-handler-reads-what-is-there-and-cannot-wait", test_a_handler_reads_what_is_there_and_cannot_wait);
  ADD ("who-never-waits-lets-others-run", test_who_never_waits_lets_others_run);
  ADD ("accept-and-connect", test_accept_and_connect);
  ADD ("a-peer-resets-the-connection", test_a_peer_resets_the_connection);
  ADD ("no-descriptor-is-left-to-accept", test_no_descriptor_is_left_to_accept);
  ADD ("a-local-backlog-is-full", test_a_local_backlog_is_full);
  return g_test_run ();
}
