/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Callbacks that may wait. */

/* Says "<name>", waits for the event, says "<name>-end". */
typedef struct
{
  Parcel parcel; /* first */
  const char *name;
  CothreadEvent *event;
  GError *error;
} Waiting;

static void
run_waiting (gpointer data)
{
  Waiting *waiting = data;
  g_autofree char *end = g_strconcat (waiting->name, "-end", NULL);

  callback_say (waiting->parcel.fixture, waiting->name);
  g_atomic_int_inc (&waiting->parcel.run);
  cothread_event_wait (waiting->event, COTHREAD_FOREVER, &waiting->error);
  callback_say (waiting->parcel.fixture, end);
}

static void
post_waiting (CallbackFixture *f, Waiting *waiting)
{
  g_autoptr (GError) error = NULL;

  waiting->parcel.fixture = f;
  cothread_callback_queue_post_full (f->queue, COTHREAD_CALLBACK_MAY_WAIT, run_waiting, waiting, callback_parcel_destroy, &error);
  g_assert_no_error (error);
}

static void
test_one_that_waits_does_not_hold_back_the_queue (CallbackFixture *f)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  Waiting a = { .name = "a", .event = event };

  post_waiting (f, &a);
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_run_idle (f);
  callback_assert_said (f, "a b c");
  cothread_event_signal (event);
  callback_run_idle (f);

  callback_assert_said (f, "a-end");
  g_assert_no_error (a.error);
  callback_assert_parcel (&a.parcel, 1);
}

static void
test_they_begin_in_the_order_posted_and_end_as_they_are_woken (CallbackFixture *f)
{
  g_autoptr (CothreadEvent) first = cothread_event_new (TRUE), second = cothread_event_new (TRUE);
  Waiting a = { .name = "a", .event = first }, b = { .name = "b", .event = second };

  post_waiting (f, &a);
  post_waiting (f, &b);
  callback_post_word (f, "c");
  callback_run_idle (f);
  callback_assert_said (f, "a b c");
  cothread_event_signal (second);
  callback_run_idle (f);
  cothread_event_signal (first);
  callback_run_idle (f);

  callback_assert_said (f, "b-end a-end");
}

static void
sleep_once (G_GNUC_UNUSED CallbackFixture *f)
{
  cothread_sleep (0, NULL);
}

static void
test_a_mixture_of_kinds_begins_in_the_order_posted (CallbackFixture *f)
{
  Parcel sleeper = { .name = "s", .then = sleep_once }, sleeper_2 = { .name = "s2", .then = sleep_once };
  Parcel quick = { .name = "q" }, quick_2 = { .name = "q2" };

  callback_post_word (f, "a");
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &sleeper, NULL);
  callback_post_word (f, "b");
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &quick, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &sleeper_2, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &quick_2, NULL);
  callback_post_word (f, "c");
  callback_run_idle (f);

  callback_assert_said (f, "a s b q s2 q2 c");
}

static guint n_begun;

static void
check_number (gpointer data)
{
  g_assert_cmpuint (n_begun, ==, GPOINTER_TO_UINT (data));
  n_begun++;
  if (n_begun % 5 == 0)
    cothread_sleep (n_begun % 3, NULL); /* refused, without harm, in those that may not */
}

static void
test_a_long_mixture_begins_in_the_order_posted (CallbackFixture *f)
{
  n_begun = 0;
  cothread_scheduler_set_time_slice (f->scheduler, 50);
  for (guint i = 0; i < 5000; i++)
    g_assert_true (cothread_callback_queue_post_full (f->queue, i * i % 7 < 3 ? COTHREAD_CALLBACK_MAY_WAIT : 0,
                                                      check_number, GUINT_TO_POINTER (i), NULL, NULL));
  callback_run_until (f, n_begun == 5000);
}

static void
test_those_that_do_not_wait_share_a_task (CallbackFixture *f)
{
  g_autoptr (CothreadStatistics) statistics = NULL;

  for (guint i = 0; i < 1000; i++)
    cothread_callback_queue_post_full (f->queue, COTHREAD_CALLBACK_MAY_WAIT, callback_do_nothing, NULL, NULL, NULL);
  callback_run_idle (f);

  callback_assert_accounts (f, 1000, 1000, 0, 0);
  statistics = cothread_scheduler_get_statistics (f->scheduler);
  g_assert_cmpuint (statistics->spawned, <, 10);
}

static void
test_one_that_waits_for_ever_is_unwound_at_shutdown (CallbackFixture *f)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  Waiting a = { .name = "a", .event = event };
  Parcel rest = { 0 };

  post_waiting (f, &a);
  callback_run_idle (f);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &rest, NULL);
  cothread_scheduler_shutdown (f->scheduler);

  callback_assert_said (f, "a a-end");
  g_assert_error (a.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&a.error);
  callback_assert_parcel (&a.parcel, 1);
  callback_assert_parcel (&rest, 0);
}

static void
test_one_that_has_begun_goes_on_after_a_close (CallbackFixture *f)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  Waiting a = { .name = "a", .event = event };

  post_waiting (f, &a);
  callback_run_idle (f);
  cothread_callback_queue_close (f->queue);
  g_assert_cmpint (a.parcel.destroyed, ==, 0);
  cothread_event_signal (event);
  callback_run_idle (f);

  g_assert_no_error (a.error);
  callback_assert_parcel (&a.parcel, 1);
  callback_assert_said (f, "a a-end");
}

static void
test_one_that_never_began_is_dropped_by_a_close (CallbackFixture *f)
{
  Parcel parcel = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  cothread_callback_queue_close (f->queue);

  callback_assert_parcel (&parcel, 0);
  callback_run_idle (f);
}

static void
run_a_loop (CallbackFixture *f)
{
  callback_run_until (f, strstr (f->said->str, "c") != NULL);
  callback_say (f, "over");
}

static void
test_one_that_runs_a_main_loop_does_not_hold_back_the_queue (CallbackFixture *f)
{
  Parcel a = { .name = "a", .then = run_a_loop };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &a, NULL);
  callback_post_word (f, "b");
  callback_post_word (f, "c");
  callback_run_until (f, a.destroyed == 1);

  callback_assert_said (f, "a b c over");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("may-wait", one_that_waits_does_not_hold_back_the_queue);
  callback_test_add ("may-wait", they_begin_in_the_order_posted_and_end_as_they_are_woken);
  callback_test_add ("may-wait", a_mixture_of_kinds_begins_in_the_order_posted);
  callback_test_add ("may-wait", a_long_mixture_begins_in_the_order_posted);
  callback_test_add ("may-wait", those_that_do_not_wait_share_a_task);
  callback_test_add ("may-wait", one_that_waits_for_ever_is_unwound_at_shutdown);
  callback_test_add ("may-wait", one_that_has_begun_goes_on_after_a_close);
  callback_test_add ("may-wait", one_that_never_began_is_dropped_by_a_close);
  callback_test_add ("may-wait", one_that_runs_a_main_loop_does_not_hold_back_the_queue);
  return g_test_run ();
}
