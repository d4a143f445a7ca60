/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* When a posted callback runs, and before and after which others. */

#define N_POSTERS 8
#define N_POSTS 5000

static void
test_a_post_does_not_call_back_from_inside_itself (CallbackFixture *f)
{
  callback_post_word (f, "a");

  callback_assert_said (f, "");
  callback_run_idle (f);
  callback_assert_said (f, "a");
}

static gpointer
post_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  CallbackFixture *f = data;

  callback_post_word (f, "callback");
  callback_say (f, "posted");
  return NULL;
}

static void
test_a_post_from_a_task_does_not_call_back_before_the_task_suspends (CallbackFixture *f)
{
  callback_in_task (f, post_in_task, f);
  callback_run_idle (f);

  callback_assert_said (f, "posted callback");
}

static void
post_inner (CallbackFixture *f)
{
  callback_post_word (f, "inner");
  callback_say (f, "posted");
}

static void
test_a_post_from_a_callback_runs_after_all_that_was_posted_before (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = post_inner };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_post_word (f, "second");
  callback_run_idle (f);

  callback_assert_said (f, "outer posted second inner");
}

static gpointer
post_in_thread (gpointer data)
{
  CallbackFixture *f = data;

  callback_post_word (f, "a");
  callback_post_word (f, "b");
  return NULL;
}

static void
test_a_post_from_a_thread_waits_for_the_loop (CallbackFixture *f)
{
  callback_in_thread (post_in_thread, f);

  callback_assert_said (f, "");
  callback_run_idle (f);
  callback_assert_said (f, "a b");
}

static GThread *ran_in;

static void
note_thread (G_GNUC_UNUSED CallbackFixture *f)
{
  ran_in = g_thread_self ();
}

static gpointer
post_parcel_in_thread (gpointer data)
{
  Parcel *parcel = data;

  g_assert_true (callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL));
  return NULL;
}

static void
test_a_callback_runs_on_the_schedulers_thread (CallbackFixture *f)
{
  Parcel parcel = { .fixture = f, .then = note_thread };

  ran_in = NULL;
  callback_in_thread (post_parcel_in_thread, &parcel);
  callback_run_idle (f);

  g_assert_true (ran_in == g_thread_self ());
}

typedef struct
{
  CallbackFixture *fixture;
  GThread *thread;
  guint last; /* sequence number seen by the loop */
} Poster;

typedef struct
{
  Poster *poster;
  guint sequence;
} Numbered;

static guint n_numbered;

static void
check_number (gpointer data)
{
  Numbered *numbered = data;

  g_assert_cmpuint (numbered->sequence, ==, numbered->poster->last + 1);
  numbered->poster->last = numbered->sequence;
  n_numbered++;
}

static void
post_number (Poster *poster, guint sequence)
{
  Numbered *numbered = g_new (Numbered, 1);

  *numbered = (Numbered) { poster, sequence };
  g_assert_true (cothread_callback_queue_post (poster->fixture->queue, check_number, numbered, g_free, NULL));
}

static gpointer
post_numbers (gpointer data)
{
  for (guint i = 1; i <= N_POSTS; i++)
    post_number (data, i);
  return NULL;
}

static void
check_order_of_eight_threads (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  n_numbered = 0;
  for (guint i = 0; i < N_POSTERS; i++)
    {
      posters[i] = (Poster) { f, NULL, 0 };
      posters[i].thread = g_thread_new ("poster", post_numbers, &posters[i]);
    }
  callback_run_until (f, n_numbered == N_POSTERS * N_POSTS);
  for (guint i = 0; i < N_POSTERS; i++)
    g_thread_join (posters[i].thread);
  callback_assert_accounts (f, N_POSTERS * N_POSTS, N_POSTERS * N_POSTS, 0, 0);
}

static void
test_entries_of_eight_threads_keep_the_order_of_each (CallbackFixture *f)
{
  check_order_of_eight_threads (f);
}

static void
test_threads_that_block_on_a_bound_keep_the_order_of_each (CallbackFixture *f)
{
  callback_set_bound (f, 20, COTHREAD_OVERFLOW_BLOCK);
  check_order_of_eight_threads (f);
}

static void
test_order_outlasts_turns_that_are_cut (CallbackFixture *f)
{
  Poster poster = { f, NULL, 0 };
  g_autoptr (CothreadStatistics) statistics = NULL;

  n_numbered = 0;
  cothread_scheduler_set_time_slice (f->scheduler, 50);
  for (guint i = 1; i <= N_POSTS; i++)
    {
      /* Not every one: most are to be in hand when a turn is cut. */
      if (i % 50 == 7)
        {
          Parcel *slow = g_new0 (Parcel, 1);

          slow->fixture = f;
          slow->then = callback_use_up_slice;
          cothread_callback_queue_post (f->queue, callback_parcel_run, slow, g_free, NULL);
        }
      post_number (&poster, i);
    }
  callback_run_until (f, n_numbered == N_POSTS);

  statistics = cothread_scheduler_get_statistics (f->scheduler);
  g_assert_cmpuint (statistics->turns_cut, >=, N_POSTS / 50);
}

static gpointer
post_between_suspensions (gpointer data, G_GNUC_UNUSED GError **error)
{
  for (guint i = 1; i <= 100; i++)
    {
      post_number (data, i);
      if (i % 3 == 0)
        cothread_sleep (0, NULL);
    }
  return NULL;
}

static void
test_entries_of_each_task_keep_their_order (CallbackFixture *f)
{
  Poster first = { f, NULL, 0 }, second = { f, NULL, 0 };
  g_autoptr (CothreadTask) other = cothread_spawn (post_between_suspensions, &first);

  n_numbered = 0;
  callback_in_task (f, post_between_suspensions, &second);
  callback_run_until (f, n_numbered == 200);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("order", a_post_does_not_call_back_from_inside_itself);
  callback_test_add ("order", a_post_from_a_task_does_not_call_back_before_the_task_suspends);
  callback_test_add ("order", a_post_from_a_callback_runs_after_all_that_was_posted_before);
  callback_test_add ("order", a_post_from_a_thread_waits_for_the_loop);
  callback_test_add ("order", a_callback_runs_on_the_schedulers_thread);
  callback_test_add ("order", entries_of_eight_threads_keep_the_order_of_each);
  callback_test_add ("order", threads_that_block_on_a_bound_keep_the_order_of_each);
  callback_test_add ("order", order_outlasts_turns_that_are_cut);
  callback_test_add ("order", entries_of_each_task_keep_their_order);
  return g_test_run ();
}
