/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

#include <sys/wait.h>
#include <unistd.h>

/* A queue in a child process: it belongs to the parent. */

/* What the child finds wrong is its exit status. */
typedef int (*ChildFunc) (CallbackFixture *f);

static void
assert_in_child (CallbackFixture *f, ChildFunc func)
{
  int status = 0;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      alarm (60); /* rather than hang */
      _exit (func (f));
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static gboolean
is_refusal (GError *error)
{
  return g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED) && strstr (error->message, "parent") != NULL;
}

static int
post_in_child (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;
  Parcel parcel = { 0 };

  if (callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, &error) || !is_refusal (error))
    return 1;
  g_clear_error (&error);
  if (cothread_callback_queue_post_coalesced (f->queue, "key", callback_do_nothing, NULL, NULL, &error) || !is_refusal (error))
    return 2;
  return parcel.destroyed == 1 && parcel.run == 0 ? 0 : 3;
}

static void
test_a_post_is_refused_and_the_parent_knows_nothing_of_it (CallbackFixture *f)
{
  const CothreadOverflowPolicy policies[] = {
    COTHREAD_OVERFLOW_FAIL, COTHREAD_OVERFLOW_DROP_OLDEST, COTHREAD_OVERFLOW_BLOCK,
    COTHREAD_OVERFLOW_DROP_NEWEST, COTHREAD_OVERFLOW_COALESCE,
  };

  callback_post_word (f, "parent");
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      callback_set_bound (f, 1, policies[i]);
      assert_in_child (f, post_in_child);
    }
  callback_run_idle (f);

  callback_assert_said (f, "parent");
  callback_assert_accounts (f, 1, 1, 0, 0);
}

static gpointer
return_null (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static int
flush_and_call_in_child (CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  if (cothread_callback_queue_flush (f->queue, COTHREAD_FOREVER, &error) || !is_refusal (error))
    return 1;
  g_clear_error (&error);
  if (cothread_callback_queue_call (f->queue, return_null, NULL, NULL, NULL, COTHREAD_FOREVER, NULL, NULL, &error) ||
      !is_refusal (error))
    return 2;
  return 0;
}

static void
test_so_are_flushes_and_calls (CallbackFixture *f)
{
  callback_post_nothing (f, 1);
  assert_in_child (f, flush_and_call_in_child);
}

static guint n_raised;

static void
on_raised (guint n, G_GNUC_UNUSED gpointer data)
{
  n_raised += n;
}

static CothreadSignalSlot *slot;

static int
raise_in_child (G_GNUC_UNUSED CallbackFixture *f)
{
  cothread_signal_slot_raise (slot);
  return 0;
}

static void
test_raising_a_slot_does_nothing (CallbackFixture *f)
{
  n_raised = 0;
  slot = cothread_signal_slot_new (f->queue, on_raised, NULL, NULL);
  callback_run_idle (f);
  assert_in_child (f, raise_in_child);
  callback_run_idle (f);
  g_assert_cmpuint (n_raised, ==, 0);
  cothread_signal_slot_raise (slot);
  callback_run_idle (f);
  g_assert_cmpuint (n_raised, ==, 1);
  cothread_signal_slot_unref (slot);
}

static gint must_end; /* atomic */

static gpointer
overflow_without_end (gpointer data)
{
  while (!g_atomic_int_get (&must_end))
    cothread_callback_queue_post (data, callback_do_nothing, NULL, NULL, NULL);
  return NULL;
}

static int
close_in_child (CallbackFixture *f)
{
  cothread_callback_queue_close (f->queue);
  return cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, NULL) ? 1 : 0;
}

/* Threads of the parent hold its lock, or are about to push, whenever it is. */
static void
test_closing_it_in_a_child_waits_for_nobody (CallbackFixture *f)
{
  const CothreadOverflowPolicy policies[] = { COTHREAD_OVERFLOW_DROP_OLDEST, COTHREAD_OVERFLOW_BLOCK };

  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      GThread *threads[3];

      callback_set_bound (f, 10, policies[i]);
      g_atomic_int_set (&must_end, FALSE);
      for (guint t = 0; t < 3; t++)
        threads[t] = g_thread_new ("poster", overflow_without_end, f->queue);
      for (guint n = 0; n < 20; n++)
        {
          assert_in_child (f, close_in_child);
          callback_run_until (f, callback_length (f) == 0 || callback_n_run (f) > 0);
        }
      g_atomic_int_set (&must_end, TRUE);
      cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_DROP_NEWEST);
      for (guint t = 0; t < 3; t++)
        g_thread_join (threads[t]);
    }
  callback_run_idle (f);
  g_assert_cmpuint (callback_n_run (f), >, 0);
}

static gint must_end; /* atomic */

static gpointer
post_for_ever (gpointer queue)
{
  while (!g_atomic_int_get (&must_end))
    cothread_callback_queue_post (queue, callback_do_nothing, NULL, NULL, NULL);
  return NULL;
}

static void
count (gpointer data)
{
  ++*(guint *) data;
}

static int
use_a_queue_of_its_own (CallbackFixture *f)
{
  GMainContext *context = g_main_context_new ();
  CothreadCallbackQueue *queue;
  guint n_run = 0;

  g_main_context_push_thread_default (context);
  queue = cothread_callback_queue_new (cothread_scheduler_get_default (), "child's");
  for (guint i = 0; i < 10000; i++)
    if (!cothread_callback_queue_post (queue, count, &n_run, NULL, NULL))
      return 1;
  while (n_run < 10000)
    g_main_context_iteration (context, TRUE);
  cothread_callback_queue_close (queue);
  g_object_unref (queue);
  return cothread_callback_queue_post (f->queue, count, &n_run, NULL, NULL) ? 2 : 0;
}

/* Whatever locks they hold at that moment, the child's copies stay locked. */
static void
test_a_child_has_a_queue_of_its_own_while_the_parents_threads_post (CallbackFixture *f)
{
  GThread *threads[2];

  callback_set_bound (f, 1000, COTHREAD_OVERFLOW_DROP_OLDEST);
  g_atomic_int_set (&must_end, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("poster", post_for_ever, f->queue);
  for (guint i = 0; i < 20; i++)
    assert_in_child (f, use_a_queue_of_its_own);
  g_atomic_int_set (&must_end, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  callback_run_idle (f);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("fork", a_post_is_refused_and_the_parent_knows_nothing_of_it);
  callback_test_add ("fork", so_are_flushes_and_calls);
  callback_test_add ("fork", raising_a_slot_does_nothing);
  callback_test_add ("fork", a_child_has_a_queue_of_its_own_while_the_parents_threads_post);
  callback_test_add ("fork", closing_it_in_a_child_waits_for_nobody);
  return g_test_run ();
}
