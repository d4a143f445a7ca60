/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

/* The order of tasks that become ready together is drawn from the seed; a seed
 * replays exactly. */

#define MS ((gint64) 1000)
#define TASKS 12
#define SEEDS 50

typedef struct
{
  CothreadTestScheduler *tester;
  CothreadEvent *event;
  CothreadLock *lock;
  GString *trace;
  guint n_lost;
  gint shared;
} Program;

static Program program;

static void
run_with_seed (guint64 seed, void (*body) (void))
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  program.tester = cothread_test_scheduler_new (seed, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (cothread_test_scheduler_get_seed (program.tester), ==, seed);
  body ();
  cothread_test_scheduler_run (program.tester, &error);
  g_assert_no_error (error);
  g_clear_object (&program.tester);
  g_main_context_pop_thread_default (context);
}

static char *
trace_of (guint64 seed, void (*body) (void))
{
  program.trace = g_string_new (NULL);
  run_with_seed (seed, body);
  return g_string_free (g_steal_pointer (&program.trace), FALSE);
}

static void
note (const char *what)
{
  g_string_append_printf (program.trace, "%s%s@%" G_GINT64_FORMAT " ", cothread_task_get_name (cothread_task_self ()), what,
                          cothread_scheduler_get_time (cothread_scheduler_get_default ()));
}

static void
spawn_many (CothreadTaskFunc func)
{
  for (guint i = 0; i < TASKS; i++)
    {
      g_autofree char *name = g_strdup_printf ("%c", 'a' + i);
      CothreadSpawnOptions options = { .name = name };

      cothread_task_unref (cothread_spawn_full (func, GUINT_TO_POINTER (i), &options, NULL));
    }
}

static gpointer
start_and_go_on (G_GNUC_UNUSED gpointer index, G_GNUC_UNUSED GError **error)
{
  note ("1");
  cothread_sleep (10 * MS, NULL);
  note ("2");
  cothread_yield (NULL);
  note ("3");
  return NULL;
}

static void
all_sleep_until_the_same_moment (void)
{
  spawn_many (start_and_go_on);
}

static void
one_seed_replays_exactly (void)
{
  for (guint64 seed = 0; seed < SEEDS; seed++)
    {
      g_autofree char *first = trace_of (seed, all_sleep_until_the_same_moment);
      g_autofree char *second = trace_of (seed, all_sleep_until_the_same_moment);

      g_assert_cmpstr (first, ==, second);
    }
}

static void
different_seeds_give_different_orders (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint64 seed = 0; seed < SEEDS; seed++)
    g_hash_table_add (seen, trace_of (seed, all_sleep_until_the_same_moment));
  g_assert_cmpuint (g_hash_table_size (seen), ==, SEEDS);
}

static gpointer
wait_for_event_and_finish (G_GNUC_UNUSED gpointer index, G_GNUC_UNUSED GError **error)
{
  cothread_event_wait (program.event, COTHREAD_FOREVER, NULL);
  g_string_append (program.trace, cothread_task_get_name (cothread_task_self ()));
  return NULL;
}

static void
all_are_woken_by_one_event (void)
{
  program.event = cothread_event_new (FALSE);
  spawn_many (wait_for_event_and_finish);
  cothread_sleep (MS, NULL);
  cothread_event_signal (program.event);
  cothread_sleep (MS, NULL);
  g_clear_object (&program.event);
}

static void
those_that_one_event_wakes_run_in_an_order_of_the_seed (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *plain = trace_of (0, all_are_woken_by_one_event);

  g_assert_cmpstr (plain, ==, "abcdefghijkl");
  for (guint64 seed = 1; seed <= SEEDS; seed++)
    {
      g_autofree char *again = trace_of (seed, all_are_woken_by_one_event);
      char *first = trace_of (seed, all_are_woken_by_one_event);

      g_assert_cmpstr (first, ==, again);
      g_hash_table_add (seen, first);
    }
  g_assert_cmpuint (g_hash_table_size (seen), ==, SEEDS);
}

static gpointer
just_start (G_GNUC_UNUSED gpointer index, G_GNUC_UNUSED GError **error)
{
  g_string_append (program.trace, cothread_task_get_name (cothread_task_self ()));
  return NULL;
}

static void
all_just_start (void)
{
  spawn_many (just_start);
}

static void
tasks_start_in_the_order_they_were_spawned_whatever_the_seed (void)
{
  for (guint64 seed = 0; seed < SEEDS; seed++)
    {
      g_autofree char *trace = trace_of (seed, all_just_start);

      g_assert_cmpstr (trace, ==, "abcdefghijkl");
    }
}

static gpointer
sleep_and_finish (G_GNUC_UNUSED gpointer index, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (10 * MS, NULL);
  g_string_append (program.trace, cothread_task_get_name (cothread_task_self ()));
  return NULL;
}

static void
all_sleep (void)
{
  spawn_many (sleep_and_finish);
}

static void
without_a_seed_the_order_is_that_of_becoming_ready (void)
{
  g_autofree char *trace = trace_of (0, all_sleep);

  g_assert_cmpstr (trace, ==, "abcdefghijkl");
}

/* The numbers are our own: the same for every version of GLib, on every
 * machine. If this fails, seeds that somebody wrote down mean nothing more. */
static void
a_seed_means_the_same_everywhere (void)
{
  g_autofree char *trace = trace_of (42, all_sleep);

  g_assert_cmpstr (trace, ==, "ebjahgdclfik");
}

/* A classic: read, wait, write. Right in most orders. */
static gpointer
add_one_carelessly (gpointer index, G_GNUC_UNUSED GError **error)
{
  gint before;

  cothread_sleep ((GPOINTER_TO_UINT (index) % 2) * MS, NULL);
  cothread_yield (NULL);
  before = program.shared;
  if (GPOINTER_TO_UINT (index) == 3)
    cothread_sleep (0, NULL);
  program.shared = before + 1;
  return NULL;
}

static void
careless_program (void)
{
  program.shared = 0;
  spawn_many (add_one_carelessly);
}

static void
some_seed_finds_a_race_that_others_miss_and_finds_it_again (void)
{
  guint n_right = 0;
  guint n_wrong = 0;

  for (guint64 seed = 1; seed <= SEEDS; seed++)
    {
      gint found;

      run_with_seed (seed, careless_program);
      found = program.shared;
      *(found == TASKS ? &n_right : &n_wrong) += 1;
      run_with_seed (seed, careless_program);
      g_assert_cmpint (program.shared, ==, found);
    }
  g_test_message ("right with %u seeds, wrong with %u", n_right, n_wrong);
  g_assert_cmpuint (n_right, >, 0);
  g_assert_cmpuint (n_wrong, >, 0);
}

static gpointer
add_one_carefully (gpointer index, G_GNUC_UNUSED GError **error)
{
  gint before;

  cothread_sleep ((GPOINTER_TO_UINT (index) % 2) * MS, NULL);
  g_assert_true (cothread_lock_acquire (program.lock, COTHREAD_FOREVER, NULL));
  before = program.shared;
  cothread_sleep (GPOINTER_TO_UINT (index) % 3, NULL);
  program.shared = before + 1;
  cothread_lock_release (program.lock);
  return NULL;
}

static void
careful_program (void)
{
  program.shared = 0;
  spawn_many (add_one_carefully);
}

static void
no_seed_breaks_a_lock (void)
{
  program.lock = cothread_lock_new ();
  for (guint64 seed = 0; seed < SEEDS; seed++)
    {
      run_with_seed (seed, careful_program);
      g_assert_cmpint (program.shared, ==, TASKS);
    }
  g_assert_finalize_object (program.lock);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/test-scheduler-seed/replays", one_seed_replays_exactly);
  g_test_add_func ("/test-scheduler-seed/differ", different_seeds_give_different_orders);
  g_test_add_func ("/test-scheduler-seed/woken-by-one-event", those_that_one_event_wakes_run_in_an_order_of_the_seed);
  g_test_add_func ("/test-scheduler-seed/spawn-order", tasks_start_in_the_order_they_were_spawned_whatever_the_seed);
  g_test_add_func ("/test-scheduler-seed/none", without_a_seed_the_order_is_that_of_becoming_ready);
  g_test_add_func ("/test-scheduler-seed/everywhere", a_seed_means_the_same_everywhere);
  g_test_add_func ("/test-scheduler-seed/finds-a-race", some_seed_finds_a_race_that_others_miss_and_finds_it_again);
  g_test_add_func ("/test-scheduler-seed/lock", no_seed_breaks_a_lock);
  return g_test_run ();
}
