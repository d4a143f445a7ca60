/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A callback runs a main loop of its own, as a modal dialog does. */

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
run_a_loop (CallbackFixture *f)
{
  callback_run_until (f, g_str_has_suffix (f->said->str, "end"));
  callback_say (f, "over");
}

static void
test_the_queue_goes_on_while_a_callback_runs_a_main_loop (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = run_a_loop };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_post_word (f, "inner");
  callback_post_word (f, "end");
  callback_run_idle (f);
  callback_post_word (f, "after");
  callback_run_idle (f);

  callback_assert_said (f, "outer inner end over after");
  callback_assert_parcel (&outer, 1);
}

static void
run_inner_loop (CallbackFixture *f)
{
  callback_run_until (f, strstr (f->said->str, "b") != NULL);
  callback_say (f, "inner-over");
}

static void
run_outer_loop (CallbackFixture *f)
{
  callback_run_until (f, strstr (f->said->str, "inner-over") != NULL);
  callback_say (f, "outer-over");
}

static void
test_main_loops_nest_in_callbacks (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = run_outer_loop }, middle = { .name = "middle", .then = run_inner_loop };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_post_word (f, "a");
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &middle, NULL);
  callback_post_word (f, "b");
  callback_run_until (f, outer.destroyed == 1);
  callback_post_word (f, "c");
  callback_run_idle (f);

  callback_assert_said (f, "outer a middle b inner-over outer-over c");
}

static void
close_in_nested_loop (CallbackFixture *f)
{
  Parcel closer = { .name = "closer", .then = close_queue };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &closer, NULL);
  callback_run_until (f, closer.destroyed == 1);
  callback_use_up_slice (f);
}

static void
test_the_queue_may_be_closed_in_a_loop_that_a_callback_runs (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = close_in_nested_loop }, rest = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_run_until (f, outer.destroyed == 1);
  callback_run_idle (f);

  callback_assert_said (f, "outer closer");
  g_assert_false (callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &rest, NULL));
}

static CallbackFixture *dropper;

static void
run_a_loop_in_notify (G_GNUC_UNUSED gpointer data)
{
  callback_run_until (dropper, strstr (dropper->said->str, "end") != NULL);
  callback_say (dropper, "freed");
}

static gpointer
drop_one (G_GNUC_UNUSED gpointer data)
{
  g_assert_true (cothread_callback_queue_post (dropper->queue, callback_do_nothing, NULL, run_a_loop_in_notify, NULL));
  callback_post_word (dropper, "a");
  callback_post_word (dropper, "end");
  return NULL;
}

static void
test_the_queue_goes_on_while_a_notify_of_a_dropped_entry_runs_a_main_loop (CallbackFixture *f)
{
  g_autoptr (GPtrArray) tasks = NULL;

  dropper = f;
  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (drop_one, NULL);
  callback_run_idle (f);
  callback_assert_said (f, "a end freed");
  callback_post_word (f, "after");
  callback_run_idle (f);

  callback_assert_said (f, "after");
  tasks = cothread_scheduler_list_tasks (f->scheduler);
  g_assert_cmpuint (tasks->len, ==, 1);
}

static gpointer
post_in_thread (gpointer data)
{
  callback_post_word (data, "end");
  return NULL;
}

static void
run_a_loop_beside_a_thread (CallbackFixture *f)
{
  GThread *thread;

  /* The inner loop is to sleep when the post comes. */
  callback_run_idle (f);
  thread = g_thread_new ("poster", post_in_thread, f);
  run_a_loop (f);
  g_thread_join (thread);
}

static void
test_a_post_from_a_thread_wakes_the_loop_that_a_callback_runs (CallbackFixture *f)
{
  Parcel outer = { .then = run_a_loop_beside_a_thread };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_run_until (f, outer.destroyed == 1);

  callback_assert_said (f, "end over");
}

static void
run_a_loop_and_use_up_slice (CallbackFixture *f)
{
  run_a_loop (f);
  callback_use_up_slice (f);
}

static void
test_what_is_left_after_a_nested_loop_runs_in_the_outer_one (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = run_a_loop_and_use_up_slice };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_post_word (f, "end");
  for (guint i = 0; i < 200; i++)
    callback_post_nothing (f, 1);
  callback_run_until (f, callback_n_run (f) == 202);

  callback_assert_said (f, "outer end over");
  callback_assert_accounts (f, 202, 202, 0, 0);
}

static gpointer
wait_and_say (gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (1000, NULL);
  callback_say (data, "end");
  return NULL;
}

static void
run_a_loop_for_a_task (CallbackFixture *f)
{
  cothread_task_unref (cothread_spawn (wait_and_say, f));
  run_a_loop (f);
}

static void
test_tasks_go_on_while_a_callback_runs_a_main_loop (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = run_a_loop_for_a_task };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &outer, NULL);
  callback_run_until (f, outer.destroyed == 1);

  callback_assert_said (f, "outer end over");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("nested", the_queue_goes_on_while_a_callback_runs_a_main_loop);
  callback_test_add ("nested", main_loops_nest_in_callbacks);
  callback_test_add ("nested", the_queue_may_be_closed_in_a_loop_that_a_callback_runs);
  callback_test_add ("nested", the_queue_goes_on_while_a_notify_of_a_dropped_entry_runs_a_main_loop);
  callback_test_add ("nested", a_post_from_a_thread_wakes_the_loop_that_a_callback_runs);
  callback_test_add ("nested", what_is_left_after_a_nested_loop_runs_in_the_outer_one);
  callback_test_add ("nested", tasks_go_on_while_a_callback_runs_a_main_loop);
  return g_test_run ();
}
