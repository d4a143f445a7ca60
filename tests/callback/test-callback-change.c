/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The rules change, or the queue closes, while entries and posters wait. */

#define N_POSTERS 4

typedef struct
{
  CallbackFixture *fixture;
  Parcel parcel;
  GThread *thread;
  GError *error;
} Poster;

static gpointer
post_one (gpointer data)
{
  Poster *poster = data;

  callback_post_parcel (poster->fixture, COTHREAD_CALLBACK_DEFAULT, &poster->parcel, &poster->error);
  return NULL;
}

/* Threads that block on a paused, full queue of three. */
static void
start_posters (CallbackFixture *f, Poster *posters)
{
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 3);
  for (guint i = 0; i < N_POSTERS; i++)
    {
      posters[i] = (Poster) { .fixture = f };
      posters[i].thread = g_thread_new ("poster", post_one, &posters[i]);
    }
  callback_poll_until (f, callback_n_blocked (f) == N_POSTERS);
}

static void
join_posters (Poster *posters)
{
  for (guint i = 0; i < N_POSTERS; i++)
    g_thread_join (posters[i].thread);
}

static void
run_all (CallbackFixture *f, Poster *posters)
{
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  for (guint i = 0; i < N_POSTERS; i++)
    callback_assert_parcel (&posters[i].parcel, 1);
}

static void
assert_all_failed (Poster *posters, CothreadError code)
{
  for (guint i = 0; i < N_POSTERS; i++)
    {
      g_assert_error (posters[i].error, COTHREAD_ERROR, (gint) code);
      g_clear_error (&posters[i].error);
      callback_assert_parcel (&posters[i].parcel, 0);
    }
}

static void
test_posters_that_block_fail_when_the_policy_becomes_fail (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_FAIL);
  join_posters (posters);

  assert_all_failed (posters, COTHREAD_ERROR_FULL);
  g_assert_cmpuint (callback_n_refused (f), ==, N_POSTERS);
  callback_assert_accounts (f, 3, 0, 0, 0);
}

static void
test_posters_that_block_drop_when_the_policy_becomes_drop_oldest (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_DROP_OLDEST);
  join_posters (posters);

  callback_assert_accounts (f, 3 + N_POSTERS, 0, N_POSTERS, 0);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_assert_accounts (f, 3 + N_POSTERS, 3, N_POSTERS, 0);
}

static void
test_posters_that_block_are_dropped_when_the_policy_becomes_drop_newest (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_DROP_NEWEST);
  join_posters (posters);

  for (guint i = 0; i < N_POSTERS; i++)
    {
      g_assert_no_error (posters[i].error);
      callback_assert_parcel (&posters[i].parcel, 0);
    }
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->dropped_newest, ==, N_POSTERS);
  g_assert_cmpuint (statistics->posted, ==, 3 + N_POSTERS);
  g_assert_cmpuint (statistics->length, ==, 3);
}

/* They have no key that anybody waits with. */
static void
test_posters_that_block_fail_when_the_policy_becomes_coalesce (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_COALESCE);
  join_posters (posters);

  assert_all_failed (posters, COTHREAD_ERROR_FULL);
  g_assert_cmpuint (callback_n_refused (f), ==, N_POSTERS);
  callback_assert_accounts (f, 3, 0, 0, 0);
}

/* Each change wakes them, and they wait again if it is no better. */
static void
test_posters_that_block_outlast_many_changes (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  for (guint i = 0; i < 1000; i++)
    {
      cothread_callback_queue_set_max_length (f->queue, 1 + i % 3);
      g_assert_cmpuint (cothread_callback_queue_get_length (f->queue), ==, 3);
    }
  callback_poll_until (f, callback_n_blocked (f) == N_POSTERS);
  cothread_callback_queue_set_max_length (f->queue, 0);
  join_posters (posters);

  run_all (f, posters);
  callback_assert_accounts (f, 3 + N_POSTERS, 3 + N_POSTERS, 0, 0);
}

static void
test_posters_that_block_get_in_when_the_bound_is_raised (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_max_length (f->queue, 3 + N_POSTERS);
  join_posters (posters);

  callback_assert_accounts (f, 3 + N_POSTERS, 0, 0, 0);
  run_all (f, posters);
}

static void
test_posters_that_block_get_in_when_the_bound_is_taken_away (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_set_max_length (f->queue, 0);
  join_posters (posters);

  callback_assert_accounts (f, 3 + N_POSTERS, 0, 0, 0);
  run_all (f, posters);
}

static void
test_posters_that_block_fail_when_the_queue_is_closed (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_callback_queue_close (f->queue);
  join_posters (posters);

  assert_all_failed (posters, COTHREAD_ERROR_CLOSED);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
  callback_assert_accounts (f, 3, 0, 0, 3);
}

static void
test_posters_that_block_fail_when_the_scheduler_is_shut_down (CallbackFixture *f)
{
  Poster posters[N_POSTERS];

  start_posters (f, posters);
  cothread_scheduler_shutdown (f->scheduler);
  join_posters (posters);

  assert_all_failed (posters, COTHREAD_ERROR_CLOSED);
}

static gpointer
post_one_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  return post_one (data);
}

static void
check_task_that_waits (CallbackFixture *f, void (*change) (CallbackFixture *f), gboolean gets_in, gint code)
{
  Poster poster = { .fixture = f };
  g_autoptr (CothreadTask) task = NULL;

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 3);
  task = cothread_spawn (post_one_in_task, &poster);
  callback_run_idle (f);
  g_assert_false (cothread_task_is_finished (task));
  change (f);
  callback_run_idle (f);

  g_assert_true (cothread_task_is_finished (task));
  if (gets_in)
    g_assert_no_error (poster.error);
  else
    g_assert_error (poster.error, COTHREAD_ERROR, code);
  g_clear_error (&poster.error);
  cothread_callback_queue_close (f->queue);
  callback_assert_parcel (&poster.parcel, 0);
}

static void
make_fail (CallbackFixture *f)
{
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_FAIL);
}

static void
make_drop (CallbackFixture *f)
{
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_DROP_OLDEST);
}

static void
raise_bound (CallbackFixture *f)
{
  cothread_callback_queue_set_max_length (f->queue, 4);
}

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
test_a_task_that_waits_for_room_gets_in_when_the_bound_is_raised (CallbackFixture *f)
{
  check_task_that_waits (f, raise_bound, TRUE, 0);
}

static void
test_a_task_that_waits_for_room_fails_when_the_policy_becomes_fail (CallbackFixture *f)
{
  check_task_that_waits (f, make_fail, FALSE, COTHREAD_ERROR_FULL);
}

static void
test_a_task_that_waits_for_room_drops_when_the_policy_becomes_drop_oldest (CallbackFixture *f)
{
  check_task_that_waits (f, make_drop, TRUE, 0);
}

static void
test_a_task_that_waits_for_room_fails_when_the_queue_is_closed (CallbackFixture *f)
{
  check_task_that_waits (f, close_queue, FALSE, COTHREAD_ERROR_CLOSED);
}

static void
test_a_bound_below_the_present_length_drops_nothing_and_refuses (CallbackFixture *f)
{
  callback_post_nothing (f, 10);
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_FAIL);

  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL));
  callback_assert_accounts (f, 10, 0, 0, 0);
  callback_run_idle (f);
  callback_assert_accounts (f, 10, 10, 0, 0);
  callback_post_nothing (f, 3);
  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL));
}

static void
test_a_post_below_a_lowered_bound_drops_down_to_it (CallbackFixture *f)
{
  callback_post_nothing (f, 10);
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_post_word (f, "newest");

  callback_assert_accounts (f, 11, 0, 8, 0);
  callback_run_idle (f);
  callback_assert_said (f, "newest");
}

static void
test_a_new_timeout_is_for_the_next_post (CallbackFixture *f)
{
  Poster posters[N_POSTERS];
  Poster late = { .fixture = f };

  start_posters (f, posters);
  cothread_callback_queue_set_block_timeout (f->queue, 0);
  callback_in_thread (post_one, &late);
  g_assert_error (late.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  g_clear_error (&late.error);
  cothread_callback_queue_resume (f->queue);
  callback_run_until (f, callback_n_run (f) == 3 + N_POSTERS);
  join_posters (posters);

  run_all (f, posters);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("change", posters_that_block_fail_when_the_policy_becomes_fail);
  callback_test_add ("change", posters_that_block_drop_when_the_policy_becomes_drop_oldest);
  callback_test_add ("change", posters_that_block_are_dropped_when_the_policy_becomes_drop_newest);
  callback_test_add ("change", posters_that_block_fail_when_the_policy_becomes_coalesce);
  callback_test_add ("change", posters_that_block_outlast_many_changes);
  callback_test_add ("change", posters_that_block_get_in_when_the_bound_is_raised);
  callback_test_add ("change", posters_that_block_get_in_when_the_bound_is_taken_away);
  callback_test_add ("change", posters_that_block_fail_when_the_queue_is_closed);
  callback_test_add ("change", posters_that_block_fail_when_the_scheduler_is_shut_down);
  callback_test_add ("change", a_task_that_waits_for_room_gets_in_when_the_bound_is_raised);
  callback_test_add ("change", a_task_that_waits_for_room_fails_when_the_policy_becomes_fail);
  callback_test_add ("change", a_task_that_waits_for_room_drops_when_the_policy_becomes_drop_oldest);
  callback_test_add ("change", a_task_that_waits_for_room_fails_when_the_queue_is_closed);
  callback_test_add ("change", a_bound_below_the_present_length_drops_nothing_and_refuses);
  callback_test_add ("change", a_post_below_a_lowered_bound_drops_down_to_it);
  callback_test_add ("change", a_new_timeout_is_for_the_next_post);
  return g_test_run ();
}
