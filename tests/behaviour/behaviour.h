/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* Every test has a main context of its own, pushed as the thread's default, and
 * with it a scheduler of its own, which is shut down afterwards. What tasks say
 * is one line, to be compared with the order that is expected; what was not
 * asserted by the end of the test is a failure. */

#define MS ((gint64) 1000)

typedef void (*BehaviourFunc) (void);

void behaviour_add (const char *path, BehaviourFunc test);
/* On a test scheduler: time is virtual, and nothing sleeps. */
void behaviour_add_virtual (const char *path, BehaviourFunc test);
/* In a process of its own: for what would take the whole program down, or hang
 * it, if it failed. */
void behaviour_add_isolated (const char *path, BehaviourFunc test);

/* A test has a time slice of a second, so that its order of events does not
 * depend on when the system lets it run; this is for those about turns. */
void use_default_time_slice (void);

void say (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Everything said since the last look, separated by spaces. */
void assert_said (const char *expected);
void ignore_what_was_said (void);
/* Says NAME-how ("ok" without an error), and clears the error. */
void say_outcome (gboolean success, GError **error);
char *take_said (void);

CothreadTask *spawn (const char *name, CothreadTaskFunc func, gpointer user_data);
/* The same without keeping a handle. */
void start (const char *name, CothreadTaskFunc func, gpointer user_data);

/* Bodies of many a task. */
gpointer say_own_name (gpointer unused, GError **error);
const char *own_name (void);

/* NULL in real time. */
CothreadTestScheduler *test_scheduler (void);
/* What the scheduler's clock says. */
gint64 now (void);

/* Runs what is ready, until the context would sleep; no virtual time passes. */
void settle (void);
/* Lets the context run and sleep until no task is alive. */
void run_until_no_task_is_left (void);
guint live_tasks (void);

/* A source that calls func; it goes on for as long as that returns
 * G_SOURCE_CONTINUE. */
void add_source (int priority, GSourceFunc func, gpointer user_data);

/* How many times the running task has been resumed: the same before and after
 * a call that did not suspend. */
guint64 own_switches (void);

/* How many warnings and criticals func logs, in whatever thread. */
guint count_complaints (void (*func) (gpointer data), gpointer data);
/* The next message has to be a critical of the library that matches. */
void expect_critical (const char *pattern);

/* Whether a fresh task on the thread's scheduler runs to its end. */
void assert_scheduler_works (void);

guint count_open_descriptors (void);
/* In another thread: until the kernel says that the main thread sleeps. */
void wait_until_main_thread_sleeps (void);
void make_pipe (gint ends[2]);
