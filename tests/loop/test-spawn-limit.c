/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task.h"
#include "loop/cothread-wait.h"

#include <gio/gio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Spawning until the system has no stack left to give, as guard pages that are
 * mappings of their own (a kernel without MADV_GUARD_INSTALL) make it end: with
 * an error, and with a scheduler that goes on. What runs out belongs to the
 * process, so it is done in a child. */

#define MAX_MAPPINGS_TRIED 70000
#define AT_LEAST 1000

static GPtrArray *tasks;
static guint n_unwound;

static gpointer
park (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  n_unwound++;
  return NULL;
}

static gpointer
set_flag (gpointer flag, G_GNUC_UNUSED GError **error)
{
  *(gboolean *) flag = TRUE;
  return NULL;
}

static CothreadTask *
spawn_small (CothreadTaskFunc func, gpointer data, GError **error)
{
  CothreadSpawnOptions options = { .stack_bytes = CT_STACK_MIN_BYTES };

  return cothread_spawn_full (func, data, &options, error);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static gboolean
is_no_space (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) && error->message != NULL && *error->message != '\0';
}

/* Its stacks have guard pages as on any kernel. */
static CtStackPool *
use_mprotect (CothreadScheduler *scheduler)
{
  CtStackPool *pool = scheduler->core->pool;

  scheduler->core->pool = ct_stack_pool_new (CT_STACK_GUARD_MPROTECT);
  return pool;
}

/* 0, or what went wrong. */
static int
run_out_and_go_on (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  CtStackPool *pool = use_mprotect (scheduler);
  g_autoptr (GError) error = NULL;
  gboolean ran = FALSE;
  CothreadTask *task;
  guint n_tasks;

  tasks = g_ptr_array_sized_new (MAX_MAPPINGS_TRIED);
  while ((task = spawn_small (park, NULL, &error)) != NULL)
    {
      g_ptr_array_add (tasks, task);
      if (tasks->len % 100 == 0)
        settle ();
    }
  settle ();
  n_tasks = tasks->len;
  g_printerr ("# %u tasks, then: %s\n", n_tasks, error->message);
  if (n_tasks < AT_LEAST || !is_no_space (error))
    return 1;
  g_clear_error (&error);
  if (spawn_small (park, NULL, &error) != NULL || !is_no_space (error))
    return 2;
  g_clear_error (&error);

  /* One that ends leaves its stack to the next. */
  cothread_task_cancel (tasks->pdata[n_tasks / 2]);
  settle ();
  task = spawn_small (set_flag, &ran, &error);
  if (task == NULL || n_unwound != 1)
    return 3;
  settle ();
  if (!ran || !cothread_task_is_finished (task))
    return 4;
  cothread_task_unref (task);

  /* So does plain main. */
  if (!cothread_sleep (0, NULL))
    return 5;
  for (guint i = 0; i < n_tasks; i++)
    cothread_task_cancel (tasks->pdata[i]);
  settle ();
  if (n_unwound != n_tasks)
    return 6;
  ct_stack_pool_free (scheduler->core->pool);
  scheduler->core->pool = pool;
  cothread_scheduler_shutdown (scheduler);
  return 0;
}

static guint64
max_mappings (void)
{
  g_autofree char *text = NULL;

  return g_file_get_contents ("/proc/sys/vm/max_map_count", &text, NULL, NULL) ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static void
test_at_the_limit_of_mappings_spawning_is_an_error_and_the_scheduler_goes_on (void)
{
  int status;
  pid_t child;

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer needs mappings of its own");
  return;
#endif
#ifdef __SANITIZE_THREAD__
  g_test_skip ("the sanitizer has room for fewer stacks");
  return;
#endif
  if (max_mappings () == 0 || max_mappings () > MAX_MAPPINGS_TRIED)
    {
      g_test_skip ("vm.max_map_count is unknown or too high to reach");
      return;
    }
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      setrlimit (RLIMIT_CORE, &(struct rlimit) { 0 });
      _exit (run_out_and_go_on ());
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spawn/limit/at-the-limit-of-mappings-it-is-an-error-and-the-scheduler-goes-on",
                   test_at_the_limit_of_mappings_spawning_is_an_error_and_the_scheduler_goes_on);
  return g_test_run ();
}
