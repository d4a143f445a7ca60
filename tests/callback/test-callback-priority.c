/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Several queues of one scheduler: which goes first, and who can see them. */

typedef struct
{
  guint n_run;
  guint *other_n_run;
  guint other_at_first; /* how far the other queue was at our first callback */
} Count;

static void
count (gpointer data)
{
  Count *self = data;

  if (self->n_run++ == 0)
    self->other_at_first = *self->other_n_run;
}

static void
post_counts (CothreadCallbackQueue *queue, Count *counter, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (cothread_callback_queue_post (queue, count, counter, NULL, NULL));
}

static CothreadCallbackQueue *
new_queue (CallbackFixture *f, const char *name, int priority)
{
  CothreadCallbackQueue *queue = cothread_callback_queue_new (f->scheduler, name);

  cothread_callback_queue_set_priority (queue, priority);
  return queue;
}

static guint lasts[2];

static void
note_last (gpointer data)
{
  guint *place = data;
  static guint order;

  *place = ++order;
}

static void
test_a_more_urgent_queue_is_done_first (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) urgent = new_queue (f, "urgent", -10);
  Count normal = { 0 }, first = { 0 };

  normal.other_n_run = &first.n_run;
  first.other_n_run = &normal.n_run;
  post_counts (f->queue, &normal, 6400);
  post_counts (urgent, &first, 6400);
  cothread_callback_queue_post (f->queue, note_last, &lasts[0], NULL, NULL);
  cothread_callback_queue_post (urgent, note_last, &lasts[1], NULL, NULL);
  callback_run_idle (f);

  g_assert_cmpuint (normal.n_run, ==, 6400);
  g_assert_cmpuint (first.n_run, ==, 6400);
  g_assert_cmpuint (lasts[1], <, lasts[0]);
  /* The other one, whose turn had come, ran one of its own. */
  g_assert_cmpuint (first.other_at_first, <=, 1);
}

typedef struct
{
  CothreadCallbackQueue *queue;
  guint n_run;
  guint limit;
} Endless;

static void
run_endless (gpointer data)
{
  Endless *endless = data;

  endless->n_run++;
  if (endless->n_run < endless->limit)
    cothread_callback_queue_post (endless->queue, run_endless, endless, NULL, NULL);
}

static void
test_a_less_urgent_queue_never_stands_still (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) urgent = new_queue (f, "urgent", -10);
  Endless flood[2] = { { urgent, 0, 1000000 }, { urgent, 0, 1000000 } };
  Count normal = { 0 };

  normal.other_n_run = &flood[0].n_run;
  run_endless (&flood[0]);
  run_endless (&flood[1]);
  post_counts (f->queue, &normal, 100);
  callback_run_until (f, normal.n_run == 100);

  g_assert_cmpuint (flood[0].n_run, <, flood[0].limit);
  cothread_callback_queue_close (urgent);
}

static void
test_an_idle_urgent_queue_is_in_nobodys_way (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) urgent = new_queue (f, "urgent", -10);
  g_autoptr (CothreadStatistics) statistics = NULL;
  Count normal = { 0 };
  guint nothing = 0;
  guint64 n_ticks;

  callback_run_idle (f);
  statistics = cothread_scheduler_get_statistics (f->scheduler);
  n_ticks = statistics->ticks;
  normal.other_n_run = &nothing;
  post_counts (f->queue, &normal, 6400);
  callback_run_idle (f);
  g_clear_pointer (&statistics, cothread_statistics_free);
  statistics = cothread_scheduler_get_statistics (f->scheduler);

  g_assert_cmpuint (normal.n_run, ==, 6400);
  g_assert_cmpuint (statistics->ticks - n_ticks, <, 640);
}

static void
test_a_paused_urgent_queue_is_in_nobodys_way (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) urgent = new_queue (f, "urgent", -10);
  Count normal = { 0 }, never = { 0 };

  normal.other_n_run = &never.n_run;
  never.other_n_run = &normal.n_run;
  cothread_callback_queue_pause (urgent);
  post_counts (urgent, &never, 10);
  post_counts (f->queue, &normal, 1000);
  callback_run_idle (f);

  g_assert_cmpuint (normal.n_run, ==, 1000);
  g_assert_cmpuint (never.n_run, ==, 0);
}

static void
change_priorities (CallbackFixture *f)
{
  cothread_callback_queue_set_priority (f->queue, 7);
}

static void
test_a_callback_may_change_the_priority_of_its_queue (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) other = new_queue (f, "other", 3);
  Parcel first = { .then = change_priorities };
  Count late = { 0 }, early = { 0 };

  late.other_n_run = &early.n_run;
  early.other_n_run = &late.n_run;
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &first, NULL);
  post_counts (f->queue, &late, 100);
  post_counts (other, &early, 100);
  callback_run_idle (f);

  g_assert_cmpint (cothread_callback_queue_get_priority (f->queue), ==, 7);
  g_assert_cmpuint (late.n_run + early.n_run, ==, 200);
  g_assert_cmpuint (early.other_at_first, <=, 1);
}

static void
assert_listed (CallbackFixture *f, const char *expected)
{
  g_autoptr (GPtrArray) queues = cothread_scheduler_list_callback_queues (f->scheduler);

  for (guint i = 0; i < queues->len; i++)
    callback_say (f, cothread_callback_queue_get_name (queues->pdata[i]));
  callback_assert_said (f, expected);
}

static void
test_open_queues_are_listed_the_most_urgent_first (CallbackFixture *f)
{
  g_autoptr (CothreadCallbackQueue) urgent = NULL, lazy = NULL, equal = NULL;

  assert_listed (f, "tested");
  lazy = new_queue (f, "lazy", 5);
  urgent = new_queue (f, "urgent", -5);
  equal = new_queue (f, "equal", 0);
  cothread_scheduler_get_callback_queue (f->scheduler);
  assert_listed (f, "urgent tested equal default lazy");
  cothread_callback_queue_set_priority (lazy, -6);
  assert_listed (f, "lazy urgent tested equal default");
  cothread_callback_queue_close (urgent);
  assert_listed (f, "lazy tested equal default");
  cothread_scheduler_shutdown (f->scheduler);
  assert_listed (f, "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("priority", a_more_urgent_queue_is_done_first);
  callback_test_add ("priority", a_less_urgent_queue_never_stands_still);
  callback_test_add ("priority", an_idle_urgent_queue_is_in_nobodys_way);
  callback_test_add ("priority", a_paused_urgent_queue_is_in_nobodys_way);
  callback_test_add ("priority", a_callback_may_change_the_priority_of_its_queue);
  callback_test_add ("priority", open_queues_are_listed_the_most_urgent_first);
  return g_test_run ();
}
