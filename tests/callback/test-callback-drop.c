/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A full queue with COTHREAD_OVERFLOW_DROP_OLDEST. */

static void
post_parcels (CallbackFixture *f, CothreadCallbackFlags flags, Parcel *parcels, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      callback_post_parcel (f, flags, &parcels[i], &error);
      g_assert_no_error (error);
    }
}

static void
test_the_newest_run_and_the_oldest_do_not (CallbackFixture *f)
{
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_post_word (f, "d");
  callback_post_word (f, "e");

  callback_assert_accounts (f, 5, 0, 2, 0);
  callback_run_idle (f);
  callback_assert_said (f, "c d e");
  callback_assert_accounts (f, 5, 3, 2, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
}

static void
test_a_bound_of_one_keeps_the_last (CallbackFixture *f)
{
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_run_idle (f);

  callback_assert_said (f, "c");
}

static void
test_what_the_own_thread_drops_is_freed_at_once (CallbackFixture *f)
{
  Parcel parcels[3] = { 0 };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  post_parcels (f, COTHREAD_CALLBACK_DEFAULT, parcels, 3);

  callback_assert_parcel (&parcels[0], 0);
  callback_run_idle (f);
  callback_assert_parcel (&parcels[1], 1);
  callback_assert_parcel (&parcels[2], 1);
}

typedef struct
{
  CallbackFixture *fixture;
  CothreadCallbackFlags flags;
  Parcel parcels[3];
  gint destroyed_at_once;
} Overflow;

static gpointer
overflow_in_thread (gpointer data)
{
  Overflow *overflow = data;

  post_parcels (overflow->fixture, overflow->flags, overflow->parcels, 3);
  overflow->destroyed_at_once = g_atomic_int_get (&overflow->parcels[0].destroyed);
  return NULL;
}

static void
test_what_another_thread_drops_is_freed_on_the_schedulers_thread (CallbackFixture *f)
{
  Overflow overflow = { .fixture = f };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (overflow_in_thread, &overflow);

  g_assert_cmpint (overflow.destroyed_at_once, ==, 0);
  callback_assert_accounts (f, 3, 0, 1, 0);
  callback_run_idle (f);
  for (guint i = 0; i < 3; i++)
    {
      callback_assert_parcel (&overflow.parcels[i], i > 0);
      g_assert_true (overflow.parcels[i].destroyed_in == g_thread_self ());
      g_assert_true (overflow.parcels[i].destroyed_on_own_stack);
    }
}

static void
test_what_may_be_freed_anywhere_is_freed_by_the_thread_that_drops_it (CallbackFixture *f)
{
  Overflow overflow = { .fixture = f, .flags = COTHREAD_CALLBACK_DESTROY_ANYWHERE };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (overflow_in_thread, &overflow);

  g_assert_cmpint (overflow.destroyed_at_once, ==, 1);
  g_assert_true (overflow.parcels[0].destroyed_in != g_thread_self ());
  callback_run_idle (f);
  callback_assert_parcel (&overflow.parcels[0], 0);
  callback_assert_parcel (&overflow.parcels[1], 1);
  callback_assert_parcel (&overflow.parcels[2], 1);
}

typedef struct
{
  CallbackFixture *fixture;
  Parcel parcels[9];
} Flood;

static gpointer
flood_until_refused (gpointer data)
{
  Flood *flood = data;
  g_autoptr (GError) error = NULL;

  /* Four wait, four more that were dropped wait to be freed. */
  post_parcels (flood->fixture, COTHREAD_CALLBACK_DEFAULT, flood->parcels, 8);
  g_assert_false (callback_post_parcel (flood->fixture, COTHREAD_CALLBACK_DEFAULT, &flood->parcels[8], &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  g_assert_cmpint (flood->parcels[8].destroyed, ==, 1);
  return NULL;
}

static void
test_memory_stays_bounded_while_nobody_frees_what_is_dropped (CallbackFixture *f)
{
  Flood flood = { .fixture = f };

  callback_set_bound (f, 4, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (flood_until_refused, &flood);

  callback_assert_accounts (f, 8, 0, 4, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 1);
  callback_run_idle (f);
  callback_assert_accounts (f, 8, 4, 4, 0);
  for (guint i = 0; i < 9; i++)
    callback_assert_parcel (&flood.parcels[i], i >= 4 && i < 8);
}

static gpointer
drop_ten_thousand (gpointer data)
{
  callback_post_nothing (data, 10000);
  return NULL;
}

static void
test_entries_with_nothing_to_free_are_dropped_by_any_thread_without_end (CallbackFixture *f)
{
  callback_set_bound (f, 4, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (drop_ten_thousand, f);
  callback_run_idle (f);

  callback_assert_accounts (f, 10000, 4, 9996, 0);
}

static Parcel late[20];

static void
overflow_from_callback (CallbackFixture *f)
{
  post_parcels (f, COTHREAD_CALLBACK_DEFAULT, late, G_N_ELEMENTS (late));
}

static void
test_an_overflow_during_a_turn_loses_nothing_uncounted (CallbackFixture *f)
{
  Parcel early[16] = { { .then = overflow_from_callback } };
  guint n_run = 0;
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  memset (late, 0, sizeof late);
  callback_set_bound (f, 16, COTHREAD_OVERFLOW_DROP_OLDEST);
  post_parcels (f, COTHREAD_CALLBACK_DEFAULT, early, 16);
  callback_run_idle (f);

  for (guint i = 0; i < 16; i++)
    {
      callback_assert_parcel (&early[i], early[i].run);
      n_run += (guint) early[i].run;
    }
  for (guint i = 0; i < 20; i++)
    {
      /* An eighth of the bound is in hand and cannot make room. */
      callback_assert_parcel (&late[i], i >= 6 ? 1 : late[i].run);
      n_run += (guint) late[i].run;
    }
  callback_assert_accounts (f, 36, n_run, 36 - n_run, 0);
}

static void
lower_bound_and_post (CallbackFixture *f)
{
  cothread_callback_queue_set_max_length (f->queue, 10);
  callback_post_word (f, "newest");
}

/* More are in hand than may wait at all. */
static void
test_a_callback_may_lower_the_bound_below_what_is_in_hand (CallbackFixture *f)
{
  Parcel first = { .then = lower_bound_and_post };

  callback_set_bound (f, 1000, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &first, NULL);
  callback_post_nothing (f, 100);
  callback_run_idle (f);

  callback_assert_said (f, "newest");
  callback_assert_accounts (f, 102, 11, 91, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("drop", the_newest_run_and_the_oldest_do_not);
  callback_test_add ("drop", a_bound_of_one_keeps_the_last);
  callback_test_add ("drop", what_the_own_thread_drops_is_freed_at_once);
  callback_test_add ("drop", what_another_thread_drops_is_freed_on_the_schedulers_thread);
  callback_test_add ("drop", what_may_be_freed_anywhere_is_freed_by_the_thread_that_drops_it);
  callback_test_add ("drop", memory_stays_bounded_while_nobody_frees_what_is_dropped);
  callback_test_add ("drop", entries_with_nothing_to_free_are_dropped_by_any_thread_without_end);
  callback_test_add ("drop", an_overflow_during_a_turn_loses_nothing_uncounted);
  callback_test_add ("drop", a_callback_may_lower_the_bound_below_what_is_in_hand);
  return g_test_run ();
}
