/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"

#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

/* Everything that can end a wait, in every order within one turn: the task is
 * woken once, by the winner; what lost is kept for whoever asks next.
 *
 * The winner is the first to come, except that a cancellation outranks a
 * timeout that came before it. In a shielded section a cancellation does not
 * come at all. */

typedef enum { CANCEL, TIMEOUT, COMPLETION, DESCRIPTOR, N_CAUSES } Cause;

static const char *const names[] = { "cancel", "timeout", "completion", "descriptor", "nothing" };

typedef struct
{
  Cause causes[N_CAUSES];
  guint n;
  gboolean is_shielded;
} Order;

typedef struct
{
  const Order *order;
  CothreadTask *task;
  CothreadEvent *event;
  gint ends[2];
  gint winner; /* -1: still waiting */
  gboolean next_wait_is_cancelled;
} Race;

static gpointer
wait_for_the_winner (gpointer data, G_GNUC_UNUSED GError **unused)
{
  Race *race = data;
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = race->event },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = race->ends[0], .condition = G_IO_IN },
  };
  g_autoptr (GError) error = NULL;
  guint which;

  if (race->order->is_shielded)
    cothread_shield_begin ();
  if (cothread_wait_any (items, 2, 3600 * 1000 * MS, &which, &error))
    race->winner = which == 0 ? COMPLETION : DESCRIPTOR;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    race->winner = CANCEL;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    race->winner = TIMEOUT;
  if (race->order->is_shielded)
    cothread_shield_end ();
  g_assert_cmpuint (own_switches (), ==, 2);
  race->next_wait_is_cancelled = !cothread_sleep (0, NULL);
  return NULL;
}

static void
let_come (Race *race, Cause cause)
{
  CtScheduler *core = cothread_scheduler_get_default ()->core;

  switch (cause)
    {
    case CANCEL:
      cothread_task_cancel (race->task);
      break;
    case TIMEOUT: /* as the tick does for an expired timer */
      ct_task_fire (&race->task->core, CT_WAKE_TIMEOUT, NULL);
      break;
    case COMPLETION:
      cothread_event_signal (race->event);
      break;
    case DESCRIPTOR: /* as the poller does */
      g_assert_cmpint (write (race->ends[1], "x", 1), ==, 1);
      ct_poller_report (core->poller, race->ends[0], POLLIN);
      break;
    default:
      g_assert_not_reached ();
    }
  ct_scheduler_check (core);
}

static gboolean
has (const Order *order, Cause cause)
{
  for (guint i = 0; i < order->n; i++)
    if (order->causes[i] == cause)
      return TRUE;
  return FALSE;
}

static gint
documented_winner (const Order *order)
{
  for (guint i = 0; i < order->n; i++)
    {
      Cause cause = order->causes[i];

      if (cause == CANCEL && order->is_shielded)
        continue;
      if (cause == TIMEOUT && has (order, CANCEL) && !order->is_shielded)
        return CANCEL;
      if (cause == TIMEOUT && has (order, DESCRIPTOR))
        return DESCRIPTOR; /* who times out looks once more */
      return (gint) cause;
    }
  return -1;
}

static void
check_what_is_left (const Race *race)
{
  const Order *order = race->order;
  struct pollfd readable = { race->ends[0], POLLIN, 0 };

  g_assert_cmpint (race->winner, ==, documented_winner (order));
  g_assert_cmpint (cothread_event_is_signalled (race->event), ==,
                   has (order, COMPLETION) && race->winner != COMPLETION);
  g_assert_cmpint (poll (&readable, 1, 0), ==, has (order, DESCRIPTOR));
  if (race->winner >= 0)
    g_assert_cmpint (race->next_wait_is_cancelled, ==, has (order, CANCEL));
}

static void
run_race (const Order *order)
{
  Race race = { .order = order, .winner = -1 };
  CtScheduler *core = cothread_scheduler_get_default ()->core;

  race.event = cothread_event_new (TRUE);
  g_assert_true (g_unix_open_pipe (race.ends, FD_CLOEXEC, NULL));
  race.task = spawn ("a", wait_for_the_winner, &race);
  settle ();
  g_assert_cmpuint (core->timers.length, ==, 1);
  for (guint i = 0; i < order->n; i++)
    let_come (&race, order->causes[i]);
  settle ();
  check_what_is_left (&race);
  if (race.winner < 0)
    {
      cothread_event_signal (race.event);
      settle ();
      g_assert_cmpint (race.winner, ==, COMPLETION);
      g_assert_true (race.next_wait_is_cancelled);
    }
  g_assert_true (cothread_task_is_finished (race.task));
  g_assert_cmpuint (core->timers.length, ==, 0);
  g_assert_cmpuint (core->poller->n_watches, ==, 0);
  cothread_task_unref (race.task);
  g_assert_finalize_object (race.event);
  close (race.ends[0]);
  close (race.ends[1]);
}

static guint
run_orders (Order *order)
{
  guint n_run = 0;

  if (order->n > 0)
    {
      g_test_message ("%s, %s, %s, %s%s", names[order->causes[0]], names[order->n > 1 ? order->causes[1] : N_CAUSES],
                      names[order->n > 2 ? order->causes[2] : N_CAUSES], names[order->n > 3 ? order->causes[3] : N_CAUSES],
                      order->is_shielded ? ", shielded" : "");
      run_race (order);
      n_run++;
    }
  for (guint cause = 0; cause < N_CAUSES; cause++)
    if (!has (order, (Cause) cause))
      {
        order->causes[order->n++] = (Cause) cause;
        n_run += run_orders (order);
        order->n--;
      }
  return n_run;
}

static void
every_order_has_its_winner (void)
{
  Order order = { .n = 0 };

  g_assert_cmpuint (run_orders (&order), ==, 4 + 12 + 24 + 24);
}

static void
every_order_in_a_shielded_section (void)
{
  Order order = { .n = 0, .is_shielded = TRUE };

  g_assert_cmpuint (run_orders (&order), ==, 4 + 12 + 24 + 24);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/race/every-order", every_order_has_its_winner);
  sync_test_add ("/race/every-order-shielded", every_order_in_a_shielded_section);
  return g_test_run ();
}
