/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* The tasks that a queue runs its callbacks in are listed like any other, so a
 * program may cancel them. */

static gboolean
is_named (gpointer task, const char *name)
{
  return g_str_equal (cothread_task_get_name (task), name);
}

static guint
cancel_tasks (CallbackFixture *f, const char *name)
{
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (f->scheduler);
  guint n = 0;

  for (guint i = 0; i < tasks->len; i++)
    if (is_named (tasks->pdata[i], name) && !cothread_task_is_cancelled (tasks->pdata[i]))
      {
        cothread_task_cancel (tasks->pdata[i]);
        n++;
      }
  return n;
}

static void
test_a_queue_is_listed_as_a_task_with_its_name (CallbackFixture *f)
{
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (f->scheduler);
  g_autofree char *reason = NULL;

  callback_run_idle (f);

  g_assert_cmpuint (tasks->len, ==, 1);
  g_assert_cmpstr (cothread_task_get_name (tasks->pdata[0]), ==, "callback queue tested");
  reason = cothread_task_dup_wait_reason (tasks->pdata[0]);
  g_assert_cmpstr (reason, ==, "callbacks");
}

static void
test_a_paused_queue_waits_for_its_resumption (CallbackFixture *f)
{
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (f->scheduler);
  g_autofree char *reason = NULL;

  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);

  reason = cothread_task_dup_wait_reason (tasks->pdata[0]);
  g_assert_cmpstr (reason, ==, "resume");
}

static void
test_cancelling_the_queues_task_closes_the_queue (CallbackFixture *f)
{
  Parcel parcel = { 0 };
  g_autoptr (GError) error = NULL;

  callback_run_idle (f);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  g_assert_cmpuint (cancel_tasks (f, "callback queue tested"), ==, 1);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 0);
  g_assert_false (cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static GError *sleep_error;

static void
sleep_for_ever (CallbackFixture *f)
{
  cothread_sleep (COTHREAD_FOREVER, &sleep_error);
  callback_say (f, "woken");
}

static void
test_cancelling_a_suspended_callback_ends_its_wait_and_the_queue_goes_on (CallbackFixture *f)
{
  Parcel parcel = { .then = sleep_for_ever };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_run_idle (f);
  g_assert_cmpuint (cancel_tasks (f, "callback"), ==, 1);
  callback_run_idle (f);
  callback_post_word (f, "next");
  callback_run_idle (f);

  callback_assert_said (f, "woken next");
  callback_assert_parcel (&parcel, 1);
  g_assert_error (sleep_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&sleep_error);
}

static void
expect_to_sleep (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  cothread_sleep (0, &error);
  callback_say (f, error == NULL ? "slept" : error->message);
}

static void
test_a_callback_does_not_inherit_the_cancellation_of_the_one_before (CallbackFixture *f)
{
  Parcel victim = { .then = sleep_for_ever }, innocent = { .then = expect_to_sleep };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &victim, NULL);
  callback_run_idle (f);
  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &innocent, NULL);
  cancel_tasks (f, "callback");
  callback_run_until (f, innocent.destroyed == 1);

  callback_assert_said (f, "woken slept");
  g_clear_error (&sleep_error);
}

static void
sleep_and_say (CallbackFixture *f)
{
  cothread_sleep (0, NULL);
  callback_say (f, "slept");
}

/* Runs in the tick in which the queue makes a task for its callback, behind it:
 * the new task has not begun. */
static gpointer
cancel_the_unborn (gpointer data, G_GNUC_UNUSED GError **error)
{
  while (cancel_tasks (data, "callback") == 0)
    cothread_sleep (0, NULL);
  return NULL;
}

static void
test_a_callback_whose_task_is_cancelled_before_it_begins_runs_in_another (CallbackFixture *f)
{
  g_autoptr (CothreadTask) canceller = cothread_spawn (cancel_the_unborn, f);
  Parcel victim = { .name = "victim", .then = sleep_and_say };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &victim, NULL);
  callback_post_word (f, "behind");
  for (guint i = 0; i < 1000 && victim.destroyed == 0; i++)
    g_main_context_iteration (f->context, FALSE);

  callback_assert_said (f, "victim behind slept");
  callback_assert_parcel (&victim, 1);
}

static gpointer
end_the_turn_before_it_begins (gpointer data, G_GNUC_UNUSED GError **error)
{
  CallbackFixture *f = data;

  for (;;)
    {
      g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (f->scheduler);

      for (guint i = 0; i < tasks->len; i++)
        if (is_named (tasks->pdata[i], "callback"))
          {
            callback_use_up_slice (f);
            return NULL;
          }
      cothread_sleep (0, NULL);
    }
}

/* That both are gone afterwards is checked after each test. */
static void
test_a_shutdown_frees_a_queue_whose_callback_task_has_not_begun (CallbackFixture *f)
{
  g_autoptr (CothreadTask) ender = cothread_spawn (end_the_turn_before_it_begins, f);
  Parcel parcel = { 0 };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_run_until (f, cothread_task_is_finished (ender));
  g_assert_cmpint (parcel.run, ==, 0);
  cothread_scheduler_shutdown (f->scheduler);

  callback_assert_parcel (&parcel, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("tasks", a_queue_is_listed_as_a_task_with_its_name);
  callback_test_add ("tasks", a_paused_queue_waits_for_its_resumption);
  callback_test_add ("tasks", cancelling_the_queues_task_closes_the_queue);
  callback_test_add ("tasks", cancelling_a_suspended_callback_ends_its_wait_and_the_queue_goes_on);
  callback_test_add ("tasks", a_callback_does_not_inherit_the_cancellation_of_the_one_before);
  callback_test_add ("tasks", a_shutdown_frees_a_queue_whose_callback_task_has_not_begun);
  callback_test_add ("tasks", a_callback_whose_task_is_cancelled_before_it_begins_runs_in_another);
  return g_test_run ();
}
