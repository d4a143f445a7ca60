/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* A full queue with COTHREAD_OVERFLOW_BLOCK, seen from threads. Tasks have a
 * file of their own. */

typedef struct
{
  CallbackFixture *fixture;
  Parcel parcel;
  gboolean was_accepted;
  GError *error;
  gint is_done; /* atomic */
} Post;

static gpointer
post_one (gpointer data)
{
  Post *post = data;

  post->was_accepted = callback_post_parcel (post->fixture, COTHREAD_CALLBACK_DEFAULT, &post->parcel, &post->error);
  g_atomic_int_set (&post->is_done, 1);
  return NULL;
}

static void
test_a_thread_blocks_until_there_is_room (CallbackFixture *f)
{
  Post post = { .fixture = f, .parcel = { .name = "late" } };
  GThread *thread;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "early");
  thread = g_thread_new ("poster", post_one, &post);
  while (callback_n_blocked (f) == 0)
    g_usleep (100);
  g_assert_cmpint (g_atomic_int_get (&post.is_done), ==, 0);
  callback_run_until (f, g_atomic_int_get (&post.parcel.destroyed) > 0);
  g_thread_join (thread);

  g_assert_no_error (post.error);
  g_assert_true (post.was_accepted);
  callback_assert_said (f, "early late");
  callback_assert_accounts (f, 2, 2, 0, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
}

static gpointer
post_a_thousand (gpointer data)
{
  callback_post_nothing (data, 1000);
  return NULL;
}

static void
test_eight_threads_that_block_all_get_through (CallbackFixture *f)
{
  GThread *threads[8];
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_pause (f->queue);
  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new ("poster", post_a_thousand, f);
  callback_poll_until (f, callback_n_blocked (f) > 0);
  cothread_callback_queue_resume (f->queue);
  callback_run_until (f, callback_n_run (f) == 8000);
  for (guint i = 0; i < 8; i++)
    g_thread_join (threads[i]);

  statistics = cothread_callback_queue_get_statistics (f->queue);
  g_assert_cmpuint (statistics->high_water, ==, 2);
  g_assert_cmpuint (statistics->refused, ==, 0);
}

static void
give_up (CallbackFixture *f, gint64 timeout_us)
{
  Post post = { .fixture = f };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_set_block_timeout (f->queue, timeout_us);
  callback_post_nothing (f, 1);
  callback_in_thread (post_one, &post); /* the loop does not run meanwhile */

  g_assert_false (post.was_accepted);
  g_assert_error (post.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  callback_assert_parcel (&post.parcel, 0);
  g_assert_true (post.parcel.destroyed_in != g_thread_self ());
  g_assert_cmpuint (callback_n_blocked (f), ==, 1);
  g_assert_cmpuint (callback_n_refused (f), ==, 1);
  g_clear_error (&post.error);
  callback_run_idle (f);
  callback_assert_accounts (f, 1, 1, 0, 0);
}

static void
test_a_thread_gives_up_after_the_timeout (CallbackFixture *f)
{
  gint64 start_us = g_get_monotonic_time ();

  give_up (f, 20000);

  g_assert_cmpint (g_get_monotonic_time () - start_us, >=, 20000);
}

static void
test_a_thread_gives_up_at_once_where_the_timeout_is_zero (CallbackFixture *f)
{
  give_up (f, 0);
}

static void
refuse_own_thread (CallbackFixture *f)
{
  Parcel parcel = { 0 };
  g_autoptr (GError) error = NULL;

  while (callback_length (f) < 2)
    callback_post_word (f, "filler");
  g_assert_false (callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  callback_assert_parcel (&parcel, 0);
}

static void
test_the_own_thread_outside_a_task_is_refused_instead_of_blocked_for_ever (CallbackFixture *f)
{
  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);

  refuse_own_thread (f);
}

static void
test_a_callback_is_refused_instead_of_blocked_for_ever (CallbackFixture *f)
{
  Parcel parcel = { .name = "outer", .then = refuse_own_thread };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "outer filler filler");
}

static gboolean
refuse_in_idle (gpointer data)
{
  refuse_own_thread (data);
  return G_SOURCE_REMOVE;
}

static void
test_another_source_of_the_loop_is_refused_instead_of_blocked_for_ever (CallbackFixture *f)
{
  g_autoptr (GSource) idle = g_idle_source_new ();

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);
  g_source_set_callback (idle, refuse_in_idle, f, NULL);
  g_source_set_priority (idle, G_PRIORITY_HIGH);
  g_source_attach (idle, f->context);
  callback_run_idle (f);

  callback_assert_said (f, "filler filler");
}

static void
refuse_on_thread_stack (gpointer data)
{
  refuse_own_thread (data);
}

static gpointer
post_on_thread_stack (gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (refuse_on_thread_stack, data);
  return NULL;
}

static void
test_the_own_stack_of_a_task_is_refused_instead_of_blocked_for_ever (CallbackFixture *f)
{
  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);

  callback_in_task (f, post_on_thread_stack, f);
}

static gpointer
post_one_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  return post_one (data);
}

static gpointer
run_another_loop (gpointer data)
{
  Post *post = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadTask) task = NULL;

  g_main_context_push_thread_default (context);
  task = cothread_spawn (post_one_in_task, post);
  while (!cothread_task_is_finished (task))
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_a_task_of_another_scheduler_gets_through (CallbackFixture *f)
{
  Post post = { .fixture = f, .parcel = { .name = "late" } };
  GThread *thread;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "early");
  thread = g_thread_new ("other loop", run_another_loop, &post);
  callback_poll_until (f, g_atomic_int_get (&post.parcel.destroyed) > 0);
  g_thread_join (thread);

  g_assert_true (post.was_accepted);
  callback_assert_said (f, "early late");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("block", a_thread_blocks_until_there_is_room);
  callback_test_add ("block", eight_threads_that_block_all_get_through);
  callback_test_add ("block", a_thread_gives_up_after_the_timeout);
  callback_test_add ("block", a_thread_gives_up_at_once_where_the_timeout_is_zero);
  callback_test_add ("block", the_own_thread_outside_a_task_is_refused_instead_of_blocked_for_ever);
  callback_test_add ("block", a_callback_is_refused_instead_of_blocked_for_ever);
  callback_test_add ("block", another_source_of_the_loop_is_refused_instead_of_blocked_for_ever);
  callback_test_add ("block", the_own_stack_of_a_task_is_refused_instead_of_blocked_for_ever);
  callback_test_add ("block", a_task_of_another_scheduler_gets_through);
  return g_test_run ();
}
