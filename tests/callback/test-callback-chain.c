/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-entries.h"

#include <malloc.h>

/* The chain and the lists that entries travel on, against a model. Many threads
 * have the stress tests. */

#define N_OPERATIONS 100000

static CothreadEntry *
new_entry (guint number)
{
  return cothread_entry_new (COTHREAD_CALLBACK_DEFAULT, NULL, GUINT_TO_POINTER (number), NULL);
}

static guint
number_of (const CothreadEntry *entry)
{
  return GPOINTER_TO_UINT (entry->user_data);
}

static void
test_a_new_chain_is_empty (void)
{
  CothreadChain chain;

  cothread_chain_init (&chain);

  g_assert_true (cothread_chain_is_empty (&chain));
  g_assert_null (cothread_chain_pop (&chain));
  g_assert_true (cothread_chain_is_empty (&chain));
}

static void
test_what_is_pushed_first_is_popped_first (void)
{
  CothreadChain chain;

  cothread_chain_init (&chain);
  for (guint i = 1; i <= 3; i++)
    cothread_chain_push (&chain, new_entry (i));
  for (guint i = 1; i <= 3; i++)
    {
      CothreadEntry *entry;

      g_assert_false (cothread_chain_is_empty (&chain));
      entry = cothread_chain_pop (&chain);
      g_assert_cmpuint (number_of (entry), ==, i);
      cothread_entry_free (entry);
    }

  g_assert_null (cothread_chain_pop (&chain));
  g_assert_true (cothread_chain_is_empty (&chain));
}

static void
test_a_chain_behaves_like_a_queue (void)
{
  CothreadChain chain;
  guint n_pushed = 0, n_popped = 0;

  cothread_chain_init (&chain);
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      CothreadEntry *entry;

      /* By turns mostly growing and mostly shrinking, often empty. */
      if (g_test_rand_int_range (0, 10) < (i / 1000 % 2 == 0 ? 6 : 3))
        {
          cothread_chain_push (&chain, new_entry (++n_pushed));
          continue;
        }
      entry = cothread_chain_pop (&chain);
      g_assert_true ((entry == NULL) == (n_popped == n_pushed));
      if (entry != NULL)
        g_assert_cmpuint (number_of (entry), ==, ++n_popped);
      g_clear_pointer (&entry, cothread_entry_free);
      if (n_popped == n_pushed)
        g_assert_true (cothread_chain_is_empty (&chain) || cothread_chain_pop (&chain) == NULL);
    }
  while (n_popped < n_pushed)
    {
      CothreadEntry *entry = cothread_chain_pop (&chain);

      g_assert_cmpuint (number_of (entry), ==, ++n_popped);
      cothread_entry_free (entry);
    }
}

/* A poster that was interrupted between the two steps of a push. */
static CothreadEntry *
announce (CothreadChain *chain, CothreadEntry *entry)
{
  CothreadEntry *previous = chain->newest;

  entry->next = NULL;
  chain->newest = entry;
  return previous;
}

static void
link_announced (CothreadEntry *previous, CothreadEntry *entry)
{
  previous->next = entry;
}

static void
test_an_entry_that_is_announced_and_not_linked_is_not_popped_and_not_forgotten (void)
{
  CothreadChain chain;
  CothreadEntry *entry = new_entry (1), *previous;

  cothread_chain_init (&chain);
  previous = announce (&chain, entry);
  g_assert_null (cothread_chain_pop (&chain));
  g_assert_false (cothread_chain_is_empty (&chain));
  link_announced (previous, entry);

  g_assert_true (cothread_chain_pop (&chain) == entry);
  g_assert_null (cothread_chain_pop (&chain));
  g_assert_true (cothread_chain_is_empty (&chain));
  cothread_entry_free (entry);
}

static void
test_entries_before_one_that_is_not_linked_can_be_popped_but_the_last (void)
{
  CothreadChain chain;
  CothreadEntry *first = new_entry (1), *second = new_entry (2), *third = new_entry (3), *previous;

  cothread_chain_init (&chain);
  cothread_chain_push (&chain, first);
  cothread_chain_push (&chain, second);
  previous = announce (&chain, third);

  g_assert_true (cothread_chain_pop (&chain) == first);
  g_assert_null (cothread_chain_pop (&chain)); /* its poster is about to write to it */
  g_assert_false (cothread_chain_is_empty (&chain));
  link_announced (previous, third);
  g_assert_true (cothread_chain_pop (&chain) == second);
  g_assert_true (cothread_chain_pop (&chain) == third);
  g_assert_null (cothread_chain_pop (&chain));
  cothread_entry_free (first);
  cothread_entry_free (second);
  cothread_entry_free (third);
}

static void
assert_list (CothreadEntryList *list, guint first, guint last)
{
  guint n = 0;

  for (CothreadEntry *entry = list->first; entry != NULL; entry = entry->next, n++)
    {
      g_assert_cmpuint (number_of (entry), ==, first + n);
      g_assert_true (entry->next != NULL || list->last == entry);
    }
  g_assert_cmpuint (n, ==, last - first + 1);
  g_assert_cmpuint (list->length, ==, n);
  g_assert_true (n > 0 || list->last == NULL);
}

static void
append (CothreadEntryList *list, guint first, guint last)
{
  for (guint i = first; i <= last; i++)
    cothread_entry_list_append (list, new_entry (i));
}

static void
test_lists_keep_their_order_their_end_and_their_length (void)
{
  CothreadEntryList list = { 0 }, front = { 0 };

  append (&list, 4, 6);
  append (&front, 1, 3);
  cothread_entry_list_prepend_all (&list, &front);
  assert_list (&list, 1, 6);
  assert_list (&front, 1, 0);
  append (&list, 7, 7);
  assert_list (&list, 1, 7);
  for (guint i = 1; i <= 7; i++)
    {
      CothreadEntry *entry = cothread_entry_list_pop (&list);

      g_assert_cmpuint (number_of (entry), ==, i);
      cothread_entry_free (entry);
    }

  assert_list (&list, 1, 0);
  g_assert_null (cothread_entry_list_pop (&list));
}

static void
test_prepending_nothing_or_to_nothing_is_right_too (void)
{
  CothreadEntryList list = { 0 }, front = { 0 };

  cothread_entry_list_prepend_all (&list, &front);
  assert_list (&list, 1, 0);
  append (&front, 1, 2);
  cothread_entry_list_prepend_all (&list, &front);
  assert_list (&list, 1, 2);
  cothread_entry_list_prepend_all (&list, &front);
  append (&list, 3, 3);

  assert_list (&list, 1, 3);
  cothread_entry_list_clear (&list);
  assert_list (&list, 1, 0);
}

static void
count_destroy (gpointer data)
{
  (*(guint *) data)++;
}

static void
test_freeing_an_entry_calls_its_notify_once (void)
{
  CothreadEntryList list = { 0 };
  guint n_destroyed = 0;

  for (guint i = 0; i < 5; i++)
    cothread_entry_list_append (&list, cothread_entry_new (COTHREAD_CALLBACK_DEFAULT, NULL, &n_destroyed, count_destroy));
  cothread_entry_list_clear (&list);

  g_assert_cmpuint (n_destroyed, ==, 5);
}

static void
add (const char *path, GTestFunc func)
{
  g_autofree char *dashed = g_strdelimit (g_strdup (path), "_", '-');

  g_test_add_func (dashed, func);
}

#define ADD(name) add ("/callback/chain/" #name, test_ ## name)

static gint n_destroyed; /* atomic */

static void
count_destroyed (G_GNUC_UNUSED gpointer data)
{
  g_atomic_int_inc (&n_destroyed);
}

typedef struct
{
  CothreadChain chain;
  CothreadEntryPool pool;
} Road;

static gpointer
send_down (gpointer data)
{
  Road *road = data;

  for (guint i = 1; i <= N_OPERATIONS; i++)
    cothread_chain_push (&road->chain, cothread_entry_pool_get (&road->pool, COTHREAD_CALLBACK_DEFAULT, NULL,
                                                                GUINT_TO_POINTER (i), count_destroyed));
  return NULL;
}

static void
test_entries_go_round_between_two_threads (void)
{
  Road road = { .pool = { 0 } };
  GThread *thread;

  n_destroyed = 0;
  cothread_chain_init (&road.chain);
  thread = g_thread_new ("poster", send_down, &road);
  for (guint i = 1; i <= N_OPERATIONS;)
    {
      CothreadEntry *entry = cothread_chain_pop (&road.chain);

      if (entry == NULL)
        {
          g_thread_yield ();
          continue;
        }
      g_assert_cmpuint (number_of (entry), ==, i);
      g_assert_cmpuint (entry->posted_ns, ==, 0);
      cothread_entry_pool_put (&road.pool, entry);
      i++;
    }
  g_thread_join (thread);
  g_assert_cmpint (n_destroyed, ==, N_OPERATIONS);
  cothread_entry_pool_clear (&road.pool);
}

static void
test_a_pool_keeps_a_thousand_and_no_more (void)
{
  CothreadEntryPool pool = { 0 };
  CothreadEntry *entries[5000];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    entries[i] = new_entry (i);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    cothread_entry_pool_put (&pool, entries[i]);
  for (CothreadEntry *entry = pool.shared; entry != NULL; entry = entry->next)
    n++;
  g_assert_cmpuint (n, <=, 1100);
  cothread_entry_pool_clear (&pool);
  g_assert_null (pool.shared);
  cothread_entry_pool_clear (&pool);
}

/* glibc keeps what is small in bins that it empties all at once, some time
 * later: a million entries there made a main loop stand still for 16 ms. */
static void
test_entries_leave_nothing_that_is_to_be_tidied_up_at_once (void)
{
#if COTHREAD_ENTRIES_ARE_KEPT && defined(__GLIBC__) && __GLIBC_PREREQ (2, 33)
  CothreadEntryPool pool = { 0 };
  CothreadEntry **entries = g_new (CothreadEntry *, N_OPERATIONS);
  gsize before = mallinfo2 ().fsmblks;

  for (guint i = 0; i < N_OPERATIONS; i++)
    entries[i] = cothread_entry_pool_get (&pool, COTHREAD_CALLBACK_DEFAULT, NULL, NULL, NULL);
  for (guint i = 0; i < N_OPERATIONS; i++)
    cothread_entry_pool_put (&pool, entries[i]);
  g_assert_cmpuint (mallinfo2 ().fsmblks, <, before + 64 * 1024);
  cothread_entry_pool_clear (&pool);
  g_free (entries);
#else
  g_test_skip ("needs glibc's allocator");
#endif
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD (a_new_chain_is_empty);
  ADD (what_is_pushed_first_is_popped_first);
  ADD (a_chain_behaves_like_a_queue);
  ADD (an_entry_that_is_announced_and_not_linked_is_not_popped_and_not_forgotten);
  ADD (entries_before_one_that_is_not_linked_can_be_popped_but_the_last);
  ADD (lists_keep_their_order_their_end_and_their_length);
  ADD (prepending_nothing_or_to_nothing_is_right_too);
  ADD (freeing_an_entry_calls_its_notify_once);
  g_test_add_func ("/callback/chain/entries-go-round-between-two-threads", test_entries_go_round_between_two_threads);
  g_test_add_func ("/callback/chain/a-pool-keeps-a-thousand-and-no-more", test_a_pool_keeps_a_thousand_and_no_more);
  g_test_add_func ("/callback/chain/entries-leave-nothing-that-is-to-be-tidied-up-at-once",
                   test_entries_leave_nothing_that_is_to_be_tidied_up_at_once);
  return g_test_run ();
}
