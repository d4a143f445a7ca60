/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The destroy notify: exactly once, and on the documented thread, whatever
 * becomes of the entry. Dropped entries are in test-callback-drop.c. */

static void
test_it_follows_the_callback_on_the_threads_own_stack (CallbackFixture *f)
{
  Parcel parcel = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 1);
  g_assert_true (parcel.destroyed_in == g_thread_self ());
  g_assert_true (parcel.destroyed_on_own_stack);
}

static gpointer
post_parcel (gpointer data)
{
  Parcel *parcel = data;

  g_assert_true (callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL));
  return NULL;
}

static void
test_it_runs_on_the_schedulers_thread_for_what_another_thread_posted (CallbackFixture *f)
{
  Parcel parcel = { .fixture = f };

  callback_in_thread (post_parcel, &parcel);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 1);
  g_assert_true (parcel.destroyed_in == g_thread_self ());
}

static gpointer
be_refused (gpointer data)
{
  Parcel *parcel = data;

  g_assert_false (callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL));
  callback_assert_parcel (parcel, 0);
  g_assert_true (parcel->destroyed_in == g_thread_self ());
  return NULL;
}

static void
test_it_runs_in_the_poster_before_a_refused_post_returns (CallbackFixture *f)
{
  Parcel from_thread = { .fixture = f };
  Parcel from_here = { .fixture = f };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);
  callback_in_thread (be_refused, &from_thread);
  be_refused (&from_here);
}

static void
test_it_runs_in_the_poster_if_the_queue_is_closed (CallbackFixture *f)
{
  Parcel from_thread = { .fixture = f };
  Parcel from_here = { .fixture = f };

  cothread_callback_queue_close (f->queue);
  callback_in_thread (be_refused, &from_thread);
  be_refused (&from_here);
}

static void
check_drop (CallbackFixture *f, void (*end) (CallbackFixture *f), gboolean in_thread)
{
  Parcel parcels[3] = { { .fixture = f }, { .fixture = f }, { .fixture = f } };

  for (guint i = 0; i < G_N_ELEMENTS (parcels); i++)
    {
      if (in_thread)
        callback_in_thread (post_parcel, &parcels[i]);
      else
        post_parcel (&parcels[i]);
    }
  end (f);

  for (guint i = 0; i < G_N_ELEMENTS (parcels); i++)
    {
      callback_assert_parcel (&parcels[i], 0);
      g_assert_true (parcels[i].destroyed_in == g_thread_self ());
    }
}

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
shut_down (CallbackFixture *f)
{
  cothread_scheduler_shutdown (f->scheduler);
}

static void
destroy_context (CallbackFixture *f)
{
  g_source_destroy (f->watchdog);
  g_main_context_pop_thread_default (f->context);
  g_main_context_unref (f->context);
  /* The context's last reference is gone: its sources went with it. */
  f->context = g_main_context_new ();
  g_main_context_push_thread_default (f->context);
}

static void
test_it_runs_on_the_schedulers_thread_when_the_queue_is_closed (CallbackFixture *f)
{
  check_drop (f, close_queue, FALSE);
}

static void
test_it_runs_on_the_schedulers_thread_when_what_a_thread_posted_is_closed (CallbackFixture *f)
{
  check_drop (f, close_queue, TRUE);
}

static void
test_it_runs_on_the_schedulers_thread_when_the_scheduler_is_shut_down (CallbackFixture *f)
{
  check_drop (f, shut_down, TRUE);
}

static void
test_it_runs_on_the_schedulers_thread_when_the_context_is_destroyed (CallbackFixture *f)
{
  check_drop (f, destroy_context, TRUE);
}

static void
test_nothing_is_called_where_there_is_none (CallbackFixture *f)
{
  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_post_nothing (f, 3);
  callback_run_idle (f);
  callback_post_nothing (f, 2);
  cothread_callback_queue_close (f->queue);

  callback_assert_accounts (f, 5, 2, 1, 2);
}

typedef struct
{
  CallbackFixture *fixture;
  guint n_destroyed;
} Again;

static void
post_again (gpointer data)
{
  Again *again = data;

  if (++again->n_destroyed < 5)
    g_assert_true (cothread_callback_queue_post (again->fixture->queue, callback_do_nothing, again, post_again, NULL));
}

static void
test_it_may_post (CallbackFixture *f)
{
  Again again = { f, 0 };

  g_assert_true (cothread_callback_queue_post (f->queue, callback_do_nothing, &again, post_again, NULL));
  callback_run_idle (f);

  g_assert_cmpuint (again.n_destroyed, ==, 5);
}

static void
post_to_closed (gpointer data)
{
  Again *again = data;
  g_autoptr (GError) error = NULL;

  again->n_destroyed++;
  g_assert_false (cothread_callback_queue_post (again->fixture->queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static void
test_it_finds_the_queue_closed_when_a_close_calls_it (CallbackFixture *f)
{
  Again again = { f, 0 };

  g_assert_true (cothread_callback_queue_post (f->queue, callback_do_nothing, &again, post_to_closed, NULL));
  cothread_callback_queue_close (f->queue);

  g_assert_cmpuint (again.n_destroyed, ==, 1);
  callback_assert_accounts (f, 1, 0, 0, 1);
}

static void
close_in_notify (gpointer data)
{
  Again *again = data;

  again->n_destroyed++;
  cothread_callback_queue_close (again->fixture->queue);
}

static void
test_it_may_close_the_queue (CallbackFixture *f)
{
  Again again = { f, 0 };
  Parcel rest = { 0 };

  g_assert_true (cothread_callback_queue_post (f->queue, callback_do_nothing, &again, close_in_notify, NULL));
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &rest, NULL);
  callback_run_idle (f);

  g_assert_cmpuint (again.n_destroyed, ==, 1);
  callback_assert_parcel (&rest, 0);
  callback_assert_accounts (f, 2, 1, 0, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("destroy", it_follows_the_callback_on_the_threads_own_stack);
  callback_test_add ("destroy", it_runs_on_the_schedulers_thread_for_what_another_thread_posted);
  callback_test_add ("destroy", it_runs_in_the_poster_before_a_refused_post_returns);
  callback_test_add ("destroy", it_runs_in_the_poster_if_the_queue_is_closed);
  callback_test_add ("destroy", it_runs_on_the_schedulers_thread_when_the_queue_is_closed);
  callback_test_add ("destroy", it_runs_on_the_schedulers_thread_when_what_a_thread_posted_is_closed);
  callback_test_add ("destroy", it_runs_on_the_schedulers_thread_when_the_scheduler_is_shut_down);
  callback_test_add ("destroy", it_runs_on_the_schedulers_thread_when_the_context_is_destroyed);
  callback_test_add ("destroy", nothing_is_called_where_there_is_none);
  callback_test_add ("destroy", it_may_post);
  callback_test_add ("destroy", it_finds_the_queue_closed_when_a_close_calls_it);
  callback_test_add ("destroy", it_may_close_the_queue);
  return g_test_run ();
}
