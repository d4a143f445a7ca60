/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <unistd.h>

/* What the monitor says about one task. */

static void
assert_waits_for (CothreadTask *task, const char *pattern)
{
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);
  g_autofree char *text = cothread_task_info_dup_wait_text (info);

  g_assert_cmpint (info->state, ==, COTHREAD_TASK_WAITING);
  if (!g_pattern_match_simple (pattern, text))
    g_error ("\"%s\" does not match \"%s\"", text, pattern);
}

static void
end (CothreadTask *task)
{
  cothread_task_cancel (task);
  settle ();
  g_assert_true (cothread_task_is_finished (task));
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_a_named_event_is_named (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_for_event, event);

  cothread_monitor_set_name (G_OBJECT (event), "rows-loaded");
  settle ();

  assert_waits_for (task, "event rows-loaded");
  end (task);
}

static void
test_a_nameless_event_is_told_by_its_address (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_for_event, event);
  g_autofree char *expected = g_strdup_printf ("event %p", (gpointer) event);

  settle ();

  assert_waits_for (task, expected);
  end (task);
}

static gpointer
wait_for_pipe (gpointer fd, GError **error)
{
  cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_a_descriptor_comes_with_its_direction (void)
{
  g_autoptr (CothreadTaskInfo) info = NULL;
  g_autoptr (CothreadTask) task = NULL;
  g_autofree char *expected = NULL;
  gint ends[2];

  make_pipe (ends);
  task = spawn ("reader", wait_for_pipe, GINT_TO_POINTER (ends[0]));
  settle ();
  info = cothread_task_get_info (task);
  expected = g_strdup_printf ("descriptor %d to read", ends[0]);

  assert_waits_for (task, expected);
  g_assert_cmpint (info->wait_fd, ==, ends[0]);
  g_assert_cmpint (info->wait_condition, ==, G_IO_IN);
  g_assert_cmpint (info->deadline_us, ==, -1);
  end (task);
  close (ends[0]);
  close (ends[1]);
}

static gpointer
poll_two (gpointer data, GError **error)
{
  const gint *ends = data;
  GPollFD fds[] = { { ends[0], G_IO_IN, 0 }, { ends[2], G_IO_IN, 0 } };

  cothread_poll_list (fds, G_N_ELEMENTS (fds), COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_several_descriptors_are_counted (void)
{
  g_autoptr (CothreadTask) task = NULL;
  g_autofree char *expected = NULL;
  gint ends[4];

  make_pipe (ends);
  make_pipe (ends + 2);
  task = spawn ("reader", poll_two, ends);
  settle ();
  expected = g_strdup_printf ("descriptor %d and 1 more to read", ends[0]);

  assert_waits_for (task, expected);
  end (task);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    close (ends[i]);
}

static gpointer
join (gpointer task, GError **error)
{
  cothread_task_join (task, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static void
test_a_joined_task_is_named_with_its_id (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) joined = spawn ("worker", wait_for_event, event);
  g_autoptr (CothreadTask) joiner = spawn ("boss", join, joined);
  g_autoptr (CothreadTaskInfo) info = NULL;
  g_autofree char *expected = g_strdup_printf ("task worker (%" G_GUINT64_FORMAT ")", cothread_task_get_id (joined));

  settle ();
  info = cothread_task_get_info (joiner);

  assert_waits_for (joiner, expected);
  g_assert_cmpuint (info->wait_task, ==, cothread_task_get_id (joined));
  end (joiner);
  end (joined);
}

static gpointer
hold_lock (gpointer lock, GError **error)
{
  if (cothread_lock_acquire (lock, COTHREAD_FOREVER, error))
    {
      cothread_sleep (COTHREAD_FOREVER, error);
      cothread_lock_release (lock);
    }
  return NULL;
}

static void
test_a_lock_comes_with_its_holder (void)
{
  g_autoptr (CothreadLock) lock = cothread_lock_new ();
  g_autoptr (CothreadTask) holder = spawn ("holder", hold_lock, lock);
  g_autoptr (CothreadTask) waiter = spawn ("waiter", hold_lock, lock);
  g_autofree char *expected = g_strdup_printf ("lock table, held by task %" G_GUINT64_FORMAT, cothread_task_get_id (holder));

  cothread_monitor_set_name (G_OBJECT (lock), "table");
  settle ();

  assert_waits_for (waiter, expected);
  assert_waits_for (holder, "sleep");
  end (waiter);
  end (holder);
}

static gpointer
sleep_long (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (1000 * G_USEC_PER_SEC, error);
  return NULL;
}

static void
test_a_deadline_and_the_beginning_of_the_wait_are_told (void)
{
  gint64 before_us = g_get_monotonic_time ();
  g_autoptr (CothreadTask) task = spawn ("sleeper", sleep_long, NULL);
  g_autoptr (CothreadTaskInfo) info = NULL;

  settle ();
  info = cothread_task_get_info (task);

  g_assert_cmpint (info->deadline_us, >=, before_us + 1000 * G_USEC_PER_SEC);
  g_assert_cmpint (info->deadline_us, <=, g_get_monotonic_time () + 1000 * G_USEC_PER_SEC);
  g_assert_cmpint (info->since_us, >=, before_us);
  g_assert_cmpint (info->since_us, <=, g_get_monotonic_time ());
  end (task);
}

static gpointer
sleep_twice_and_yield (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (0, error);
  cothread_sleep (0, error);
  cothread_yield (error);
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_wakeups_are_the_waits_that_ended_and_switches_all_resumptions (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_twice_and_yield, NULL);
  g_autoptr (CothreadTaskInfo) info = NULL;

  settle ();
  info = cothread_task_get_info (task);

  g_assert_cmpuint (info->wakeups, ==, 2);
  g_assert_cmpuint (info->switches, ==, 4);
  end (task);
}

static void
test_a_macro_records_where_it_spawns (void)
{
  g_autoptr (CothreadTask) task = cothread_spawn (sleep_long, NULL);
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);
  g_autofree char *expected = g_strdup_printf ("%s, *test-task-info.c:%d", G_STRFUNC, __LINE__ - 2);

  if (!g_pattern_match_simple (expected, info->spawn_site))
    g_error ("\"%s\" does not match \"%s\"", info->spawn_site, expected);
  g_assert_cmpstr (info->name, ==, "sleep_long");
  end (task);
}

static void
test_without_a_macro_there_is_no_site (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_long, NULL);
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);

  g_assert_null (info->spawn_site);
  g_assert_cmpstr (info->language, ==, "C");
  cothread_task_set_language (task, "Python");
  g_assert_cmpstr (cothread_task_get_language (task), ==, "Python");
  end (task);
}

static void
test_a_name_of_invalid_utf8_is_repaired (void)
{
  g_autoptr (CothreadTask) task = spawn ("caf\xe9\xff", sleep_long, NULL);
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);

  g_assert_true (g_utf8_validate (info->name, -1, NULL));
  g_assert_true (g_str_has_prefix (info->name, "caf"));
  end (task);
}

static void
test_an_object_name_of_invalid_utf8_is_repaired (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_for_event, event);
  g_autoptr (CothreadTaskInfo) info = NULL;

  cothread_monitor_set_name (G_OBJECT (event), "\xc3(");
  settle ();
  info = cothread_task_get_info (task);

  g_assert_true (g_utf8_validate (info->wait_object, -1, NULL));
  end (task);
}

static gpointer __attribute__ ((noinline))
stand_on (gpointer bytes, GError **error)
{
  gsize n = GPOINTER_TO_SIZE (bytes);
  volatile char *space = g_alloca (n);

  for (gsize i = 0; i < n; i += 64)
    space[i] = 1;
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_the_stack_in_use_is_what_a_suspended_task_stands_on (void)
{
  g_autoptr (CothreadTask) small = spawn ("small", stand_on, GSIZE_TO_POINTER (64));
  g_autoptr (CothreadTask) large = spawn ("large", stand_on, GSIZE_TO_POINTER (50000));
  g_autoptr (CothreadTaskInfo) of_small = NULL;
  g_autoptr (CothreadTaskInfo) of_large = NULL;

  settle ();
  of_small = cothread_task_get_info (small);
  of_large = cothread_task_get_info (large);

  g_assert_cmpuint (of_small->stack_bytes, >=, 252 * 1024);
  g_assert_cmpuint (of_small->stack_in_use, >, 0);
  g_assert_cmpuint (of_large->stack_in_use, >=, of_small->stack_in_use + 49000);
  g_assert_cmpuint (of_large->stack_in_use, <, of_large->stack_bytes);
  g_assert_cmpuint (of_large->stack_high_water, ==, 0);
  end (small);
  end (large);
}

static void __attribute__ ((noinline))
touch_60000 (void)
{
  volatile char space[60000];

  for (gsize i = 0; i < sizeof space; i++)
    space[i] = 1;
}

static gpointer
go_deep_and_come_back (G_GNUC_UNUSED gpointer unused, GError **error)
{
  touch_60000 ();
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_the_high_water_mark_stays_when_the_stack_is_given_back (void)
{
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (CothreadTask) next = NULL;
  g_autoptr (CothreadTaskInfo) info = NULL;
  g_autoptr (CothreadTaskInfo) of_next = NULL;

  cothread_scheduler_set_stack_watermarks (cothread_scheduler_get_default (), TRUE);
  task = spawn ("deep", go_deep_and_come_back, NULL);
  settle ();
  info = cothread_task_get_info (task);

#ifndef __SANITIZE_ADDRESS__ /* there the arrays of functions are elsewhere */
  g_assert_cmpuint (info->stack_high_water, >=, 60000);
  g_assert_cmpuint (info->stack_high_water, <, 100000);
  g_assert_cmpuint (info->stack_in_use, <, 20000);
#endif
  end (task);

  /* It gets the same stack, and not the other's mark. */
  next = spawn ("shallow", sleep_long, NULL);
  settle ();
  of_next = cothread_task_get_info (next);
  g_assert_cmpuint (of_next->stack_high_water, >, 0);
  g_assert_cmpuint (of_next->stack_high_water, <, 20000);
  end (next);
}

static void
test_a_task_that_never_began_has_used_no_stack (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", sleep_long, NULL);
  g_autoptr (CothreadTaskInfo) info = cothread_task_get_info (task);

  g_assert_cmpint (info->state, ==, COTHREAD_TASK_READY);
  g_assert_cmpuint (info->stack_bytes, >, 0);
  g_assert_cmpuint (info->stack_in_use, ==, 0);
  g_assert_null (info->wait_reason);
  g_assert_cmpint (info->since_us, ==, -1);
  settle ();
  end (task);
}

static void
test_of_a_finished_task_little_is_left (void)
{
  g_autoptr (CothreadTask) task = spawn ("quick", say_own_name, NULL);
  g_autoptr (CothreadTaskInfo) info = NULL;
  g_autoptr (CothreadTaskInfo) copy = NULL;

  settle ();
  assert_said ("quick");
  info = cothread_task_get_info (task);
  copy = cothread_task_info_copy (info);

  g_assert_cmpint (copy->state, ==, COTHREAD_TASK_FINISHED);
  g_assert_cmpstr (copy->name, ==, "quick");
  g_assert_cmpuint (copy->switches, ==, 1);
  g_assert_null (cothread_task_info_dup_wait_text (copy));
}

static void
test_the_array_has_every_live_task_in_order (void)
{
  g_autoptr (GPtrArray) infos = NULL;
  g_autoptr (GPtrArray) few = NULL;
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  start ("a", sleep_long, NULL);
  start ("b", sleep_long, NULL);
  start ("c", sleep_long, NULL);
  settle ();
  infos = cothread_scheduler_list_task_infos (scheduler, 0);
  few = cothread_scheduler_list_task_infos (scheduler, 2);

  g_assert_cmpuint (infos->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    say ("%s", ((CothreadTaskInfo *) infos->pdata[i])->name);
  assert_said ("a b c");
  g_assert_cmpuint (few->len, ==, 2);
}

static gpointer
list_in_other_thread (gpointer scheduler)
{
  g_autoptr (GPtrArray) infos = cothread_scheduler_list_task_infos (scheduler, 0);

  return GUINT_TO_POINTER (infos->len);
}

static void
test_another_thread_is_told_off_and_gets_nothing (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  GThread *thread;

  start ("a", sleep_long, NULL);
  settle ();
  expect_critical ("*own_thread*");
  thread = g_thread_new ("stranger", list_in_other_thread, scheduler);

  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 0);
  g_test_assert_expected_messages ();
  assert_scheduler_works ();
}

static gpointer
list_while_unwinding (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GPtrArray) infos = NULL;

  cothread_sleep (COTHREAD_FOREVER, error);
  infos = cothread_scheduler_list_task_infos (cothread_scheduler_get_default (), 0);
  for (guint i = 0; i < infos->len; i++)
    say ("%s:%s", ((CothreadTaskInfo *) infos->pdata[i])->name,
         cothread_task_state_to_string (((CothreadTaskInfo *) infos->pdata[i])->state));
  return NULL;
}

static void
test_it_can_be_read_during_a_shutdown_and_is_empty_after (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (GPtrArray) infos = NULL;

  g_object_ref (scheduler);
  start ("a", list_while_unwinding, NULL);
  start ("b", sleep_long, NULL);
  settle ();
  cothread_scheduler_shutdown (scheduler);
  assert_said ("a:running b:ready");

  infos = cothread_scheduler_list_task_infos (scheduler, 0);
  g_assert_cmpuint (infos->len, ==, 0);
  g_object_unref (scheduler);
}

static void
test_failures_and_cancellations_are_counted_apart (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadTask) cancelled = spawn ("cancelled", sleep_long, NULL);
  g_autoptr (CothreadTask) fails = spawn ("fails", wait_for_pipe, GINT_TO_POINTER (-1));
  g_autoptr (CothreadTask) works = spawn ("works", say_own_name, NULL);
  g_autoptr (CothreadStatistics) statistics = NULL;

  settle ();
  assert_said ("works");
  end (cancelled);
  statistics = cothread_scheduler_get_statistics (scheduler);

  g_assert_cmpuint (statistics->finished, ==, 3);
  g_assert_cmpuint (statistics->failed, ==, 1);
  g_assert_cmpuint (statistics->cancelled, ==, 1);
  g_assert_false (cothread_task_join (fails, 0, NULL, NULL)); /* seen: no warning */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/task-info/wait/named-event", test_a_named_event_is_named);
  behaviour_add ("/task-info/wait/nameless-event", test_a_nameless_event_is_told_by_its_address);
  behaviour_add ("/task-info/wait/descriptor-and-direction", test_a_descriptor_comes_with_its_direction);
  behaviour_add ("/task-info/wait/several-descriptors", test_several_descriptors_are_counted);
  behaviour_add ("/task-info/wait/joined-task", test_a_joined_task_is_named_with_its_id);
  behaviour_add ("/task-info/wait/lock-and-holder", test_a_lock_comes_with_its_holder);
  behaviour_add ("/task-info/wait/deadline-and-since", test_a_deadline_and_the_beginning_of_the_wait_are_told);
  behaviour_add ("/task-info/counts/wakeups-and-switches", test_wakeups_are_the_waits_that_ended_and_switches_all_resumptions);
  behaviour_add ("/task-info/counts/failures-and-cancellations", test_failures_and_cancellations_are_counted_apart);
  behaviour_add ("/task-info/site/macro-records-it", test_a_macro_records_where_it_spawns);
  behaviour_add ("/task-info/site/none-without-the-macro", test_without_a_macro_there_is_no_site);
  behaviour_add ("/task-info/name/invalid-utf8", test_a_name_of_invalid_utf8_is_repaired);
  behaviour_add ("/task-info/name/invalid-utf8-of-an-object", test_an_object_name_of_invalid_utf8_is_repaired);
  behaviour_add ("/task-info/stack/in-use", test_the_stack_in_use_is_what_a_suspended_task_stands_on);
  behaviour_add ("/task-info/stack/high-water", test_the_high_water_mark_stays_when_the_stack_is_given_back);
  behaviour_add ("/task-info/stack/never-began", test_a_task_that_never_began_has_used_no_stack);
  behaviour_add ("/task-info/finished", test_of_a_finished_task_little_is_left);
  behaviour_add ("/task-info/list/every-live-task-in-order", test_the_array_has_every_live_task_in_order);
  behaviour_add ("/task-info/list/another-thread", test_another_thread_is_told_off_and_gets_nothing);
  behaviour_add ("/task-info/list/during-and-after-shutdown", test_it_can_be_read_during_a_shutdown_and_is_empty_after);
  return g_test_run ();
}
