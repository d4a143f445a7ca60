/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Making queues, using them wrongly, and several of them side by side. */

static void
test_the_default_queue_is_always_the_same (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (f->scheduler);

  g_assert_true (cothread_scheduler_get_callback_queue (f->scheduler) == queue);
  g_assert_cmpstr (cothread_callback_queue_get_name (queue), ==, "default");
  g_assert_cmpuint (cothread_callback_queue_get_max_length (queue), ==, 100000);
  g_assert_cmpint (cothread_callback_queue_get_overflow (queue), ==, COTHREAD_OVERFLOW_BLOCK);
  g_assert_cmpint (cothread_callback_queue_get_block_timeout (queue), ==, -1);
}

static gpointer
ask_for_default_queue (gpointer scheduler)
{
  return cothread_scheduler_get_callback_queue (scheduler);
}

static void
test_another_thread_may_ask_for_the_default_queue_once_it_exists (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (f->scheduler);
  GThread *thread = g_thread_new ("asker", ask_for_default_queue, f->scheduler);

  g_assert_true (g_thread_join (thread) == queue);
}

static void
test_another_thread_that_asks_first_is_told_so (CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*is_own_thread*");

  g_assert_null (g_thread_join (g_thread_new ("asker", ask_for_default_queue, f->scheduler)));
  g_test_assert_expected_messages ();
}

static void
say_default (gpointer data)
{
  callback_say (data, "default");
}

static void
test_queues_of_one_scheduler_run_beside_each_other (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (f->scheduler);

  cothread_callback_queue_pause (f->queue);
  callback_post_word (f, "tested");
  g_assert_true (cothread_callback_queue_post (queue, say_default, f, NULL, NULL));
  callback_run_idle (f);
  callback_assert_said (f, "default");
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);

  callback_assert_said (f, "tested");
  callback_assert_accounts (f, 1, 1, 0, 0);
}

static gboolean is_enough;

static void
post_again (gpointer data)
{
  if (!is_enough)
    cothread_callback_queue_post (data, post_again, data, NULL, NULL);
}

static void
test_a_queue_that_is_never_empty_does_not_starve_another (CallbackFixture *f)
{
  CothreadCallbackQueue *greedy = cothread_scheduler_get_callback_queue (f->scheduler);

  is_enough = FALSE;
  post_again (greedy);
  for (guint i = 0; i < 5; i++)
    {
      callback_post_word (f, "tested");
      callback_run_until (f, callback_n_run (f) == i + 1);
    }
  is_enough = TRUE;
  callback_run_idle (f);
}

static void
test_closing_one_queue_leaves_the_other (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (f->scheduler);

  cothread_callback_queue_close (f->queue);
  g_assert_true (cothread_callback_queue_post (queue, say_default, f, NULL, NULL));
  callback_run_idle (f);

  callback_assert_said (f, "default");
}

static void
test_a_queue_made_without_a_scheduler_belongs_to_the_default_one (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = g_object_new (COTHREAD_TYPE_CALLBACK_QUEUE, "name", "bare", "max-length", 5, NULL);
  g_autoptr (CothreadScheduler) scheduler = NULL;

  g_object_get (queue, "scheduler", &scheduler, NULL);
  g_assert_true (scheduler == f->scheduler);
  g_assert_cmpuint (cothread_callback_queue_get_max_length (queue), ==, 5);
  g_assert_true (cothread_callback_queue_post (queue, say_default, f, NULL, NULL));
  callback_run_idle (f);
  callback_assert_said (f, "default");
  cothread_callback_queue_close (queue);
  g_object_unref (queue);
}

static gpointer
make_a_dead_queue (gpointer scheduler)
{
  return g_object_new (COTHREAD_TYPE_CALLBACK_QUEUE, "scheduler", scheduler, "name", "dead", NULL);
}

static void
test_a_queue_made_on_a_foreign_thread_is_a_dead_one (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) queue = NULL;
  g_autoptr (GError) error = NULL;

  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*made on the thread of a scheduler*");
  queue = g_thread_join (g_thread_new ("maker", make_a_dead_queue, f->scheduler));
  g_test_assert_expected_messages ();

  g_assert_false (cothread_callback_queue_post (queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  cothread_callback_queue_close (queue);
}

static void
test_a_callback_of_null_is_refused_with_a_critical (CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*func != NULL*");

  g_assert_false (cothread_callback_queue_post (f->queue, NULL, NULL, NULL, NULL));
  g_test_assert_expected_messages ();
  callback_assert_accounts (f, 0, 0, 0, 0);
}

static void
test_a_queue_of_null_is_refused_with_a_critical (G_GNUC_UNUSED CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*COTHREAD_IS_CALLBACK_QUEUE*");

  g_assert_false (cothread_callback_queue_post (NULL, callback_do_nothing, NULL, NULL, NULL));
  g_test_assert_expected_messages ();
}

static void
test_a_queue_needs_a_name (CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*name != NULL*");

  g_assert_null (cothread_callback_queue_new (f->scheduler, NULL));
  g_test_assert_expected_messages ();
}

/* What only the scheduler's thread may do. */
static gpointer
do_everything_forbidden (gpointer data)
{
  CothreadCallbackQueue *queue = data;

  cothread_callback_queue_close (queue);
  cothread_callback_queue_pause (queue);
  cothread_callback_queue_resume (queue);
  cothread_callback_queue_set_max_length (queue, 1);
  cothread_callback_queue_set_overflow (queue, COTHREAD_OVERFLOW_FAIL);
  cothread_callback_queue_set_block_timeout (queue, 1);
  g_assert_null (cothread_callback_queue_get_statistics (queue));
  return NULL;
}

static void
test_what_belongs_on_the_schedulers_thread_is_a_critical_elsewhere (CallbackFixture *f)
{
  for (guint i = 0; i < 7; i++)
    g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*is_own_thread*");
  callback_in_thread (do_everything_forbidden, f->queue);
  g_test_assert_expected_messages ();

  g_assert_cmpuint (cothread_callback_queue_get_max_length (f->queue), ==, 0);
  g_assert_cmpint (cothread_callback_queue_get_overflow (f->queue), ==, COTHREAD_OVERFLOW_BLOCK);
  callback_post_word (f, "a");
  callback_run_idle (f);
  callback_assert_said (f, "a");
}

static gpointer
set_max_suspended (gpointer queue)
{
  g_object_set (queue, "max-suspended", 3, NULL);
  return NULL;
}

static void
test_the_limit_of_suspended_callbacks_is_a_critical_elsewhere_too (CallbackFixture *f)
{
  guint max_suspended;

  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*is_own_thread*");
  callback_in_thread (set_max_suspended, f->queue);
  g_test_assert_expected_messages ();

  g_object_get (f->queue, "max-suspended", &max_suspended, NULL);
  g_assert_cmpuint (max_suspended, ==, 64);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("object", the_default_queue_is_always_the_same);
  callback_test_add ("object", another_thread_may_ask_for_the_default_queue_once_it_exists);
  callback_test_add ("object", another_thread_that_asks_first_is_told_so);
  callback_test_add ("object", queues_of_one_scheduler_run_beside_each_other);
  callback_test_add ("object", a_queue_that_is_never_empty_does_not_starve_another);
  callback_test_add ("object", closing_one_queue_leaves_the_other);
  callback_test_add ("object", a_queue_made_without_a_scheduler_belongs_to_the_default_one);
  callback_test_add ("object", a_queue_made_on_a_foreign_thread_is_a_dead_one);
  callback_test_add ("object", a_callback_of_null_is_refused_with_a_critical);
  callback_test_add ("object", a_queue_of_null_is_refused_with_a_critical);
  callback_test_add ("object", a_queue_needs_a_name);
  callback_test_add ("object", what_belongs_on_the_schedulers_thread_is_a_critical_elsewhere);
  callback_test_add ("object", the_limit_of_suspended_callbacks_is_a_critical_elsewhere_too);
  return g_test_run ();
}
