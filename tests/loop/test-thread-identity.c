/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* What a thread has made is its own, also when it is gone and the next one has its
 * stack, its local variables' addresses and its number in the kernel. */

#define ROUNDS 20

static gpointer
make_event (G_GNUC_UNUSED gpointer unused)
{
  return cothread_event_new (TRUE);
}

static gpointer
signal_event (gpointer event)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*owner*");
  cothread_event_signal (event);
  g_test_assert_expected_messages ();
  return NULL;
}

static void
test_a_later_thread_does_not_own_what_an_earlier_one_made (void)
{
  for (guint i = 0; i < ROUNDS; i++)
    {
      CothreadEvent *event = g_thread_join (g_thread_new ("maker", make_event, NULL));

      g_thread_join (g_thread_new ("later", signal_event, event));
      g_object_unref (event);
    }
}

static gpointer
use_own_event (G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  cothread_event_signal (event);
  return GINT_TO_POINTER (cothread_event_is_signalled (event));
}

static void
test_every_thread_owns_what_it_made_itself (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("own", use_own_event, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (GPOINTER_TO_INT (g_thread_join (threads[i])));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/thread-identity/later-thread", test_a_later_thread_does_not_own_what_an_earlier_one_made);
  behaviour_add ("/thread-identity/own", test_every_thread_owns_what_it_made_itself);
  return g_test_run ();
}
