/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* Tasks that come and go in great numbers. */

static guint n_begun;

static void
run_idle (StressFixture *f)
{
  while (g_main_context_iteration (f->context, FALSE))
    ;
}

static void
assert_all_finished (StressFixture *f, guint64 spawned)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (f->scheduler);

  /* The callback queue has a task, too. */
  g_assert_cmpuint (statistics->spawned, ==, spawned + 1);
  g_assert_cmpuint (statistics->finished, ==, spawned);
  g_assert_cmpuint (statistics->tasks, ==, 1);
}

static guint64
reserved_bytes (StressFixture *f)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (f->scheduler);

  return statistics->stack_reserved_bytes;
}

static gpointer
count (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  n_begun++;
  return NULL;
}

static gpointer
count_and_yield (gpointer data, GError **error)
{
  count (data, error);
  cothread_yield (NULL);
  return NULL;
}

static void
spawn_wave (CothreadTaskFunc func, gpointer data, guint n)
{
  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn (func, data));
}

static void
check_waves (CothreadTaskFunc func, guint n, guint n_per_wave)
{
  guint n_waves = n / MIN (n, n_per_wave);
  StressFixture f;
  guint64 reserved = 0;

  n_per_wave = n / n_waves;
  stress_begin (&f);
  n_begun = 0;
  for (guint i = 0; i < n_waves; i++)
    {
      spawn_wave (func, NULL, n_per_wave);
      run_idle (&f);
      g_assert_cmpuint (n_begun, ==, (i + 1) * n_per_wave);
      /* What the first wave needed is enough for all. */
      if (i == 0)
        reserved = reserved_bytes (&f);
      g_assert_cmpuint (reserved_bytes (&f), ==, reserved);
    }
  assert_all_finished (&f, (guint64) n_waves * n_per_wave);
  stress_end (&f);
}

static void
test_a_million_tasks_in_small_waves (void)
{
  check_waves (count, stress_scale_tasks (1000000), 100);
}

static void
test_tasks_that_suspend_once_in_large_waves (void)
{
  check_waves (count_and_yield, stress_scale_tasks (200000), 10000);
}

/* Each task spawns two, and joins them. */
static gpointer
grow_tree (gpointer data, GError **error)
{
  guint depth = GPOINTER_TO_UINT (data);
  g_autoptr (CothreadTask) left = NULL, right = NULL;
  gpointer n_left, n_right;

  if (depth == 0)
    return GUINT_TO_POINTER (1);
  left = cothread_spawn (grow_tree, GUINT_TO_POINTER (depth - 1));
  right = cothread_spawn (grow_tree, GUINT_TO_POINTER (depth - 1));
  if (!cothread_task_join (left, COTHREAD_FOREVER, &n_left, error) ||
      !cothread_task_join (right, COTHREAD_FOREVER, &n_right, error))
    return NULL;
  return GUINT_TO_POINTER (GPOINTER_TO_UINT (n_left) + GPOINTER_TO_UINT (n_right) + 1);
}

static void
test_a_tree_of_tasks_that_join_their_children (void)
{
  StressFixture f;
  guint depth = g_bit_storage (stress_scale_tasks (1 << 15)) - 1;
  guint n_nodes = (2u << depth) - 1;
  g_autoptr (CothreadTask) root = NULL;
  gpointer n = NULL;

  stress_begin (&f);
  root = cothread_spawn (grow_tree, GUINT_TO_POINTER (depth));
  g_assert_true (cothread_task_join (root, COTHREAD_FOREVER, &n, NULL)); /* drives the context */
  g_assert_cmpuint (GPOINTER_TO_UINT (n), ==, n_nodes);
  assert_all_finished (&f, n_nodes);
  stress_end (&f);
}

static gpointer
join_one (gpointer data, GError **error)
{
  gpointer result = NULL;

  n_begun += cothread_task_join (data, COTHREAD_FOREVER, &result, error);
  g_assert_true (result == data);
  return NULL;
}

static gpointer
sleep_and_return (gpointer data, GError **error)
{
  cothread_sleep (1000, error);
  return *(gpointer *) data;
}

static void
test_one_task_joined_by_many (void)
{
  StressFixture f;
  guint n = stress_scale_tasks (20000);
  gpointer target_pointer = NULL;
  g_autoptr (CothreadTask) target = NULL;

  stress_begin (&f);
  n_begun = 0;
  target = cothread_spawn (sleep_and_return, &target_pointer);
  target_pointer = target;
  spawn_wave (join_one, target, n);
  stress_run_until (&f, n_begun == n);
  run_idle (&f);
  assert_all_finished (&f, n + 1);
  stress_end (&f);
}

static gpointer
spawn_next (gpointer data, G_GNUC_UNUSED GError **error)
{
  guint *n_left = data;

  if (--*n_left > 0)
    cothread_task_unref (cothread_spawn (spawn_next, n_left));
  return NULL;
}

static void
test_a_chain_of_tasks_each_of_which_spawns_the_next (void)
{
  StressFixture f;
  guint n = stress_scale_tasks (500000), n_left = n;

  stress_begin (&f);
  cothread_task_unref (cothread_spawn (spawn_next, &n_left));
  stress_run_until (&f, n_left == 0);
  run_idle (&f);
  assert_all_finished (&f, n);
  stress_end (&f);
}

static void
test_tasks_cancelled_before_they_begin (void)
{
  StressFixture f;
  guint n = stress_scale_tasks (100000);

  stress_begin (&f);
  n_begun = 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (CothreadTask) task = cothread_spawn (count, NULL);

      if (i % 2 == 0)
        cothread_task_cancel (task);
    }
  run_idle (&f);
  g_assert_cmpuint (n_begun, ==, n / 2);
  assert_all_finished (&f, n);
  stress_end (&f);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/spawn/a-million-tasks-in-small-waves", test_a_million_tasks_in_small_waves);
  g_test_add_func ("/stress/spawn/tasks-that-suspend-once-in-large-waves", test_tasks_that_suspend_once_in_large_waves);
  g_test_add_func ("/stress/spawn/a-tree-of-tasks-that-join-their-children", test_a_tree_of_tasks_that_join_their_children);
  g_test_add_func ("/stress/spawn/one-task-joined-by-many", test_one_task_joined_by_many);
  g_test_add_func ("/stress/spawn/a-chain-of-tasks-each-of-which-spawns-the-next",
                   test_a_chain_of_tasks_each_of_which_spawns_the_next);
  g_test_add_func ("/stress/spawn/tasks-cancelled-before-they-begin", test_tasks_cancelled_before_they_begin);
  return g_test_run ();
}
