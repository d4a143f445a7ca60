/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The system refuses: no descriptor, no memory, no thread is left. Whatever it
 * is that is refused, the program gets an error and goes on. Each test has a
 * process of its own, in which a filter refuses one call from some point on. With
 * the epoll poller, which needs the most. */

typedef struct
{
  long number;
  guint32 error;
  /* Only calls whose argument has one of these bits; 0: all. */
  guint argument;
  guint32 bits;
} Refusal;

static void
refuse (Refusal what)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, (guint32) what.number, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, (guint32) offsetof (struct seccomp_data, args) + what.argument * 8),
    BPF_JUMP (BPF_JMP | BPF_JSET | BPF_K, what.bits, 0, what.bits == 0 ? 0 : 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | what.error),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  g_assert_cmpint (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
}

/* One that was never used, as the thread's default. */
static GMainContext *
push_new_context (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  return context;
}

static void
pop_context (GMainContext *context)
{
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

static gpointer
do_nothing (gpointer unused, G_GNUC_UNUSED GError **error)
{
  return unused;
}

static void
count (gpointer number)
{
  ++*(guint *) number;
}

static void
assert_no_scheduler_can_be_made (GIOErrorEnum code)
{
  GMainContext *context = push_new_context ();
  CothreadSpawnOptions options = { .user_data_destroy = count };
  g_autoptr (GError) error = NULL;
  guint n_destroyed = 0, n_descriptors = count_open_descriptors ();

  g_assert_null (cothread_scheduler_new (&error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_clear_error (&error);
  g_assert_null (cothread_test_scheduler_new (1, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_clear_error (&error);
  g_assert_false (cothread_sleep (0, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_clear_error (&error);
  g_assert_null (cothread_spawn_full (do_nothing, &n_destroyed, &options, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_cmpuint (n_destroyed, ==, 1);
  expect_critical ("*");
  g_assert_null (cothread_scheduler_get_default ());
  g_test_assert_expected_messages ();
  g_assert_cmpuint (count_open_descriptors (), ==, n_descriptors);
  pop_context (context);
}

static void
test_without_epoll_there_is_no_scheduler (void)
{
  refuse ((Refusal) { SYS_epoll_create1, EMFILE });
  assert_no_scheduler_can_be_made (G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

static void
test_without_a_place_in_epoll_there_is_no_scheduler (void)
{
  refuse ((Refusal) { SYS_epoll_ctl, ENOSPC });
  assert_no_scheduler_can_be_made (G_IO_ERROR_NO_SPACE);
}

static void
test_without_an_eventfd_there_is_no_scheduler (void)
{
  GMainContext *contexts[2] = { g_main_context_new (), g_main_context_new () };
  g_autoptr (GError) error = NULL;

  refuse ((Refusal) { SYS_eventfd2, EMFILE }); /* GLib's own contexts need one, too */
  g_main_context_push_thread_default (contexts[0]);
  g_assert_null (cothread_scheduler_new (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);
  g_assert_null (cothread_test_scheduler_new (1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  pop_context (contexts[0]);
  g_main_context_unref (contexts[1]);
}

static void
test_without_an_eventfd_a_queue_has_no_wait_descriptor (void)
{
  g_autoptr (CothreadThreadedEventQueue) queue = cothread_threaded_event_queue_new (3, NULL);
  g_autoptr (GError) error = NULL;
  int item = 0;
  gpointer got = NULL;

  refuse ((Refusal) { SYS_eventfd2, EMFILE });
  g_assert_cmpint (cothread_threaded_event_queue_get_wait_descriptor (queue, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_clear_error (&error);
  g_assert_true (cothread_threaded_event_queue_signal (queue, &item));
  g_assert_true (cothread_threaded_event_queue_wait (queue, 0, NULL, &got, &error));
  g_assert_true (got == &item);
}

static gpointer
sleep_precisely (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep_precisely (1 * MS, error);
  return NULL;
}

static void
assert_precise_sleep_fails_with (GIOErrorEnum code)
{
  g_autoptr (CothreadTask) task = spawn ("precise", sleep_precisely, NULL);
  guint n_descriptors;
  g_autoptr (GError) error = NULL;

  refuse ((Refusal) { SYS_io_uring_setup, EPERM }); /* that would open one at any time */
  n_descriptors = count_open_descriptors ();
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, (gint) code);
  g_assert_cmpuint (count_open_descriptors (), ==, n_descriptors);
  assert_scheduler_works ();
}

static void
test_without_a_timer_there_is_no_precise_sleep (void)
{
  assert_scheduler_works ();
  refuse ((Refusal) { SYS_timerfd_create, EMFILE });
  assert_precise_sleep_fails_with (G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

static void
test_without_a_place_in_epoll_there_is_no_precise_sleep (void)
{
  assert_scheduler_works ();
  refuse ((Refusal) { SYS_epoll_ctl, ENOSPC });
  assert_precise_sleep_fails_with (G_IO_ERROR_NO_SPACE);
}

static void
test_without_a_place_in_epoll_a_descriptor_cannot_be_waited_for (void)
{
  CothreadWaitItem items[2];
  g_autoptr (GError) error = NULL;
  gint ends[2];
  guint which;

  make_pipe (ends);
  assert_scheduler_works ();
  refuse ((Refusal) { SYS_epoll_ctl, ENOSPC });
  g_assert_cmpint (cothread_wait_fd (ends[0], G_IO_IN, COTHREAD_FOREVER, &error), ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  items[0] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[0], .condition = G_IO_IN };
  items[1] = items[0];
  g_assert_false (cothread_wait_any (items, 2, COTHREAD_FOREVER, &which, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  assert_scheduler_works ();
}

#ifndef __SANITIZE_ADDRESS__ /* which maps memory and starts threads itself */
static gpointer
yield_once (gpointer unused, GError **error)
{
  cothread_yield (error);
  return unused;
}

static void
test_without_memory_there_are_as_many_tasks_as_there_are_stacks (void)
{
  CothreadSpawnOptions options = { .stack_bytes = 1 << 20, .user_data_destroy = count };
  g_autoptr (GError) error = NULL;
  guint n_spawned = 0, n_destroyed = 0;

  assert_scheduler_works ();
  refuse ((Refusal) { SYS_mmap, ENOMEM, 3, MAP_STACK });
  while (error == NULL)
    {
      g_autoptr (CothreadTask) task = cothread_spawn_full (yield_once, &n_destroyed, &options, &error);

      n_spawned += task != NULL;
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (n_destroyed, ==, 1);
  run_until_no_task_is_left ();
  g_assert_cmpuint (n_destroyed, ==, n_spawned + 1);
  assert_scheduler_works ();
}

static void
test_without_memory_there_is_no_scheduler (void)
{
  refuse ((Refusal) { SYS_mmap, ENOMEM, 3, MAP_STACK });
  assert_no_scheduler_can_be_made (G_IO_ERROR_NO_SPACE);
}
static gpointer
work (gpointer unused, G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  return unused;
}

static gboolean
send_nothing (G_GNUC_UNUSED CothreadThreadStream *stream, G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
test_without_threads_there_is_no_work_in_them (void)
{
  CothreadThreadOptions options = { .user_data_destroy = count };
  g_autoptr (GError) error = NULL;
  guint n_destroyed = 0;

  assert_scheduler_works ();
  refuse ((Refusal) { SYS_clone3, EAGAIN });
  refuse ((Refusal) { SYS_clone, EAGAIN });
  g_assert_false (cothread_run_in_thread_full (work, &n_destroyed, &options, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
  g_clear_error (&error);
  g_assert_cmpuint (n_destroyed, ==, 1);
  g_assert_null (cothread_thread_stream_new ("stream", 3, send_nothing, &n_destroyed, count, NULL, &error));
  g_assert_error (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
  g_assert_cmpuint (n_destroyed, ==, 2);
  cothread_set_max_threads (7);
  assert_scheduler_works ();
}

#endif

static gpointer
use_up_slices (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 100000; i++)
    if (!cothread_yield (error))
      break;
  say ("done");
  return NULL;
}

static void
test_without_io_uring_slices_end_all_the_same (void)
{
  g_autoptr (CothreadStatistics) statistics = NULL;

  use_default_time_slice ();
  refuse ((Refusal) { SYS_io_uring_setup, EPERM });
  start ("a", use_up_slices, NULL);
  start ("b", use_up_slices, NULL);
  run_until_no_task_is_left ();
  assert_said ("done done");
  statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  g_assert_cmpuint (statistics->turns_cut, >, 0);
}

static void
test_without_a_handler_interrupts_are_not_caught (void)
{
  g_autoptr (GError) error = NULL;

  assert_scheduler_works ();
  refuse ((Refusal) { SYS_rt_sigaction, EINVAL });
  g_assert_null (cothread_scheduler_get_default () == NULL ? "" : NULL);
  if (!cothread_scheduler_set_catch_interrupt (cothread_scheduler_get_default (), TRUE, &error))
    g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_false (cothread_scheduler_dump_on_signal (cothread_scheduler_get_default (), SIGUSR1, &error));
  g_assert_nonnull (error);
  assert_scheduler_works ();
}

int
main (int argc, char *argv[])
{
  g_setenv ("COTHREAD_POLLER", "epoll", TRUE);
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/system-refuses/epoll", test_without_epoll_there_is_no_scheduler);
  behaviour_add_isolated ("/system-refuses/epoll-place", test_without_a_place_in_epoll_there_is_no_scheduler);
  behaviour_add_isolated ("/system-refuses/eventfd", test_without_an_eventfd_there_is_no_scheduler);
  behaviour_add_isolated ("/system-refuses/wait-descriptor", test_without_an_eventfd_a_queue_has_no_wait_descriptor);
  behaviour_add_isolated ("/system-refuses/timer", test_without_a_timer_there_is_no_precise_sleep);
  behaviour_add_isolated ("/system-refuses/timer-place", test_without_a_place_in_epoll_there_is_no_precise_sleep);
  behaviour_add_isolated ("/system-refuses/descriptor-place", test_without_a_place_in_epoll_a_descriptor_cannot_be_waited_for);
#ifndef __SANITIZE_ADDRESS__
  behaviour_add_isolated ("/system-refuses/stacks", test_without_memory_there_are_as_many_tasks_as_there_are_stacks);
  behaviour_add_isolated ("/system-refuses/first-stack", test_without_memory_there_is_no_scheduler);
  behaviour_add_isolated ("/system-refuses/threads", test_without_threads_there_is_no_work_in_them);
#endif
  behaviour_add_isolated ("/system-refuses/io-uring", test_without_io_uring_slices_end_all_the_same);
  behaviour_add_isolated ("/system-refuses/signals", test_without_a_handler_interrupts_are_not_caught);
  return g_test_run ();
}
