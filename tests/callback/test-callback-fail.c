/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A full queue with COTHREAD_OVERFLOW_FAIL, and the bound itself. */

static void
refuse_parcel (Parcel *parcel)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  callback_assert_parcel (parcel, 0);
  g_assert_true (parcel->destroyed_in == g_thread_self ());
}

static void
test_a_post_to_a_full_queue_fails_and_the_others_run (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_FAIL);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  refuse_parcel (&refused);

  callback_assert_accounts (f, 2, 0, 0, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 1);
  callback_run_idle (f);
  callback_assert_said (f, "a b");
  callback_assert_parcel (&refused, 0);
}

static void
test_a_post_after_the_queue_has_become_shorter_succeeds (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_word (f, "a");
  refuse_parcel (&refused);
  callback_run_idle (f);
  callback_post_word (f, "b");
  callback_run_idle (f);

  callback_assert_said (f, "a b");
}

static gpointer
be_refused_in_thread (gpointer data)
{
  refuse_parcel (data);
  return NULL;
}

static void
test_a_post_from_a_thread_to_a_full_queue_fails (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 3);
  callback_in_thread (be_refused_in_thread, &refused);

  g_assert_cmpuint (callback_n_refused (f), ==, 1);
}

static gpointer
fill_and_be_refused_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  Parcel *parcel = data;

  callback_post_nothing (parcel->fixture, 3);
  refuse_parcel (parcel);
  return NULL;
}

static void
test_a_post_from_a_task_to_a_full_queue_fails_without_suspending (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_FAIL);
  callback_in_task (f, fill_and_be_refused_in_task, &refused);
}

static void
fill_and_be_refused (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  while (callback_length (f) < 3)
    callback_post_word (f, "inner");
  refuse_parcel (&refused);
}

static void
test_a_post_from_a_callback_to_a_full_queue_fails (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = fill_and_be_refused };

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_FAIL);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "outer inner inner inner");
}

static void
test_a_post_may_fail_without_an_error_to_fill_in (CallbackFixture *f)
{
  Parcel refused = { .fixture = f };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);

  g_assert_false (callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &refused, NULL));
  callback_assert_parcel (&refused, 0);
}

static void
test_the_error_names_the_queue (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);
  cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error);

  g_assert_nonnull (strstr (error->message, "tested"));
}

static void
test_without_a_bound_everything_is_accepted (CallbackFixture *f)
{
  callback_set_bound (f, 0, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 200000);

  callback_assert_accounts (f, 200000, 0, 0, 0);
  callback_run_idle (f);
  callback_assert_accounts (f, 200000, 200000, 0, 0);
}

typedef struct
{
  CallbackFixture *fixture;
  guint64 accepted;
  guint64 refused;
} Count;

static gpointer
post_regardless (gpointer data)
{
  Count *count = data;

  for (guint i = 0; i < 5000; i++)
    {
      if (cothread_callback_queue_post (count->fixture->queue, callback_do_nothing, NULL, NULL, NULL))
        count->accepted++;
      else
        count->refused++;
    }
  return NULL;
}

static void
test_eight_threads_never_exceed_the_bound (CallbackFixture *f)
{
  Count counts[8];
  GThread *threads[8];
  guint64 accepted = 0, refused = 0;
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  callback_set_bound (f, 10, COTHREAD_OVERFLOW_FAIL);
  cothread_callback_queue_pause (f->queue);
  for (guint i = 0; i < 8; i++)
    {
      counts[i] = (Count) { f, 0, 0 };
      threads[i] = g_thread_new ("poster", post_regardless, &counts[i]);
    }
  callback_poll_until (f, callback_n_refused (f) > 0);
  cothread_callback_queue_resume (f->queue);
  callback_poll_until (f, callback_n_run (f) >= 10);
  for (guint i = 0; i < 8; i++)
    {
      g_thread_join (threads[i]);
      accepted += counts[i].accepted;
      refused += counts[i].refused;
    }
  callback_run_idle (f);

  callback_assert_accounts (f, accepted, accepted, 0, 0);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->refused, ==, refused);
  g_assert_cmpuint (statistics->high_water, ==, 10);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("fail", a_post_to_a_full_queue_fails_and_the_others_run);
  callback_test_add ("fail", a_post_after_the_queue_has_become_shorter_succeeds);
  callback_test_add ("fail", a_post_from_a_thread_to_a_full_queue_fails);
  callback_test_add ("fail", a_post_from_a_task_to_a_full_queue_fails_without_suspending);
  callback_test_add ("fail", a_post_from_a_callback_to_a_full_queue_fails);
  callback_test_add ("fail", a_post_may_fail_without_an_error_to_fill_in);
  callback_test_add ("fail", the_error_names_the_queue);
  callback_test_add ("fail", without_a_bound_everything_is_accepted);
  callback_test_add ("fail", eight_threads_never_exceed_the_bound);
  return g_test_run ();
}
