/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A full queue with COTHREAD_OVERFLOW_DROP_NEWEST. */

static guint64
n_dropped_newest (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  g_assert_cmpuint (statistics->posted, ==,
                    statistics->run + statistics->dropped_oldest + statistics->dropped_newest +
                    statistics->coalesced + statistics->dropped_closed + statistics->length);
  return statistics->dropped_newest;
}

static void
test_the_oldest_run_and_the_newest_do_not (CallbackFixture *f)
{
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_DROP_NEWEST);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_post_word (f, "d");
  callback_post_word (f, "e");

  g_assert_cmpuint (n_dropped_newest (f), ==, 2);
  g_assert_cmpuint (callback_length (f), ==, 3);
  callback_run_idle (f);
  callback_assert_said (f, "a b c");
  g_assert_cmpuint (callback_n_run (f), ==, 3);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
}

typedef struct
{
  CallbackFixture *fixture;
  Parcel parcels[3];
} Posts;

static gpointer
post_three (gpointer data)
{
  Posts *posts = data;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (callback_post_parcel (posts->fixture, COTHREAD_CALLBACK_DEFAULT, &posts->parcels[i], &error));
      g_assert_no_error (error);
    }
  g_assert_cmpint (g_atomic_int_get (&posts->parcels[2].destroyed), ==, 1);
  return NULL;
}

static void
test_what_is_dropped_is_freed_by_the_thread_that_posted_it (CallbackFixture *f)
{
  Posts posts = { .fixture = f };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_NEWEST);
  callback_in_thread (post_three, &posts);

  g_assert_true (posts.parcels[2].destroyed_in != g_thread_self ());
  callback_run_idle (f);
  for (guint i = 0; i < 3; i++)
    callback_assert_parcel (&posts.parcels[i], i < 2);
  g_assert_true (posts.parcels[0].destroyed_in == g_thread_self ());
}

static gpointer
post_and_say (gpointer data)
{
  Posts *posts = data;

  posts->parcels[0].name = "blocked";
  g_assert_true (callback_post_parcel (posts->fixture, COTHREAD_CALLBACK_DEFAULT, &posts->parcels[0], NULL));
  return NULL;
}

static void
test_a_blocked_poster_drops_its_entry_when_that_becomes_the_policy (CallbackFixture *f)
{
  Posts posts = { .fixture = f };
  GThread *thread;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "first");
  thread = g_thread_new ("poster", post_and_say, &posts);
  callback_poll_until (f, callback_n_blocked (f) == 1);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_DROP_NEWEST);
  g_thread_join (thread);

  callback_assert_parcel (&posts.parcels[0], 0);
  g_assert_cmpuint (n_dropped_newest (f), ==, 1);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_assert_said (f, "first");
}

static void
post_four_more (CallbackFixture *f)
{
  for (guint i = 0; i < 4; i++)
    callback_post_word (f, "inner");
}

static void
test_a_callback_may_fill_its_own_queue (CallbackFixture *f)
{
  Parcel outer = { .then = post_four_more };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_NEWEST);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "inner inner");
  g_assert_cmpuint (n_dropped_newest (f), ==, 2);
}

static void
test_a_closed_queue_fails_instead (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_DROP_NEWEST);
  cothread_callback_queue_close (f->queue);

  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_assert_cmpuint (n_dropped_newest (f), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("drop-newest", the_oldest_run_and_the_newest_do_not);
  callback_test_add ("drop-newest", what_is_dropped_is_freed_by_the_thread_that_posted_it);
  callback_test_add ("drop-newest", a_blocked_poster_drops_its_entry_when_that_becomes_the_policy);
  callback_test_add ("drop-newest", a_callback_may_fill_its_own_queue);
  callback_test_add ("drop-newest", a_closed_queue_fails_instead);
  return g_test_run ();
}
