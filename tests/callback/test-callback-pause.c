/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Pausing and resuming. */

static void
test_a_paused_queue_fills_and_runs_nothing (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  callback_run_idle (f);

  callback_assert_said (f, "");
  g_assert_cmpuint (callback_length (f), ==, 2);
}

static void
test_a_resumed_queue_goes_on_in_order (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "a");
  callback_run_idle (f);
  callback_post_word (f, "b");
  cothread_callback_queue_resume (f->queue);
  callback_assert_said (f, "");
  callback_run_idle (f);
  callback_post_word (f, "c");
  callback_run_idle (f);

  callback_assert_said (f, "a b c");
}

static void
pause_queue (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
}

static void
test_a_callback_that_pauses_its_queue_is_the_last_to_run (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = pause_queue };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_run_idle (f);
  callback_assert_said (f, "a");
  g_assert_cmpuint (callback_length (f), ==, 2);
  g_assert_cmpuint (cothread_callback_queue_get_length (f->queue), ==, 2);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "b c");
}

static void
test_a_callback_that_may_wait_can_pause_its_queue (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = pause_queue }, next = { .name = "b" };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &next, NULL);
  callback_run_idle (f);
  callback_assert_said (f, "a");
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "b");
}

static CothreadEvent *event;

static void
wait_and_say (CallbackFixture *f)
{
  cothread_event_wait (event, COTHREAD_FOREVER, NULL);
  callback_say (f, "woken");
}

static void
test_a_callback_that_is_suspended_goes_on_while_the_queue_is_paused (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = wait_and_say };

  event = cothread_event_new (TRUE);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_run_idle (f);
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "b");
  cothread_event_signal (event);
  callback_run_idle (f);
  g_clear_object (&event);

  callback_assert_said (f, "a woken");
  callback_assert_parcel (&parcel, 1);
}

static void
test_pauses_do_not_add_up (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "a");
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "a");
}

static void
test_resuming_a_queue_that_is_not_paused_does_nothing (CallbackFixture *f)
{
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_post_word (f, "a");
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "a");
}

static void
test_the_bound_holds_while_the_queue_is_paused (CallbackFixture *f)
{
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_FAIL);
  cothread_callback_queue_pause (f->queue);
  callback_post_nothing (f, 3);

  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL));
}

static gpointer
post_word_in_thread (gpointer data)
{
  callback_post_word (data, "late");
  return NULL;
}

static void
test_a_thread_that_blocks_on_a_paused_queue_goes_on_after_the_resumption (CallbackFixture *f)
{
  GThread *thread;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "early");
  thread = g_thread_new ("poster", post_word_in_thread, f);
  callback_poll_until (f, callback_n_blocked (f) == 1);
  callback_assert_said (f, "");
  cothread_callback_queue_resume (f->queue);
  callback_run_until (f, callback_n_run (f) == 2);
  g_thread_join (thread);

  callback_assert_said (f, "early late");
}

static void
test_a_post_from_a_thread_is_seen_after_the_resumption (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);
  callback_in_thread (post_word_in_thread, f);
  callback_run_idle (f);
  callback_assert_said (f, "");
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "late");
}

static void
test_a_paused_queue_can_be_closed (CallbackFixture *f)
{
  Parcel parcel = { 0 };

  cothread_callback_queue_pause (f->queue);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);
  cothread_callback_queue_close (f->queue);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 0);
  callback_assert_accounts (f, 1, 0, 0, 1);
}

typedef struct
{
  CallbackFixture *fixture;
  Parcel *parcels;
  guint n;
} Batch;

static gpointer
post_batch (gpointer data)
{
  Batch *batch = data;

  for (guint i = 0; i < batch->n; i++)
    {
      g_autoptr (GError) error = NULL;

      callback_post_parcel (batch->fixture, COTHREAD_CALLBACK_DEFAULT, &batch->parcels[i], &error);
      g_assert_no_error (error);
    }
  return NULL;
}

/* Otherwise the newest are refused in the end, where the oldest are to go. */
static void
test_what_is_dropped_from_a_paused_queue_is_freed_meanwhile (CallbackFixture *f)
{
  Parcel parcels[12] = { 0 };
  Batch first = { f, parcels, 8 }, second = { f, parcels + 8, 4 };

  callback_set_bound (f, 4, COTHREAD_OVERFLOW_DROP_OLDEST);
  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);
  callback_in_thread (post_batch, &first);
  callback_run_idle (f);
  for (guint i = 0; i < 4; i++)
    callback_assert_parcel (&parcels[i], 0);
  callback_in_thread (post_batch, &second);
  callback_run_idle (f);

  callback_assert_accounts (f, 12, 0, 8, 0);
  cothread_callback_queue_close (f->queue);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("pause", a_paused_queue_fills_and_runs_nothing);
  callback_test_add ("pause", a_resumed_queue_goes_on_in_order);
  callback_test_add ("pause", a_callback_that_pauses_its_queue_is_the_last_to_run);
  callback_test_add ("pause", a_callback_that_may_wait_can_pause_its_queue);
  callback_test_add ("pause", a_callback_that_is_suspended_goes_on_while_the_queue_is_paused);
  callback_test_add ("pause", pauses_do_not_add_up);
  callback_test_add ("pause", resuming_a_queue_that_is_not_paused_does_nothing);
  callback_test_add ("pause", the_bound_holds_while_the_queue_is_paused);
  callback_test_add ("pause", a_thread_that_blocks_on_a_paused_queue_goes_on_after_the_resumption);
  callback_test_add ("pause", a_post_from_a_thread_is_seen_after_the_resumption);
  callback_test_add ("pause", a_paused_queue_can_be_closed);
  callback_test_add ("pause", what_is_dropped_from_a_paused_queue_is_freed_meanwhile);
  return g_test_run ();
}
