/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include "loop/cothread-scheduler-private.h"

/* The main task is given something and is interrupted before it runs (switch
 * 3): its wait fails, and what it was given goes to the next in line.
 *
 * That can happen only where main is suspended like any other task: with no
 * main loop to drive the scheduler. */

static CothreadLock *lock;
static CothreadSemaphore *semaphore;
static CothreadEvent *event;
static CothreadEventQueue *queue;

enum { LOCK, SEMAPHORE, EVENT, QUEUE, ANY, N_KINDS };

static gboolean
wait_for (guint kind, GError **error)
{
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_EVENT, .object = event };
  guint which;

  switch (kind)
    {
    case LOCK:
      return cothread_lock_acquire (lock, COTHREAD_FOREVER, error);
    case SEMAPHORE:
      return cothread_semaphore_acquire (semaphore, COTHREAD_FOREVER, error);
    case EVENT:
      return cothread_event_wait (event, COTHREAD_FOREVER, error);
    case QUEUE:
      return cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, error);
    default:
      return cothread_wait_any (&item, 1, COTHREAD_FOREVER, &which, error);
    }
}

static void
give (guint kind)
{
  switch (kind)
    {
    case LOCK:
      cothread_lock_release (lock);
      break;
    case SEMAPHORE:
      cothread_semaphore_release (semaphore);
      break;
    case QUEUE:
      cothread_event_queue_signal (queue, NULL);
      break;
    default:
      cothread_event_signal (event);
    }
}

static gpointer
give_and_interrupt (gpointer kind, G_GNUC_UNUSED GError **error)
{
  if (GPOINTER_TO_UINT (kind) == LOCK)
    g_assert_true (cothread_lock_acquire (lock, 0, NULL));
  cothread_yield (NULL); /* main and the next one are in line now */
  cothread_yield (NULL);
  give (GPOINTER_TO_UINT (kind));
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  return NULL;
}

static gpointer
wait_as_next (gpointer kind, G_GNUC_UNUSED GError **error)
{
  cothread_yield (NULL);
  g_assert_true (wait_for (GPOINTER_TO_UINT (kind), NULL));
  say ("next-has-it");
  if (GPOINTER_TO_UINT (kind) == LOCK)
    cothread_lock_release (lock);
  return NULL;
}

static void
what_an_interrupted_task_was_given_goes_to_the_next (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  void (*drive) (gpointer owner) = scheduler->core->drive;

  lock = cothread_lock_new ();
  semaphore = cothread_semaphore_new (0, 0);
  event = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, NULL);
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("kind %u", kind);
      start ("giver", give_and_interrupt, GUINT_TO_POINTER (kind));
      start ("next", wait_as_next, GUINT_TO_POINTER (kind));
      scheduler->core->drive = NULL;
      if (kind == LOCK)
        g_assert_true (cothread_sleep (0, NULL)); /* the giver has to hold it first */
      say_outcome (wait_for (kind, &error), &error);
      scheduler->core->drive = drive;
      settle ();
      assert_said ("main-interrupted next-has-it");
      g_assert_cmpuint (live_tasks (), ==, 0);
    }
  g_assert_finalize_object (lock);
  g_assert_finalize_object (semaphore);
  g_assert_finalize_object (event);
  g_assert_finalize_object (queue);
}

/* ---- a timer has told everybody already ---- */

static CothreadTimer *timer;

static gpointer
interrupt_main (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (10 * MS, NULL);
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  return NULL;
}

static gpointer
start_again_and_wait (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean success;

  cothread_sleep (10 * MS, NULL);
  cothread_timer_reset (timer, 10 * MS);
  success = cothread_timer_wait (timer, COTHREAD_FOREVER, &failure);
  say_outcome (success, &failure);
  return NULL;
}

static gpointer
let_time_pass (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_yield (NULL);
  cothread_test_scheduler_advance (test_scheduler (), 10 * MS);
  return NULL;
}

static void
who_begins_to_wait_for_a_timer_meanwhile_is_left_alone (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  void (*drive) (gpointer owner) = scheduler->core->drive;
  CothreadWaitItem item = { .kind = COTHREAD_WAIT_TIMER };
  g_autoptr (GError) error = NULL;
  gboolean success;
  guint which;

  item.object = timer = cothread_timer_new_plain (10 * MS, COTHREAD_TIMER_REUSE);
  start ("next", start_again_and_wait, NULL);
  start ("interrupter", interrupt_main, NULL);
  start ("clock", let_time_pass, NULL);
  scheduler->core->drive = NULL;
  success = cothread_wait_any (&item, 1, COTHREAD_FOREVER, &which, &error);
  scheduler->core->drive = drive;
  say_outcome (success, &error);
  settle ();
  assert_said ("main-interrupted");
  run_until_no_task_is_left ();
  assert_said ("next-ok");
  g_assert_finalize_object (timer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/interrupt/handed-to-the-next", what_an_interrupted_task_was_given_goes_to_the_next);
  sync_test_add ("/interrupt/timer-left-alone", who_begins_to_wait_for_a_timer_meanwhile_is_left_alone);
  return g_test_run ();
}
