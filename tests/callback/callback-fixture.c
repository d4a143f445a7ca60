/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

#include <pthread.h>

#define WATCHDOG_SECONDS 120

static gboolean
bark (G_GNUC_UNUSED gpointer data)
{
  g_error ("The test hangs: what it waits for has not happened in %d s", WATCHDOG_SECONDS);
  return G_SOURCE_REMOVE;
}

static void
set_up (CallbackFixture *f, G_GNUC_UNUSED gconstpointer data)
{
  f->context = g_main_context_new ();
  g_main_context_push_thread_default (f->context);
  f->scheduler = g_object_ref (cothread_scheduler_get_default ());
  f->queue = cothread_callback_queue_new (f->scheduler, "tested");
  cothread_callback_queue_set_max_length (f->queue, 0);
  f->said = g_string_new (NULL);
  g_set_weak_pointer (&f->weak_scheduler, f->scheduler);
  g_set_weak_pointer (&f->weak_queue, f->queue);
  f->watchdog = g_timeout_source_new_seconds (WATCHDOG_SECONDS);
  g_source_set_callback (f->watchdog, bark, NULL, NULL);
  g_source_attach (f->watchdog, f->context);
}

static void
tear_down (CallbackFixture *f, G_GNUC_UNUSED gconstpointer data)
{
  g_source_destroy (f->watchdog);
  g_source_unref (f->watchdog);
  if (f->scheduler != NULL)
    cothread_scheduler_shutdown (f->scheduler);
  g_clear_object (&f->queue);
  g_clear_object (&f->scheduler);
  g_main_context_pop_thread_default (f->context);
  g_main_context_unref (f->context);
  g_assert_null (f->weak_queue);
  g_assert_null (f->weak_scheduler);
  g_string_free (f->said, TRUE);
}

static void
run_test (CallbackFixture *f, gconstpointer data)
{
  void (*func) (CallbackFixture *) = (void (*) (CallbackFixture *)) data;

  func (f);
}

void
callback_test_add_func (const char *path, void (*func) (CallbackFixture *f))
{
  g_autofree char *dashed = g_strdelimit (g_strdup (path), "_", '-');

  g_test_add (dashed, CallbackFixture, (gconstpointer) func, set_up, run_test, tear_down);
}

void
callback_run_idle (CallbackFixture *f)
{
  while (g_main_context_iteration (f->context, FALSE))
    ;
}

void
callback_say (CallbackFixture *f, const char *word)
{
  if (f->said->len > 0)
    g_string_append_c (f->said, ' ');
  g_string_append (f->said, word);
}

void
callback_assert_said (CallbackFixture *f, const char *expected)
{
  g_assert_cmpstr (f->said->str, ==, expected);
  g_string_truncate (f->said, 0);
}

typedef struct
{
  CallbackFixture *fixture;
  const char *word;
} Word;

static void
say_word (gpointer data)
{
  Word *word = data;

  callback_say (word->fixture, word->word);
}

void
callback_post_word (CallbackFixture *f, const char *word)
{
  g_autoptr (GError) error = NULL;
  Word *copy = g_new (Word, 1);

  *copy = (Word) { f, word };
  cothread_callback_queue_post (f->queue, say_word, copy, g_free, &error);
  g_assert_no_error (error);
}

void
callback_do_nothing (G_GNUC_UNUSED gpointer data)
{
}

void
callback_post_nothing (CallbackFixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      cothread_callback_queue_post (f->queue, callback_do_nothing, NULL, NULL, &error);
      g_assert_no_error (error);
    }
}

void
callback_parcel_run (gpointer data)
{
  Parcel *parcel = data;

  g_assert_cmpint (g_atomic_int_get (&parcel->destroyed), ==, 0);
  if (parcel->name != NULL)
    callback_say (parcel->fixture, parcel->name);
  g_atomic_int_inc (&parcel->run);
  if (parcel->then != NULL)
    parcel->then (parcel->fixture);
}

void
callback_parcel_destroy (gpointer data)
{
  Parcel *parcel = data;

  parcel->destroyed_in = g_thread_self ();
  parcel->destroyed_on_own_stack = callback_is_on_own_stack ();
  g_atomic_int_inc (&parcel->destroyed);
}

gboolean
callback_post_parcel (CallbackFixture *f, CothreadCallbackFlags flags, Parcel *parcel, GError **error)
{
  parcel->fixture = f;
  return cothread_callback_queue_post_full (f->queue, flags, callback_parcel_run, parcel, callback_parcel_destroy, error);
}

void
callback_assert_parcel (Parcel *parcel, gint run)
{
  g_assert_cmpint (g_atomic_int_get (&parcel->run), ==, run);
  g_assert_cmpint (g_atomic_int_get (&parcel->destroyed), ==, 1);
}

gboolean
callback_is_on_own_stack (void)
{
  const guint8 *here = __builtin_frame_address (0);
  pthread_attr_t attributes;
  void *base;
  gsize size;

  g_assert_cmpint (pthread_getattr_np (pthread_self (), &attributes), ==, 0);
  pthread_attr_getstack (&attributes, &base, &size);
  pthread_attr_destroy (&attributes);
  return here >= (guint8 *) base && here < (guint8 *) base + size;
}

void
callback_in_thread (GThreadFunc func, gpointer data)
{
  g_thread_join (g_thread_new ("poster", func, data));
}

void
callback_in_task (CallbackFixture *f, CothreadTaskFunc func, gpointer data)
{
  g_autoptr (CothreadTask) task = cothread_spawn (func, data);

  callback_run_until (f, cothread_task_is_finished (task));
}

void
callback_set_bound (CallbackFixture *f, guint max_length, CothreadOverflowPolicy overflow)
{
  cothread_callback_queue_set_max_length (f->queue, max_length);
  cothread_callback_queue_set_overflow (f->queue, overflow);
}

void
callback_assert_accounts (CallbackFixture *f, guint64 posted, guint64 run, guint64 dropped_oldest, guint64 dropped_closed)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  g_assert_cmpuint (statistics->posted, ==, posted);
  g_assert_cmpuint (statistics->run, ==, run);
  g_assert_cmpuint (statistics->dropped_oldest, ==, dropped_oldest);
  g_assert_cmpuint (statistics->dropped_closed, ==, dropped_closed);
  g_assert_cmpuint (statistics->length, ==, posted - run - dropped_oldest - dropped_closed);
}

guint
callback_length (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  return statistics->length;
}

guint64
callback_n_run (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  return statistics->run;
}

guint64
callback_n_blocked (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  return statistics->blocked;
}

guint64
callback_n_refused (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);

  return statistics->refused;
}

void
callback_use_up_slice (CallbackFixture *f)
{
  gint64 end_us = g_get_monotonic_time () + cothread_scheduler_get_time_slice (f->scheduler) + 1;

  while (g_get_monotonic_time () < end_us)
    ;
}
