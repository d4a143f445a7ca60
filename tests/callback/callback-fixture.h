/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* A scheduler on a main context of its own, and a callback queue beside the
 * default one. After each test all of them must be gone, whatever the test did. */
typedef struct
{
  GMainContext *context; /* the thread's default */
  CothreadScheduler *scheduler;
  CothreadCallbackQueue *queue; /* named "tested", no bound */
  GString *said;
  GSource *watchdog;
  CothreadScheduler *weak_scheduler;
  CothreadCallbackQueue *weak_queue;
} CallbackFixture;

/* User data that knows what became of it. */
typedef struct
{
  CallbackFixture *fixture;
  const char *name; /* said when it runs, if not NULL */
  void (*then) (CallbackFixture *fixture); /* called after that, if not NULL */
  gint run;       /* how many times; atomic, as the rest */
  gint destroyed; /* how many times */
  GThread *destroyed_in;
  gboolean destroyed_on_own_stack;
} Parcel;

/* Adds test_<name> as /callback/<group>/<name>. */
#define callback_test_add(group, name) callback_test_add_func ("/callback/" group "/" #name, test_ ## name)
void callback_test_add_func (const char *path, void (*func) (CallbackFixture *f));

/* Iterates until nothing is left to do at this moment. */
void callback_run_idle (CallbackFixture *f);
/* Iterates until the condition holds; a watchdog ends a test that hangs. */
#define callback_run_until(f, condition) \
  G_STMT_START \
    { \
      while (!(condition)) \
        g_main_context_iteration ((f)->context, TRUE); \
    } \
  G_STMT_END
/* The same for a condition of which the loop is not told. */
#define callback_poll_until(f, condition) \
  G_STMT_START \
    { \
      while (!(condition)) \
        if (!g_main_context_iteration ((f)->context, FALSE)) \
          g_usleep (100); \
    } \
  G_STMT_END

/* Words, separated by blanks; and what has been said since the last look. */
void callback_say (CallbackFixture *f, const char *word);
void callback_assert_said (CallbackFixture *f, const char *expected);

/* Posts a callback that says a word (static text). */
void callback_post_word (CallbackFixture *f, const char *word);
/* Posts callbacks that do nothing. */
void callback_post_nothing (CallbackFixture *f, guint n);
void callback_do_nothing (gpointer data);

gboolean callback_post_parcel (CallbackFixture *f, CothreadCallbackFlags flags, Parcel *parcel, GError **error);
void callback_parcel_run (gpointer parcel);
void callback_parcel_destroy (gpointer parcel);
/* How often the parcel ran; destroyed exactly once in either case. */
void callback_assert_parcel (Parcel *parcel, gint run);

/* Whether the caller stands on the stack that the system gave its thread. */
gboolean callback_is_on_own_stack (void);

/* Runs a function in a new thread, to its end; the loop does not run meanwhile. */
void callback_in_thread (GThreadFunc func, gpointer data);

/* Runs a function in a new task, to its end, while the main context runs. */
void callback_in_task (CallbackFixture *f, CothreadTaskFunc func, gpointer data);

void callback_set_bound (CallbackFixture *f, guint max_length, CothreadOverflowPolicy overflow);

/* Checks the sum of the counters against what the test itself counted. */
void callback_assert_accounts (CallbackFixture *f, guint64 posted, guint64 run, guint64 dropped_oldest, guint64 dropped_closed);
guint callback_length (CallbackFixture *f);
guint64 callback_n_run (CallbackFixture *f);
guint64 callback_n_blocked (CallbackFixture *f);
guint64 callback_n_refused (CallbackFixture *f);

/* Holds the thread until the running turn's time slice is certainly used up. */
void callback_use_up_slice (CallbackFixture *f);
