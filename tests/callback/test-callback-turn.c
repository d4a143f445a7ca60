/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long the queue holds the loop. A slow callback here takes longer than a
 * whole slice, so that no turn can run two of them, however slow the machine. */

#define N_SLOW 40
#define TINY_PER_SLOW 100

static guint64
n_turns (CallbackFixture *f)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (f->scheduler);

  return statistics->turns;
}

static guint64
n_turns_cut (CallbackFixture *f)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (f->scheduler);

  return statistics->turns_cut;
}

static guint n_slow;
static guint n_turns_shared; /* a slow callback in the turn of another */
static guint64 last_turn;    /* of the last slow one; turns count when they end */

static void
be_slow (CallbackFixture *f)
{
  guint64 turn = n_turns (f);

  n_turns_shared += n_slow > 0 && turn == last_turn;
  last_turn = turn;
  n_slow++;
  callback_use_up_slice (f);
}

static Parcel *
new_slow (CallbackFixture *f)
{
  Parcel *slow = g_new0 (Parcel, 1);

  slow->fixture = f;
  slow->then = be_slow;
  return slow;
}

static void
post_slow (CallbackFixture *f, CothreadCallbackFlags flags)
{
  g_assert_true (cothread_callback_queue_post_full (f->queue, flags, callback_parcel_run, new_slow (f), g_free, NULL));
}

static gboolean
count_dispatch (gpointer data)
{
  (*(guint *) data)++;
  return G_SOURCE_CONTINUE;
}

static GSource *
add_idle (CallbackFixture *f, guint *n_dispatched)
{
  GSource *idle = g_idle_source_new ();

  g_source_set_callback (idle, count_dispatch, n_dispatched, NULL);
  g_source_attach (idle, f->context);
  return idle;
}

static void
check_mixture (CallbackFixture *f, CothreadCallbackFlags tiny, CothreadCallbackFlags slow, gboolean in_a_row)
{
  guint n_idle = 0;
  g_autoptr (GSource) idle = add_idle (f, &n_idle);
  guint64 n_all = N_SLOW * (TINY_PER_SLOW + 1);

  n_slow = n_turns_shared = 0;
  cothread_scheduler_set_time_slice (f->scheduler, 1000);
  cothread_scheduler_set_minimum_share (f->scheduler, 0); /* or a busy machine makes it longer */
  for (guint i = 0; i < N_SLOW * TINY_PER_SLOW; i++)
    {
      cothread_callback_queue_post_full (f->queue, tiny, callback_do_nothing, NULL, NULL, NULL);
      if (in_a_row ? i < N_SLOW : i % TINY_PER_SLOW == 0)
        post_slow (f, slow);
    }
  callback_run_until (f, callback_n_run (f) == n_all);
  g_source_destroy (idle);

  g_assert_cmpuint (n_slow, ==, N_SLOW);
  g_assert_cmpuint (n_turns_shared, ==, 0);
  g_assert_cmpuint (n_turns_cut (f), >=, N_SLOW - 1);
  /* The rest of the program had its turn in between; not each time only where
   * the machine was so busy that 16 ms passed first. */
  g_assert_cmpuint (n_idle, >=, N_SLOW / 2);
}

static void
test_no_turn_runs_two_slow_callbacks_among_many_tiny_ones (CallbackFixture *f)
{
  check_mixture (f, COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_DEFAULT, FALSE);
}

static void
test_no_turn_runs_two_slow_callbacks_that_come_in_a_run (CallbackFixture *f)
{
  check_mixture (f, COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_DEFAULT, TRUE);
}

static void
test_no_turn_runs_two_slow_callbacks_that_may_wait (CallbackFixture *f)
{
  check_mixture (f, COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_MAY_WAIT, FALSE);
}

static void
test_no_turn_runs_two_slow_callbacks_among_tiny_ones_that_may_wait (CallbackFixture *f)
{
  check_mixture (f, COTHREAD_CALLBACK_MAY_WAIT, COTHREAD_CALLBACK_DEFAULT, FALSE);
}

static void
test_no_turn_runs_two_slow_callbacks_where_all_may_wait (CallbackFixture *f)
{
  check_mixture (f, COTHREAD_CALLBACK_MAY_WAIT, COTHREAD_CALLBACK_MAY_WAIT, TRUE);
}

static guint n_before_task;

static gpointer
note_progress (gpointer data, G_GNUC_UNUSED GError **error)
{
  n_before_task = (guint) callback_n_run (data);
  return NULL;
}

static void
spawn_in_callback (CallbackFixture *f)
{
  cothread_task_unref (cothread_spawn (note_progress, f));
}

static void
test_a_ready_task_does_not_wait_for_a_long_queue (CallbackFixture *f)
{
  Parcel spawner = { .then = spawn_in_callback };

  n_before_task = 0;
  cothread_scheduler_set_time_slice (f->scheduler, G_USEC_PER_SEC);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &spawner, NULL);
  callback_post_nothing (f, 5000);
  callback_run_until (f, callback_n_run (f) == 5001);

  g_assert_cmpuint (n_before_task, >, 0);
  g_assert_cmpuint (n_before_task, <=, 64);
}

static void
free_slowly (gpointer parcel)
{
  callback_parcel_run (parcel);
  g_free (parcel);
}

static gpointer
drop_slow (gpointer data)
{
  CallbackFixture *f = data;

  for (guint i = 0; i < 2 * N_SLOW; i++)
    g_assert_true (cothread_callback_queue_post (f->queue, callback_do_nothing, new_slow (f), free_slowly, NULL));
  return NULL;
}

/* What frees an entry may be slow, too. */
static void
test_no_turn_frees_two_dropped_entries_that_are_slow_to_free (CallbackFixture *f)
{
  n_slow = n_turns_shared = 0;
  callback_set_bound (f, N_SLOW, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (drop_slow, f);
  callback_run_until (f, n_slow == 2 * N_SLOW);

  callback_assert_accounts (f, 2 * N_SLOW, N_SLOW, N_SLOW, 0);
  g_assert_cmpuint (n_turns_shared, ==, 0);
}

static guint n_tiny_runs;

static void
post_tiny_again (gpointer data)
{
  CallbackFixture *f = data;

  if (++n_tiny_runs < 20000)
    g_assert_true (cothread_callback_queue_post (f->queue, post_tiny_again, f, NULL, NULL));
}

static void
test_callbacks_that_post_each_other_share_the_loop (CallbackFixture *f)
{
  guint n_idle = 0;
  g_autoptr (GSource) idle = add_idle (f, &n_idle);

  n_tiny_runs = 0;
  cothread_scheduler_set_time_slice (f->scheduler, 50);
  for (guint i = 0; i < 4; i++)
    cothread_callback_queue_post (f->queue, post_tiny_again, f, NULL, NULL);
  callback_run_until (f, n_tiny_runs >= 20000);
  g_source_destroy (idle);

  g_assert_cmpuint (n_idle, >, 1);
}

/* As a container's policy does, where that is what a second run is about. */
static void
forbid_io_uring (void)
{
#ifdef __NR_io_uring_setup
  struct sock_filter rules[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = { G_N_ELEMENTS (rules), rules };

  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  if (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0)
    g_assert_true (syscall (__NR_io_uring_setup, 0, NULL) < 0 && errno == EPERM);
#endif
}

int
main (int argc, char *argv[])
{
  if (g_getenv ("TEST_WITHOUT_IO_URING") != NULL)
    forbid_io_uring ();
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("turn", no_turn_runs_two_slow_callbacks_among_many_tiny_ones);
  callback_test_add ("turn", no_turn_runs_two_slow_callbacks_that_come_in_a_run);
  callback_test_add ("turn", no_turn_runs_two_slow_callbacks_that_may_wait);
  callback_test_add ("turn", no_turn_runs_two_slow_callbacks_among_tiny_ones_that_may_wait);
  callback_test_add ("turn", no_turn_runs_two_slow_callbacks_where_all_may_wait);
  callback_test_add ("turn", a_ready_task_does_not_wait_for_a_long_queue);
  callback_test_add ("turn", callbacks_that_post_each_other_share_the_loop);
  callback_test_add ("turn", no_turn_frees_two_dropped_entries_that_are_slow_to_free);
  return g_test_run ();
}
