/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "every-wait.h"

/* What becomes of the tasks when their scheduler ends: every one of them is
 * unwound, once. */

static void
shut_down (void)
{
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

static void
assert_cancelled (gboolean success, GError *error)
{
  g_assert_false (success);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (error);
}

static gpointer
wait_for_ever (gpointer wait, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success = ((const EveryWait *) wait)->wait (COTHREAD_FOREVER, &failure);

  assert_cancelled (success, failure);
  say ("%s", own_name ());
  return NULL;
}

static void
test_tasks_parked_in_every_kind_of_wait_are_unwound_once (void)
{
  every_wait_set_up ();
  for (guint i = 0; i < N_EVERY_WAIT; i++)
    start (every_wait[i].name, wait_for_ever, (gpointer) &every_wait[i]);
  settle ();
  shut_down ();

  assert_said ("event event-value pulse event-queue task descriptor descriptor-again descriptors no-descriptor "
               "lock semaphore timer any selection signal");
  every_wait_tear_down ();
}

static gpointer
sleep_very_long (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success = cothread_sleep (1000 * G_USEC_PER_SEC, &failure);

  assert_cancelled (success, failure);
  say ("sleeper");
  return NULL;
}

static guint n_unwound;

static gpointer
yield_until_cancelled (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  while (cothread_yield (NULL))
    ;
  n_unwound++;
  return NULL;
}

static gpointer
yield_for_a_time_until_cancelled (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  while (cothread_yield_for (G_USEC_PER_SEC, NULL))
    ;
  n_unwound++;
  return NULL;
}

static gpointer
compute_until_cancelled (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  while (cothread_checkpoint (NULL))
    ;
  n_unwound++;
  return NULL;
}

static void
run_a_few_turns (void)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
}

static void
test_busy_tasks_are_unwound_too (void)
{
  use_default_time_slice ();
  n_unwound = 0;
  start ("yielder", yield_until_cancelled, NULL);
  start ("timed-yielder", yield_for_a_time_until_cancelled, NULL);
  start ("computing", compute_until_cancelled, NULL);
  run_a_few_turns ();
  g_assert_cmpuint (n_unwound, ==, 0);
  shut_down ();
  g_assert_cmpuint (n_unwound, ==, 3);
  shut_down ();
  g_assert_cmpuint (n_unwound, ==, 3);
}

static void
test_a_task_that_never_began_does_not_begin_and_its_data_are_freed (void)
{
  CothreadSpawnOptions options = { .user_data_destroy = g_free };
  g_autoptr (CothreadTask) task = cothread_spawn_full (say_own_name, g_malloc (1), &options, NULL);

  shut_down ();

  g_assert_true (cothread_task_is_finished (task));
  assert_said ("");
}

static gpointer
clean_up_with_waits (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success = cothread_sleep (COTHREAD_FOREVER, &failure);

  assert_cancelled (success, g_steal_pointer (&failure));
  success = cothread_sleep (COTHREAD_FOREVER, &failure);
  assert_cancelled (success, g_steal_pointer (&failure));
  success = cothread_yield (&failure);
  assert_cancelled (success, g_steal_pointer (&failure));
  say ("cleaned-up");
  return NULL;
}

static void
test_a_clean_up_may_try_to_wait (void)
{
  start ("task", clean_up_with_waits, NULL);
  settle ();
  shut_down ();

  assert_said ("cleaned-up");
}

static gpointer
clean_up_with_a_spawn (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  cothread_sleep (COTHREAD_FOREVER, NULL);
  g_assert_null (cothread_spawn_full (say_own_name, NULL, NULL, &failure));
  g_assert_error (failure, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  say ("refused");
  return NULL;
}

static void
test_a_clean_up_cannot_spawn (void)
{
  start ("task", clean_up_with_a_spawn, NULL);
  settle ();
  shut_down ();

  assert_said ("refused");
}

static gpointer
join_in_clean_up (gpointer other, G_GNUC_UNUSED GError **error)
{
  GError *failure = NULL;
  gboolean success;

  cothread_sleep (COTHREAD_FOREVER, NULL);
  success = cothread_task_join (*(CothreadTask **) other, COTHREAD_FOREVER, NULL, &failure);
  assert_cancelled (success, failure);
  say ("not-joined");
  return NULL;
}

static void
test_a_clean_up_cannot_join (void)
{
  CothreadTask *other = NULL;

  start ("joiner", join_in_clean_up, &other);
  other = spawn ("other", sleep_very_long, NULL);
  settle ();
  shut_down ();

  assert_said ("sleeper not-joined");
  cothread_task_unref (other);
}

static void
test_the_result_of_an_unwound_task_can_still_be_had (void)
{
  g_autoptr (CothreadTask) begun = spawn ("begun", sleep_very_long, NULL);
  g_autoptr (CothreadTask) never = NULL;
  g_autoptr (GError) error = NULL;

  settle ();
  never = spawn ("never", say_own_name, NULL);
  shut_down ();

  assert_said ("sleeper");
  g_assert_true (cothread_task_join (begun, COTHREAD_FOREVER, NULL, NULL));
  g_assert_false (cothread_task_join (never, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_spawning_afterwards_is_an_error_and_frees_the_data (void)
{
  g_autoptr (CothreadScheduler) scheduler = g_object_ref (cothread_scheduler_get_default ());
  CothreadSpawnOptions options = { .scheduler = scheduler, .user_data_destroy = g_free };
  g_autoptr (GError) error = NULL;

  shut_down ();

  g_assert_null (cothread_spawn_full (say_own_name, g_malloc (1), &options, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static void
test_the_context_gets_a_new_scheduler_when_one_is_asked_for (void)
{
  CothreadScheduler *before = g_object_ref (cothread_scheduler_get_default ());

  shut_down ();
  g_assert_true (cothread_scheduler_get_default () != before);
  assert_scheduler_works ();
  g_object_unref (before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/shutdown/tasks-parked-in-every-kind-of-wait-are-unwound-once", test_tasks_parked_in_every_kind_of_wait_are_unwound_once);
  behaviour_add ("/shutdown/busy-tasks-are-unwound-once", test_busy_tasks_are_unwound_too);
  behaviour_add ("/shutdown/a-task-that-never-began-does-not-begin", test_a_task_that_never_began_does_not_begin_and_its_data_are_freed);
  behaviour_add ("/shutdown/a-clean-up-may-try-to-wait", test_a_clean_up_may_try_to_wait);
  behaviour_add ("/shutdown/a-clean-up-cannot-spawn", test_a_clean_up_cannot_spawn);
  behaviour_add ("/shutdown/a-clean-up-cannot-join", test_a_clean_up_cannot_join);
  behaviour_add ("/shutdown/the-result-of-an-unwound-task-can-still-be-had", test_the_result_of_an_unwound_task_can_still_be_had);
  behaviour_add ("/shutdown/spawning-afterwards-is-an-error-and-frees-the-data", test_spawning_afterwards_is_an_error_and_frees_the_data);
  behaviour_add ("/shutdown/the-context-gets-a-new-scheduler-when-one-is-asked-for", test_the_context_gets_a_new_scheduler_when_one_is_asked_for);
  return g_test_run ();
}
