/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The end of a queue, of its scheduler, of its loop. */

static void
test_a_post_to_a_closed_queue_fails (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  cothread_callback_queue_close (f->queue);

  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  callback_assert_accounts (f, 0, 0, 0, 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 0);
}

static void
test_a_full_queue_that_is_closed_says_closed (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);
  cothread_callback_queue_close (f->queue);

  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static void
test_closing_twice_does_nothing_more (CallbackFixture *f)
{
  Parcel parcel = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  cothread_callback_queue_close (f->queue);
  cothread_callback_queue_close (f->queue);

  callback_assert_parcel (&parcel, 0);
  callback_assert_accounts (f, 1, 0, 0, 1);
}

static void
test_a_closed_queue_has_no_task (CallbackFixture *f)
{
  g_autoptr (GPtrArray) tasks = NULL;

  cothread_callback_queue_close (f->queue);
  tasks = cothread_scheduler_list_tasks (f->scheduler);

  g_assert_cmpuint (tasks->len, ==, 0);
}

static void
test_a_queue_lives_until_it_is_closed (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = f->queue;

  callback_post_word (f, "a");
  g_clear_object (&f->queue);
  callback_run_idle (f);
  callback_assert_said (f, "a");
  g_assert_true (f->weak_queue == queue);
  cothread_callback_queue_close (queue);

  g_assert_null (f->weak_queue);
}

static void
test_a_closed_queue_can_still_be_looked_at (CallbackFixture *f)
{
  callback_set_bound (f, 7, COTHREAD_OVERFLOW_FAIL);
  cothread_callback_queue_close (f->queue);

  g_assert_cmpstr (cothread_callback_queue_get_name (f->queue), ==, "tested");
  g_assert_cmpuint (cothread_callback_queue_get_length (f->queue), ==, 0);
  g_assert_cmpuint (cothread_callback_queue_get_max_length (f->queue), ==, 7);
  cothread_callback_queue_set_max_length (f->queue, 8);
  cothread_callback_queue_pause (f->queue);
  cothread_callback_queue_resume (f->queue);
  g_object_set (f->queue, "max-suspended", 3, NULL);
}

static GMainLoop *loop;

static void
quit_loop_and_use_up_slice (CallbackFixture *f)
{
  g_main_loop_quit (loop);
  callback_use_up_slice (f);
}

static void
test_what_a_loop_leaves_behind_the_next_loop_runs (CallbackFixture *f)
{
  Parcel quitter = { .then = quit_loop_and_use_up_slice };

  loop = g_main_loop_new (f->context, FALSE);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &quitter, NULL);
  callback_post_word (f, "a");
  g_main_loop_run (loop);
  g_clear_pointer (&loop, g_main_loop_unref);
  callback_assert_said (f, "");
  callback_run_idle (f);

  callback_assert_said (f, "a");
}

static void
pause_queue (CallbackFixture *f)
{
  cothread_callback_queue_pause (f->queue);
}

static void
test_entries_that_no_loop_runs_are_dropped_with_the_scheduler (CallbackFixture *f)
{
  Parcel last = { .name = "last", .then = pause_queue }, left[100] = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &last, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (left); i++)
    callback_post_parcel (f, i % 2 == 0 ? COTHREAD_CALLBACK_DEFAULT : COTHREAD_CALLBACK_MAY_WAIT, &left[i], NULL);
  callback_run_idle (f);
  cothread_scheduler_shutdown (f->scheduler);

  for (guint i = 0; i < G_N_ELEMENTS (left); i++)
    callback_assert_parcel (&left[i], 0);
  callback_assert_accounts (f, 101, 1, 0, 100);
}

static gpointer
post_until_closed (gpointer data)
{
  CallbackFixture *f = data;
  guint64 *n_accepted = g_new0 (guint64, 1);
  g_autoptr (GError) error = NULL;

  while (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error))
    ++*n_accepted;
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  return n_accepted;
}

static void
check_close_under_fire (CallbackFixture *f)
{
  GThread *threads[4];
  guint64 n_accepted = 0, n_run;

  cothread_callback_queue_set_max_length (f->queue, 1000);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("poster", post_until_closed, f);
  callback_poll_until (f, callback_n_run (f) > 10000);
  cothread_callback_queue_close (f->queue);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autofree guint64 *accepted = g_thread_join (threads[i]);

      n_accepted += *accepted;
    }
  n_run = callback_n_run (f);
  callback_run_idle (f);

  callback_assert_accounts (f, n_accepted, n_run, 0, n_accepted - n_run);
}

static void
test_threads_that_post_while_the_queue_is_closed_lose_nothing_uncounted (CallbackFixture *f)
{
  check_close_under_fire (f);
}

/* A thread that ends and leaves its context to others, with entries queued and
 * posters blocked. */
typedef struct
{
  GMainContext *context;
  CothreadCallbackQueue *queue; /* referenced */
  Parcel parcels[6];            /* half of them from a thread that blocks */
  GThread *poster;
  GError *error;
} Leaver;

static gpointer
block_on_what_is_left (gpointer data)
{
  Leaver *self = data;

  for (guint i = 3; i < 6; i++)
    {
      g_clear_error (&self->error);
      cothread_callback_queue_post (self->queue, callback_parcel_run, &self->parcels[i], callback_parcel_destroy, &self->error);
    }
  return NULL;
}

static CothreadTask *volatile left_task; /* keeps what is abandoned from looking like a leak */

static gpointer
do_nothing_in_task (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static gpointer
leave_entries (gpointer data)
{
  Leaver *self = data;
  CothreadCallbackStatistics *statistics = NULL;

  g_main_context_push_thread_default (self->context);
  self->queue = cothread_callback_queue_new (cothread_scheduler_get_default (), "left");
  left_task = cothread_spawn (do_nothing_in_task, NULL);
  cothread_callback_queue_set_max_length (self->queue, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (cothread_callback_queue_post_full (self->queue, i == 1 ? COTHREAD_CALLBACK_MAY_WAIT : COTHREAD_CALLBACK_DEFAULT,
                                                      callback_parcel_run, &self->parcels[i], callback_parcel_destroy, NULL));
  /* From here, so that it is not mistaken for this one, which will be gone. */
  self->poster = g_thread_new ("poster", block_on_what_is_left, self);
  while (statistics == NULL || statistics->blocked_now == 0)
    {
      g_clear_pointer (&statistics, cothread_callback_statistics_free);
      statistics = cothread_callback_queue_get_statistics (self->queue);
      g_usleep (100);
    }
  cothread_callback_statistics_free (statistics);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
test_a_context_that_another_thread_destroys_ends_the_queue_there (CallbackFixture *f)
{
  Leaver leaver = { .context = g_main_context_new () };

  for (guint i = 0; i < G_N_ELEMENTS (leaver.parcels); i++)
    leaver.parcels[i].fixture = f;
  callback_in_thread (leave_entries, &leaver);
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*does not live on*");
  g_main_context_unref (leaver.context);
  g_test_assert_expected_messages ();
  g_thread_join (leaver.poster);

  g_assert_error (leaver.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&leaver.error);
  for (guint i = 0; i < G_N_ELEMENTS (leaver.parcels); i++)
    {
      callback_assert_parcel (&leaver.parcels[i], 0);
      g_assert_true ((leaver.parcels[i].destroyed_in == g_thread_self ()) == (i < 3));
    }
  g_object_unref (leaver.queue);
}

static void
test_the_default_queue_is_gone_after_a_shutdown (CallbackFixture *f)
{
  CothreadCallbackQueue *queue = g_object_ref (cothread_scheduler_get_callback_queue (f->scheduler));
  g_autoptr (GError) error = NULL;

  cothread_scheduler_shutdown (f->scheduler);

  g_assert_null (cothread_scheduler_get_callback_queue (f->scheduler));
  g_assert_false (cothread_callback_queue_post (queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_object_unref (queue);
}

static void
test_a_queue_cannot_be_made_after_a_shutdown (CallbackFixture *f)
{
  cothread_scheduler_shutdown (f->scheduler);
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*is_shut_down*");

  g_assert_null (cothread_callback_queue_new (f->scheduler, "late"));
  g_test_assert_expected_messages ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("end", a_post_to_a_closed_queue_fails);
  callback_test_add ("end", a_full_queue_that_is_closed_says_closed);
  callback_test_add ("end", closing_twice_does_nothing_more);
  callback_test_add ("end", a_closed_queue_has_no_task);
  callback_test_add ("end", a_queue_lives_until_it_is_closed);
  callback_test_add ("end", a_closed_queue_can_still_be_looked_at);
  callback_test_add ("end", what_a_loop_leaves_behind_the_next_loop_runs);
  callback_test_add ("end", entries_that_no_loop_runs_are_dropped_with_the_scheduler);
  callback_test_add ("end", threads_that_post_while_the_queue_is_closed_lose_nothing_uncounted);
  callback_test_add ("end", a_context_that_another_thread_destroys_ends_the_queue_there);
  callback_test_add ("end", the_default_queue_is_gone_after_a_shutdown);
  callback_test_add ("end", a_queue_cannot_be_made_after_a_shutdown);
  return g_test_run ();
}
