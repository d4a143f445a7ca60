/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Results that a thread makes and a task takes. */

typedef struct
{
  guint n;
  gint n_made; /* atomic */
  gint n_freed;
  gint is_over;
  const char *failure;
} Work;

static Work *work;

static void
free_number (gpointer number)
{
  g_assert_nonnull (number);
  g_atomic_int_inc (&work->n_freed);
}

static gboolean
make_numbers (CothreadThreadStream *stream, gpointer data, GError **error)
{
  Work *self = data;

  for (guint i = 1; i <= self->n; i++)
    {
      g_atomic_int_inc (&self->n_made);
      if (!cothread_thread_stream_send (stream, GUINT_TO_POINTER (i), error))
        return FALSE;
    }
  if (self->failure == NULL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, self->failure);
  return FALSE;
}

static void
note_end (gpointer data)
{
  g_atomic_int_set (&((Work *) data)->is_over, TRUE);
}

static CothreadThreadStream *
start_stream (guint max_length)
{
  g_autoptr (GError) error = NULL;
  CothreadThreadStream *stream = cothread_thread_stream_new ("numbers", max_length, make_numbers, work, note_end, free_number, &error);

  g_assert_no_error (error);
  return stream;
}

static void
wait_for_thread (void)
{
  while (!g_atomic_int_get (&work->is_over))
    g_usleep (1000);
}

static gpointer
take_all (gpointer stream, GError **error)
{
  guint expected = 1;
  gpointer number;

  while (cothread_thread_stream_next (stream, COTHREAD_FOREVER, &number, error))
    g_assert_cmpuint (GPOINTER_TO_UINT (number), ==, expected++);
  say ("%u", expected - 1);
  if (*error != NULL)
    say ("%s", (*error)->message);
  g_clear_error (error);
  return NULL;
}

static void
test_all_come_in_order_and_then_the_end (void)
{
  Work own = { .n = 10000 };
  g_autoptr (CothreadThreadStream) stream = NULL;

  work = &own;
  stream = start_stream (16);
  start ("taker", take_all, stream);
  run_until_no_task_is_left ();
  assert_said ("10000");
  g_assert_cmpint (own.n_freed, ==, 0);
  wait_for_thread ();
}

static void
test_who_makes_them_waits_for_who_takes_them (void)
{
  Work own = { .n = 1000 };
  g_autoptr (CothreadThreadStream) stream = NULL;

  work = &own;
  stream = start_stream (4);
  for (guint i = 0; i < 20 || g_atomic_int_get (&own.n_made) < 5; i++)
    g_usleep (1000);
  g_assert_cmpint (g_atomic_int_get (&own.n_made), ==, 5); /* four in the queue, one in hand */
  start ("taker", take_all, stream);
  run_until_no_task_is_left ();
  assert_said ("1000");
  wait_for_thread ();
}

static void
test_a_failure_comes_after_the_results (void)
{
  Work own = { .n = 3, .failure = "broken" };
  g_autoptr (CothreadThreadStream) stream = NULL;

  work = &own;
  stream = start_stream (10);
  start ("taker", take_all, stream);
  run_until_no_task_is_left ();
  start ("again", take_all, stream);
  run_until_no_task_is_left ();
  assert_said ("3 broken 0 broken");
  wait_for_thread ();
}

static void
test_nobody_wants_any_more (void)
{
  Work own = { .n = 1000000 };
  CothreadThreadStream *stream;
  gpointer number = NULL;

  work = &own;
  stream = start_stream (4);
  g_assert_true (cothread_thread_stream_next (stream, COTHREAD_FOREVER, &number, NULL));
  g_assert_cmpuint (GPOINTER_TO_UINT (number), ==, 1);
  cothread_thread_stream_free (stream);
  wait_for_thread ();
  g_assert_cmpint (own.n_made, <, 1000);
  g_assert_cmpint (own.n_freed, ==, own.n_made - 1);
}

static gboolean
make_nothing (G_GNUC_UNUSED CothreadThreadStream *stream, gpointer go, G_GNUC_UNUSED GError **error)
{
  while (!g_atomic_int_get ((gint *) go))
    g_usleep (1000);
  return TRUE;
}

static gpointer
take_with_time_limit (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gpointer result;

  g_assert_false (cothread_thread_stream_next (stream, MS, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  say ("timeout");
  return NULL;
}

static gpointer
take_until_cancelled (gpointer stream, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gpointer result;

  g_assert_false (cothread_thread_stream_next (stream, COTHREAD_FOREVER, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say ("cancelled");
  return NULL;
}

static void
test_time_passes_and_a_taker_is_cancelled (void)
{
  gint go = FALSE;
  g_autoptr (CothreadThreadStream) stream = cothread_thread_stream_new ("nothing", 1, make_nothing, &go, NULL, NULL, NULL);
  g_autoptr (CothreadTask) task = NULL;
  gpointer result;
  g_autoptr (GError) error = NULL;

  start ("taker", take_with_time_limit, stream);
  run_until_no_task_is_left ();
  task = spawn ("taker", take_until_cancelled, stream);
  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("timeout cancelled");
  g_atomic_int_set (&go, TRUE);
  g_assert_false (cothread_thread_stream_next (stream, COTHREAD_FOREVER, &result, &error));
  g_assert_no_error (error);
}

static gpointer
free_stream (gpointer stream, G_GNUC_UNUSED GError **error)
{
  cothread_thread_stream_free (stream);
  return NULL;
}

static void
test_freed_while_it_is_waited_for (void)
{
  static gint go; /* outlives the thread */
  Work own = { 0 };
  CothreadThreadStream *stream = cothread_thread_stream_new ("nothing", 1, make_nothing, &go, NULL, NULL, NULL);

  work = &own;
  start ("first", take_all, stream);
  start ("second", take_all, stream);
  settle ();
  start ("freer", free_stream, stream);
  run_until_no_task_is_left ();
  assert_said ("0 0"); /* as at the end */
  g_atomic_int_set (&go, TRUE);

  /* The thread is over too: nobody but the waiter holds it. */
  stream = start_stream (1);
  wait_for_thread ();
  start ("taker", take_all, stream);
  start ("freer", free_stream, stream);
  run_until_no_task_is_left ();
  assert_said ("0");
}

/* Not again, which would be of a stream that is no more. */
static gpointer
take_once (gpointer stream, GError **error)
{
  gpointer number;

  if (cothread_thread_stream_next (stream, COTHREAD_FOREVER, &number, error))
    g_assert_cmpuint (GPOINTER_TO_UINT (number), ==, 1);
  g_clear_error (error); /* perhaps the thread's */
  return NULL;
}

/* While the thread is in the middle of failing. */
static void
test_freed_while_the_thread_fails (void)
{
  for (guint i = 0; i < 200; i++)
    {
      Work own = { .n = i % 2, .failure = "broken" };
      CothreadThreadStream *stream;

      work = &own;
      stream = start_stream (1);
      start ("taker", take_once, stream);
      settle ();
      start ("freer", free_stream, stream);
      run_until_no_task_is_left ();
      wait_for_thread ();
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) behaviour_add ("/io/thread-stream/" path, test)
  ADD ("all-come-in-order-and-then-the-end", test_all_come_in_order_and_then_the_end);
  ADD ("who-makes-them-waits-for-who-takes-them", test_who_makes_them_waits_for_who_takes_them);
  ADD ("a-failure-comes-after-the-results", test_a_failure_comes_after_the_results);
  ADD ("nobody-wants-any-more", test_nobody_wants_any_more);
  ADD ("time-passes-and-a-taker-is-cancelled", test_time_passes_and_a_taker_is_cancelled);
  ADD ("freed-while-it-is-waited-for", test_freed_while_it_is_waited_for);
  ADD ("freed-while-the-thread-fails", test_freed_while_the_thread_fails);
  return g_test_run ();
}
