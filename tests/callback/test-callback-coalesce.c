/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Posts with a key, and a full queue with COTHREAD_OVERFLOW_COALESCE. */

static gboolean
post_keyed (CallbackFixture *f, const char *key, CothreadCallbackFlags flags, Parcel *parcel, GError **error)
{
  parcel->fixture = f;
  return cothread_callback_queue_post_coalesced_full (f->queue, key, flags, callback_parcel_run, parcel,
                                                      callback_parcel_destroy, error);
}

static guint64
n_coalesced (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  g_assert_cmpuint (statistics->posted, ==,
                    statistics->run + statistics->dropped_oldest + statistics->dropped_newest +
                    statistics->coalesced + statistics->dropped_closed + statistics->length);
  return statistics->coalesced;
}

static void
test_a_newer_entry_gets_the_place_of_the_older (CallbackFixture *f)
{
  Parcel old = { .name = "old" }, newer = { .name = "new" }, other = { .name = "other" };

  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &old, NULL);
  post_keyed (f, "y", COTHREAD_CALLBACK_DEFAULT, &other, NULL);
  callback_post_word (f, "plain");
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &newer, NULL);

  callback_assert_parcel (&old, 0);
  g_assert_cmpuint (callback_length (f), ==, 3);
  callback_run_idle (f);
  callback_assert_said (f, "new other plain");
  callback_assert_parcel (&newer, 1);
  g_assert_cmpuint (n_coalesced (f), ==, 1);
}

static void
test_an_entry_that_has_run_is_not_replaced (CallbackFixture *f)
{
  Parcel first = { .name = "first" }, second = { .name = "second" };

  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &first, NULL);
  callback_run_idle (f);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &second, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "first second");
  g_assert_cmpuint (n_coalesced (f), ==, 0);
}

static Parcel again;

static void
post_again (CallbackFixture *f)
{
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &again, NULL);
}

static void
test_a_callback_may_post_its_own_key (CallbackFixture *f)
{
  Parcel first = { .name = "first", .then = post_again };

  again = (Parcel) { .name = "again" };
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &first, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "first again");
  callback_assert_parcel (&again, 1);
}

static void
test_a_replacement_needs_no_room (CallbackFixture *f)
{
  const CothreadOverflowPolicy policies[] = {
    COTHREAD_OVERFLOW_FAIL, COTHREAD_OVERFLOW_DROP_OLDEST, COTHREAD_OVERFLOW_BLOCK,
    COTHREAD_OVERFLOW_DROP_NEWEST, COTHREAD_OVERFLOW_COALESCE,
  };

  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      Parcel old = { .name = "old" }, newer = { .name = "new" };

      callback_set_bound (f, 1, policies[i]);
      g_assert_true (post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &old, NULL));
      g_assert_true (post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &newer, NULL));
      callback_run_idle (f);
      callback_assert_said (f, "new");
      callback_assert_parcel (&old, 0);
      callback_assert_parcel (&newer, 1);
    }
}

static void
test_without_an_older_one_the_policy_decides (CallbackFixture *f)
{
  Parcel refused = { 0 };
  g_autoptr (GError) error = NULL;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);

  g_assert_false (post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &refused, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  callback_assert_parcel (&refused, 0);
}

static void
test_a_dropped_entry_is_not_replaced (CallbackFixture *f)
{
  Parcel dropped = { .name = "dropped" }, newer = { .name = "new" };

  callback_set_bound (f, 2, COTHREAD_OVERFLOW_DROP_OLDEST);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &dropped, NULL);
  callback_post_word (f, "a");
  callback_post_word (f, "b");
  callback_assert_parcel (&dropped, 0);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &newer, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "b new");
  g_assert_cmpuint (n_coalesced (f), ==, 0);
}

static void
count_calls (gpointer data)
{
  ++*(guint *) data;
}

static void
test_a_full_queue_that_coalesces_calls_once_for_many (CallbackFixture *f)
{
  guint one = 0, other = 0;

  callback_set_bound (f, 3, COTHREAD_OVERFLOW_COALESCE);
  g_assert_true (cothread_callback_queue_post (f->queue, count_calls, &one, NULL, NULL));
  g_assert_true (cothread_callback_queue_post (f->queue, count_calls, &one, NULL, NULL));
  g_assert_true (cothread_callback_queue_post (f->queue, count_calls, &other, NULL, NULL));
  for (guint i = 0; i < 10; i++)
    g_assert_true (cothread_callback_queue_post (f->queue, count_calls, &one, NULL, NULL));

  g_assert_cmpuint (callback_length (f), ==, 3);
  callback_run_idle (f);
  /* Until it was full, nothing was merged. */
  g_assert_cmpuint (one, ==, 2);
  g_assert_cmpuint (other, ==, 1);
  g_assert_cmpuint (n_coalesced (f), ==, 10);
}

static void
test_a_full_queue_that_coalesces_refuses_what_equals_nothing (CallbackFixture *f)
{
  guint n = 0;
  g_autoptr (GError) error = NULL;

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_COALESCE);
  callback_post_nothing (f, 1);

  g_assert_false (cothread_callback_queue_post (f->queue, count_calls, &n, NULL, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  callback_run_idle (f);
  g_assert_cmpuint (n, ==, 0);
}

typedef struct
{
  CallbackFixture *fixture;
  CothreadCallbackFlags flags;
  Parcel parcels[3];
  gint destroyed_at_once;
  gboolean last_was_accepted;
} Thread;

static gpointer
post_three (gpointer data)
{
  Thread *thread = data;

  g_assert_true (post_keyed (thread->fixture, "x", thread->flags, &thread->parcels[0], NULL));
  g_assert_true (post_keyed (thread->fixture, "x", thread->flags, &thread->parcels[1], NULL));
  thread->destroyed_at_once = g_atomic_int_get (&thread->parcels[0].destroyed);
  thread->last_was_accepted = post_keyed (thread->fixture, "x", thread->flags, &thread->parcels[2], NULL);
  return NULL;
}

static void
test_what_another_thread_replaces_is_freed_on_the_schedulers_thread (CallbackFixture *f)
{
  Thread thread = { .fixture = f };

  callback_in_thread (post_three, &thread);

  g_assert_cmpint (thread.destroyed_at_once, ==, 0);
  callback_run_idle (f);
  for (guint i = 0; i < 3; i++)
    {
      callback_assert_parcel (&thread.parcels[i], i == 2);
      g_assert_true (thread.parcels[i].destroyed_in == g_thread_self ());
      g_assert_true (thread.parcels[i].destroyed_on_own_stack);
    }
}

static void
test_what_is_replaced_in_a_paused_queue_is_freed_all_the_same (CallbackFixture *f)
{
  Thread thread = { .fixture = f };

  cothread_callback_queue_pause (f->queue);
  callback_run_idle (f);
  callback_in_thread (post_three, &thread);
  callback_run_idle (f);

  callback_assert_parcel (&thread.parcels[0], 0);
  callback_assert_parcel (&thread.parcels[1], 0);
  g_assert_cmpint (thread.parcels[2].run, ==, 0);
  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  callback_assert_parcel (&thread.parcels[2], 1);
}

static void
test_what_may_be_freed_anywhere_is_freed_by_who_replaces_it (CallbackFixture *f)
{
  Thread thread = { .fixture = f, .flags = COTHREAD_CALLBACK_DESTROY_ANYWHERE };

  callback_in_thread (post_three, &thread);

  g_assert_cmpint (thread.destroyed_at_once, ==, 1);
  g_assert_true (thread.parcels[1].destroyed_in != g_thread_self ());
  callback_run_idle (f);
  callback_assert_parcel (&thread.parcels[2], 1);
}

static void
test_memory_stays_bounded_while_nobody_frees_what_is_replaced (CallbackFixture *f)
{
  Thread thread = { .fixture = f };

  callback_set_bound (f, 1, COTHREAD_OVERFLOW_DROP_OLDEST);
  callback_in_thread (post_three, &thread);

  g_assert_false (thread.last_was_accepted);
  callback_assert_parcel (&thread.parcels[2], 0);
  g_assert_cmpuint (callback_n_refused (f), ==, 1);
  callback_run_idle (f);
  callback_assert_parcel (&thread.parcels[0], 0);
  callback_assert_parcel (&thread.parcels[1], 1);
}

static void
test_the_newer_flags_count (CallbackFixture *f)
{
  Parcel old = { 0 }, newer = { 0 };

  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &old, NULL);
  post_keyed (f, "x", COTHREAD_CALLBACK_MAY_WAIT, &newer, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&old, 0);
  callback_assert_parcel (&newer, 1);
  g_assert_false (newer.destroyed_on_own_stack); /* it ran in a task */
}

static void
replace_what_waits (CallbackFixture *f)
{
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &again, NULL);
  callback_use_up_slice (f);
}

/* What was in hand when a slice ended waits again, and can be replaced again. */
static void
test_an_entry_that_a_turn_put_back_can_be_replaced (CallbackFixture *f)
{
  Parcel slow = { .then = callback_use_up_slice }, slow_too = { .then = replace_what_waits };
  Parcel in_hand = { .name = "in-hand" }, newest = { .name = "newest" };

  again = (Parcel) { .name = "again" };
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &slow, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &slow_too, NULL);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &in_hand, NULL);
  callback_run_until (f, g_atomic_int_get (&slow.run) == 1);
  g_assert_cmpint (slow_too.run, ==, 0);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &newest, NULL);
  callback_assert_parcel (&in_hand, 0);
  callback_run_idle (f);

  /* The second slow one found it in hand. */
  callback_assert_said (f, "newest again");
  callback_assert_parcel (&newest, 1);
  callback_assert_parcel (&again, 1);
  g_assert_cmpuint (n_coalesced (f), ==, 1);
}

/* Two of one key, both put back: the newest is the one that is replaced, or it
 * would run after what is newer still. */
static void
test_of_two_that_were_in_hand_the_newest_is_replaced (CallbackFixture *f)
{
  Parcel slow = { .then = replace_what_waits }, slow_too = { .then = callback_use_up_slice };
  Parcel oldest = { .name = "oldest" }, newest = { .name = "newest" };

  again = (Parcel) { .name = "again" };
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &slow, NULL);
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &slow_too, NULL);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &oldest, NULL);
  callback_run_until (f, slow_too.run == 1);
  g_assert_cmpint (oldest.run, ==, 0);
  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &newest, NULL);
  callback_run_idle (f);

  callback_assert_said (f, "oldest newest");
  callback_assert_parcel (&again, 0);
}

static void
test_a_closed_queue_drops_entries_with_a_key_too (CallbackFixture *f)
{
  Parcel parcel = { 0 }, late = { 0 };
  g_autoptr (GError) error = NULL;

  post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  cothread_callback_queue_close (f->queue);
  callback_assert_parcel (&parcel, 0);

  g_assert_false (post_keyed (f, "x", COTHREAD_CALLBACK_DEFAULT, &late, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  callback_assert_parcel (&late, 0);
}

static void
test_no_key_is_misuse (CallbackFixture *f)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*key*");
  g_assert_false (cothread_callback_queue_post_coalesced (f->queue, NULL, callback_do_nothing, NULL, NULL, NULL));
  g_test_assert_expected_messages ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("coalesce", a_newer_entry_gets_the_place_of_the_older);
  callback_test_add ("coalesce", an_entry_that_has_run_is_not_replaced);
  callback_test_add ("coalesce", a_callback_may_post_its_own_key);
  callback_test_add ("coalesce", a_replacement_needs_no_room);
  callback_test_add ("coalesce", without_an_older_one_the_policy_decides);
  callback_test_add ("coalesce", a_dropped_entry_is_not_replaced);
  callback_test_add ("coalesce", a_full_queue_that_coalesces_calls_once_for_many);
  callback_test_add ("coalesce", a_full_queue_that_coalesces_refuses_what_equals_nothing);
  callback_test_add ("coalesce", what_another_thread_replaces_is_freed_on_the_schedulers_thread);
  callback_test_add ("coalesce", what_is_replaced_in_a_paused_queue_is_freed_all_the_same);
  callback_test_add ("coalesce", what_may_be_freed_anywhere_is_freed_by_who_replaces_it);
  callback_test_add ("coalesce", memory_stays_bounded_while_nobody_frees_what_is_replaced);
  callback_test_add ("coalesce", the_newer_flags_count);
  callback_test_add ("coalesce", an_entry_that_a_turn_put_back_can_be_replaced);
  callback_test_add ("coalesce", of_two_that_were_in_hand_the_newest_is_replaced);
  callback_test_add ("coalesce", a_closed_queue_drops_entries_with_a_key_too);
  callback_test_add ("coalesce", no_key_is_misuse);
  return g_test_run ();
}
