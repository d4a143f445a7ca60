/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-timer-heap.h"

/* Every entry of the heap and the timer it stands for must agree where it is. */
static void
assert_indices_are_kept (const CtTimerHeap *heap)
{
  for (guint i = 1; i <= heap->length; i++)
    g_assert_cmpuint (heap->entries[i].timer->index, ==, i);
}

static void
test_an_empty_heap_never_expires (void)
{
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);

  g_assert_cmpint (ct_timer_heap_next_deadline (&heap), ==, CT_TIME_NEVER);
  g_assert_null (ct_timer_heap_pop_expired (&heap, CT_TIME_NEVER));
}

static void
test_timers_come_out_by_deadline (void)
{
  static const gint64 deadlines[] = { 30, 10, 50, 20, 40 };
  static const guint order[] = { 1, 3, 0, 4, 2 };
  CtTimer timers[G_N_ELEMENTS (deadlines)] = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  for (guint i = 0; i < G_N_ELEMENTS (deadlines); i++)
    ct_timer_heap_insert (&heap, &timers[i], deadlines[i]);

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    {
      g_assert_cmpint (ct_timer_heap_next_deadline (&heap), ==, deadlines[order[i]]);
      g_assert_true (ct_timer_heap_pop_expired (&heap, 100) == &timers[order[i]]);
    }
  ct_timer_heap_clear (&heap);
}

static void
test_equal_deadlines_come_out_in_the_order_they_went_in (void)
{
  CtTimer timers[500] = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  for (guint i = 0; i < G_N_ELEMENTS (timers); i++)
    ct_timer_heap_insert (&heap, &timers[i], 7);

  for (guint i = 0; i < G_N_ELEMENTS (timers); i++)
    g_assert_true (ct_timer_heap_pop_expired (&heap, 7) == &timers[i]);
  ct_timer_heap_clear (&heap);
}

static void
test_a_timer_set_again_goes_behind_its_equals (void)
{
  CtTimer first = { 0 }, second = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  ct_timer_heap_insert (&heap, &first, 7);
  ct_timer_heap_insert (&heap, &second, 7);

  ct_timer_heap_remove (&heap, &first);
  ct_timer_heap_insert (&heap, &first, 7);

  g_assert_true (ct_timer_heap_pop_expired (&heap, 7) == &second);
  g_assert_true (ct_timer_heap_pop_expired (&heap, 7) == &first);
  ct_timer_heap_clear (&heap);
}

static void
test_a_timer_expires_at_its_deadline_and_not_before (void)
{
  CtTimer timer = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  ct_timer_heap_insert (&heap, &timer, 10);

  g_assert_null (ct_timer_heap_pop_expired (&heap, 9));
  g_assert_true (ct_timer_heap_pop_expired (&heap, 10) == &timer);
  ct_timer_heap_clear (&heap);
}

static void
test_extreme_deadlines_are_ordered_too (void)
{
  CtTimer never = { 0 }, always = { 0 }, zero = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  ct_timer_heap_insert (&heap, &never, G_MAXINT64);
  ct_timer_heap_insert (&heap, &zero, 0);
  ct_timer_heap_insert (&heap, &always, G_MININT64);

  g_assert_true (ct_timer_heap_pop_expired (&heap, G_MININT64) == &always);
  g_assert_true (ct_timer_heap_pop_expired (&heap, 0) == &zero);
  g_assert_null (ct_timer_heap_pop_expired (&heap, G_MAXINT64 - 1));
  ct_timer_heap_clear (&heap);
}

static void
test_removing_a_timer_that_is_not_pending_is_harmless (void)
{
  CtTimer pending = { 0 }, other = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  ct_timer_heap_insert (&heap, &pending, 1);

  ct_timer_heap_remove (&heap, &other);
  ct_timer_heap_remove (&heap, &pending);
  ct_timer_heap_remove (&heap, &pending);

  g_assert_cmpuint (heap.length, ==, 0);
  ct_timer_heap_clear (&heap);
}

static void
test_setting_a_pending_timer_is_refused (void)
{
  CtTimer timer = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  ct_timer_heap_insert (&heap, &timer, 1);

  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, "*index == 0*");
  ct_timer_heap_insert (&heap, &timer, 2);
  g_test_assert_expected_messages ();

  g_assert_cmpuint (heap.length, ==, 1);
  g_assert_cmpint (ct_timer_heap_next_deadline (&heap), ==, 1);
  ct_timer_heap_clear (&heap);
}

static void
test_a_timer_can_be_removed_from_anywhere (void)
{
  enum { N = 60 };

  for (guint victim = 0; victim < N; victim++)
    {
      CtTimer timers[N] = { 0 };
      CtTimerHeap heap;

      ct_timer_heap_init (&heap);
      for (guint i = 0; i < N; i++)
        ct_timer_heap_insert (&heap, &timers[i], (i * 37) % N);

      ct_timer_heap_remove (&heap, &timers[victim]);

      g_assert_cmpuint (timers[victim].index, ==, 0);
      assert_indices_are_kept (&heap);
      for (gint64 deadline = 0; deadline < N; deadline++)
        if (deadline != (victim * 37) % N)
          g_assert_cmpint ((ct_timer_heap_pop_expired (&heap, deadline) - timers) * 37 % N, ==, deadline);
      g_assert_cmpuint (heap.length, ==, 0);
      ct_timer_heap_clear (&heap);
    }
}

static void
test_clearing_makes_every_timer_not_pending (void)
{
  CtTimer timers[100] = { 0 };
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  for (guint i = 0; i < G_N_ELEMENTS (timers); i++)
    ct_timer_heap_insert (&heap, &timers[i], -(gint64) i);

  ct_timer_heap_clear (&heap);

  for (guint i = 0; i < G_N_ELEMENTS (timers); i++)
    g_assert_cmpuint (timers[i].index, ==, 0);
  g_assert_cmpuint (heap.length, ==, 0);
}

/* The model: an unsorted array, searched from end to end. */

#define N_TIMERS 400

typedef struct
{
  CtTimer timer;
  gint64 deadline_us;
  guint64 set_as; /* how many were set before it */
} Modelled;

static Modelled *
model_first (Modelled *all)
{
  Modelled *first = NULL;

  for (guint i = 0; i < N_TIMERS; i++)
    if (all[i].timer.index != 0 &&
        (first == NULL || all[i].deadline_us < first->deadline_us ||
         (all[i].deadline_us == first->deadline_us && all[i].set_as < first->set_as)))
      first = &all[i];
  return first;
}

static void
test_a_hundred_thousand_random_operations_agree_with_a_naive_model (void)
{
  g_autofree Modelled *all = g_new0 (Modelled, N_TIMERS);
  guint64 n_set = 0;
  guint n_pending = 0;
  CtTimerHeap heap;

  ct_timer_heap_init (&heap);
  for (guint step = 0; step < 100000; step++)
    {
      Modelled *one = &all[g_test_rand_int_range (0, N_TIMERS)];
      Modelled *first = model_first (all);

      g_assert_cmpuint (heap.length, ==, n_pending);
      g_assert_cmpint (ct_timer_heap_next_deadline (&heap), ==, first != NULL ? first->deadline_us : CT_TIME_NEVER);
      if (g_test_rand_int_range (0, 4) == 0 && first != NULL)
        {
          CtTimer *popped = ct_timer_heap_pop_expired (&heap, first->deadline_us);

          g_assert_true (popped == &first->timer);
          g_assert_cmpuint (popped->index, ==, 0);
          n_pending--;
        }
      else if (one->timer.index != 0)
        {
          ct_timer_heap_remove (&heap, &one->timer);
          g_assert_cmpuint (one->timer.index, ==, 0);
          n_pending--;
        }
      else
        {
          /* Few different deadlines, so that equal ones are the rule. */
          one->deadline_us = g_test_rand_int_range (0, 50);
          one->set_as = n_set++;
          ct_timer_heap_insert (&heap, &one->timer, one->deadline_us);
          n_pending++;
        }
      if (step % 97 == 0)
        assert_indices_are_kept (&heap);
    }
  ct_timer_heap_clear (&heap);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timer-heap/an-empty-heap-never-expires", test_an_empty_heap_never_expires);
  g_test_add_func ("/timer-heap/timers-come-out-by-deadline", test_timers_come_out_by_deadline);
  g_test_add_func ("/timer-heap/equal-deadlines-come-out-in-the-order-they-went-in", test_equal_deadlines_come_out_in_the_order_they_went_in);
  g_test_add_func ("/timer-heap/a-timer-set-again-goes-behind-its-equals", test_a_timer_set_again_goes_behind_its_equals);
  g_test_add_func ("/timer-heap/a-timer-expires-at-its-deadline-and-not-before", test_a_timer_expires_at_its_deadline_and_not_before);
  g_test_add_func ("/timer-heap/extreme-deadlines-are-ordered-too", test_extreme_deadlines_are_ordered_too);
  g_test_add_func ("/timer-heap/removing-a-timer-that-is-not-pending-is-harmless", test_removing_a_timer_that_is_not_pending_is_harmless);
  g_test_add_func ("/timer-heap/setting-a-pending-timer-is-refused", test_setting_a_pending_timer_is_refused);
  g_test_add_func ("/timer-heap/a-timer-can-be-removed-from-anywhere", test_a_timer_can_be_removed_from_anywhere);
  g_test_add_func ("/timer-heap/clearing-makes-every-timer-not-pending", test_clearing_makes_every_timer_not_pending);
  g_test_add_func ("/timer-heap/a-hundred-thousand-random-operations-agree-with-a-naive-model",
                   test_a_hundred_thousand_random_operations_agree_with_a_naive_model);
  return g_test_run ();
}
