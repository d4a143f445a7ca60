/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wall-clock.h"

#include "../behaviour/every-wait.h"

#include <glib-unix.h>
#include <glib/gstdio.h>

/* The wall clock is stepped by a day to and fro (somebody sets it, the radio
 * does, summer time begins in a broken way): every wait ends when its own time
 * is up, and nothing has even looked. */

#define TIMEOUT_US (60 * MS)
#define DAY ((gint64) 24 * 3600)
#define PATIENCE_US (20 * G_USEC_PER_SEC)

static CothreadThreadedEventQueue *threaded_queue;
static CothreadCallbackQueue *callbacks;
static CothreadCallbackQueue *full;
static gint ends[2];

static gboolean
sleep_until (gint64 timeout_us, GError **error)
{
  return cothread_sleep_until (now () + timeout_us, error);
}

static gboolean
wait_for_timer_to_expire (gint64 timeout_us, GError **error)
{
  g_autoptr (CothreadTimer) own = cothread_timer_new_plain (timeout_us, COTHREAD_TIMER_REUSE);

  return cothread_timer_wait (own, COTHREAD_FOREVER, error);
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gboolean
stay_in_scope (gint64 timeout_us, GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_scope_set_timeout (scope, timeout_us);
  cothread_task_unref (cothread_scope_spawn (scope, sleep_for_ever, NULL));
  return cothread_scope_leave (scope, error);
}

static gboolean
read_pipe (gint64 timeout_us, GError **error)
{
  char byte;

  return cothread_read (ends[0], &byte, 1, timeout_us, error) >= 0;
}

static gboolean
take_item (gint64 timeout_us, GError **error)
{
  gpointer item;

  return cothread_threaded_event_queue_wait (threaded_queue, timeout_us, NULL, &item, error);
}

static gpointer
poll_until_cancelled (G_GNUC_UNUSED gpointer unused, GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  GPollFD poll;

  g_assert_true (g_cancellable_make_pollfd (cancellable, &poll));
  while (!g_cancellable_is_cancelled (cancellable))
    g_poll (&poll, 1, -1);
  g_cancellable_release_fd (cancellable);
  return NULL;
}

static gboolean
work_in_thread (gint64 timeout_us, GError **error)
{
  return cothread_run_in_thread (poll_until_cancelled, NULL, timeout_us, NULL, error);
}

static gboolean
call_task (gint64 timeout_us, GError **error)
{
  return cothread_callback_queue_call (callbacks, sleep_for_ever, NULL, NULL, NULL, timeout_us, NULL, NULL, error);
}

static void
never_run (G_GNUC_UNUSED gpointer unused)
{
  g_assert_not_reached ();
}

/* The queue is paused and full, and has the timeout. */
static gboolean
post_callback (G_GNUC_UNUSED gint64 timeout_us, GError **error)
{
  return cothread_callback_queue_post (full, never_run, NULL, NULL, error);
}

static const struct
{
  EveryWait wait;
  gboolean is_for_threads;
} more_waits[] = {
  { { "sleep", cothread_sleep } },
  { { "sleep-until", sleep_until } },
  { { "sleep-precisely", cothread_sleep_precisely } },
  { { "timer-of-its-own", wait_for_timer_to_expire } },
  { { "scope", stay_in_scope } },
  { { "read", read_pipe } },
  { { "threaded-queue", take_item } },
  { { "thread", work_in_thread } },
  { { "threaded-queue", take_item }, TRUE },
  { { "call", call_task }, TRUE },
  { { "post", post_callback }, TRUE },
};

#define N_WAITS (N_EVERY_WAIT + G_N_ELEMENTS (more_waits))

static gint n_over; /* atomic */

typedef struct
{
  const EveryWait *wait;
  gint64 took_us;
} Waiting;

static void
wait_in_full (Waiting *self)
{
  g_autoptr (GError) error = NULL;
  gint64 from_us = g_get_monotonic_time ();

  if (!self->wait->wait (TIMEOUT_US, &error))
    g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
                   g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL));
  self->took_us = g_get_monotonic_time () - from_us;
  g_atomic_int_inc (&n_over);
}

static gpointer
wait_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  wait_in_full (data);
  return NULL;
}

static gpointer
wait_in_thread (gpointer data)
{
  wait_in_full (data);
  return NULL;
}

static gpointer
step_to_and_fro (G_GNUC_UNUSED gpointer unused)
{
  gint64 to = DAY;

  for (gint64 end_us = g_get_monotonic_time () + PATIENCE_US; (guint) g_atomic_int_get (&n_over) < N_WAITS; to = -to)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end_us);
      wall_clock_step (to);
      g_usleep (1000); /* before, in the middle of and after any sleep of the loop */
    }
  return NULL;
}

static void
set_up (void)
{
  every_wait_set_up ();
  make_pipe (ends);
  g_unix_set_fd_nonblocking (ends[0], TRUE, NULL);
  threaded_queue = cothread_threaded_event_queue_new (0, NULL);
  callbacks = g_object_ref (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  full = cothread_callback_queue_new (cothread_scheduler_get_default (), "full");
  cothread_callback_queue_set_max_length (full, 1);
  cothread_callback_queue_set_overflow (full, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_set_block_timeout (full, TIMEOUT_US);
  cothread_callback_queue_pause (full);
  g_assert_true (cothread_callback_queue_post (full, never_run, NULL, NULL, NULL));
  settle ();
}

static void
tear_down (void)
{
  cothread_callback_queue_close (full);
  every_wait_tear_down ();
  g_clear_object (&full);
  g_clear_object (&callbacks);
  g_clear_object (&threaded_queue);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
test_the_clock_can_be_stepped (void)
{
  gint64 before_us = g_get_real_time ();
  guint n = wall_clock_reads ();

  wall_clock_step (DAY);

  g_assert_cmpint (g_get_real_time () - before_us, >=, DAY * G_USEC_PER_SEC);
  g_assert_cmpuint (wall_clock_reads (), >, n);
  wall_clock_step (-DAY);
}

static void
test_a_step_moves_no_wait (void)
{
  Waiting waiting[N_WAITS];
  GThread *threads[N_WAITS] = { NULL };
  GThread *stepper;
  guint n_reads, n_waits;

  set_up ();
  n_reads = wall_clock_reads ();
  n_waits = wall_clock_waits ();
  n_over = 0;
  for (guint i = 0; i < N_WAITS; i++)
    {
      waiting[i].wait = i < N_EVERY_WAIT ? &every_wait[i] : &more_waits[i - N_EVERY_WAIT].wait;
      if (i >= N_EVERY_WAIT && more_waits[i - N_EVERY_WAIT].is_for_threads)
        threads[i] = g_thread_new (waiting[i].wait->name, wait_in_thread, &waiting[i]);
      else
        start (waiting[i].wait->name, wait_in_task, &waiting[i]);
    }
  stepper = g_thread_new ("stepper", step_to_and_fro, NULL);
  while ((guint) g_atomic_int_get (&n_over) < N_WAITS)
    cothread_sleep (10 * MS, NULL);
  g_thread_join (stepper);

  for (guint i = 0; i < N_WAITS; i++)
    {
      g_test_message ("%s: %" G_GINT64_FORMAT " us", waiting[i].wait->name, waiting[i].took_us);
      g_clear_pointer (&threads[i], g_thread_join);
      g_assert_cmpint (waiting[i].took_us, >=, TIMEOUT_US);
    }
  g_assert_cmpuint (wall_clock_reads (), ==, n_reads);
  g_assert_cmpuint (wall_clock_waits (), ==, n_waits);
  tear_down ();
}

static gpointer
hold_the_loop (gpointer detector, G_GNUC_UNUSED GError **error)
{
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (cothread_stall_detector_get_n_stalls (detector) == 0)
    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
  return NULL;
}

static void
test_who_watches_for_stalls_does_not_wait_by_it (void)
{
  g_autoptr (CothreadStallDetector) detector = cothread_stall_detector_new (NULL, 20 * MS);
  guint n_waits = wall_clock_waits ();

  start ("greedy", hold_the_loop, detector);
  run_until_no_task_is_left ();
  cothread_stall_detector_stop (detector);

  g_assert_cmpuint (wall_clock_waits (), ==, n_waits);
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "COTHREAD_HELD_US"))
      return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, data);
}

int
main (int argc, char **argv)
{
  g_log_set_writer_func (write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/wall-clock/can-be-stepped-here", test_the_clock_can_be_stepped);
  behaviour_add ("/wall-clock/a-step-moves-no-wait", test_a_step_moves_no_wait);
  behaviour_add ("/wall-clock/who-watches-for-stalls-does-not-wait-by-it", test_who_watches_for_stalls_does_not_wait_by_it);
  return g_test_run ();
}
