/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Properties. A handler of notify may be a foreign closure, which can run
 * nowhere but on the thread's own stack. */

typedef struct
{
  CallbackFixture *fixture;
  void (*set) (CallbackFixture *f);
  guint n_notified;
  guint n_on_own_stack;
} Watch;

static void
count_notify (G_GNUC_UNUSED GObject *object, G_GNUC_UNUSED GParamSpec *pspec, gpointer data)
{
  Watch *watch = data;

  watch->n_notified++;
  watch->n_on_own_stack += callback_is_on_own_stack ();
}

static gpointer
set_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  Watch *watch = data;

  g_assert_false (callback_is_on_own_stack ());
  watch->set (watch->fixture);
  g_assert_false (callback_is_on_own_stack ());
  return NULL;
}

static void
watch (CallbackFixture *f, Watch *self, const char *detailed_signal)
{
  self->fixture = f;
  g_signal_connect (f->queue, detailed_signal, G_CALLBACK (count_notify), self);
}

static void
set_by_functions (CallbackFixture *f)
{
  cothread_callback_queue_set_max_length (f->queue, 17);
  cothread_callback_queue_set_overflow (f->queue, COTHREAD_OVERFLOW_FAIL);
  cothread_callback_queue_set_block_timeout (f->queue, 18);
}

static void
set_by_g_object_set (CallbackFixture *f)
{
  g_object_set (f->queue,
                "max-length", 17,
                "overflow", COTHREAD_OVERFLOW_FAIL,
                "block-timeout", (gint64) 18,
                NULL);
}

static void
set_max_suspended (CallbackFixture *f)
{
  g_object_set (f->queue, "max-suspended", 5, NULL);
}

static void
test_a_property_can_be_read_back (CallbackFixture *f)
{
  guint max_length, max_suspended;
  CothreadOverflowPolicy overflow;
  gint64 timeout_us;
  g_autofree char *name = NULL;

  set_by_g_object_set (f);
  set_max_suspended (f);
  g_object_get (f->queue, "max-length", &max_length, "overflow", &overflow, "block-timeout", &timeout_us,
                "max-suspended", &max_suspended, "name", &name, NULL);

  g_assert_cmpuint (max_length, ==, 17);
  g_assert_cmpint (overflow, ==, COTHREAD_OVERFLOW_FAIL);
  g_assert_cmpint (timeout_us, ==, 18);
  g_assert_cmpuint (max_suspended, ==, 5);
  g_assert_cmpstr (name, ==, "tested");
}

static void
test_each_change_notifies_once (CallbackFixture *f)
{
  Watch self = { 0 };

  watch (f, &self, "notify");
  set_by_functions (f);

  g_assert_cmpuint (self.n_notified, ==, 3);
}

static void
test_g_object_set_notifies_once_each (CallbackFixture *f)
{
  Watch self = { 0 };

  watch (f, &self, "notify");
  set_by_g_object_set (f);

  g_assert_cmpuint (self.n_notified, ==, 3);
}

static void
test_setting_what_is_set_does_not_notify (CallbackFixture *f)
{
  Watch self = { 0 };

  set_by_functions (f);
  watch (f, &self, "notify");
  set_by_functions (f);
  set_by_g_object_set (f);

  g_assert_cmpuint (self.n_notified, ==, 0);
}

static void
check_stack (CallbackFixture *f, void (*set) (CallbackFixture *f), guint n)
{
  Watch self = { .set = set };

  watch (f, &self, "notify");
  callback_in_task (f, set_in_task, &self);

  g_assert_cmpuint (self.n_notified, ==, n);
  g_assert_cmpuint (self.n_on_own_stack, ==, n);
}

static void
test_a_change_by_a_task_notifies_on_the_threads_own_stack (CallbackFixture *f)
{
  check_stack (f, set_by_functions, 3);
}

static void
test_a_change_by_a_task_with_g_object_set_notifies_on_the_threads_own_stack (CallbackFixture *f)
{
  check_stack (f, set_by_g_object_set, 3);
}

static void
test_every_property_that_a_task_changes_notifies_on_the_threads_own_stack (CallbackFixture *f)
{
  check_stack (f, set_max_suspended, 1);
}

static void
set_time_slice (CallbackFixture *f)
{
  g_object_set (f->scheduler, "time-slice", (gint64) 1234, NULL);
}

static void
test_a_change_of_the_scheduler_by_a_task_notifies_on_the_threads_own_stack (CallbackFixture *f)
{
  Watch self = { .fixture = f, .set = set_time_slice };

  g_signal_connect (f->scheduler, "notify::time-slice", G_CALLBACK (count_notify), &self);
  callback_in_task (f, set_in_task, &self);

  g_assert_cmpuint (self.n_notified, ==, 1);
  g_assert_cmpuint (self.n_on_own_stack, ==, 1);
}

static void
change_again (GObject *object, G_GNUC_UNUSED GParamSpec *pspec, gpointer data)
{
  Watch *self = data;

  if (++self->n_notified == 1)
    cothread_callback_queue_set_max_length (COTHREAD_CALLBACK_QUEUE (object), 99);
}

static void
set_max_length (CallbackFixture *f)
{
  cothread_callback_queue_set_max_length (f->queue, 17);
}

static void
test_a_handler_may_change_the_property_again (CallbackFixture *f)
{
  Watch self = { .fixture = f, .set = set_max_length };

  g_signal_connect (f->queue, "notify::max-length", G_CALLBACK (change_again), &self);
  callback_in_task (f, set_in_task, &self);

  g_assert_cmpuint (self.n_notified, ==, 2);
  g_assert_cmpuint (cothread_callback_queue_get_max_length (f->queue), ==, 99);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("notify", a_property_can_be_read_back);
  callback_test_add ("notify", each_change_notifies_once);
  callback_test_add ("notify", g_object_set_notifies_once_each);
  callback_test_add ("notify", setting_what_is_set_does_not_notify);
  callback_test_add ("notify", a_change_by_a_task_notifies_on_the_threads_own_stack);
  callback_test_add ("notify", a_handler_may_change_the_property_again);
  callback_test_add ("notify", a_change_by_a_task_with_g_object_set_notifies_on_the_threads_own_stack);
  callback_test_add ("notify", every_property_that_a_task_changes_notifies_on_the_threads_own_stack);
  callback_test_add ("notify", a_change_of_the_scheduler_by_a_task_notifies_on_the_threads_own_stack);
  return g_test_run ();
}
