/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* After a read that took all there was, the next one waits before it tries. So
 * nothing may be missed that came before it waits: the end of the stream, data
 * behind an urgent mark, an error, the next message of another kind of socket. */

static gint
listen_locally (struct sockaddr_in *address)
{
  socklen_t n_bytes = sizeof *address;
  gint fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  *address = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  g_assert_cmpint (bind (fd, (struct sockaddr *) address, sizeof *address), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) address, &n_bytes), ==, 0);
  return fd;
}

/* ends[0] is read by tasks, ends[1] is the peer's, which blocks. */
static void
make_connection (gint ends[2])
{
  struct sockaddr_in address;
  gint listener = listen_locally (&address), one = 1;

  ends[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (ends[1], (struct sockaddr *) &address, sizeof address), ==, 0);
  setsockopt (ends[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ends[0] = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint (ends[0], >=, 0);
  close (listener);
}

static void
put (gint fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, (gssize) strlen (text));
}

/* Says each thing that it reads, and how it ends. */
static gpointer
read_all (gpointer data, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (CothreadDescriptor) descriptor = cothread_descriptor_new (GPOINTER_TO_INT (data), NULL);
  g_autoptr (GError) error = NULL;
  char buffer[100];
  gssize n;

  while ((n = cothread_descriptor_read (descriptor, buffer, sizeof buffer, 30 * G_USEC_PER_SEC, &error)) > 0)
    say ("%.*s", (int) n, buffer);
  if (n == 0)
    say ("end");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    say ("reset");
  else
    say ("%s", error->message);
  return NULL;
}

/* By then it has waited twice: its descriptor is registered, and it is known
 * that nothing is left. */
static void
make_it_wait_before_it_tries (gint peer)
{
  settle ();
  put (peer, "1");
  settle ();
  put (peer, "2");
  settle ();
  put (peer, "3");
  settle ();
  assert_said ("1 2 3");
}

static void
test_the_end_comes_with_the_last_data (void)
{
  gint ends[2];

  make_connection (ends);
  start ("r", read_all, GINT_TO_POINTER (ends[0]));
  make_it_wait_before_it_tries (ends[1]);
  put (ends[1], "4");
  shutdown (ends[1], SHUT_WR);
  run_until_no_task_is_left ();
  assert_said ("4 end");
  close (ends[1]);
}

static void
test_the_end_comes_later (void)
{
  gint ends[2];

  make_connection (ends);
  start ("r", read_all, GINT_TO_POINTER (ends[0]));
  make_it_wait_before_it_tries (ends[1]);
  shutdown (ends[1], SHUT_WR);
  run_until_no_task_is_left ();
  assert_said ("end");
  close (ends[1]);
}

static void
test_a_reset_comes_with_the_last_data (void)
{
  struct linger now = { 1, 0 };
  gint ends[2];

  make_connection (ends);
  start ("r", read_all, GINT_TO_POINTER (ends[0]));
  make_it_wait_before_it_tries (ends[1]);
  setsockopt (ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close (ends[1]);
  run_until_no_task_is_left ();
  assert_said ("reset");
}

static void
test_a_read_stops_at_urgent_data (void)
{
  gint ends[2];

  make_connection (ends);
  start ("r", read_all, GINT_TO_POINTER (ends[0]));
  make_it_wait_before_it_tries (ends[1]);
  put (ends[1], "before");
  g_assert_cmpint (send (ends[1], "!", 1, MSG_OOB), ==, 1);
  put (ends[1], "behind");
  settle ();
  assert_said ("before behind");
  put (ends[1], "more");
  settle ();
  assert_said ("more");
  close (ends[1]);
  run_until_no_task_is_left ();
  assert_said ("end");
}

static void
read_messages_of (int type)
{
  gint ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, type | SOCK_CLOEXEC, 0, ends), ==, 0);
  start ("r", read_all, GINT_TO_POINTER (ends[0]));
  make_it_wait_before_it_tries (ends[1]);
  put (ends[1], "4");
  put (ends[1], "5");
  put (ends[1], "6");
  settle ();
  assert_said (type == SOCK_STREAM ? "456" : "4 5 6");
  close (ends[1]);
  if (type == SOCK_DGRAM) /* does not end */
    cothread_close (ends[0], NULL);
  run_until_no_task_is_left ();
  if (type == SOCK_STREAM || type == SOCK_SEQPACKET)
    assert_said ("end");
}

static void
test_messages_of_other_sockets_are_read_one_after_another (void)
{
  read_messages_of (SOCK_STREAM);
  read_messages_of (SOCK_SEQPACKET);
}

static gpointer
read_twice_in_a_row (gpointer data, GError **error)
{
  char buffer[100];

  for (guint i = 0; i < 4; i++)
    {
      gssize n = cothread_descriptor_read (data, buffer, sizeof buffer, 30 * G_USEC_PER_SEC, error);

      g_assert_cmpint (n, >, 0);
      say ("%s:%.*s", own_name (), (int) n, buffer);
    }
  return NULL;
}

static void
test_two_tasks_read_by_turns (void)
{
  CothreadDescriptor *descriptor;
  gint ends[2];

  make_connection (ends);
  descriptor = cothread_descriptor_new (ends[0], NULL);
  start ("a", read_twice_in_a_row, descriptor);
  start ("b", read_twice_in_a_row, descriptor);
  settle ();
  for (char text[2] = "1"; text[0] <= '8'; text[0]++)
    {
      put (ends[1], text);
      settle ();
    }
  assert_said ("a:1 b:2 a:3 b:4 a:5 b:6 a:7 b:8");
  cothread_descriptor_free (descriptor);
  close (ends[1]);
}

static gpointer
read_with_no_patience (gpointer data, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  char buffer[100];

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (cothread_descriptor_read (data, buffer, sizeof buffer, 30 * G_USEC_PER_SEC, NULL), ==, 1);
  say ("read");
  g_assert_cmpint (cothread_descriptor_read (data, buffer, sizeof buffer, 1000, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_cmpint (cothread_descriptor_read (data, buffer, sizeof buffer, 0, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  say ("timeout");
  g_assert_cmpint (cothread_descriptor_read (data, buffer, sizeof buffer, 30 * G_USEC_PER_SEC, NULL), ==, 1);
  say ("%c", buffer[0]);
  return NULL;
}

static void
test_a_timeout_is_as_ever (void)
{
  CothreadDescriptor *descriptor;
  gint ends[2];

  make_connection (ends);
  descriptor = cothread_descriptor_new (ends[0], NULL);
  start ("r", read_with_no_patience, descriptor);
  for (guint i = 0; i < 3; i++)
    {
      settle ();
      put (ends[1], "x");
    }
  settle ();
  cothread_sleep (50 * MS, NULL);
  put (ends[1], "y");
  run_until_no_task_is_left ();
  assert_said ("read timeout y");
  cothread_descriptor_free (descriptor);
  close (ends[1]);
}

/* ---- everything that comes is read, however it comes ---- */

#define N_BYTES 100000

typedef struct
{
  gint fd;
  guint32 seed;
} Peer;

static gpointer
write_in_pieces (gpointer data)
{
  g_autofree Peer *peer = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (peer->seed);
  g_autofree char *bytes = g_malloc (N_BYTES);

  for (guint i = 0; i < N_BYTES; i++)
    bytes[i] = (char) (i * 7);
  for (guint i = 0; i < N_BYTES;)
    {
      guint piece = 1 + (1u << g_rand_int_range (random, 0, 13)), n = MIN (N_BYTES - i, piece);

      g_assert_cmpint (send (peer->fd, bytes + i, n, MSG_NOSIGNAL), ==, n);
      i += n;
      if (g_rand_int_range (random, 0, 4) == 0)
        g_usleep ((gulong) g_rand_int_range (random, 0, 100));
    }
  if (g_rand_boolean (random))
    {
      shutdown (peer->fd, SHUT_WR);
      g_usleep (100);
    }
  close (peer->fd);
  return NULL;
}

static gpointer
read_in_pieces (gpointer data, GError **error)
{
  Peer *peer = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (~peer->seed);
  g_autoptr (CothreadDescriptor) descriptor = cothread_descriptor_new (peer->fd, error);
  char buffer[4096];
  guint n_read = 0;
  gssize n;

  while ((n = cothread_descriptor_read (descriptor, buffer, (gsize) g_rand_int_range (random, 1, sizeof buffer),
                                        30 * G_USEC_PER_SEC, error)) > 0)
    {
      for (gssize i = 0; i < n; i++)
        g_assert_cmpint ((guchar) buffer[i], ==, (guchar) ((n_read + i) * 7));
      n_read += (guint) n;
    }
  g_assert_no_error (*error);
  g_assert_cmpint (n, ==, 0);
  g_assert_cmpuint (n_read, ==, N_BYTES);
  g_free (peer);
  return NULL;
}

static void
test_all_is_read_however_it_comes (void)
{
  GThread *threads[40];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      Peer *reader = g_new (Peer, 1), *writer = g_new (Peer, 1);
      gint ends[2];

      make_connection (ends);
      *reader = (Peer) { ends[0], i };
      *writer = (Peer) { ends[1], i };
      start ("r", read_in_pieces, reader);
      threads[i] = g_thread_new ("writer", write_in_pieces, writer);
    }
  run_until_no_task_is_left ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/drained/" #name, test_##name)
  ADD (the_end_comes_with_the_last_data);
  ADD (the_end_comes_later);
  ADD (a_reset_comes_with_the_last_data);
  ADD (a_read_stops_at_urgent_data);
  ADD (messages_of_other_sockets_are_read_one_after_another);
  ADD (two_tasks_read_by_turns);
  ADD (a_timeout_is_as_ever);
  ADD (all_is_read_however_it_comes);
  return g_test_run ();
}
