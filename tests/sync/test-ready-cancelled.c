/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* Every wait of a cancelled task fails, also one on what is there already; and
 * takes nothing then. */

typedef struct
{
  CothreadLock *lock;
  CothreadSemaphore *semaphore;
  CothreadEvent *event;
  gboolean is_shielded;
} Ready;

static void
acquire_lock (Ready *ready)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_lock_acquire (ready->lock, COTHREAD_FOREVER, &error);

  say_outcome (success, &error);
  g_assert_cmpint (cothread_lock_is_held (ready->lock), ==, success);
  if (success)
    cothread_lock_release (ready->lock);
}

static void
acquire_semaphore (Ready *ready)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_semaphore_acquire (ready->semaphore, COTHREAD_FOREVER, &error);

  say_outcome (success, &error);
  g_assert_cmpuint (cothread_semaphore_get_available (ready->semaphore), ==, success ? 0 : 1);
}

static void
wait_for_any (Ready *ready)
{
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_EVENT, .object = ready->event };
  g_autoptr (GError) error = NULL;
  guint which;
  gboolean success = cothread_wait_any (&item, 1, COTHREAD_FOREVER, &which, &error);

  say_outcome (success, &error);
  g_assert_cmpuint (which, ==, success ? 0 : 1);
  g_assert_cmpint (cothread_event_is_signalled (ready->event), ==, !success);
}

static void
leave_empty_scope (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_scope_leave (scope, &error);

  say_outcome (success, &error);
}

static gpointer
try_all (gpointer data, G_GNUC_UNUSED GError **error)
{
  Ready *ready = data;

  cothread_task_cancel (cothread_task_self ());
  if (ready->is_shielded)
    cothread_shield_begin ();
  acquire_lock (ready);
  acquire_semaphore (ready);
  wait_for_any (ready);
  leave_empty_scope ();
  if (ready->is_shielded)
    cothread_shield_end ();
  return NULL;
}

static void
run_all (gboolean is_shielded)
{
  Ready ready = {
    .lock = cothread_lock_new (),
    .semaphore = cothread_semaphore_new (1, 1),
    .event = cothread_event_new (TRUE),
    .is_shielded = is_shielded,
  };

  cothread_event_signal (ready.event);
  start ("a", try_all, &ready);
  run_until_no_task_is_left ();
  g_assert_finalize_object (ready.lock);
  g_assert_finalize_object (ready.semaphore);
  g_assert_finalize_object (ready.event);
}

static void
a_cancelled_task_gets_nothing (void)
{
  run_all (FALSE);
  assert_said ("a-cancelled a-cancelled a-cancelled a-cancelled");
}

static void
in_a_shielded_section_it_does (void)
{
  run_all (TRUE);
  assert_said ("a-ok a-ok a-ok a-ok");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/ready/cancelled", a_cancelled_task_gets_nothing);
  sync_test_add ("/ready/shielded", in_a_shielded_section_it_does);
  return g_test_run ();
}
