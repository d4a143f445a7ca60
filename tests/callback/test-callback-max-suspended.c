/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* How many callbacks may be suspended at once. */

static CothreadEvent *gate;
static guint n_begun;
static guint n_ended;

static void
wait_at_gate (G_GNUC_UNUSED gpointer data)
{
  n_begun++;
  cothread_event_wait (gate, COTHREAD_FOREVER, NULL);
  n_ended++;
}

static void
set_up_gate (gboolean auto_reset)
{
  g_set_object (&gate, NULL);
  gate = cothread_event_new (auto_reset);
  n_begun = n_ended = 0;
}

static void
post_waiting (CallbackFixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (cothread_callback_queue_post_full (f->queue, COTHREAD_CALLBACK_MAY_WAIT, wait_at_gate, NULL, NULL, NULL));
}

static void
set_max_suspended (CallbackFixture *f, guint max_suspended)
{
  g_object_set (f->queue, "max-suspended", max_suspended, NULL);
}

static void
test_as_many_as_are_allowed_are_suspended_at_once (CallbackFixture *f)
{
  set_up_gate (FALSE);
  set_max_suspended (f, 5);
  post_waiting (f, 5);
  callback_post_word (f, "behind");
  callback_run_idle (f);

  g_assert_cmpuint (n_begun, ==, 5);
  callback_assert_said (f, "behind");
  cothread_event_signal (gate);
  callback_run_idle (f);
  g_assert_cmpuint (n_ended, ==, 5);
}

static void
test_the_queue_stands_still_at_the_limit (CallbackFixture *f)
{
  set_up_gate (FALSE);
  set_max_suspended (f, 2);
  post_waiting (f, 3);
  callback_post_word (f, "behind");
  callback_run_idle (f);

  g_assert_cmpuint (n_begun, ==, 2);
  callback_assert_said (f, "");
  g_assert_cmpuint (callback_length (f), ==, 2);
}

static void
test_a_higher_limit_lets_the_queue_go_on (CallbackFixture *f)
{
  set_up_gate (FALSE);
  set_max_suspended (f, 1);
  post_waiting (f, 2);
  callback_post_word (f, "behind");
  callback_run_idle (f);
  g_assert_cmpuint (n_begun, ==, 1);
  set_max_suspended (f, 2);
  callback_run_idle (f);

  g_assert_cmpuint (n_begun, ==, 2);
  callback_assert_said (f, "behind");
}

static void
test_the_default_limit_is_sixty_four (CallbackFixture *f)
{
  set_up_gate (FALSE);
  post_waiting (f, 65);
  callback_run_idle (f);

  g_assert_cmpuint (n_begun, ==, 64);
}

static void
test_a_lower_limit_interrupts_none_that_has_begun (CallbackFixture *f)
{
  set_up_gate (TRUE);
  set_max_suspended (f, 3);
  post_waiting (f, 3);
  callback_run_idle (f);
  set_max_suspended (f, 1);
  post_waiting (f, 1);
  callback_run_idle (f);
  g_assert_cmpuint (n_begun, ==, 3);
  for (guint i = 0; i < 4; i++)
    {
      cothread_event_signal (gate);
      callback_run_idle (f);
    }

  g_assert_cmpuint (n_ended, ==, 4);
}

static void
test_all_of_many_get_their_turn_at_the_limit (CallbackFixture *f)
{
  set_up_gate (TRUE);
  set_max_suspended (f, 3);
  post_waiting (f, 100);
  for (guint i = 0; i < 100; i++)
    {
      callback_run_until (f, cothread_event_is_signalled (gate) == FALSE);
      cothread_event_signal (gate);
      callback_run_idle (f);
    }

  g_assert_cmpuint (n_ended, ==, 100);
}

static void
test_at_a_limit_of_one_the_next_begins_when_the_first_ends (CallbackFixture *f)
{
  set_up_gate (TRUE);
  set_max_suspended (f, 1);
  post_waiting (f, 2);
  callback_post_word (f, "behind");
  callback_run_idle (f);
  g_assert_cmpuint (n_begun, ==, 1);
  cothread_event_signal (gate);
  callback_run_idle (f);

  g_assert_cmpuint (n_ended, ==, 1);
  g_assert_cmpuint (n_begun, ==, 2);
  callback_assert_said (f, "behind");
  cothread_event_signal (gate);
  callback_run_idle (f);
}

int
main (int argc, char *argv[])
{
  int result;

  g_test_init (&argc, &argv, NULL);
  callback_test_add ("max-suspended", as_many_as_are_allowed_are_suspended_at_once);
  callback_test_add ("max-suspended", the_queue_stands_still_at_the_limit);
  callback_test_add ("max-suspended", a_higher_limit_lets_the_queue_go_on);
  callback_test_add ("max-suspended", the_default_limit_is_sixty_four);
  callback_test_add ("max-suspended", a_lower_limit_interrupts_none_that_has_begun);
  callback_test_add ("max-suspended", all_of_many_get_their_turn_at_the_limit);
  callback_test_add ("max-suspended", at_a_limit_of_one_the_next_begins_when_the_first_ends);
  result = g_test_run ();
  g_clear_object (&gate);
  return result;
}
