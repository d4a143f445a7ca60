/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the system is asked for while tasks change places: nothing. A tracer
 * counts, in a child of its own, between two calls that nobody else makes. */

#define N_TASKS 100
#define N_ROUNDS 1000
/* A turn has some at its end; and a sanitizer's allocator makes some hundred. A
 * switch that made a call would make a hundred thousand. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOST 10000
#else
#define MOST 100
#endif
#define MARK -4242

typedef void (*Work) (void);

static gpointer
yield_often (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < N_ROUNDS; i++)
    cothread_yield (error);
  return NULL;
}

static void
yield_by_turns (void)
{
  CothreadTask *tasks[N_TASKS];

  for (guint i = 0; i < N_TASKS; i++)
    tasks[i] = cothread_spawn (yield_often, NULL);
  for (guint i = 0; i < N_TASKS; i++)
    {
      cothread_task_join (tasks[i], COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (tasks[i]);
    }
}

static gpointer
answer (gpointer events, GError **error)
{
  CothreadEvent **pair = events;

  for (guint i = 0; i < N_TASKS * N_ROUNDS; i++)
    {
      cothread_event_wait (pair[0], COTHREAD_FOREVER, error);
      cothread_event_signal (pair[1]);
    }
  return NULL;
}

static gpointer
ask (gpointer events, GError **error)
{
  CothreadEvent **pair = events;

  for (guint i = 0; i < N_TASKS * N_ROUNDS; i++)
    {
      cothread_event_signal (pair[0]);
      cothread_event_wait (pair[1], G_USEC_PER_SEC * 1000, error);
    }
  return NULL;
}

static void
signal_to_and_fro (void)
{
  CothreadEvent *pair[] = { cothread_event_new (TRUE), cothread_event_new (TRUE) };
  CothreadTask *tasks[] = { cothread_spawn (answer, pair), cothread_spawn (ask, pair) };

  for (guint i = 0; i < 2; i++)
    {
      cothread_task_join (tasks[i], COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (tasks[i]);
    }
  g_object_unref (pair[0]);
  g_object_unref (pair[1]);
}

static gpointer
do_nothing (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static gpointer
spawn_often (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < N_TASKS * N_ROUNDS; i++)
    {
      g_autoptr (CothreadTask) task = cothread_spawn (do_nothing, NULL);

      cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
    }
  return NULL;
}

static void
spawn_one_after_another (void)
{
  g_autoptr (CothreadTask) task = cothread_spawn (spawn_often, NULL);

  cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
}

static void
be_traced (Work work)
{
  if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) != 0)
    _exit (2);
  cothread_scheduler_set_time_slice (cothread_scheduler_get_default (), G_USEC_PER_SEC);
  work (); /* warm: stacks and tables are there */
  raise (SIGSTOP);
  close (MARK);
  work ();
  close (MARK);
  _exit (0);
}

/* Calls between the marks; -1: nobody may trace here. */
static gint
count_calls (Work work)
{
  pid_t child = fork ();
  gint n_stops = 0, n_marks = 0, status;

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    be_traced (work);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 2)
    return -1;
  g_assert_true (WIFSTOPPED (status));
  if (ptrace (PTRACE_SETOPTIONS, child, NULL, (void *) (gsize) (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) != 0)
    {
      kill (child, SIGKILL);
      waitpid (child, &status, 0);
      return -1;
    }
  for (;;)
    {
      struct __ptrace_syscall_info info = { 0 };

      g_assert_cmpint (ptrace (PTRACE_SYSCALL, child, NULL, NULL), ==, 0);
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      if (WIFEXITED (status))
        break;
      g_assert_true (WIFSTOPPED (status));
      if (WSTOPSIG (status) != (SIGTRAP | 0x80))
        continue;
      ptrace (PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
      /* Where the processor's counter cannot be used the clock is a call. */
      if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr == SYS_clock_gettime)
        continue;
      if ((gint) info.entry.args[0] == MARK)
        n_marks++;
      else if (n_marks == 1)
        n_stops++;
    }
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpint (n_marks, ==, 2);
  return n_stops;
}

static void
test_makes_no_system_call (gconstpointer work)
{
  gint n = count_calls (*(const Work *) work);

  if (n < 0)
    {
      g_test_skip ("Nobody may trace a process here");
      return;
    }
  g_test_message ("%d system calls in %d switches or more", n, N_TASKS * N_ROUNDS);
  g_assert_cmpint (n, <, MOST);
}

int
main (int argc, char **argv)
{
  static const Work yields = yield_by_turns, signals = signal_to_and_fro, spawns = spawn_one_after_another;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/stress/system-calls/a-yield-makes-none", &yields, test_makes_no_system_call);
  g_test_add_data_func ("/stress/system-calls/a-signal-and-a-wait-with-a-timeout-make-none", &signals, test_makes_no_system_call);
  g_test_add_data_func ("/stress/system-calls/a-task-from-beginning-to-end-makes-none", &spawns, test_makes_no_system_call);
  return g_test_run ();
}
