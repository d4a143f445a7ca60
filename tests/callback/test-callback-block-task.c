/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A full queue with COTHREAD_OVERFLOW_BLOCK, seen from tasks of its own
 * scheduler: they suspend, since a blocked thread could never make room. */

typedef struct
{
  CallbackFixture *fixture;
  Parcel parcel;
  gboolean was_accepted;
  GError *error;
} Post;

static gpointer
post_one (gpointer data, G_GNUC_UNUSED GError **error)
{
  Post *post = data;

  post->was_accepted = callback_post_parcel (post->fixture, COTHREAD_CALLBACK_DEFAULT, &post->parcel, &post->error);
  return NULL;
}

static void
test_a_task_suspends_until_there_is_room (CallbackFixture *f)
{
  Post post = { .fixture = f, .parcel = { .name = "late" } };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "early");
  callback_in_task (f, post_one, &post);
  callback_run_idle (f);

  g_assert_no_error (post.error);
  g_assert_true (post.was_accepted);
  callback_assert_said (f, "early late");
  callback_assert_accounts (f, 2, 2, 0, 0);
}

static gpointer
post_ten (gpointer data, G_GNUC_UNUSED GError **error)
{
  CallbackFixture *f = data;

  for (guint i = 0; i < 10; i++)
    callback_post_word (f, "x");
  callback_say (f, "posted");
  return NULL;
}

static void
test_a_task_may_post_more_than_the_queue_holds (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_BLOCK);
  callback_in_task (f, post_ten, f);
  callback_run_idle (f);

  callback_assert_accounts (f, 10, 10, 0, 0);
  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->high_water, <=, 3);
  g_assert_cmpuint (statistics->refused, ==, 0);
}

static gpointer
say_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  callback_say (data, "other");
  return NULL;
}

static void
test_other_tasks_run_while_one_waits_for_room (CallbackFixture *f)
{
  Post post = { .fixture = f, .parcel = { .name = "late" } };
  g_autoptr (CothreadTask) task = NULL, other = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "early");
  task = cothread_spawn (post_one, &post);
  callback_run_until (f, callback_n_blocked (f) == 1);
  other = cothread_spawn (say_in_task, f);
  callback_run_idle (f);
  callback_assert_said (f, "other");
  g_assert_false (cothread_task_is_finished (task));
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "early late");
}

static void
test_tasks_get_room_in_the_order_they_began_to_wait (CallbackFixture *f)
{
  Post first = { .fixture = f, .parcel = { .name = "first" } };
  Post second = { .fixture = f, .parcel = { .name = "second" } };
  Post third = { .fixture = f, .parcel = { .name = "third" } };
  g_autoptr (CothreadTask) first_task = cothread_spawn (post_one, &first);
  g_autoptr (CothreadTask) second_task = cothread_spawn (post_one, &second);
  g_autoptr (CothreadTask) third_task = cothread_spawn (post_one, &third);

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "filler");
  callback_run_idle (f);

  callback_assert_said (f, "filler first second third");
}

static void
test_a_task_gives_up_after_the_timeout_with_the_error_that_a_thread_gets (CallbackFixture *f)
{
  Post post = { .fixture = f };

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_set_block_timeout (f->queue, 1000);
  callback_post_nothing (f, 1);
  callback_in_task (f, post_one, &post);

  g_assert_false (post.was_accepted);
  callback_assert_parcel (&post.parcel, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 1);
  g_assert_error (post.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  g_clear_error (&post.error);
}

static void
test_a_cancelled_task_gives_up (CallbackFixture *f)
{
  Post post = { .fixture = f };
  g_autoptr (CothreadTask) task = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 1);
  task = cothread_spawn (post_one, &post);
  callback_run_idle (f);
  cothread_task_cancel (task);
  callback_run_idle (f);

  g_assert_error (post.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&post.error);
  callback_assert_parcel (&post.parcel, 0);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_assert_accounts (f, 1, 1, 0, 0);
}

static void
post_four_more (CallbackFixture *f)
{
  for (guint i = 0; i < 4; i++)
    callback_post_word (f, "inner");
  callback_say (f, "done");
}

static void
test_a_callback_that_may_wait_waits_for_room_in_its_own_queue (CallbackFixture *f)
{
  Parcel outer = { .name = "outer", .then = post_four_more };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &outer, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&outer, 1);
  callback_assert_accounts (f, 5, 5, 0, 0);
}

static void
test_a_post_that_waits_twice_counts_as_blocked_once (CallbackFixture *f)
{
  Post post = { .fixture = f };
  g_autoptr (CothreadTask) task = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 3, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 3);
  task = cothread_spawn (post_one, &post);
  callback_run_idle (f);
  /* Wakes it in vain. */
  cothread_callback_queue_set_max_length (f->queue, 2);
  callback_run_idle (f);

  g_assert_cmpuint (callback_n_blocked (f), ==, 1);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_assert_parcel (&post.parcel, 1);
  g_assert_cmpuint (callback_n_blocked (f), ==, 1);
}

static gpointer
post_many (gpointer data, G_GNUC_UNUSED GError **error)
{
  callback_post_nothing (data, 500);
  return NULL;
}

static gpointer
post_many_in_thread (gpointer data)
{
  return post_many (data, NULL);
}

static void
test_tasks_and_threads_that_wait_together_all_get_through (CallbackFixture *f)
{
  GThread *threads[4];
  CothreadTask *tasks[20];

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("poster", post_many_in_thread, f);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    tasks[i] = cothread_spawn (post_many, f);
  callback_run_until (f, callback_n_run (f) == 24 * 500);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      callback_run_until (f, cothread_task_is_finished (tasks[i]));
      cothread_task_unref (tasks[i]);
    }

  callback_assert_accounts (f, 24 * 500, 24 * 500, 0, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("block-task", a_task_suspends_until_there_is_room);
  callback_test_add ("block-task", a_task_may_post_more_than_the_queue_holds);
  callback_test_add ("block-task", other_tasks_run_while_one_waits_for_room);
  callback_test_add ("block-task", tasks_get_room_in_the_order_they_began_to_wait);
  callback_test_add ("block-task", a_task_gives_up_after_the_timeout_with_the_error_that_a_thread_gets);
  callback_test_add ("block-task", a_cancelled_task_gives_up);
  callback_test_add ("block-task", a_callback_that_may_wait_waits_for_room_in_its_own_queue);
  callback_test_add ("block-task", a_post_that_waits_twice_counts_as_blocked_once);
  callback_test_add ("block-task", tasks_and_threads_that_wait_together_all_get_through);
  return g_test_run ();
}
