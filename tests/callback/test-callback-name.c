/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"

/* What functions are called. */

static void
a_static_one (gpointer data)
{
  ++*(guint *) data;
}

static void
another (gpointer data)
{
  --*(guint *) data;
}

static void
assert_name (CothreadCallbackFunc func, const char *name)
{
  for (guint i = 0; i < 2; i++) /* once found, once remembered */
    {
      g_autofree char *given = cothread_callback_name (func);

      g_assert_cmpstr (given, ==, name);
    }
}

static void
test_static_functions_have_names (void)
{
  assert_name (a_static_one, "a_static_one");
  assert_name (another, "another");
}

static void
test_exported_functions_have_names (void)
{
  assert_name ((CothreadCallbackFunc) g_free, "g_free");
}

/* Distributions strip their libraries; where they do not, there is a name. */
static void
test_others_have_a_place_in_a_file (void)
{
  GObjectClass *klass = g_type_class_ref (G_TYPE_CANCELLABLE);
  g_autofree char *name = cothread_callback_name ((CothreadCallbackFunc) klass->finalize);

  g_assert_true ((strstr (name, "libgio") != NULL && strstr (name, "+0x") != NULL) || g_str_has_prefix (name, "g_cancellable"));
  g_type_class_unref (klass);
}

static void
test_an_address_is_better_than_nothing (void)
{
  g_autofree guint8 *data = g_malloc (16);
  g_autofree char *name = cothread_callback_name ((CothreadCallbackFunc) (gsize) data);
  g_autofree char *address = g_strdup_printf ("%p", (gpointer) data);

  g_assert_cmpstr (name, ==, address);
}

static gpointer
name_many (G_GNUC_UNUSED gpointer data)
{
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *one = cothread_callback_name (a_static_one);
      g_autofree char *other = cothread_callback_name ((CothreadCallbackFunc) ((gsize) g_free + i)); /* most are no beginning */

      g_assert_cmpstr (one, ==, "a_static_one");
      g_assert_nonnull (other);
    }
  return NULL;
}

static void
test_many_threads_may_ask_for_more_than_are_kept (void)
{
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("asks", name_many, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/callback/name/static-functions-have-names", test_static_functions_have_names);
  g_test_add_func ("/callback/name/exported-functions-have-names", test_exported_functions_have_names);
  g_test_add_func ("/callback/name/others-have-a-place-in-a-file", test_others_have_a_place_in_a_file);
  g_test_add_func ("/callback/name/an-address-is-better-than-nothing", test_an_address_is_better_than_nothing);
  g_test_add_func ("/callback/name/many-threads-may-ask-for-more-than-are-kept", test_many_threads_may_ask_for_more_than_are_kept);
  return g_test_run ();
}
