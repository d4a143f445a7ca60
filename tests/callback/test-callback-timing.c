/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* What is measured: time in the queue, run time, the slowest, those who wait. */

static void
hold_thread (guint us)
{
  gint64 end_us = g_get_monotonic_time () + us;

  while (g_get_monotonic_time () < end_us)
    ;
}

static void
take_two_ms (G_GNUC_UNUSED gpointer data)
{
  hold_thread (2000);
}

static void
post (CallbackFixture *f, CothreadCallbackFunc func)
{
  g_assert_true (cothread_callback_queue_post (f->queue, func, NULL, NULL, NULL));
}

static void
test_a_trickle_is_timed_each_time (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (CothreadHistogram) in_queue = NULL, run_time = NULL;

  for (guint i = 0; i < 20; i++)
    {
      post (f, callback_do_nothing);
      callback_run_idle (f);
    }
  statistics = cothread_callback_queue_get_statistics (f->queue);
  in_queue = cothread_callback_statistics_get_time_in_queue (statistics);
  run_time = cothread_callback_statistics_get_run_time (statistics);

  g_assert_cmpuint (cothread_histogram_get_count (in_queue), ==, 20);
  g_assert_cmpuint (cothread_histogram_get_count (run_time), ==, 20);
  g_assert_cmpuint (cothread_histogram_get_max (in_queue), >, 0);
}

static void
test_of_a_flood_about_one_in_64_is_timed (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (CothreadHistogram) in_queue = NULL;

  callback_post_nothing (f, 64000);
  callback_run_idle (f);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  in_queue = cothread_callback_statistics_get_time_in_queue (statistics);

  g_assert_cmpuint (cothread_histogram_get_count (in_queue), >, 700);
  g_assert_cmpuint (cothread_histogram_get_count (in_queue), <, 1400);
}

static void
test_times_are_those_of_the_clock (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (CothreadHistogram) in_queue = NULL, run_time = NULL;

  post (f, take_two_ms);
  hold_thread (3000);
  callback_run_idle (f);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  in_queue = cothread_callback_statistics_get_time_in_queue (statistics);
  run_time = cothread_callback_statistics_get_run_time (statistics);

  /* A tenth less: callbacks are timed by the processor's counter, whose rate is measured. */
  g_assert_cmpuint (cothread_histogram_get_max (in_queue), >=, 2700000);
  g_assert_cmpuint (cothread_histogram_get_max (run_time), >=, 1800000);
  g_assert_cmpuint (cothread_histogram_get_quantile (run_time, 0.5), >=, 1800000);
  g_assert_cmpfloat (cothread_histogram_get_mean (run_time), >=, 1800000);
}

static void
wait_a_little (CallbackFixture *f)
{
  (void) f;
  cothread_sleep (1000, NULL);
}

static void
test_a_callback_that_waits_has_no_run_time (CallbackFixture *f)
{
  Parcel waits = { .then = wait_a_little };
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (CothreadHistogram) in_queue = NULL, run_time = NULL;

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &waits, NULL);
  callback_run_until (f, g_atomic_int_get (&waits.destroyed) == 1);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  in_queue = cothread_callback_statistics_get_time_in_queue (statistics);
  run_time = cothread_callback_statistics_get_run_time (statistics);

  g_assert_cmpuint (cothread_histogram_get_count (in_queue), ==, 1);
  g_assert_cmpuint (cothread_histogram_get_count (run_time), ==, 0);
}

static void
hold_and_free (gpointer data)
{
  hold_thread (1000);
  g_free (data);
}

static void
test_the_slowest_come_first_and_by_name (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (GPtrArray) slowest = NULL;
  gboolean has_exported = FALSE, has_static = FALSE;
  guint64 n_timed = 0;

  /* One at a time: each is timed. */
  for (guint i = 0; i < 3; i++)
    {
      post (f, take_two_ms);
      callback_run_idle (f);
    }
  post (f, hold_and_free);
  callback_run_idle (f);
  post (f, (CothreadCallbackFunc) g_free);
  callback_run_idle (f);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  slowest = cothread_callback_statistics_list_slowest (statistics);

  g_assert_cmpuint (slowest->len, ==, 3);
  for (guint i = 0; i < slowest->len; i++)
    {
      g_autoptr (CothreadSlowCallback) slow = cothread_slow_callback_copy (slowest->pdata[i]);

      g_assert_true (i == 0 || slow->longest_ns <= ((CothreadSlowCallback *) slowest->pdata[i - 1])->longest_ns);
      g_assert_cmpuint (slow->total_ns, >=, slow->longest_ns);
      n_timed += slow->timed;
      has_exported |= g_str_equal (slow->function, "g_free");
      has_static |= slow->timed == 3 && slow->total_ns >= 5400000 && g_str_equal (slow->function, "take_two_ms");
    }
  g_assert_cmpuint (n_timed, ==, 5);
  g_assert_true (has_exported);
  g_assert_true (has_static);
}

static void
hold_the_loop (G_GNUC_UNUSED gpointer data)
{
  hold_thread (20000);
}

static const CothreadSlowCallback *
find_slow (GPtrArray *slowest, const char *function)
{
  for (guint i = 0; i < slowest->len; i++)
    if (g_str_equal (((CothreadSlowCallback *) slowest->pdata[i])->function, function))
      return slowest->pdata[i];
  return NULL;
}

/* One of a thousand, of which some fifteen are timed. */
static void
check_slow_one_is_named (CallbackFixture *f, CothreadCallbackFlags flags)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  g_autoptr (GPtrArray) slowest = NULL;
  const CothreadSlowCallback *slow;

  for (guint i = 0; i < 1000; i++)
    g_assert_true (cothread_callback_queue_post_full (f->queue, flags, i == 700 ? hold_the_loop : callback_do_nothing, NULL, NULL, NULL));
  callback_run_until (f, callback_n_run (f) == 1000);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  slowest = cothread_callback_statistics_list_slowest (statistics);

  slow = find_slow (slowest, "hold_the_loop");
  g_assert_nonnull (slow);
  g_assert_cmpuint (slow->timed, ==, 1);
  /* All but what was left of the slice, if that was not made longer. */
  g_assert_cmpuint (slow->longest_ns, >=, 10000000);
}

static void
test_one_that_holds_the_loop_is_named_though_few_are_timed (CallbackFixture *f)
{
  check_slow_one_is_named (f, COTHREAD_CALLBACK_DEFAULT);
}

static void
test_so_is_one_that_may_wait (CallbackFixture *f)
{
  check_slow_one_is_named (f, COTHREAD_CALLBACK_MAY_WAIT);
}

#define TEMPLATE(n) \
  static void \
  take_ ## n ## _times (G_GNUC_UNUSED gpointer data) \
  { \
    hold_thread (20 * (n)); \
  }
TEMPLATE (1) TEMPLATE (2) TEMPLATE (3) TEMPLATE (4) TEMPLATE (5) TEMPLATE (6) TEMPLATE (7) TEMPLATE (8) TEMPLATE (9)
TEMPLATE (10) TEMPLATE (11) TEMPLATE (12) TEMPLATE (13) TEMPLATE (14) TEMPLATE (15) TEMPLATE (16) TEMPLATE (17) TEMPLATE (18)

static void
test_only_the_slowest_sixteen_are_kept (CallbackFixture *f)
{
  const CothreadCallbackFunc all[] = {
    take_1_times, take_2_times, take_3_times, take_4_times, take_5_times, take_6_times, take_7_times, take_8_times,
    take_9_times, take_10_times, take_11_times, take_12_times, take_13_times, take_14_times, take_15_times,
    take_16_times, take_17_times, take_18_times, take_two_ms,
  };
  g_autoptr (CothreadCallbackStatistics) statistics = NULL, copy = NULL;
  g_autoptr (GPtrArray) slowest = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      post (f, all[i]);
      callback_run_idle (f);
    }
  statistics = cothread_callback_queue_get_statistics (f->queue);
  copy = cothread_callback_statistics_copy (statistics);
  g_clear_pointer (&statistics, cothread_callback_statistics_free);
  slowest = cothread_callback_statistics_list_slowest (copy);

  g_assert_cmpuint (slowest->len, ==, 16);
  g_assert_cmpuint (((CothreadSlowCallback *) slowest->pdata[0])->longest_ns, >=, 1800000);
}

static void
test_what_was_measured_can_be_forgotten (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) before = NULL, after = NULL;
  g_autoptr (CothreadHistogram) run_time_before = NULL, run_time = NULL;
  g_autoptr (GPtrArray) slowest = NULL;

  post (f, callback_do_nothing);
  callback_run_idle (f);
  before = cothread_callback_queue_get_statistics (f->queue);
  cothread_callback_queue_reset_timing (f->queue);
  after = cothread_callback_queue_get_statistics (f->queue);
  run_time = cothread_callback_statistics_get_run_time (after);
  run_time_before = cothread_callback_statistics_get_run_time (before);
  slowest = cothread_callback_statistics_list_slowest (after);

  g_assert_cmpuint (cothread_histogram_get_count (run_time), ==, 0);
  g_assert_cmpuint (slowest->len, ==, 0);
  g_assert_cmpuint (after->run, ==, 1);
  /* A snapshot stays as it was. */
  g_assert_cmpuint (cothread_histogram_get_count (run_time_before), ==, 1);
}

static void
forget_it (CallbackFixture *f)
{
  cothread_callback_queue_reset_timing (f->queue);
}

static void
test_a_callback_may_forget_it (CallbackFixture *f)
{
  Parcel parcel = { .then = forget_it };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);
  callback_assert_parcel (&parcel, 1);
}

static guint64
oldest_age (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  return statistics->oldest_age_us;
}

static void
test_the_age_of_the_oldest_grows_while_it_waits (CallbackFixture *f)
{
  guint64 age_us;

  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);
  g_assert_cmpuint (oldest_age (f), ==, 0);
  callback_post_nothing (f, 10);
  hold_thread (2000);
  age_us = oldest_age (f);
  g_assert_cmpuint (age_us, >=, 1800);
  callback_post_nothing (f, 1000);
  hold_thread (1000);
  g_assert_cmpuint (oldest_age (f), >=, age_us + 1000);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  g_assert_cmpuint (oldest_age (f), ==, 0);
}

static void
test_dropping_the_oldest_makes_the_queue_younger (CallbackFixture *f)
{
  gint64 begin_us;

  callback_set_bound (f, 100, COTHREAD_OVERFLOW_DROP_OLDEST);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 1);
  hold_thread (20000);
  begin_us = g_get_monotonic_time ();
  callback_post_nothing (f, 2000);

  /* At least one of those that were dropped was timed. */
  g_assert_cmpuint (oldest_age (f), <=, (guint64) (g_get_monotonic_time () - begin_us));
}

static gpointer
post_one (gpointer data)
{
  callback_post_nothing (data, 1);
  return NULL;
}

static gpointer
post_one_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  return post_one (data);
}

static void
test_those_who_wait_for_room_are_counted_with_their_time (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) before = NULL, during = NULL, after = NULL;
  g_autoptr (CothreadTask) task = NULL;
  GThread *thread;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 1);
  before = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (before->blocked_now, ==, 0);
  g_assert_cmpuint (before->blocked_us, ==, 0);
  thread = g_thread_new ("poster", post_one, f);
  task = cothread_spawn (post_one_in_task, f);
  for (;;)
    {
      callback_run_idle (f);
      during = cothread_callback_queue_get_statistics (f->queue);
      if (during->blocked_now == 2)
        break;
      g_clear_pointer (&during, cothread_callback_statistics_free);
    }
  hold_thread (5000);
  g_clear_pointer (&during, cothread_callback_statistics_free);
  during = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (during->blocked_us, >=, 9000);
  g_assert_cmpuint (during->longest_blocked_us, ==, 0);
  cothread_callback_queue_resume (f->queue);
  callback_poll_until (f, callback_n_run (f) == 3);
  g_thread_join (thread);
  after = cothread_callback_queue_get_statistics (f->queue);

  g_assert_cmpuint (after->blocked_now, ==, 0);
  g_assert_cmpuint (after->blocked_us, >=, during->blocked_us);
  g_assert_cmpuint (after->longest_blocked_us, >=, 4500);
  g_assert_cmpuint (after->blocked, ==, 2);
}

static gint must_end; /* atomic */

static gpointer
drop_without_end (gpointer data)
{
  while (!g_atomic_int_get (&must_end))
    callback_post_nothing (data, 100);
  return NULL;
}

/* Also while others change them without a pause. */
static void
test_every_snapshot_is_consistent_and_nothing_goes_back (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) last = cothread_callback_queue_get_statistics (f->queue);
  GThread *threads[3];

  must_end = FALSE;
  callback_set_bound (f, 50, COTHREAD_OVERFLOW_DROP_OLDEST);
  for (guint i = 0; i < 3; i++)
    threads[i] = g_thread_new ("poster", drop_without_end, f);
  for (guint i = 0; i < 20000; i++)
    {
      CothreadCallbackStatistics *next = cothread_callback_queue_get_statistics (f->queue);

      g_assert_cmpuint (next->posted, >=, last->posted);
      g_assert_cmpuint (next->dropped_oldest, >=, last->dropped_oldest);
      g_assert_cmpuint (next->length, <=, 50);
      g_assert_cmpuint (next->blocked_us, >=, last->blocked_us);
      cothread_callback_statistics_free (last);
      last = next;
      if (i % 16 == 0)
        g_main_context_iteration (f->context, FALSE);
    }
  g_atomic_int_set (&must_end, TRUE);
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (last->dropped_oldest, >, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("timing", a_trickle_is_timed_each_time);
  callback_test_add ("timing", of_a_flood_about_one_in_64_is_timed);
  callback_test_add ("timing", times_are_those_of_the_clock);
  callback_test_add ("timing", a_callback_that_waits_has_no_run_time);
  callback_test_add ("timing", the_slowest_come_first_and_by_name);
  callback_test_add ("timing", one_that_holds_the_loop_is_named_though_few_are_timed);
  callback_test_add ("timing", so_is_one_that_may_wait);
  callback_test_add ("timing", only_the_slowest_sixteen_are_kept);
  callback_test_add ("timing", what_was_measured_can_be_forgotten);
  callback_test_add ("timing", a_callback_may_forget_it);
  callback_test_add ("timing", the_age_of_the_oldest_grows_while_it_waits);
  callback_test_add ("timing", dropping_the_oldest_makes_the_queue_younger);
  callback_test_add ("timing", those_who_wait_for_room_are_counted_with_their_time);
  callback_test_add ("timing", every_snapshot_is_consistent_and_nothing_goes_back);
  return g_test_run ();
}
