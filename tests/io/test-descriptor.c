/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors that are the program's own: CothreadDescriptor. */

static gint ends[2];

static void
open_sockets (void)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==, 0);
}

static gpointer
echo (gpointer descriptor, GError **error)
{
  char buffer[16];
  gssize n;

  while ((n = cothread_descriptor_read (descriptor, buffer, sizeof buffer, COTHREAD_FOREVER, error)) > 0)
    if (!cothread_descriptor_write_all (descriptor, buffer, (gsize) n, COTHREAD_FOREVER, error))
      return NULL;
  if (n == 0)
    say ("end");
  else
    say (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CLOSED) ? "closed" : "%s", (*error)->message);
  g_clear_error (error);
  return NULL;
}

static void
test_a_descriptor_goes_to_and_fro (void)
{
  g_autoptr (CothreadDescriptor) descriptor = NULL;

  open_sockets ();
  descriptor = cothread_descriptor_new (ends[0], NULL);
  g_assert_cmpint (cothread_descriptor_get_fd (descriptor), ==, ends[0]);
  start ("echo", echo, descriptor);
  for (guint i = 0; i < 1000; i++)
    {
      char byte = (char) i, back;

      g_assert_cmpint (write (ends[1], &byte, 1), ==, 1);
      g_assert_cmpint (cothread_read (ends[1], &back, 1, COTHREAD_FOREVER, NULL), ==, 1);
      g_assert_cmpint (back, ==, byte);
    }
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();
  assert_said ("end");
}

static void
test_a_descriptor_is_freed_while_it_is_waited_for (void)
{
  CothreadDescriptor *descriptor;

  open_sockets ();
  descriptor = cothread_descriptor_new (ends[0], NULL);
  start ("first", echo, descriptor);
  start ("second", echo, descriptor);
  settle ();
  cothread_descriptor_free (descriptor);
  run_until_no_task_is_left ();
  assert_said ("closed closed");
  g_close (ends[1], NULL);
}

static gpointer
read_zeros (gpointer descriptor, GError **error)
{
  char buffer[4096];

  while (cothread_descriptor_read (descriptor, buffer, sizeof buffer, COTHREAD_FOREVER, error) > 0)
    ;
  say (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CLOSED) ? "closed" : "%s", (*error)->message);
  g_clear_error (error);
  return NULL;
}

/* Suspended between two tries, not in a wait. */
static void
test_a_descriptor_is_closed_while_a_reader_lets_others_run (void)
{
  g_autoptr (CothreadDescriptor) descriptor = cothread_descriptor_new (open ("/dev/zero", O_RDONLY | O_CLOEXEC), NULL);

  use_default_time_slice ();
  start ("reader", read_zeros, descriptor);
  g_assert_true (cothread_sleep (5 * MS, NULL));
  g_assert_true (cothread_descriptor_close (descriptor, NULL));
  g_assert_true (cothread_descriptor_close (descriptor, NULL));
  run_until_no_task_is_left ();
  assert_said ("closed");
  g_assert_cmpint (cothread_descriptor_get_fd (descriptor), ==, -1);
}

/* Registered, closed behind our back, and its number given to another. */
static void
test_a_number_that_was_kept_for_another_file (void)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (CothreadDescriptor) descriptor = NULL;
      char byte;

      open_sockets ();
      descriptor = cothread_descriptor_new (ends[0], NULL);
      start ("echo", echo, descriptor);
      for (guint j = 0; j < 5; j++)
        {
          g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
          g_assert_cmpint (cothread_read (ends[1], &byte, 1, COTHREAD_FOREVER, NULL), ==, 1);
        }
      if (i % 2 == 0)
        g_close (ends[1], NULL);
      else
        g_assert_true (cothread_descriptor_close (descriptor, NULL));
      run_until_no_task_is_left ();
      assert_said (i % 2 == 0 ? "end" : "closed");
      if (i % 2 != 0)
        g_close (ends[1], NULL);
    }
}

/* A second after the last activity the loop looks for descriptors that somebody
 * closed; the others lose nothing by it, kept registered or not. */
static void
test_being_looked_at_does_no_harm (void)
{
  g_autoptr (CothreadDescriptor) descriptor = NULL;
  char byte;

  open_sockets ();
  descriptor = cothread_descriptor_new (ends[0], NULL);
  start ("echo", echo, descriptor);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_true (cothread_sleep (i % 2 == 0 ? 1500 * MS : 0, NULL));
      g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
      g_assert_cmpint (cothread_read (ends[1], &byte, 1, 20 * G_USEC_PER_SEC, NULL), ==, 1);
    }
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();
  assert_said ("end");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/descriptor/" path, test)
  ADD ("being-looked-at-does-no-harm", test_being_looked_at_does_no_harm);
  ADD ("a-descriptor-goes-to-and-fro", test_a_descriptor_goes_to_and_fro);
  ADD ("a-descriptor-is-freed-while-it-is-waited-for", test_a_descriptor_is_freed_while_it_is_waited_for);
  ADD ("a-descriptor-is-closed-while-a-reader-lets-others-run", test_a_descriptor_is_closed_while_a_reader_lets_others_run);
  ADD ("a-number-that-was-kept-for-another-file", test_a_number_that_was_kept_for_another_file);
  return g_test_run ();
}
