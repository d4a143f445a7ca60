/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* What a callback does to its own queue. */

static void
close_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
}

static void
test_a_callback_may_close_its_queue (CallbackFixture *f)
{
  Parcel closer = { .name = "closer", .then = close_queue }, rest = { .name = "rest" };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &closer, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &rest, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "closer");
  callback_assert_parcel (&closer, 1);
  callback_assert_parcel (&rest, 0);
  callback_assert_accounts (f, 2, 1, 0, 1);
}

static void
test_a_callback_that_may_wait_may_close_its_queue (CallbackFixture *f)
{
  Parcel closer = { .name = "closer", .then = close_queue }, rest = { .name = "rest" };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &closer, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &rest, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "closer");
  callback_assert_parcel (&closer, 1);
  callback_assert_parcel (&rest, 0);
}

static void
destroy_queue (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
  g_clear_object (&f->queue);
}

static void
destroy_queue_and_use_up_slice (CallbackFixture *f)
{
  destroy_queue (f);
  callback_use_up_slice (f);
}

static void
check_destroy (CallbackFixture *f, CothreadCallbackFlags flags, void (*destroy) (CallbackFixture *f))
{
  Parcel destroyer = { .then = destroy }, rest = { 0 };

  callback_post_parcel (f, flags, &destroyer, NULL);
  callback_post_parcel (f, flags, &rest, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&destroyer, 1);
  callback_assert_parcel (&rest, 0);
  if (flags == COTHREAD_CALLBACK_DEFAULT)
    g_assert_null (f->weak_queue);
}

static void
test_a_callback_may_destroy_its_queue (CallbackFixture *f)
{
  check_destroy (f, COTHREAD_CALLBACK_DEFAULT, destroy_queue);
}

static void
test_a_callback_that_may_wait_may_destroy_its_queue (CallbackFixture *f)
{
  check_destroy (f, COTHREAD_CALLBACK_MAY_WAIT, destroy_queue);
}

/* Its turn is over when it returns, and so is its queue. */
static void
test_a_callback_may_destroy_its_queue_and_use_up_the_slice (CallbackFixture *f)
{
  check_destroy (f, COTHREAD_CALLBACK_DEFAULT, destroy_queue_and_use_up_slice);
}

static guint n_rounds;
static gboolean is_enough;

static void
post_again (gpointer data)
{
  CallbackFixture *f = data;

  n_rounds++;
  if (!is_enough)
    g_assert_true (cothread_callback_queue_post (f->queue, post_again, f, NULL, NULL));
}

static gboolean
count_idle (gpointer data)
{
  (*(guint *) data)++;
  return G_SOURCE_CONTINUE;
}

static gpointer
count_yields (gpointer data, G_GNUC_UNUSED GError **error)
{
  while (!is_enough)
    {
      (*(guint *) data)++;
      cothread_yield (NULL);
    }
  return NULL;
}

static void
test_a_callback_that_posts_itself_for_ever_stops_neither_idles_nor_tasks (CallbackFixture *f)
{
  g_autoptr (GSource) idle = g_idle_source_new ();
  g_autoptr (CothreadTask) task = NULL;
  guint n_idle = 0, n_yields = 0;

  is_enough = FALSE;
  n_rounds = 0;
  g_source_set_callback (idle, count_idle, &n_idle, NULL);
  g_source_attach (idle, f->context);
  task = cothread_spawn (count_yields, &n_yields);
  post_again (f);
  callback_run_until (f, n_rounds > 1000 && n_idle > 10 && n_yields > 10);
  is_enough = TRUE;
  g_source_destroy (idle);
  callback_run_idle (f);

  g_assert_true (cothread_task_is_finished (task));
  g_assert_cmpuint (callback_length (f), ==, 0);
}

static void
shut_down_in_callback (CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*cannot be shut down from inside*");
  cothread_scheduler_shutdown (f->scheduler);
  g_test_assert_expected_messages ();
}

static void
test_a_shutdown_inside_a_callback_is_refused_and_the_queue_goes_on (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = shut_down_in_callback };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_post_word (f, "b");
  callback_run_idle (f);

  callback_assert_said (f, "a b");
}

static gpointer
say_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  callback_say (data, "task");
  return NULL;
}

static void
spawn_task (CallbackFixture *f)
{
  cothread_task_unref (cothread_spawn (say_task, f));
}

static void
test_a_callback_may_spawn_a_task (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = spawn_task };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "a task");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("reentry", a_callback_may_close_its_queue);
  callback_test_add ("reentry", a_callback_that_may_wait_may_close_its_queue);
  callback_test_add ("reentry", a_callback_may_destroy_its_queue);
  callback_test_add ("reentry", a_callback_that_may_wait_may_destroy_its_queue);
  callback_test_add ("reentry", a_callback_that_posts_itself_for_ever_stops_neither_idles_nor_tasks);
  callback_test_add ("reentry", a_shutdown_inside_a_callback_is_refused_and_the_queue_goes_on);
  callback_test_add ("reentry", a_callback_may_spawn_a_task);
  callback_test_add ("reentry", a_callback_may_destroy_its_queue_and_use_up_the_slice);
  return g_test_run ();
}
