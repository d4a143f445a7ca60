/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The counters: posted = run + dropped-oldest + dropped-closed + length. What
 * was posted is counted by the tests themselves. */

static void
test_a_new_queue_has_counted_nothing (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  callback_assert_accounts (f, 0, 0, 0, 0);
  g_assert_cmpuint (statistics->high_water, ==, 0);
  g_assert_cmpuint (statistics->refused, ==, 0);
  g_assert_cmpuint (statistics->blocked, ==, 0);
}

static guint n_posted;
static guint n_ran;

static void
check_in_callback (CallbackFixture *f)
{
  n_ran++;
  if (n_ran % 3 == 0)
    {
      callback_post_nothing (f, 1);
      n_posted++;
    }
}

static void
check_sums_in_callback (gpointer data)
{
  CallbackFixture *f = data;
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  check_in_callback (f);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->posted, ==, n_posted);
  g_assert_cmpuint (statistics->length, ==, n_posted - statistics->run);
  g_assert_cmpuint (statistics->run, >=, n_ran);
}

static void
test_the_sum_holds_inside_every_callback (CallbackFixture *f)
{
  n_posted = 300;
  n_ran = 0;
  for (guint i = 0; i < 300; i++)
    g_assert_true (cothread_callback_queue_post (f->queue, check_sums_in_callback, f, NULL, NULL));
  callback_run_idle (f);

  g_assert_cmpuint (n_posted, ==, 400);
  callback_assert_accounts (f, 400, 400, 0, 0);
}

static void
test_a_callback_counts_as_run_when_it_begins (CallbackFixture *f)
{
  n_posted = 1;
  n_ran = 0;
  g_assert_true (cothread_callback_queue_post (f->queue, check_sums_in_callback, f, NULL, NULL));
  callback_run_idle (f);

  g_assert_cmpuint (n_ran, ==, 1);
}

static gint flood_is_over; /* atomic */

static gpointer
flood (gpointer data)
{
  CallbackFixture *f = data;
  guint64 *n_accepted = g_new0 (guint64, 1);

  for (guint i = 0; i < 20000; i++)
    *n_accepted += cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL);
  g_atomic_int_inc (&flood_is_over);
  return n_accepted;
}

static void
check_snapshots_under_flood (CallbackFixture *f, CothreadOverflowPolicy overflow)
{
  GThread *threads[4];
  guint64 n_accepted = 0, last_posted = 0;
  g_autoptr (CothreadCallbackStatistics) end = NULL;

  flood_is_over = 0;
  callback_set_bound (f, 100, overflow);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("flood", flood, f);
  while (g_atomic_int_get (&flood_is_over) < (gint) G_N_ELEMENTS (threads))
    {
      g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

      g_assert_cmpuint (statistics->posted, >=, last_posted);
      g_assert_cmpuint (statistics->high_water, <=, 100);
      last_posted = statistics->posted;
      g_main_context_iteration (f->context, FALSE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autofree guint64 *accepted = g_thread_join (threads[i]);

      n_accepted += *accepted;
    }
  callback_run_idle (f);

  end = cothread_callback_queue_get_statistics (f->queue);
  callback_assert_accounts (f, n_accepted, end->run, n_accepted - end->run, 0);
  g_assert_cmpuint (end->refused, ==, 80000 - n_accepted);
}

static void
test_snapshots_are_consistent_while_threads_are_refused (CallbackFixture *f)
{
  check_snapshots_under_flood (f, COTHREAD_OVERFLOW_FAIL);
}

static void
test_snapshots_are_consistent_while_threads_drop_the_oldest (CallbackFixture *f)
{
  check_snapshots_under_flood (f, COTHREAD_OVERFLOW_DROP_OLDEST);
}

static void
test_snapshots_are_consistent_while_threads_block (CallbackFixture *f)
{
  check_snapshots_under_flood (f, COTHREAD_OVERFLOW_BLOCK);
}

static void
test_the_high_water_mark_is_the_most_that_ever_waited (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  callback_post_nothing (f, 7);
  callback_run_idle (f);
  callback_post_nothing (f, 3);

  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->high_water, ==, 7);
}

static void
test_a_reset_high_water_mark_starts_at_the_present_length (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) at_reset = NULL, later = NULL;

  callback_post_nothing (f, 7);
  callback_run_idle (f);
  callback_post_nothing (f, 3);
  cothread_callback_queue_reset_high_water (f->queue);
  at_reset = cothread_callback_queue_get_statistics (f->queue);
  callback_post_nothing (f, 1);
  later = cothread_callback_queue_get_statistics (f->queue);

  g_assert_cmpuint (at_reset->high_water, ==, 3);
  g_assert_cmpuint (later->high_water, ==, 4);
}

static void
test_what_is_dropped_by_a_close_is_counted (CallbackFixture *f)
{
  callback_post_nothing (f, 5);
  cothread_callback_queue_close (f->queue);

  callback_assert_accounts (f, 5, 0, 0, 5);
}

static void
test_at_rest_the_length_is_that_of_the_statistics (CallbackFixture *f)
{
  callback_post_nothing (f, 5);
  g_assert_cmpuint (cothread_callback_queue_get_length (f->queue), ==, 5);
  g_assert_cmpuint (callback_length (f), ==, 5);
  callback_run_idle (f);

  g_assert_cmpuint (cothread_callback_queue_get_length (f->queue), ==, 0);
  g_assert_cmpuint (callback_length (f), ==, 0);
}

static void
test_a_snapshot_can_be_copied (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL, copy = NULL;

  callback_set_bound (f, 9, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 5);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  copy = g_boxed_copy (COTHREAD_TYPE_CALLBACK_STATISTICS, statistics);

  g_assert_cmpmem (copy, sizeof *copy, statistics, sizeof *statistics);
  g_assert_cmpuint (copy->max_length, ==, 9);
}

static void
refill_and_use_up_slice (CallbackFixture *f)
{
  while (cothread_callback_queue_get_length (f->queue) < 64)
    callback_post_nothing (f, 1);
  callback_use_up_slice (f);
}

/* What a turn has in hand goes back when the turn is cut; posters have filled
 * its places meanwhile. */
static void
test_the_length_does_not_exceed_the_bound_when_a_turn_is_cut (CallbackFixture *f)
{
  Parcel first = { .then = refill_and_use_up_slice };
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  callback_set_bound (f, 64, COTHREAD_OVERFLOW_FAIL);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &first, NULL);
  callback_post_nothing (f, 63);
  callback_run_until (f, first.destroyed == 1);

  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->length, <=, statistics->high_water);
  g_assert_cmpuint (statistics->length, <=, statistics->max_length);
}

static guint n_replaced;

static void
post_a_replacement (gpointer data)
{
  CallbackFixture *f = data;

  n_replaced += cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL);
}

static void
test_each_callback_of_a_full_queue_leaves_room_for_another (CallbackFixture *f)
{
  n_replaced = 0;
  callback_set_bound (f, 1000, COTHREAD_OVERFLOW_FAIL);
  for (guint i = 0; i < 1000; i++)
    g_assert_true (cothread_callback_queue_post (f->queue, post_a_replacement, f, NULL, NULL));
  callback_run_idle (f);

  g_assert_cmpuint (n_replaced, ==, 1000);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("accounts", a_new_queue_has_counted_nothing);
  callback_test_add ("accounts", the_sum_holds_inside_every_callback);
  callback_test_add ("accounts", a_callback_counts_as_run_when_it_begins);
  callback_test_add ("accounts", snapshots_are_consistent_while_threads_are_refused);
  callback_test_add ("accounts", snapshots_are_consistent_while_threads_drop_the_oldest);
  callback_test_add ("accounts", snapshots_are_consistent_while_threads_block);
  callback_test_add ("accounts", the_high_water_mark_is_the_most_that_ever_waited);
  callback_test_add ("accounts", a_reset_high_water_mark_starts_at_the_present_length);
  callback_test_add ("accounts", what_is_dropped_by_a_close_is_counted);
  callback_test_add ("accounts", at_rest_the_length_is_that_of_the_statistics);
  callback_test_add ("accounts", a_snapshot_can_be_copied);
  callback_test_add ("accounts", each_callback_of_a_full_queue_leaves_room_for_another);
  callback_test_add ("accounts", the_length_does_not_exceed_the_bound_when_a_turn_is_cut);
  return g_test_run ();
}
