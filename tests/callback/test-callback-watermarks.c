/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The high and the low watermark, and who is told. */

typedef struct
{
  CallbackFixture *fixture;
  guint n_above;
  guint n_below;
  guint length_above;
  guint length_below;
  gboolean all_here; /* in this thread, on its own stack */
  void (*then) (CallbackFixture *f);
} Watch;

static void
note (Watch *watch)
{
  g_assert_cmpuint (watch->n_above - watch->n_below, <=, 1);
  watch->all_here &= callback_is_on_own_stack () && cothread_task_self () != NULL;
}

static void
on_above (CothreadCallbackQueue *queue, Watch *watch)
{
  watch->n_above++;
  watch->length_above = callback_length (watch->fixture);
  note (watch);
  if (watch->then != NULL)
    watch->then (watch->fixture);
  (void) queue;
}

static void
on_below (CothreadCallbackQueue *queue, Watch *watch)
{
  watch->n_below++;
  watch->length_below = callback_length (watch->fixture);
  note (watch);
  (void) queue;
}

static void
watch_queue (CallbackFixture *f, Watch *watch, guint low, guint high)
{
  *watch = (Watch) { .fixture = f, .all_here = TRUE };
  g_signal_connect (f->queue, "above-high-watermark", G_CALLBACK (on_above), watch);
  g_signal_connect (f->queue, "below-low-watermark", G_CALLBACK (on_below), watch);
  cothread_callback_queue_set_low_watermark (f->queue, low);
  cothread_callback_queue_set_high_watermark (f->queue, high);
}

static void
assert_told (Watch *watch, guint n_above, guint n_below)
{
  callback_run_idle (watch->fixture);
  g_assert_cmpuint (watch->n_above, ==, n_above);
  g_assert_cmpuint (watch->n_below, ==, n_below);
  g_assert_true (watch->all_here);
}

static void
test_each_crossing_is_told_of_once (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 3, 10);
  callback_post_nothing (f, 9);
  assert_told (&watch, 0, 0);
  for (guint i = 1; i <= 3; i++)
    {
      callback_post_nothing (f, 15);
      assert_told (&watch, i, i);
      g_assert_cmpuint (watch.length_above, ==, 15);
      g_assert_cmpuint (watch.length_below, ==, 3);
    }
}

static void
test_the_high_one_is_told_of_before_anything_runs (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 3);
  callback_post_nothing (f, 3);
  assert_told (&watch, 1, 1);

  g_assert_cmpuint (watch.length_above, ==, 3);
  g_assert_cmpuint (watch.length_below, ==, 0);
}

static void
test_between_the_marks_nothing_is_told (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 5);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 5);
  assert_told (&watch, 1, 0);
  callback_post_nothing (f, 20);
  assert_told (&watch, 1, 0);
  cothread_callback_queue_resume (f->queue);
  assert_told (&watch, 1, 1);
}

static gpointer
post_ten (gpointer data)
{
  callback_post_nothing (data, 10);
  return NULL;
}

static void
test_a_paused_queue_tells_what_threads_post (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 10);
  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);
  callback_in_thread (post_ten, f);
  assert_told (&watch, 1, 0);
}

static void
wait_long (CallbackFixture *f)
{
  (void) f;
  cothread_sleep (COTHREAD_FOREVER, NULL);
}

static void
test_a_queue_that_stands_still_tells_all_the_same (CallbackFixture *f)
{
  Parcel waits = { .then = wait_long }, next = { 0 };
  Watch watch;

  g_object_set (f->queue, "max-suspended", 1, NULL);
  watch_queue (f, &watch, 0, 10);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &waits, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &next, NULL);
  callback_run_idle (f);
  callback_in_thread (post_ten, f);
  assert_told (&watch, 1, 0);

  cothread_scheduler_shutdown (f->scheduler);
  callback_assert_parcel (&waits, 1);
  callback_assert_parcel (&next, 0);
}

static void
test_a_mark_below_the_present_length_is_reached_at_once (CallbackFixture *f)
{
  Watch watch;

  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 10);
  watch_queue (f, &watch, 0, 0);
  assert_told (&watch, 0, 0);
  cothread_callback_queue_set_high_watermark (f->queue, 10);
  assert_told (&watch, 1, 0);
  cothread_callback_queue_set_low_watermark (f->queue, 5);
  assert_told (&watch, 1, 0);
  /* Also one that is not below the high one. */
  cothread_callback_queue_set_low_watermark (f->queue, 100);
  assert_told (&watch, 1, 0);
  cothread_callback_queue_resume (f->queue);
  assert_told (&watch, 1, 1);
  g_assert_cmpuint (watch.length_below, ==, 9);
}

static void
test_without_a_high_mark_nothing_is_told (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 5);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 5);
  assert_told (&watch, 1, 0);
  cothread_callback_queue_set_high_watermark (f->queue, 0);
  cothread_callback_queue_resume (f->queue);
  callback_post_nothing (f, 50);
  assert_told (&watch, 1, 0);
}

static void
test_dropping_the_oldest_crosses_nothing (CallbackFixture *f)
{
  Watch watch;

  callback_set_bound (f, 10, COTHREAD_OVERFLOW_DROP_OLDEST);
  watch_queue (f, &watch, 0, 10);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 100);
  assert_told (&watch, 1, 0);
}

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
test_a_handler_may_close_the_queue (CallbackFixture *f)
{
  Parcel parcel = { 0 };
  Watch watch;

  watch_queue (f, &watch, 0, 1);
  watch.then = close_queue;
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  assert_told (&watch, 1, 0);

  callback_assert_parcel (&parcel, 0);
}

static void
run_nested (CallbackFixture *f)
{
  while (callback_length (f) > 0)
    g_main_context_iteration (f->context, TRUE);
}

static void
test_a_handler_may_run_a_main_loop (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 5);
  watch.then = run_nested;
  callback_post_nothing (f, 20);
  assert_told (&watch, 1, 1);
  g_assert_cmpuint (callback_n_run (f), ==, 20);
}

static void
post_more (CallbackFixture *f)
{
  callback_post_nothing (f, 20);
}

static void
test_a_handler_may_post (CallbackFixture *f)
{
  Watch watch;

  watch_queue (f, &watch, 0, 5);
  watch.then = post_more;
  callback_post_nothing (f, 5);
  assert_told (&watch, 1, 1);
  g_assert_cmpuint (watch.length_above, ==, 5);
}

static gint n_over; /* atomic */

static gpointer
post_in_bursts (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    {
      callback_post_nothing (data, 30);
      g_thread_yield ();
    }
  g_atomic_int_inc (&n_over);
  return NULL;
}

static void
test_threads_that_post_cross_in_alternation (CallbackFixture *f)
{
  GThread *threads[3];
  Watch watch;

  n_over = 0;
  watch_queue (f, &watch, 2, 8);
  for (guint i = 0; i < 3; i++)
    threads[i] = g_thread_new ("poster", post_in_bursts, f);
  callback_poll_until (f, g_atomic_int_get (&n_over) == 3 && callback_n_run (f) == 3 * 200 * 30);
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  callback_run_idle (f);

  g_assert_cmpuint (watch.n_above, >=, 1);
  g_assert_cmpuint (watch.n_above, ==, watch.n_below);
  g_assert_true (watch.all_here);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("watermarks", each_crossing_is_told_of_once);
  callback_test_add ("watermarks", the_high_one_is_told_of_before_anything_runs);
  callback_test_add ("watermarks", between_the_marks_nothing_is_told);
  callback_test_add ("watermarks", a_paused_queue_tells_what_threads_post);
  callback_test_add ("watermarks", a_queue_that_stands_still_tells_all_the_same);
  callback_test_add ("watermarks", a_mark_below_the_present_length_is_reached_at_once);
  callback_test_add ("watermarks", without_a_high_mark_nothing_is_told);
  callback_test_add ("watermarks", dropping_the_oldest_crosses_nothing);
  callback_test_add ("watermarks", a_handler_may_close_the_queue);
  callback_test_add ("watermarks", a_handler_may_run_a_main_loop);
  callback_test_add ("watermarks", a_handler_may_post);
  callback_test_add ("watermarks", threads_that_post_cross_in_alternation);
  return g_test_run ();
}
