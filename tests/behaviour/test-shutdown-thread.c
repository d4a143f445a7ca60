/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Contexts that end up in the hands of a thread that their scheduler does not
 * live on. Its tasks cannot run there; that is said, once, and harms nobody
 * else. */

static CothreadTask *parked; /* keeps what is abandoned from looking like a leak */

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
make_a_scheduler_on (gpointer context)
{
  g_main_context_push_thread_default (context);
  parked = spawn ("parked", sleep_for_ever, NULL);
  settle ();
  g_main_context_pop_thread_default (context);
  return NULL;
}

static GMainContext *
new_context_with_a_scheduler_of_another_thread (void)
{
  GMainContext *context = g_main_context_new ();

  g_thread_join (g_thread_new ("other", make_a_scheduler_on, context));
  return context;
}

static void
unref_context (gpointer context)
{
  g_main_context_unref (context);
}

static void
test_a_context_that_dies_in_another_thread_is_reported_once (void)
{
  GMainContext *context = new_context_with_a_scheduler_of_another_thread ();

  g_assert_cmpuint (count_complaints (unref_context, context), ==, 1);
  assert_scheduler_works ();
}

static void
use_task (gpointer task)
{
  g_autoptr (GError) error = NULL;

  cothread_task_cancel (task);
  g_assert_false (cothread_task_join (task, 0, NULL, &error));
}

static void
test_the_handle_of_a_task_whose_context_died_in_another_thread_is_safe_to_use (void)
{
  count_complaints (unref_context, new_context_with_a_scheduler_of_another_thread ());
  g_assert_cmpuint (count_complaints (use_task, parked), <=, 2);
  assert_scheduler_works ();
}

static void
test_a_context_that_died_in_another_thread_is_forgotten (void)
{
  GMainContext *context = new_context_with_a_scheduler_of_another_thread ();
  GMainContext *fresh[64];
  guint n = 0;

  count_complaints (unref_context, context);
  /* Memory is used again, so sooner or later there is one at that address. */
  do
    fresh[n] = g_main_context_new ();
  while (fresh[n] != context && ++n < G_N_ELEMENTS (fresh));
  if (n == G_N_ELEMENTS (fresh))
    {
      g_test_message ("No context was made at the address of the old one");
      return;
    }
  g_main_context_push_thread_default (fresh[n]);
  assert_scheduler_works ();
  g_main_context_pop_thread_default (fresh[n]);
  for (guint i = 0; i <= n; i++)
    g_main_context_unref (fresh[i]);
}

static GPtrArray *abandoned; /* the same for many */

static gpointer
sleep_precisely_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep_precisely (1000 * G_USEC_PER_SEC, error);
  return NULL;
}

static gpointer
park_precise_sleepers_on (gpointer context)
{
  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (abandoned, spawn ("precise", sleep_precisely_for_ever, NULL));
  settle ();
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_nothing_stays_open_of_a_context_that_died_in_another_thread (void)
{
  GMainContext *context;
  guint n_open;

  abandoned = g_ptr_array_new ();
  assert_scheduler_works ();
  n_open = count_open_descriptors ();
  for (guint i = 0; i < 3; i++)
    {
      context = g_main_context_new ();
      g_thread_join (g_thread_new ("other", park_precise_sleepers_on, context));
      g_assert_cmpuint (count_complaints (unref_context, context), ==, 1);
      g_assert_cmpuint (count_open_descriptors (), ==, n_open);
    }
  assert_scheduler_works ();
}

static CothreadCallbackQueue *bounded;
static GAsyncQueue *news; /* between threads that live at the same time */

static gpointer
make_a_full_queue_on (gpointer context)
{
  g_main_context_push_thread_default (context);
  parked = spawn ("parked", sleep_for_ever, NULL);
  bounded = cothread_callback_queue_new (cothread_scheduler_get_default (), "bounded");
  cothread_callback_queue_set_max_length (bounded, 1);
  cothread_callback_queue_set_overflow (bounded, COTHREAD_OVERFLOW_BLOCK);
  cothread_callback_queue_set_block_timeout (bounded, COTHREAD_FOREVER);
  g_assert_true (cothread_callback_queue_post (bounded, g_free, NULL, NULL, NULL));
  g_main_context_pop_thread_default (context);
  g_async_queue_push (news, bounded);
  while (g_async_queue_length (news) > 0)
    g_usleep (1000);
  return NULL;
}

static gpointer
post_one_too_many (gpointer failure)
{
  g_assert_false (cothread_callback_queue_post (bounded, g_free, NULL, NULL, failure));
  return NULL;
}

static void
test_a_thread_that_a_queue_of_such_a_context_keeps_waiting_is_told (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) failure = NULL;
  GThread *owner, *thread;

  news = g_async_queue_new ();
  owner = g_thread_new ("other", make_a_full_queue_on, context);
  while (g_async_queue_length (news) == 0)
    g_usleep (1000);
  thread = g_thread_new ("poster", post_one_too_many, &failure);
  g_usleep (50 * 1000); /* most likely it waits by now; one that comes later is told as well */
  g_assert_cmpuint (count_complaints (unref_context, context), ==, 1);
  g_thread_join (thread);
  g_async_queue_pop (news);
  g_thread_join (owner);
  g_assert_error (failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_object (&bounded);
  g_async_queue_unref (news);
}

static gpointer
unref_object (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

static void
unref_in_another_thread (gpointer object)
{
  g_thread_join (g_thread_new ("other", unref_object, object));
}

static void
test_an_unattached_scheduler_whose_last_reference_goes_in_another_thread_is_reported_once (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_new (NULL);
  CothreadSpawnOptions options = { .scheduler = scheduler };

  parked = cothread_spawn_full (sleep_for_ever, NULL, &options, NULL);
  g_assert_true (cothread_scheduler_poll (scheduler, NULL, 0, NULL, NULL, NULL));
  g_assert_cmpuint (count_complaints (unref_in_another_thread, scheduler), ==, 1);
  g_assert_cmpint (cothread_task_get_state (parked), ==, COTHREAD_TASK_WAITING);
  g_assert_cmpuint (count_complaints (use_task, parked), <=, 2);
  assert_scheduler_works ();
}

static void
iterate_context (gpointer context)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (context, FALSE);
}

static gpointer
spawn_on (gpointer context)
{
  g_main_context_push_thread_default (context);
  parked = spawn ("parked", sleep_for_ever, NULL);
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* Its tasks would wait for ever, and nobody would know why. */
static void
test_a_context_that_is_iterated_by_another_thread_is_reported_once (void)
{
  GMainContext *context = g_main_context_new ();

  g_thread_join (g_thread_new ("other", spawn_on, context));
  g_assert_cmpuint (count_complaints (iterate_context, context), ==, 1);
  g_assert_cmpint (cothread_task_get_state (parked), ==, COTHREAD_TASK_READY);
  count_complaints (unref_context, context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/shutdown/thread/a-context-that-dies-in-another-one-is-reported-once", test_a_context_that_dies_in_another_thread_is_reported_once);
  behaviour_add_isolated ("/shutdown/thread/nothing-stays-open-of-a-context-that-died-in-another-one",
                          test_nothing_stays_open_of_a_context_that_died_in_another_thread);
  behaviour_add_isolated ("/shutdown/thread/another-one-that-a-queue-of-such-a-context-keeps-waiting-is-told",
                          test_a_thread_that_a_queue_of_such_a_context_keeps_waiting_is_told);
  behaviour_add_isolated ("/shutdown/thread/a-context-that-died-in-another-one-is-forgotten", test_a_context_that_died_in_another_thread_is_forgotten);
  behaviour_add_isolated ("/shutdown/thread/the-handle-of-a-task-whose-context-died-in-another-one-is-safe-to-use",
                          test_the_handle_of_a_task_whose_context_died_in_another_thread_is_safe_to_use);
  behaviour_add_isolated ("/shutdown/thread/an-unattached-scheduler-whose-last-reference-goes-in-another-one-is-reported-once",
                          test_an_unattached_scheduler_whose_last_reference_goes_in_another_thread_is_reported_once);
  behaviour_add_isolated ("/shutdown/thread/a-context-that-is-iterated-by-another-one-is-reported-once",
                          test_a_context_that_is_iterated_by_another_thread_is_reported_once);
  return g_test_run ();
}
