/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* Callbacks that a POSIX signal handler asks for. */

static CothreadSignalSlot *slot; /* for the handler */
static volatile sig_atomic_t n_handled;

typedef struct
{
  CallbackFixture *fixture;
  guint n_called;
  guint n_raised;
  guint n_destroyed;
  guint raise_again;
  gboolean on_own_stack;
} Heard;

static void
on_raised (guint n_raised, gpointer data)
{
  Heard *heard = data;

  g_assert_cmpuint (n_raised, >, 0);
  heard->n_called++;
  heard->n_raised += n_raised;
  heard->on_own_stack = callback_is_on_own_stack ();
  callback_say (heard->fixture, "raised");
  if (heard->raise_again > 0)
    {
      heard->raise_again--;
      cothread_signal_slot_raise (slot);
    }
}

static void
on_destroy (gpointer data)
{
  ((Heard *) data)->n_destroyed++;
}

static void
on_signal (G_GNUC_UNUSED int number)
{
  int saved_errno = errno;

  n_handled++;
  errno = EILSEQ;
  cothread_signal_slot_raise (slot);
  if (errno != EILSEQ)
    _exit (77);
  errno = saved_errno;
}

static void
begin (CallbackFixture *f, Heard *heard)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

  *heard = (Heard) { .fixture = f };
  n_handled = 0;
  slot = cothread_signal_slot_new (f->queue, on_raised, heard, on_destroy);
  g_assert_cmpint (sigaction (SIGUSR1, &action, NULL), ==, 0);
}

static void
end (Heard *heard)
{
  struct sigaction action = { .sa_handler = SIG_IGN };

  sigaction (SIGUSR1, &action, NULL);
  g_clear_pointer (&slot, cothread_signal_slot_unref);
  g_assert_cmpuint (heard->n_destroyed, ==, 1);
}

static void
test_a_signal_calls_back_on_the_own_stack (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  raise (SIGUSR1);
  g_assert_cmpuint (heard.n_called, ==, 0);
  callback_run_until (f, heard.n_called == 1);
  g_assert_true (heard.on_own_stack);
  callback_run_idle (f);
  raise (SIGUSR1);
  callback_run_until (f, heard.n_called == 2);
  end (&heard);
}

static void
test_many_signals_make_one_callback_that_knows_how_many (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  for (guint i = 0; i < 100; i++)
    raise (SIGUSR1);
  callback_run_idle (f);
  g_assert_cmpuint (heard.n_called, ==, 1);
  g_assert_cmpuint (heard.n_raised, ==, 100);
  g_assert_cmpuint (callback_n_run (f), ==, 1);
  end (&heard);
}

static void
test_it_has_its_place_among_the_entries (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  callback_post_word (f, "before");
  cothread_signal_slot_raise (slot);
  callback_run_idle (f);
  callback_post_word (f, "after");
  callback_run_idle (f);
  callback_assert_said (f, "before raised after");
  end (&heard);
}

static void
test_a_full_queue_takes_it_all_the_same (CallbackFixture *f)
{
  const CothreadOverflowPolicy policies[] = {
    COTHREAD_OVERFLOW_FAIL, COTHREAD_OVERFLOW_BLOCK, COTHREAD_OVERFLOW_DROP_NEWEST, COTHREAD_OVERFLOW_COALESCE,
  };
  Heard heard;

  begin (f, &heard);
  cothread_callback_queue_pause (f->queue);
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      callback_set_bound (f, 1, policies[i]);
      if (i == 0)
        callback_post_nothing (f, 1);
      cothread_signal_slot_raise (slot);
      callback_run_idle (f);
      g_assert_cmpuint (callback_length (f), ==, 2);
    }
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  g_assert_cmpuint (heard.n_called, ==, 1);
  g_assert_cmpuint (heard.n_raised, ==, G_N_ELEMENTS (policies));
  callback_assert_accounts (f, 2, 2, 0, 0);
  end (&heard);
}

static void
test_its_callback_may_raise_it_again (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  heard.raise_again = 5;
  cothread_signal_slot_raise (slot);
  callback_run_idle (f);
  g_assert_cmpuint (heard.n_called, ==, 6);
  end (&heard);
}

static void
test_raised_and_dropped_it_is_called_once_more_and_freed (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  cothread_signal_slot_raise (slot);
  g_clear_pointer (&slot, cothread_signal_slot_unref);
  g_assert_cmpuint (heard.n_destroyed, ==, 0);
  callback_run_idle (f);
  g_assert_cmpuint (heard.n_called, ==, 1);
  end (&heard);
}

static void
test_after_close_and_shutdown_nothing_happens (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  cothread_signal_slot_raise (slot);
  cothread_callback_queue_close (f->queue);
  raise (SIGUSR1);
  callback_run_idle (f);
  cothread_scheduler_shutdown (f->scheduler);
  raise (SIGUSR1);
  g_assert_cmpuint (heard.n_called, ==, 0);
  end (&heard);
}

static void
test_so_it_is_for_one_never_raised_before_the_shutdown (CallbackFixture *f)
{
  Heard heard;

  begin (f, &heard);
  cothread_scheduler_shutdown (f->scheduler);
  raise (SIGUSR1);
  raise (SIGUSR1);
  g_assert_cmpuint (heard.n_called, ==, 0);
  end (&heard);
}

static gint must_end; /* atomic */

typedef struct
{
  pthread_t target;
  guint n_sent;
} Sender;

static gpointer
send_signals (gpointer data)
{
  Sender *sender = data;

  for (guint i = 0; i < 5000 && !g_atomic_int_get (&must_end); i++)
    {
      pthread_kill (sender->target, SIGUSR1);
      sender->n_sent++;
      if (i % 8 == 0)
        g_usleep (10);
    }
  g_atomic_int_set (&must_end, TRUE);
  return NULL;
}

static gpointer
yield_until_end (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  while (!g_atomic_int_get (&must_end))
    cothread_yield (NULL);
  return NULL;
}

/* The loop's own thread is interrupted wherever it is: in posts, in the loop's
 * own locks, on the stacks of tasks, asleep. */
static void
test_no_signal_is_lost_wherever_it_interrupts (CallbackFixture *f)
{
  Sender sender = { .target = pthread_self () };
  g_autoptr (CothreadTask) task = NULL;
  GThread *thread;
  Heard heard;

  begin (f, &heard);
  must_end = FALSE;
  task = cothread_spawn (yield_until_end, NULL);
  thread = g_thread_new ("sender", send_signals, &sender);
  while (!g_atomic_int_get (&must_end))
    {
      callback_post_nothing (f, 10);
      g_main_context_wakeup (f->context);
      g_main_context_iteration (f->context, TRUE);
    }
  g_thread_join (thread);
  callback_run_until (f, heard.n_raised == (guint) n_handled);
  callback_run_until (f, cothread_task_is_finished (task));
  g_assert_cmpuint (heard.n_raised, >, 0);
  g_string_truncate (f->said, 0);
  end (&heard);
}

static gpointer
signal_a_sleeper (gpointer data)
{
  g_usleep (2000);
  pthread_kill (*(pthread_t *) data, SIGUSR1);
  return NULL;
}

static void
test_a_loop_that_sleeps_is_woken (CallbackFixture *f)
{
  pthread_t self = pthread_self ();
  GThread *thread;
  Heard heard;

  begin (f, &heard);
  for (guint i = 1; i <= 20; i++)
    {
      callback_run_idle (f);
      thread = g_thread_new ("sender", signal_a_sleeper, &self);
      callback_run_until (f, heard.n_called == i);
      g_thread_join (thread);
    }
  g_string_truncate (f->said, 0);
  end (&heard);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("signal-slot", a_signal_calls_back_on_the_own_stack);
  callback_test_add ("signal-slot", many_signals_make_one_callback_that_knows_how_many);
  callback_test_add ("signal-slot", it_has_its_place_among_the_entries);
  callback_test_add ("signal-slot", a_full_queue_takes_it_all_the_same);
  callback_test_add ("signal-slot", its_callback_may_raise_it_again);
  callback_test_add ("signal-slot", raised_and_dropped_it_is_called_once_more_and_freed);
  callback_test_add ("signal-slot", after_close_and_shutdown_nothing_happens);
  callback_test_add ("signal-slot", so_it_is_for_one_never_raised_before_the_shutdown);
  callback_test_add ("signal-slot", no_signal_is_lost_wherever_it_interrupts);
  callback_test_add ("signal-slot", a_loop_that_sleeps_is_woken);
  return g_test_run ();
}
