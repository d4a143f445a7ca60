/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* The list model. Intervals are off: the tests look when they want to. */

static CothreadTaskList *
new_list (guint limit)
{
  CothreadTaskList *list = cothread_task_list_new (NULL);

  cothread_task_list_set_interval (list, 0);
  cothread_task_list_set_limit (list, limit);
  return list;
}

static void
say_change (G_GNUC_UNUSED GListModel *model, guint position, guint removed, guint added, G_GNUC_UNUSED gpointer unused)
{
  say ("%u-%u+%u", position, removed, added);
}

static CothreadTaskItem *
item_at (CothreadTaskList *list, guint position)
{
  g_autoptr (CothreadTaskItem) item = g_list_model_get_item (G_LIST_MODEL (list), position);

  g_assert_nonnull (item);
  return item; /* the list's reference is enough */
}

static void
say_items (CothreadTaskList *list)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (list));

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = NULL;

      g_object_get (item_at (list, i), "name", &name, NULL);
      say ("%s", name);
    }
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_tasks_come_and_go (void)
{
  g_autoptr (CothreadTaskList) list = NULL;
  g_autoptr (CothreadTask) b = NULL;

  start ("a", sleep_for_ever, NULL);
  b = spawn ("b", sleep_for_ever, NULL);
  start ("c", sleep_for_ever, NULL);
  list = new_list (100);
  g_signal_connect (list, "items-changed", G_CALLBACK (say_change), NULL);
  say_items (list);
  assert_said ("a b c");

  settle ();
  cothread_task_cancel (b);
  start ("d", sleep_for_ever, NULL);
  settle ();
  cothread_task_list_refresh (list);
  say_items (list);
  assert_said ("1-1+0 2-0+1 a c d");
  g_assert_cmpuint (cothread_task_list_get_n_tasks (list), ==, 3);

  cothread_task_list_refresh (list);
  assert_said ("");
}

static void
say_notify (CothreadTaskItem *item, GParamSpec *pspec, G_GNUC_UNUSED gpointer unused)
{
  g_autofree char *name = NULL;

  g_object_get (item, "name", &name, NULL);
  say ("%s.%s", name, pspec->name);
}

static void
test_only_items_that_changed_notify (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTaskList) list = NULL;
  CothreadTaskItem *woken;

  start ("asleep", sleep_for_ever, NULL);
  start ("woken", wait_for_event, event);
  settle ();
  list = new_list (100);
  g_signal_connect (list, "items-changed", G_CALLBACK (say_change), NULL);
  woken = item_at (list, 1);
  for (guint i = 0; i < 2; i++)
    {
      g_signal_connect (item_at (list, i), "notify::switches", G_CALLBACK (say_notify), NULL);
      g_signal_connect (item_at (list, i), "notify::name", G_CALLBACK (say_notify), NULL);
    }
  cothread_task_list_refresh (list);
  assert_said ("");

  cothread_event_signal (event);
  settle ();
  assert_said (""); /* not before the next look */
  cothread_task_list_refresh (list);
  assert_said ("woken.switches");
  g_assert_true (item_at (list, 1) == woken);
}

static void
test_an_item_tells_what_its_task_waits_for (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTaskList) list = NULL;
  g_autofree char *waits_for = NULL;
  g_autofree char *state = NULL;
  g_autoptr (CothreadTaskInfo) info = NULL;

  cothread_monitor_set_name (G_OBJECT (event), "rows");
  start ("waiter", wait_for_event, event);
  list = new_list (100);
  g_object_get (item_at (list, 0), "state", &state, "waits-for", &waits_for, NULL);
  g_assert_cmpstr (state, ==, "ready");
  g_assert_null (waits_for);
  g_clear_pointer (&state, g_free);

  settle ();
  cothread_task_list_refresh (list);
  g_object_get (item_at (list, 0), "state", &state, "waits-for", &waits_for, "info", &info, NULL);
  g_assert_cmpstr (state, ==, "waiting");
  g_assert_cmpstr (waits_for, ==, "event rows");
  g_assert_cmpuint (info->id, ==, cothread_task_item_get_id (item_at (list, 0)));
}

static void
test_an_item_outlives_its_task_and_its_list (void)
{
  g_autoptr (CothreadTask) task = spawn ("short", sleep_for_ever, NULL);
  CothreadTaskList *list = new_list (100);
  g_autoptr (CothreadTaskItem) item = g_list_model_get_item (G_LIST_MODEL (list), 0);
  g_autoptr (CothreadTaskInfo) info = NULL;

  settle ();
  cothread_task_cancel (task);
  settle ();
  cothread_task_list_refresh (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 0);
  g_object_unref (list);
  info = cothread_task_item_dup_info (item);

  g_assert_cmpstr (info->name, ==, "short");
  g_assert_cmpint (info->state, ==, COTHREAD_TASK_FINISHED);
}

static void
test_of_more_than_the_limit_it_shows_a_sample (void)
{
  g_autoptr (CothreadTaskList) list = new_list (10);
  g_autoptr (GPtrArray) tasks = NULL;

  for (guint i = 0; i < 1000; i++)
    start ("task", sleep_for_ever, NULL);
  settle ();
  cothread_task_list_refresh (list);

  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 10);
  g_assert_cmpuint (cothread_task_list_get_n_tasks (list), ==, 1000);

  /* Those that go make room for others, which were there all the time. */
  tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());
  for (guint i = 500; i < 1000; i++)
    cothread_task_cancel (tasks->pdata[i]);
  settle ();
  cothread_task_list_refresh (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 10);
  g_assert_cmpuint (cothread_task_list_get_n_tasks (list), ==, 500);
}

static void
test_it_finds_every_task_within_the_limit (void)
{
  g_autoptr (CothreadTaskList) list = new_list (50);
  g_autoptr (GPtrArray) tasks = NULL;

  for (guint i = 0; i < 60; i++)
    start ("task", sleep_for_ever, NULL);
  settle ();
  cothread_task_list_refresh (list);
  tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());
  for (guint i = 0; i < 40; i += 2)
    cothread_task_cancel (tasks->pdata[i]);
  settle ();
  for (guint i = 0; i < 5; i++)
    cothread_task_list_refresh (list);

  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 40);
  for (guint i = 0; i < 40; i++)
    g_assert_cmpint (cothread_task_get_state (cothread_task_item_get_task (item_at (list, i))), !=, COTHREAD_TASK_FINISHED);
}

static void
check_model (GListModel *model, guint position, guint removed, guint added, gpointer data)
{
  GPtrArray *copy = data;

  g_assert_cmpuint (position + removed, <=, copy->len);
  if (removed > 0)
    g_ptr_array_remove_range (copy, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (copy, (gint) (position + i), g_list_model_get_item (model, position + i));
  g_assert_cmpuint (copy->len, ==, g_list_model_get_n_items (model));
  for (guint i = 0; i < copy->len; i++)
    {
      g_autoptr (CothreadTaskItem) item = g_list_model_get_item (model, i);

      g_assert_true (item == copy->pdata[i]);
    }
}

static void
test_what_it_announces_is_what_it_does (void)
{
  g_autoptr (CothreadTaskList) list = new_list (300);
  g_autoptr (GPtrArray) copy = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  g_signal_connect (list, "items-changed", G_CALLBACK (check_model), copy);
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (GPtrArray) tasks = NULL;
      double share = round % 10 == 0 ? 0.5 : 0.01;

      for (gint i = g_rand_int_range (random, 0, 40); i > 0; i--)
        start ("task", sleep_for_ever, NULL);
      settle ();
      tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());
      for (guint i = 0; i < tasks->len; i++)
        if (g_rand_double (random) < share)
          cothread_task_cancel (tasks->pdata[i]);
      settle ();
      cothread_task_list_refresh (list);
      g_assert_cmpuint (copy->len, ==, g_list_model_get_n_items (G_LIST_MODEL (list)));
    }
}

static void
test_it_looks_by_itself (void)
{
  g_autoptr (CothreadTaskList) list = cothread_task_list_new (NULL);
  gint64 end_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  cothread_task_list_set_interval (list, 5);
  start ("task", sleep_for_ever, NULL);
  while (g_list_model_get_n_items (G_LIST_MODEL (list)) == 0 && g_get_monotonic_time () < end_us)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);

  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
}

static gpointer
refresh_in_task (gpointer list, G_GNUC_UNUSED GError **error)
{
  cothread_task_list_refresh (list);
  return NULL;
}

static void
assert_not_on_a_task_stack (G_GNUC_UNUSED GListModel *model, G_GNUC_UNUSED guint position, G_GNUC_UNUSED guint removed,
                            G_GNUC_UNUSED guint added, G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  /* A wait is refused there and nowhere else in this test. */
  g_assert_false (cothread_sleep (0, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  say ("told");
}

static void
test_a_task_that_looks_has_handlers_called_on_the_threads_own_stack (void)
{
  g_autoptr (CothreadTaskList) list = new_list (10);

  g_signal_connect (list, "items-changed", G_CALLBACK (assert_not_on_a_task_stack), NULL);
  start ("looker", refresh_in_task, list);
  settle ();
  assert_said ("told");
}

static void
refresh_again (GListModel *model, G_GNUC_UNUSED guint position, G_GNUC_UNUSED guint removed,
               G_GNUC_UNUSED guint added, G_GNUC_UNUSED gpointer unused)
{
  cothread_task_list_refresh (COTHREAD_TASK_LIST (model));
  say ("again");
}

static void
test_a_handler_may_ask_for_another_look (void)
{
  g_autoptr (CothreadTaskList) list = new_list (10);

  g_signal_connect (list, "items-changed", G_CALLBACK (refresh_again), NULL);
  start ("task", sleep_for_ever, NULL);
  cothread_task_list_refresh (list);
  assert_said ("again");
}

static void
test_after_a_shutdown_it_is_empty (void)
{
  CothreadScheduler *scheduler = g_object_ref (cothread_scheduler_get_default ());
  g_autoptr (CothreadTaskList) list = new_list (10);

  start ("task", sleep_for_ever, NULL);
  settle ();
  cothread_task_list_refresh (list);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 1);
  cothread_scheduler_shutdown (scheduler);
  cothread_task_list_refresh (list);

  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 0);
  g_assert_cmpuint (cothread_task_list_get_n_tasks (list), ==, 0);
  cothread_task_list_refresh (list);
  g_object_unref (scheduler);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/task-list/tasks-come-and-go", test_tasks_come_and_go);
  behaviour_add ("/task-list/items/only-changed-ones-notify", test_only_items_that_changed_notify);
  behaviour_add ("/task-list/items/what-it-waits-for", test_an_item_tells_what_its_task_waits_for);
  behaviour_add ("/task-list/items/outlives-task-and-list", test_an_item_outlives_its_task_and_its_list);
  behaviour_add ("/task-list/limit/a-sample", test_of_more_than_the_limit_it_shows_a_sample);
  behaviour_add ("/task-list/limit/every-task-within", test_it_finds_every_task_within_the_limit);
  behaviour_add ("/task-list/announces-what-it-does", test_what_it_announces_is_what_it_does);
  behaviour_add ("/task-list/looks-by-itself", test_it_looks_by_itself);
  behaviour_add ("/task-list/handlers/threads-own-stack", test_a_task_that_looks_has_handlers_called_on_the_threads_own_stack);
  behaviour_add ("/task-list/handlers/may-look-again", test_a_handler_may_ask_for_another_look);
  behaviour_add ("/task-list/after-shutdown", test_after_a_shutdown_it_is_empty);
  return g_test_run ();
}
