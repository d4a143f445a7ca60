/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-list.h"

typedef struct
{
  int number;
  CtLink link;
} Item;

static Item *
item_of (CtLink *link)
{
  return CT_CONTAINER_OF (link, Item, link);
}

static void
init_items (Item *items, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      items[i].number = (int) i;
      ct_link_init (&items[i].link);
    }
}

static void
push_items (CtQueue *queue, Item *items, guint n)
{
  for (guint i = 0; i < n; i++)
    ct_queue_push (queue, &items[i].link);
}

/* Both directions and the length: a link that is mended on one side only shows. */
static void
assert_queue_is (const CtQueue *queue, const char *expected)
{
  g_autoptr (GString) forwards = g_string_new (NULL);
  g_autoptr (GString) backwards = g_string_new (NULL);
  guint n = 0;

  for (CtLink *link = queue->head.next; link != &queue->head; link = link->next)
    {
      g_string_append_printf (forwards, "%d", item_of (link)->number);
      n++;
    }
  for (CtLink *link = queue->head.prev; link != &queue->head; link = link->prev)
    {
      char digit[16];

      g_snprintf (digit, sizeof digit, "%d", item_of (link)->number);
      g_string_prepend (backwards, digit);
    }
  g_assert_cmpstr (forwards->str, ==, expected);
  g_assert_cmpstr (backwards->str, ==, expected);
  g_assert_cmpuint (queue->length, ==, n);
}

static void
test_a_fresh_link_is_on_no_list (void)
{
  CtLink link;

  ct_link_init (&link);

  g_assert_false (ct_link_is_linked (&link));
}

static void
test_unlinking_twice_is_harmless (void)
{
  CtLink list, first, second;

  ct_link_init (&list);
  ct_link_init (&first);
  ct_link_init (&second);
  ct_link_insert_before (&list, &first);
  ct_link_insert_before (&list, &second);

  ct_link_unlink (&first);
  ct_link_unlink (&first);

  g_assert_false (ct_link_is_linked (&first));
  g_assert_true (list.next == &second && list.prev == &second);
  g_assert_true (second.next == &list && second.prev == &list);
}

static void
test_inserting_before_the_head_appends (void)
{
  CtLink list, links[3];

  ct_link_init (&list);

  for (guint i = 0; i < G_N_ELEMENTS (links); i++)
    ct_link_insert_before (&list, &links[i]);

  g_assert_true (list.next == &links[0]);
  g_assert_true (links[0].next == &links[1]);
  g_assert_true (links[1].next == &links[2]);
  g_assert_true (list.prev == &links[2]);
}

static void
test_inserting_before_a_member_keeps_the_rest_in_order (void)
{
  Item items[3];
  CtQueue queue;

  init_items (items, 3);
  ct_queue_init (&queue);
  push_items (&queue, items, 2);

  ct_link_insert_before (&items[1].link, &items[2].link);
  queue.length++;

  assert_queue_is (&queue, "021");
}

static void
test_a_queue_is_first_in_first_out (void)
{
  Item items[3];
  CtQueue queue;

  init_items (items, 3);
  ct_queue_init (&queue);
  push_items (&queue, items, 3);

  assert_queue_is (&queue, "012");
  g_assert_cmpint (item_of (ct_queue_pop (&queue))->number, ==, 0);
  g_assert_cmpint (item_of (ct_queue_pop (&queue))->number, ==, 1);
  g_assert_cmpint (item_of (ct_queue_pop (&queue))->number, ==, 2);
  assert_queue_is (&queue, "");
}

static void
test_an_empty_queue_has_nothing_to_give (void)
{
  CtQueue queue;

  ct_queue_init (&queue);

  g_assert_true (ct_queue_is_empty (&queue));
  g_assert_null (ct_queue_peek (&queue));
  g_assert_null (ct_queue_pop (&queue));
  g_assert_cmpuint (queue.length, ==, 0);
}

static void
test_peeking_takes_nothing_off (void)
{
  Item item;
  CtQueue queue;

  init_items (&item, 1);
  ct_queue_init (&queue);
  ct_queue_push (&queue, &item.link);

  g_assert_true (ct_queue_peek (&queue) == &item.link);
  assert_queue_is (&queue, "0");
}

static void
test_a_popped_link_is_on_no_list (void)
{
  Item item;
  CtQueue queue;

  init_items (&item, 1);
  ct_queue_init (&queue);
  ct_queue_push (&queue, &item.link);

  ct_queue_pop (&queue);

  g_assert_false (ct_link_is_linked (&item.link));
}

static void
test_any_member_can_be_removed (void)
{
  static const char *const without[] = { "1234", "0234", "0134", "0124", "0123" };

  for (guint victim = 0; victim < 5; victim++)
    {
      Item items[5];
      CtQueue queue;

      init_items (items, 5);
      ct_queue_init (&queue);
      push_items (&queue, items, 5);

      ct_queue_remove (&queue, &items[victim].link);

      assert_queue_is (&queue, without[victim]);
    }
}

static void
check_splice (guint n_to, guint n_from, const char *expected)
{
  Item items[4];
  CtQueue to, from;

  init_items (items, 4);
  ct_queue_init (&to);
  ct_queue_init (&from);
  push_items (&to, items, n_to);
  push_items (&from, items + 2, n_from);

  ct_queue_splice (&to, &from);

  assert_queue_is (&to, expected);
  assert_queue_is (&from, "");
}

static void
test_a_splice_moves_everything_to_the_end_in_order (void)
{
  check_splice (2, 2, "0123");
}

static void
test_a_splice_onto_an_empty_queue_moves_everything (void)
{
  check_splice (0, 2, "23");
}

static void
test_a_splice_of_nothing_changes_nothing (void)
{
  check_splice (2, 0, "01");
  check_splice (0, 0, "");
}

static void
test_a_spliced_queue_can_be_used_again (void)
{
  Item items[3];
  CtQueue to, from;

  init_items (items, 3);
  ct_queue_init (&to);
  ct_queue_init (&from);
  push_items (&from, items, 2);
  ct_queue_splice (&to, &from);

  ct_queue_push (&from, &items[2].link);
  ct_queue_remove (&to, &items[0].link);

  assert_queue_is (&from, "2");
  assert_queue_is (&to, "1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/list/a-fresh-link-is-on-no-list", test_a_fresh_link_is_on_no_list);
  g_test_add_func ("/list/unlinking-twice-is-harmless", test_unlinking_twice_is_harmless);
  g_test_add_func ("/list/inserting-before-the-head-appends", test_inserting_before_the_head_appends);
  g_test_add_func ("/list/inserting-before-a-member-keeps-the-rest-in-order", test_inserting_before_a_member_keeps_the_rest_in_order);
  g_test_add_func ("/queue/is-first-in-first-out", test_a_queue_is_first_in_first_out);
  g_test_add_func ("/queue/an-empty-one-has-nothing-to-give", test_an_empty_queue_has_nothing_to_give);
  g_test_add_func ("/queue/peeking-takes-nothing-off", test_peeking_takes_nothing_off);
  g_test_add_func ("/queue/a-popped-link-is-on-no-list", test_a_popped_link_is_on_no_list);
  g_test_add_func ("/queue/any-member-can-be-removed", test_any_member_can_be_removed);
  g_test_add_func ("/queue/a-splice-moves-everything-to-the-end-in-order", test_a_splice_moves_everything_to_the_end_in_order);
  g_test_add_func ("/queue/a-splice-onto-an-empty-queue-moves-everything", test_a_splice_onto_an_empty_queue_moves_everything);
  g_test_add_func ("/queue/a-splice-of-nothing-changes-nothing", test_a_splice_of_nothing_changes_nothing);
  g_test_add_func ("/queue/a-spliced-queue-can-be-used-again", test_a_spliced_queue_can_be_used_again);
  return g_test_run ();
}
