/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language.h"

G_DEFINE_FINAL_TYPE (Language, language, COTHREAD_TYPE_STACKLESS_RUNNER)

static void
language_set_property (GObject *object, G_GNUC_UNUSED guint id, const GValue *value, G_GNUC_UNUSED GParamSpec *pspec)
{
  Language *self = TEST_LANGUAGE (object);

  if (g_value_get_uint (value) == 2)
    {
      self->n_tells++;
      return;
    }
  self->n_calls++;
  self->depth++;
  self->called (self);
  self->depth--;
}

static void
language_finalize (GObject *object)
{
  g_array_unref (TEST_LANGUAGE (object)->woken);
  G_OBJECT_CLASS (language_parent_class)->finalize (object);
}

static void
language_class_init (LanguageClass *klass)
{
  G_OBJECT_CLASS (klass)->set_property = language_set_property;
  G_OBJECT_CLASS (klass)->finalize = language_finalize;
  g_object_class_install_property (G_OBJECT_CLASS (klass), 1,
                                   g_param_spec_uint ("wakeup", NULL, NULL, 0, 2, 0, G_PARAM_WRITABLE | G_PARAM_EXPLICIT_NOTIFY));
}

static void
language_init (Language *self)
{
  self->woken = g_array_new (FALSE, FALSE, sizeof (Woken));
  self->called = take_all;
}

Language *
language_new (void)
{
  Language *self = g_object_new (TYPE_LANGUAGE, "language", "toy", NULL);

  self->function = cothread_stackless_runner_define_function (runner (self), "work", "work.toy:7");
  return self;
}

CothreadStacklessRunner *
runner (Language *self)
{
  return COTHREAD_STACKLESS_RUNNER (self);
}

void
take_all (Language *self)
{
  Woken one;

  while (cothread_stackless_runner_next (runner (self), &one.id, &one.wake, &one.which, &one.value))
    {
      if ((cothread_stackless_runner_check (runner (self)) & COTHREAD_STACKLESS_CLOSED) != 0)
        cothread_stackless_runner_finish (runner (self), one.id, NULL);
      else
        g_array_append_val (self->woken, one);
    }
  cothread_stackless_runner_rest (runner (self), COTHREAD_STACKLESS_REST);
}

guint
spawn_task (Language *self)
{
  return cothread_stackless_runner_spawn (runner (self), self->function);
}

Woken *
woken (Language *self, guint i)
{
  g_assert_cmpuint (i, <, self->woken->len);
  return &g_array_index (self->woken, Woken, i);
}

void
run_until_woken (Language *self, guint n)
{
  gint64 deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  while (self->woken->len < n && g_get_monotonic_time () < deadline_us)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (self->woken->len, ==, n);
}
