/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language.h"

#include <unistd.h>

/* Tasks of a language without stacks among the others. */

static CothreadStatistics *
statistics (void)
{
  return cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
}

static void
test_tasks_are_counted_and_listed_by_name_and_place (void)
{
  g_autoptr (Language) self = language_new ();
  guint ids[3];

  for (guint i = 0; i < 3; i++)
    ids[i] = spawn_task (self);
  cothread_stackless_runner_set_name (runner (self), ids[2], "mine");
  cothread_stackless_runner_park (runner (self), ids[1], COTHREAD_FOREVER);
  {
    g_autoptr (CothreadStatistics) now = statistics ();
    g_autoptr (CothreadTask) task = cothread_stackless_runner_get_task (runner (self), ids[0]);
    g_autoptr (CothreadTask) named = cothread_stackless_runner_get_task (runner (self), ids[2]);
    g_autoptr (CothreadTask) parked = cothread_stackless_runner_get_task (runner (self), ids[1]);
    g_autoptr (GPtrArray) infos = cothread_scheduler_list_task_infos (cothread_scheduler_get_default (), 0);
    const CothreadTaskInfo *last = infos->pdata[infos->len - 1];

    g_assert_cmpuint (now->tasks, ==, 3);
    g_assert_cmpuint (now->ready, ==, 2);
    g_assert_cmpuint (now->waiting, ==, 1);
    g_assert_cmpuint (now->spawned, ==, 3);
    g_assert_cmpstr (cothread_task_get_name (task), ==, "work");
    g_assert_cmpstr (cothread_task_get_location (task), ==, "work.toy:7");
    g_assert_cmpstr (cothread_task_get_name (named), ==, "mine");
    g_assert_cmpuint (infos->len, ==, 3);
    g_assert_cmpstr (last->name, ==, "mine");
    g_assert_cmpstr (last->language, ==, "toy");
    g_assert_cmpstr (last->spawn_site, ==, "work.toy:7");
    g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_READY);
    g_assert_cmpint (cothread_task_get_state (parked), ==, COTHREAD_TASK_WAITING);
  }
  for (guint i = 0; i < 3; i++)
    cothread_stackless_runner_finish (runner (self), ids[i], NULL);
  {
    g_autoptr (CothreadStatistics) now = statistics ();

    g_assert_cmpuint (now->tasks, ==, 0);
    g_assert_cmpuint (now->finished, ==, 3);
  }
}

static void
test_a_deadline_wakes (void)
{
  g_autoptr (Language) self = language_new ();
  gint64 now_us = g_get_monotonic_time ();
  guint late = spawn_task (self), early = spawn_task (self), past = spawn_task (self);

  cothread_stackless_runner_park (runner (self), late, now_us + 20 * MS);
  cothread_stackless_runner_park (runner (self), early, now_us + 10 * MS);
  cothread_stackless_runner_park (runner (self), past, 0);
  run_until_woken (self, 3);
  g_assert_cmpuint (woken (self, 0)->id, ==, past);
  g_assert_cmpuint (woken (self, 1)->id, ==, early);
  g_assert_cmpuint (woken (self, 2)->id, ==, late);
  g_assert_cmpint (woken (self, 2)->wake, ==, COTHREAD_STACKLESS_WAKE_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time (), >=, now_us + 20 * MS);
}

static void
test_many_are_handed_over_in_one_call (void)
{
  g_autoptr (Language) self = language_new ();

  for (guint i = 0; i < 1000; i++)
    cothread_stackless_runner_park (runner (self), spawn_task (self), 0);
  run_until_woken (self, 1000);
  g_assert_cmpuint (self->n_calls, <=, 20);
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpuint (woken (self, i)->id, ==, i + 1);
}

static CothreadEvent *events[3];

static void
park_for_events (Language *self, guint id, gint64 deadline_us)
{
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (cothread_stackless_runner_add_event (runner (self), id, events[i]), ==, i);
  cothread_stackless_runner_park (runner (self), id, deadline_us);
}

static void
with_events (void (*func) (Language *self))
{
  g_autoptr (Language) self = language_new ();

  for (guint i = 0; i < 3; i++)
    events[i] = cothread_event_new (TRUE);
  func (self);
  for (guint i = 0; i < 3; i++)
    g_clear_object (&events[i]);
}

static void
be_woken_by_events (Language *self)
{
  guint id = spawn_task (self);

  park_for_events (self, id, COTHREAD_FOREVER);
  cothread_event_signal (events[1]);
  run_until_woken (self, 1);
  g_assert_cmpint (woken (self, 0)->wake, ==, COTHREAD_STACKLESS_WAKE_NORMAL);
  g_assert_cmpuint (woken (self, 0)->which, ==, 1);
  g_assert_false (cothread_event_is_signalled (events[1]));
  /* The other registrations are undone: these signals are for whoever comes. */
  cothread_event_signal (events[0]);
  cothread_event_signal (events[2]);
  settle ();
  g_assert_cmpuint (self->woken->len, ==, 1);
  /* Signalled already. */
  park_for_events (self, id, COTHREAD_FOREVER);
  run_until_woken (self, 2);
  park_for_events (self, id, COTHREAD_FOREVER);
  run_until_woken (self, 3);
  g_assert_cmpuint (woken (self, 1)->which + woken (self, 2)->which, ==, 2);
}

static void
test_whichever_of_several_events_comes_wakes (void)
{
  with_events (be_woken_by_events);
}

static void
lose_the_signal (Language *self)
{
  guint id = spawn_task (self);
  gint64 deadline_us = g_get_monotonic_time () + 50 * MS;

  park_for_events (self, id, deadline_us);
  cothread_event_signal (events[0]);
  cothread_event_reset (events[0]); /* before it runs */
  run_until_woken (self, 1);
  g_assert_cmpint (woken (self, 0)->wake, ==, COTHREAD_STACKLESS_WAKE_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline_us);
}

static void
test_a_signal_that_another_took_leaves_it_waiting_until_its_deadline (void)
{
  with_events (lose_the_signal);
}

static void
give_the_signal_back (Language *self)
{
  guint first = spawn_task (self), second = spawn_task (self);

  park_for_events (self, first, COTHREAD_FOREVER);
  park_for_events (self, second, COTHREAD_FOREVER);
  cothread_event_signal (events[0]);
  cothread_stackless_runner_resume (runner (self), first);
  run_until_woken (self, 1);
  g_assert_cmpuint (woken (self, 0)->id, ==, second);
}

static void
test_a_task_that_the_language_resumes_gives_its_signal_to_the_next (void)
{
  with_events (give_the_signal_back);
}

static void
be_cancelled (Language *self)
{
  guint parked = spawn_task (self), owned = spawn_task (self);
  g_autoptr (CothreadTask) parked_task = cothread_stackless_runner_get_task (runner (self), parked);
  g_autoptr (CothreadTask) owned_task = cothread_stackless_runner_get_task (runner (self), owned);

  park_for_events (self, parked, COTHREAD_FOREVER);
  for (guint i = 0; i < 2; i++)
    {
      cothread_task_cancel (parked_task);
      cothread_task_cancel (owned_task);
    }
  run_until_woken (self, 2);
  g_assert_cmpuint (woken (self, 0)->id, ==, owned);
  g_assert_cmpint (woken (self, 0)->wake, ==, COTHREAD_STACKLESS_WAKE_NOTICE);
  g_assert_cmpuint (woken (self, 1)->id, ==, parked);
  g_assert_cmpint (woken (self, 1)->wake, ==, COTHREAD_STACKLESS_WAKE_CANCELLED);
  g_assert_true (cothread_task_is_cancelled (owned_task));
  /* Clean-up may wait. */
  cothread_stackless_runner_park (runner (self), parked, 0);
  cothread_stackless_runner_park (runner (self), owned, 0);
  run_until_woken (self, 4);
  g_assert_cmpint (woken (self, 2)->wake, ==, COTHREAD_STACKLESS_WAKE_TIMEOUT);
  g_assert_cmpint (woken (self, 3)->wake, ==, COTHREAD_STACKLESS_WAKE_TIMEOUT);
  cothread_event_signal (events[0]);
  g_assert_true (cothread_event_is_signalled (events[0]));
  cothread_stackless_runner_finish (runner (self), parked, NULL);
  cothread_stackless_runner_finish (runner (self), owned, NULL);
}

static void
test_a_cancellation_is_told_once_and_clean_up_may_wait (void)
{
  with_events (be_cancelled);
}

static void
test_the_language_may_cancel_and_others_see_it (void)
{
  g_autoptr (Language) self = language_new ();
  guint id = spawn_task (self);
  g_autoptr (CothreadTask) task = cothread_stackless_runner_get_task (runner (self), id);
  GCancellable *cancellable = cothread_task_get_cancellable (task);

  cothread_stackless_runner_park (runner (self), id, COTHREAD_FOREVER);
  cothread_stackless_runner_cancel (runner (self), id);
  cothread_stackless_runner_cancel (runner (self), id);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_true (cothread_task_is_cancelled (task));
  g_assert_cmpint (cothread_task_get_state (task), ==, COTHREAD_TASK_READY);
  settle ();
  g_assert_cmpuint (self->woken->len, ==, 0);
  cothread_stackless_runner_finish (runner (self), id, NULL);
  g_assert_true (cothread_task_is_finished (task));
}

static gpointer
join (gpointer task, GError **error)
{
  if (cothread_task_join (task, COTHREAD_FOREVER, NULL, error))
    say ("joined");
  return NULL;
}

static gpointer
join_a_failure (gpointer task, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  say ("%s", error->message);
  return NULL;
}

static void
test_native_tasks_join_its_tasks (void)
{
  g_autoptr (Language) self = language_new ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  guint good = spawn_task (self), bad = spawn_task (self);
  g_autoptr (CothreadTask) good_task = cothread_stackless_runner_get_task (runner (self), good);
  g_autoptr (CothreadTask) bad_task = cothread_stackless_runner_get_task (runner (self), bad);

  start ("joiner", join, good_task);
  start ("joiner", join_a_failure, bad_task);
  settle ();
  cothread_stackless_runner_finish (runner (self), good, NULL);
  cothread_stackless_runner_finish (runner (self), bad, error);
  run_until_no_task_is_left ();
  assert_said ("joined busy");
}

static gpointer
sleep_and_fail (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (MS, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  return NULL;
}

static void
test_its_tasks_join_native_ones_and_get_their_errors (void)
{
  g_autoptr (Language) self = language_new ();
  g_autoptr (CothreadTask) good = spawn ("good", say_own_name, NULL);
  g_autoptr (CothreadTask) bad = spawn ("bad", sleep_and_fail, NULL);
  g_autoptr (GError) error = NULL;
  guint first = spawn_task (self), second = spawn_task (self);

  cothread_stackless_runner_add_task (runner (self), first, good);
  cothread_stackless_runner_park (runner (self), first, COTHREAD_FOREVER);
  cothread_stackless_runner_add_task (runner (self), second, bad);
  cothread_stackless_runner_park (runner (self), second, COTHREAD_FOREVER);
  run_until_woken (self, 2);
  g_assert_cmpint (woken (self, 0)->wake, ==, COTHREAD_STACKLESS_WAKE_NORMAL);
  g_assert_cmpint (woken (self, 1)->wake, ==, COTHREAD_STACKLESS_WAKE_ERROR);
  g_assert_false (cothread_stackless_runner_take_error (runner (self), second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  assert_said ("good");
}

static void
test_a_descriptor_wakes_and_a_closed_one_is_an_error (void)
{
  g_autoptr (Language) self = language_new ();
  g_autoptr (GError) error = NULL;
  guint id = spawn_task (self);
  gint ends[2];

  make_pipe (ends);
  cothread_stackless_runner_add_descriptor (runner (self), id, ends[0], G_IO_IN);
  cothread_stackless_runner_park (runner (self), id, COTHREAD_FOREVER);
  settle ();
  g_assert_cmpuint (self->woken->len, ==, 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  run_until_woken (self, 1);
  g_assert_cmpint ((int) woken (self, 0)->value, ==, G_IO_IN);
  close (ends[0]);
  close (ends[1]);
  cothread_stackless_runner_add_descriptor (runner (self), id, 987654, G_IO_IN);
  cothread_stackless_runner_park (runner (self), id, COTHREAD_FOREVER);
  run_until_woken (self, 2);
  g_assert_cmpint (woken (self, 1)->wake, ==, COTHREAD_STACKLESS_WAKE_ERROR);
  g_assert_false (cothread_stackless_runner_take_error (runner (self), id, &error));
  g_assert_cmpint (error->domain, ==, G_IO_ERROR);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/runner/tasks-are-counted-and-listed-by-name-and-place", test_tasks_are_counted_and_listed_by_name_and_place);
  behaviour_add ("/runner/a-deadline-wakes", test_a_deadline_wakes);
  behaviour_add ("/runner/many-are-handed-over-in-one-call", test_many_are_handed_over_in_one_call);
  behaviour_add ("/runner/whichever-of-several-events-comes-wakes", test_whichever_of_several_events_comes_wakes);
  behaviour_add ("/runner/a-signal-that-another-took-leaves-it-waiting-until-its-deadline",
                 test_a_signal_that_another_took_leaves_it_waiting_until_its_deadline);
  behaviour_add ("/runner/a-task-that-the-language-resumes-gives-its-signal-to-the-next",
                 test_a_task_that_the_language_resumes_gives_its_signal_to_the_next);
  behaviour_add ("/runner/a-cancellation-is-told-once-and-clean-up-may-wait", test_a_cancellation_is_told_once_and_clean_up_may_wait);
  behaviour_add ("/runner/the-language-may-cancel-and-others-see-it", test_the_language_may_cancel_and_others_see_it);
  behaviour_add ("/runner/native-tasks-join-its-tasks", test_native_tasks_join_its_tasks);
  behaviour_add ("/runner/its-tasks-join-native-ones-and-get-their-errors", test_its_tasks_join_native_ones_and_get_their_errors);
  behaviour_add ("/runner/a-descriptor-wakes-and-a-closed-one-is-an-error", test_a_descriptor_wakes_and_a_closed_one_is_an_error);
  return g_test_run ();
}
