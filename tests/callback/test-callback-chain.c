/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-chain-private.h"

#include <malloc.h>

/* The chain and the lists that entries travel on. */

#define N_OPERATIONS 100000
#define MANY G_MAXINT64

static CothreadEntry
entry_of (guint number)
{
  return cothread_entry (COTHREAD_CALLBACK_DEFAULT, NULL, GUINT_TO_POINTER (number), NULL);
}

static gboolean
push (CothreadChain *chain, guint number, guint64 max_length)
{
  CothreadPlace place = cothread_chain_claim (chain, max_length, max_length);
  CothreadEntry entry = entry_of (number);

  if (place.entry == NULL)
    return FALSE;
  cothread_chain_fill (&place, &entry);
  return TRUE;
}

/* 0: there was none. The place is free again. */
static guint
pop (CothreadChain *chain)
{
  CothreadEntry entry;

  if (!cothread_chain_take (chain, &entry))
    return 0;
  __atomic_add_fetch (&chain->n_gone, 1, __ATOMIC_SEQ_CST);
  return GPOINTER_TO_UINT (entry.user_data);
}

static void
test_a_new_chain_is_empty (void)
{
  CothreadChain chain;

  cothread_chain_init (&chain);

  g_assert_true (cothread_chain_is_empty (&chain));
  g_assert_null (cothread_chain_peek (&chain));
  g_assert_cmpuint (cothread_chain_get_length (&chain), ==, 0);
  g_assert_true (cothread_chain_is_empty (&chain));
  cothread_chain_clear (&chain);
}

static void
test_a_chain_behaves_like_a_queue (void)
{
  CothreadChain chain;
  guint n_pushed = 0, n_popped = 0;

  cothread_chain_init (&chain);
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      /* By turns mostly growing and mostly shrinking, often empty. */
      if (g_test_rand_int_range (0, 10) < (i / 1000 % 2 == 0 ? 6 : 3))
        g_assert_true (push (&chain, ++n_pushed, MANY));
      else if (n_popped == n_pushed)
        g_assert_cmpuint (pop (&chain), ==, 0);
      else
        g_assert_cmpuint (pop (&chain), ==, ++n_popped);
      g_assert_cmpuint (cothread_chain_get_length (&chain), ==, n_pushed - n_popped);
      g_assert_true (cothread_chain_is_empty (&chain) == (n_popped == n_pushed));
    }
  while (n_popped < n_pushed)
    g_assert_cmpuint (pop (&chain), ==, ++n_popped);
  g_assert_cmpuint (pop (&chain), ==, 0);
  cothread_chain_clear (&chain);
}

/* As a day of posts without a pause would leave it. */
static void
test_the_count_of_places_may_begin_anew (void)
{
  CothreadChain chain;
  guint n = 10 * COTHREAD_BLOCK_ENTRIES;

  cothread_chain_init (&chain);
  chain.tail = chain.n_gone = chain.gone_seen = chain.n_taken = (COTHREAD_POSITION_MASK + 1) - n / 2;
  for (guint i = 1; i <= n; i++)
    {
      g_assert_true (push (&chain, i, n));
      g_assert_cmpuint (cothread_chain_get_length (&chain), ==, i);
    }
  g_assert_false (push (&chain, n + 1, n));
  for (guint i = 1; i <= n; i++)
    g_assert_cmpuint (pop (&chain), ==, i);
  g_assert_true (cothread_chain_is_empty (&chain));
  g_assert_cmpuint (cothread_chain_get_length (&chain), ==, 0);
  cothread_chain_clear (&chain);
}

static void
test_an_entry_that_is_claimed_and_not_filled_holds_back_those_behind_it (void)
{
  CothreadEntry entry = entry_of (2);

  /* Also the first of a block, and the last. */
  for (guint before = 1; before <= 2 * COTHREAD_BLOCK_ENTRIES + 1; before++)
    {
      CothreadChain chain;
      CothreadPlace place;

      cothread_chain_init (&chain);
      for (guint i = 0; i < before; i++)
        push (&chain, 1, MANY);
      place = cothread_chain_claim (&chain, MANY, MANY);
      push (&chain, 3, MANY);

      for (guint i = 0; i < before; i++)
        g_assert_cmpuint (pop (&chain), ==, 1);
      g_assert_cmpuint (pop (&chain), ==, 0);
      g_assert_false (cothread_chain_is_empty (&chain));
      g_assert_cmpuint (cothread_chain_get_length (&chain), ==, 2);
      cothread_chain_fill (&place, &entry);
      g_assert_cmpuint (pop (&chain), ==, 2);
      g_assert_cmpuint (pop (&chain), ==, 3);
      g_assert_true (cothread_chain_is_empty (&chain));
      cothread_chain_clear (&chain);
    }
}

static void
test_no_more_are_claimed_than_may_be (void)
{
  for (guint limit = 1; limit <= 3 * COTHREAD_BLOCK_ENTRIES; limit += 63)
    {
      CothreadChain chain;

      cothread_chain_init (&chain);
      for (guint round = 0; round < 5; round++)
        {
          for (guint i = 1; i <= limit; i++)
            g_assert_true (push (&chain, i, limit));
          g_assert_false (push (&chain, 1, limit));
          g_assert_cmpuint (cothread_chain_get_length (&chain), ==, limit);
          for (guint i = 1; i <= limit; i++)
            g_assert_cmpuint (pop (&chain), ==, i);
        }
      cothread_chain_clear (&chain);
    }
}

static void
test_nothing_is_claimed_of_a_closed_chain (void)
{
  for (guint before = 0; before <= COTHREAD_BLOCK_ENTRIES; before += COTHREAD_BLOCK_ENTRIES / 2)
    {
      CothreadChain chain;

      cothread_chain_init (&chain);
      for (guint i = 0; i < before; i++)
        push (&chain, 1, MANY);
      g_assert_false (cothread_chain_is_closed (&chain));
      __atomic_fetch_or (&chain.tail, COTHREAD_CHAIN_CLOSED, __ATOMIC_SEQ_CST);

      g_assert_true (cothread_chain_is_closed (&chain));
      g_assert_false (push (&chain, 1, MANY));
      g_assert_cmpuint (cothread_chain_get_length (&chain), ==, before);
      for (guint i = 0; i < before; i++)
        g_assert_cmpuint (pop (&chain), ==, 1);
      g_assert_true (cothread_chain_is_empty (&chain));
      cothread_chain_clear (&chain);
    }
}

static void
test_a_chain_that_was_long_needs_no_larger_table_the_next_time (void)
{
  CothreadChain chain;
  guint n = 0;

  cothread_chain_init (&chain);
  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 1; i <= N_OPERATIONS; i++)
        push (&chain, i, MANY);
      for (guint i = 1; i <= N_OPERATIONS; i++)
        g_assert_cmpuint (pop (&chain), ==, i);
      if (round == 0)
        n = chain.table->n;
      g_assert_cmpuint (chain.table->n, ==, n);
    }
  g_assert_cmpuint (n, <=, 2 * N_OPERATIONS / COTHREAD_BLOCK_ENTRIES);
  cothread_chain_clear (&chain);
}

static void
test_what_a_chain_left_is_not_in_the_next (void)
{
  for (guint n = 1; n <= 3 * COTHREAD_BLOCK_ENTRIES; n += 7)
    {
      CothreadChain chain;
      CothreadPlace place;
      CothreadEntry entry = entry_of (2);

      cothread_chain_init (&chain);
      for (guint i = 0; i < n; i++)
        push (&chain, 1, MANY);
      for (guint i = 0; i < n; i++)
        pop (&chain);
      cothread_chain_clear (&chain);
      cothread_chain_init (&chain);
      for (guint i = 0; i < 2 * COTHREAD_BLOCK_ENTRIES; i++)
        {
          place = cothread_chain_claim (&chain, MANY, MANY);
          g_assert_null (cothread_chain_peek (&chain));
          cothread_chain_fill (&place, &entry);
          g_assert_cmpuint (pop (&chain), ==, 2);
        }
      cothread_chain_clear (&chain);
    }
}

static void
test_a_chain_that_stays_short_needs_few_blocks (void)
{
  CothreadChain chain;
  guint n;

  cothread_chain_init (&chain);
  n = chain.table->n;
  for (guint i = 1; i <= N_OPERATIONS; i++)
    {
      push (&chain, i, MANY);
      g_assert_cmpuint (pop (&chain), ==, i);
    }
  g_assert_cmpuint (chain.table->n, ==, n);
  cothread_chain_clear (&chain);
}

#define N_POSTERS 4

typedef struct
{
  CothreadChain chain;
  guint64 max_length;
  guint n; /* for each poster */
  gint n_started; /* atomic */
  gint n_posted[N_POSTERS]; /* atomic */
} Road;

/* Its number, and which of its entries it is. */
static gpointer
send_down (gpointer data)
{
  Road *road = data;
  guint poster = (guint) g_atomic_int_add (&road->n_started, 1);

  for (guint i = 1; i <= road->n; i++)
    {
      while (!push (&road->chain, i * N_POSTERS + poster, road->max_length))
        {
          if (cothread_chain_is_closed (&road->chain))
            return NULL;
          g_thread_yield ();
        }
      g_atomic_int_inc (&road->n_posted[poster]);
    }
  return NULL;
}

static void
start (Road *road, GThread **threads, guint64 max_length, guint n)
{
  *road = (Road) { .max_length = max_length, .n = n };
  cothread_chain_init (&road->chain);
  for (guint i = 0; i < N_POSTERS; i++)
    threads[i] = g_thread_new ("poster", send_down, road);
}

static void
join (GThread **threads)
{
  for (guint i = 0; i < N_POSTERS; i++)
    g_thread_join (threads[i]);
}

static void
assert_is_next (guint number, guint *last)
{
  g_assert_cmpuint (number / N_POSTERS, ==, last[number % N_POSTERS] + 1);
  last[number % N_POSTERS]++;
}

static void
receive_all (guint64 max_length, guint n_each)
{
  Road road;
  GThread *threads[N_POSTERS];
  guint last[N_POSTERS] = { 0 };

  start (&road, threads, max_length, n_each);
  for (guint n = 0; n < N_POSTERS * n_each;)
    {
      guint number = pop (&road.chain);

      g_assert_cmpuint (cothread_chain_get_length (&road.chain), <=, max_length);
      if (number == 0)
        {
          g_thread_yield ();
          continue;
        }
      assert_is_next (number, last);
      n++;
    }
  g_assert_cmpuint (pop (&road.chain), ==, 0);
  g_assert_true (cothread_chain_is_empty (&road.chain));
  join (threads);
  cothread_chain_clear (&road.chain);
}

static void
test_each_posters_entries_come_in_its_order (void)
{
  receive_all (MANY, N_OPERATIONS);
}

static void
test_posters_who_meet_at_the_bound_do_not_pass_it (void)
{
  receive_all (1, 500);
  receive_all (3, 2000);
  receive_all (COTHREAD_BLOCK_ENTRIES, N_OPERATIONS);
}

static void
test_what_was_claimed_before_the_end_is_there_after_it (void)
{
  for (guint round = 0; round < 20; round++)
    {
      Road road;
      GThread *threads[N_POSTERS];
      guint last[N_POSTERS] = { 0 };
      guint64 n_left;
      guint number;

      start (&road, threads, MANY, N_OPERATIONS);
      while (g_atomic_int_get (&road.n_posted[0]) == 0)
        g_thread_yield ();
      for (guint i = 0; i < 1000; i++)
        if ((number = pop (&road.chain)) != 0)
          assert_is_next (number, last);
      __atomic_fetch_or (&road.chain.tail, COTHREAD_CHAIN_CLOSED, __ATOMIC_SEQ_CST);
      n_left = cothread_chain_get_length (&road.chain);
      while (n_left > 0)
        if ((number = pop (&road.chain)) != 0)
          {
            assert_is_next (number, last);
            n_left--;
          }
      join (threads);
      g_assert_true (cothread_chain_is_empty (&road.chain));
      for (guint i = 0; i < N_POSTERS; i++)
        g_assert_cmpuint (last[i], ==, road.n_posted[i]);
      cothread_chain_clear (&road.chain);
    }
}

/* glibc keeps what is small in bins that it empties all at once, some time
 * later: a million entries there made a main loop stand still for 16 ms. */
static void
test_a_long_chain_leaves_a_mebibyte_and_nothing_to_be_tidied_up_at_once (void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__) && __GLIBC_PREREQ (2, 33)
  struct mallinfo2 before = mallinfo2 (), after;
  CothreadChain chain;

  cothread_chain_init (&chain);
  for (guint i = 1; i <= 10 * N_OPERATIONS; i++)
    push (&chain, i, MANY);
  for (guint i = 1; i <= 10 * N_OPERATIONS; i++)
    g_assert_cmpuint (pop (&chain), ==, i);
  cothread_chain_clear (&chain);
  after = mallinfo2 ();
  g_assert_cmpuint (after.fsmblks, <, before.fsmblks + 64 * 1024);
  g_assert_cmpuint (after.uordblks, <, before.uordblks + 1200 * 1024);
#else
  g_test_skip ("needs glibc's allocator");
#endif
}

static void
test_lists_keep_their_order_and_their_length (void)
{
  CothreadEntryList list = { 0 };
  CothreadEntry entry;

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 1; i <= 1000; i++)
        {
          entry = entry_of (i);
          cothread_entry_list_push (&list, &entry);
          g_assert_cmpuint (list.length, ==, i);
        }
      for (guint i = 1; i <= 1000; i++)
        {
          g_assert_true (cothread_entry_list_pop (&list, &entry));
          g_assert_cmpuint (GPOINTER_TO_UINT (entry.user_data), ==, i);
          g_assert_cmpuint (list.length, ==, 1000 - i);
        }
      g_assert_false (cothread_entry_list_pop (&list, &entry));
    }
}

static void
test_a_list_may_be_emptied_and_filled_at_once (void)
{
  CothreadEntryList list = { 0 };
  guint n_pushed = 0, n_popped = 0;

  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      CothreadEntry entry = entry_of (n_pushed + 1);

      if (g_test_rand_int_range (0, 10) < (i / 1000 % 2 == 0 ? 6 : 3))
        {
          cothread_entry_list_push (&list, &entry);
          n_pushed++;
        }
      else if (cothread_entry_list_pop (&list, &entry))
        g_assert_cmpuint (GPOINTER_TO_UINT (entry.user_data), ==, ++n_popped);
      else
        g_assert_cmpuint (n_popped, ==, n_pushed);
      g_assert_cmpuint (list.length, ==, n_pushed - n_popped);
    }
  cothread_entry_list_clear (&list);
}

static void
count_destroy (gpointer data)
{
  (*(guint *) data)++;
}

static void
test_dropping_entries_calls_their_notify_once (void)
{
  CothreadEntryList list = { 0 };
  CothreadEntry without = entry_of (1);
  guint n_destroyed = 0;

  for (guint i = 0; i < 100; i++)
    {
      CothreadEntry entry = cothread_entry (COTHREAD_CALLBACK_DEFAULT, NULL, &n_destroyed, count_destroy);
      CothreadEntry keyed = cothread_entry_with_key ("key", COTHREAD_CALLBACK_DEFAULT, NULL, &n_destroyed, count_destroy);

      cothread_entry_list_push (&list, &entry);
      cothread_entry_list_push (&list, &keyed);
      cothread_entry_list_push (&list, &without);
    }
  cothread_entry_list_clear (&list);

  g_assert_cmpuint (n_destroyed, ==, 200);
  g_assert_cmpuint (list.length, ==, 0);
}

static void
add (const char *path, GTestFunc func)
{
  g_autofree char *dashed = g_strdelimit (g_strdup (path), "_", '-');

  g_test_add_func (dashed, func);
}

#define ADD(name) add ("/callback/chain/" #name, test_ ## name)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD (a_new_chain_is_empty);
  ADD (a_chain_behaves_like_a_queue);
  ADD (the_count_of_places_may_begin_anew);
  ADD (an_entry_that_is_claimed_and_not_filled_holds_back_those_behind_it);
  ADD (no_more_are_claimed_than_may_be);
  ADD (nothing_is_claimed_of_a_closed_chain);
  ADD (a_chain_that_was_long_needs_no_larger_table_the_next_time);
  ADD (what_a_chain_left_is_not_in_the_next);
  ADD (a_chain_that_stays_short_needs_few_blocks);
  ADD (each_posters_entries_come_in_its_order);
  ADD (posters_who_meet_at_the_bound_do_not_pass_it);
  ADD (what_was_claimed_before_the_end_is_there_after_it);
  ADD (a_long_chain_leaves_a_mebibyte_and_nothing_to_be_tidied_up_at_once);
  ADD (lists_keep_their_order_and_their_length);
  ADD (a_list_may_be_emptied_and_filled_at_once);
  ADD (dropping_entries_calls_their_notify_once);
  return g_test_run ();
}
