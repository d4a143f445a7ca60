/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* What is said of a task that overflows its stack; each in a process of its
 * own, which dies. */

static void
leave_no_core (void)
{
  struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
}

static __attribute__ ((noinline)) guint
recurse (guint depth)
{
  volatile char frame[512];

  frame[depth % sizeof frame] = (char) depth;
  return depth == G_MAXUINT ? 0 : recurse (depth + 1) + (guint) frame[depth % sizeof frame];
}

static gpointer
overflow (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return GUINT_TO_POINTER (recurse (0));
}

static void
spawn_deep (gsize stack_bytes)
{
  CothreadSpawnOptions options = { .name = "deep", .stack_bytes = stack_bytes };

  cothread_task_unref (cothread_spawn_full (overflow, NULL, &options, NULL));
  cothread_sleep (0, NULL);
}

static void
in_subprocess (void (*test) (void), const char *expected)
{
  if (g_test_subprocess ())
    {
      leave_no_core ();
      test ();
      return;
    }
  g_test_trap_subprocess (NULL, 120 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_failed ();
  if (expected != NULL)
    g_test_trap_assert_stderr (expected);
  else
    g_test_trap_assert_stderr_unmatched ("*task deep overflowed*");
}

static void
overflow_with_report (void)
{
  cothread_report_stack_overflows ();
  cothread_report_stack_overflows ();
  spawn_deep (0);
}

static void
the_task_and_its_stack_are_named (void)
{
  in_subprocess (overflow_with_report, "*task deep overflowed its stack of 258048 bytes*");
}

static void
overflow_large (void)
{
  cothread_report_stack_overflows ();
  spawn_deep (1000 * 1000);
}

static void
a_larger_stack_is_told_as_it_is (void)
{
  in_subprocess (overflow_large, "*task deep overflowed its stack of 1044480 bytes*");
}

static gpointer
overflow_in_thread (G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  cothread_report_stack_overflows ();
  g_main_context_push_thread_default (context);
  spawn_deep (0);
  return NULL;
}

static void
overflow_elsewhere (void)
{
  cothread_report_stack_overflows ();
  g_thread_join (g_thread_new ("other", overflow_in_thread, NULL));
}

static void
so_is_one_of_another_thread (void)
{
  in_subprocess (overflow_elsewhere, "*task deep overflowed*");
}

static void
overflow_unreported (void)
{
  spawn_deep (0);
}

static void
without_asking_nothing_is_said (void)
{
  in_subprocess (overflow_unreported, NULL);
}

static gpointer
crash (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  raise (SIGSEGV);
  return NULL;
}

static void
crash_otherwise (void)
{
  cothread_report_stack_overflows ();
  cothread_task_unref (cothread_spawn (crash, NULL));
  cothread_sleep (0, NULL);
}

static void
another_crash_is_no_overflow (void)
{
  in_subprocess (crash_otherwise, NULL);
}

static void
say_previous (G_GNUC_UNUSED int number)
{
  static const char text[] = "the previous handler\n";

  if (write (STDERR_FILENO, text, sizeof text - 1) < 0)
    _exit (1);
  _exit (3);
}

static void
overflow_with_previous_handler (void)
{
  struct sigaction action = { .sa_handler = say_previous, .sa_flags = SA_ONSTACK };

  sigaction (SIGSEGV, &action, NULL);
  sigaction (SIGBUS, &action, NULL);
  cothread_report_stack_overflows ();
  spawn_deep (0);
}

static void
who_handled_it_before_is_called_after_the_report (void)
{
  in_subprocess (overflow_with_previous_handler, "*task deep overflowed*the previous handler*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overflow/named", the_task_and_its_stack_are_named);
  g_test_add_func ("/overflow/large", a_larger_stack_is_told_as_it_is);
  g_test_add_func ("/overflow/thread", so_is_one_of_another_thread);
  g_test_add_func ("/overflow/not-asked", without_asking_nothing_is_said);
  g_test_add_func ("/overflow/another-crash", another_crash_is_no_overflow);
  g_test_add_func ("/overflow/previous-handler", who_handled_it_before_is_called_after_the_report);
  return g_test_run ();
}
