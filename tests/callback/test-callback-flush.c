/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Waiting until what was posted before has left the queue. */

#define LONG_US (60 * G_USEC_PER_SEC)

static void
test_main_runs_the_loop_meanwhile (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  callback_post_nothing (f, 1000);
  g_assert_true (cothread_callback_queue_flush (f->queue, LONG_US, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (callback_n_run (f), ==, 1000);
}

static void
test_an_empty_queue_is_flushed_at_once (CallbackFixture *f)
{
  g_assert_true (cothread_callback_queue_flush (f->queue, 0, NULL));
  cothread_callback_queue_pause (f->queue);
  g_assert_true (cothread_callback_queue_flush (f->queue, 0, NULL));
}

typedef struct
{
  CallbackFixture *fixture;
  gint64 timeout_us;
  gboolean was_flushed;
  guint64 n_run; /* at that time */
  GError *error;
  gint is_over; /* atomic */
} Flush;

static gpointer
flush_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  Flush *flush = data;

  flush->was_flushed = cothread_callback_queue_flush (flush->fixture->queue, flush->timeout_us, &flush->error);
  flush->n_run = callback_n_run (flush->fixture);
  return NULL;
}

static void
test_a_task_suspends (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = LONG_US };

  callback_post_nothing (f, 500);
  callback_in_task (f, flush_in_task, &flush);

  g_assert_no_error (flush.error);
  g_assert_true (flush.was_flushed);
  g_assert_cmpuint (flush.n_run, >=, 500);
}

static gpointer
flush_in_thread (gpointer data)
{
  Flush *flush = data;

  callback_post_nothing (flush->fixture, 100);
  flush->was_flushed = cothread_callback_queue_flush (flush->fixture->queue, flush->timeout_us, &flush->error);
  g_atomic_int_set (&flush->is_over, TRUE);
  g_main_context_wakeup (flush->fixture->context);
  return NULL;
}

static void
test_a_thread_blocks (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = COTHREAD_FOREVER };
  GThread *thread = g_thread_new ("flusher", flush_in_thread, &flush);

  callback_run_until (f, g_atomic_int_get (&flush.is_over));
  g_thread_join (thread);

  g_assert_no_error (flush.error);
  g_assert_true (flush.was_flushed);
  g_assert_cmpuint (callback_n_run (f), ==, 100);
}

static void
post_again (CallbackFixture *f)
{
  Parcel *parcel = g_new0 (Parcel, 1);

  parcel->fixture = f;
  parcel->then = post_again;
  cothread_callback_queue_post (f->queue, callback_parcel_run, parcel, g_free, NULL);
}

static void
test_what_is_posted_later_is_not_waited_for (CallbackFixture *f)
{
  post_again (f); /* never empty from now on */
  callback_post_nothing (f, 10);
  g_assert_true (cothread_callback_queue_flush (f->queue, LONG_US, NULL));
  g_assert_cmpuint (callback_n_run (f), >=, 11);
  cothread_callback_queue_close (f->queue);
}

static void
test_a_paused_queue_keeps_it_waiting_until_the_timeout (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 1);
  g_assert_false (cothread_callback_queue_flush (f->queue, 1000, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  cothread_callback_queue_resume (f->queue);
  g_assert_true (cothread_callback_queue_flush (f->queue, LONG_US, NULL));
}

static void
test_a_thread_times_out (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = 1000 };

  /* The loop does not run meanwhile. */
  callback_in_thread (flush_in_thread, &flush);
  g_assert_false (flush.was_flushed);
  g_assert_error (flush.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&flush.error);

  callback_run_idle (f);
  g_assert_cmpuint (callback_n_run (f), ==, 100);
}

static void
test_what_is_dropped_has_left_too (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = LONG_US };
  g_autoptr (CothreadTask) task = NULL;

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_DROP_OLDEST);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 3);
  task = cothread_spawn (flush_in_task, &flush);
  callback_run_idle (f);
  callback_post_nothing (f, 2);
  callback_run_idle (f);
  g_assert_false (cothread_task_is_finished (task));
  callback_post_nothing (f, 1);
  callback_run_until (f, cothread_task_is_finished (task));

  g_assert_true (flush.was_flushed);
  g_assert_cmpuint (flush.n_run, ==, 0);
}

static gpointer
drop_three (gpointer data)
{
  callback_post_nothing (data, 3);
  return NULL;
}

static void
test_what_another_thread_drops_has_left_too (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = LONG_US };
  g_autoptr (CothreadTask) task = NULL;

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_DROP_OLDEST);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 3);
  task = cothread_spawn (flush_in_task, &flush);
  callback_run_idle (f);
  callback_in_thread (drop_three, f);
  callback_run_until (f, cothread_task_is_finished (task));

  g_assert_true (flush.was_flushed);
}

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
test_closing_the_queue_ends_it (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = COTHREAD_FOREVER };
  Parcel closes = { .then = close_queue };
  g_autoptr (GError) error = NULL;

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &closes, NULL);
  callback_post_nothing (f, 10);
  callback_in_task (f, flush_in_task, &flush);
  g_assert_false (flush.was_flushed);
  g_assert_error (flush.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&flush.error);

  g_assert_false (cothread_callback_queue_flush (f->queue, LONG_US, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static void
test_a_shutdown_ends_the_flush_of_a_thread (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = COTHREAD_FOREVER };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  thread = g_thread_new ("flusher", flush_in_thread, &flush);
  callback_poll_until (f, callback_length (f) == 100);
  cothread_scheduler_shutdown (f->scheduler);
  g_thread_join (thread);

  g_assert_error (flush.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&flush.error);
}

static GError *refusal;

static void
flush_in_callback (CallbackFixture *f)
{
  g_assert_false (cothread_callback_queue_flush (f->queue, LONG_US, &refusal));
}

static void
test_a_callback_that_must_not_wait_is_refused (CallbackFixture *f)
{
  Parcel parcel = { .then = flush_in_callback };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_post_nothing (f, 1);
  callback_run_idle (f);

  g_assert_error (refusal, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  g_clear_error (&refusal);
  g_assert_cmpuint (callback_n_run (f), ==, 2);
}

static gboolean inner_was_flushed;

static void
flush_own_queue (CallbackFixture *f)
{
  inner_was_flushed = cothread_callback_queue_flush (f->queue, LONG_US, NULL);
}

static void
test_a_callback_that_may_wait_flushes_its_own_queue (CallbackFixture *f)
{
  Parcel parcel = { .then = flush_own_queue };

  inner_was_flushed = FALSE;
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_post_nothing (f, 10);
  callback_run_idle (f);

  g_assert_true (inner_was_flushed);
}

static void
test_a_cancelled_task_gives_up (CallbackFixture *f)
{
  Flush flush = { .fixture = f, .timeout_us = COTHREAD_FOREVER };
  g_autoptr (CothreadTask) task = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 1);
  task = cothread_spawn (flush_in_task, &flush);
  callback_run_idle (f);
  cothread_task_cancel (task);
  callback_run_idle (f);

  g_assert_error (flush.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&flush.error);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
}

/* A thread with a scheduler of its own: the task there waits, not the thread. */
typedef struct
{
  Flush flush;
  guint n_ticks;
} Elsewhere;

static gpointer
tick (gpointer data, G_GNUC_UNUSED GError **error)
{
  Elsewhere *elsewhere = data;

  while (!g_atomic_int_get (&elsewhere->flush.is_over))
    {
      __atomic_add_fetch (&elsewhere->n_ticks, 1, __ATOMIC_RELAXED);
      cothread_sleep (100, NULL);
    }
  return NULL;
}

static gpointer
flush_elsewhere (gpointer data, G_GNUC_UNUSED GError **error)
{
  Elsewhere *elsewhere = data;
  Flush *flush = &elsewhere->flush;

  flush->was_flushed = cothread_callback_queue_flush (flush->fixture->queue, flush->timeout_us, &flush->error);
  g_atomic_int_set (&flush->is_over, TRUE);
  return NULL;
}

static gpointer
run_elsewhere (gpointer data)
{
  Elsewhere *elsewhere = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadTask) flusher = NULL, ticker = NULL;

  g_main_context_push_thread_default (context);
  flusher = cothread_spawn (flush_elsewhere, elsewhere);
  ticker = cothread_spawn (tick, elsewhere);
  g_assert_true (cothread_task_join (flusher, COTHREAD_FOREVER, NULL, NULL));
  g_assert_true (cothread_task_join (ticker, COTHREAD_FOREVER, NULL, NULL));
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  g_main_context_wakeup (elsewhere->flush.fixture->context);
  return NULL;
}

static void
test_a_task_of_another_scheduler_suspends_and_not_its_thread (CallbackFixture *f)
{
  Elsewhere elsewhere = { .flush = { .fixture = f, .timeout_us = COTHREAD_FOREVER } };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 10);
  thread = g_thread_new ("elsewhere", run_elsewhere, &elsewhere);
  callback_poll_until (f, __atomic_load_n (&elsewhere.n_ticks, __ATOMIC_RELAXED) >= 3);
  g_assert_false (g_atomic_int_get (&elsewhere.flush.is_over));
  cothread_callback_queue_resume (f->queue);
  callback_poll_until (f, g_atomic_int_get (&elsewhere.flush.is_over));
  g_thread_join (thread);

  g_assert_no_error (elsewhere.flush.error);
  g_assert_true (elsewhere.flush.was_flushed);
}

static gint n_over; /* atomic */

static gpointer
flush_many_times (gpointer data)
{
  CallbackFixture *f = data;
  guint n_flushed = 0;

  for (guint i = 0; i < 200; i++)
    {
      Parcel parcel = { 0 };
      gint64 timeout_us = i % 2 == 0 ? COTHREAD_FOREVER : 50;
      gboolean was_flushed;

      g_assert_true (callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL));
      was_flushed = cothread_callback_queue_flush (f->queue, timeout_us, NULL);
      if (was_flushed)
        callback_assert_parcel (&parcel, 1);
      n_flushed += was_flushed;
      g_assert_true (was_flushed || i % 2 == 1);
      while (g_atomic_int_get (&parcel.destroyed) == 0)
        g_thread_yield ();
    }
  g_assert_cmpuint (n_flushed, >=, 100);
  g_atomic_int_inc (&n_over);
  g_main_context_wakeup (f->context);
  return NULL;
}

static void
test_many_threads_flush_and_time_out_at_once (CallbackFixture *f)
{
  GThread *threads[4];

  n_over = 0;
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("flusher", flush_many_times, f);
  callback_run_until (f, g_atomic_int_get (&n_over) == 4);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("flush", main_runs_the_loop_meanwhile);
  callback_test_add ("flush", an_empty_queue_is_flushed_at_once);
  callback_test_add ("flush", a_task_suspends);
  callback_test_add ("flush", a_thread_blocks);
  callback_test_add ("flush", what_is_posted_later_is_not_waited_for);
  callback_test_add ("flush", a_paused_queue_keeps_it_waiting_until_the_timeout);
  callback_test_add ("flush", a_thread_times_out);
  callback_test_add ("flush", what_is_dropped_has_left_too);
  callback_test_add ("flush", what_another_thread_drops_has_left_too);
  callback_test_add ("flush", closing_the_queue_ends_it);
  callback_test_add ("flush", a_shutdown_ends_the_flush_of_a_thread);
  callback_test_add ("flush", a_callback_that_must_not_wait_is_refused);
  callback_test_add ("flush", a_callback_that_may_wait_flushes_its_own_queue);
  callback_test_add ("flush", a_cancelled_task_gives_up);
  callback_test_add ("flush", a_task_of_another_scheduler_suspends_and_not_its_thread);
  callback_test_add ("flush", many_threads_flush_and_time_out_at_once);
  return g_test_run ();
}
