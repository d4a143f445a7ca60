/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* Every test has a main context and a test scheduler of its own, which is shut
 * down afterwards: time is virtual, and nothing sleeps. What tasks say is one line, compared with the order expected;
 * what was not asserted by the end of the test is a failure. */

#define MS ((gint64) 1000)

typedef void (*SyncTestFunc) (void);

void sync_test_add (const char *path, SyncTestFunc test);

void say (const char *format, ...) G_GNUC_PRINTF (1, 2);
void assert_said (const char *expected);
void ignore_what_was_said (void);

CothreadTask *spawn (const char *name, CothreadTaskFunc func, gpointer user_data);
/* The same without keeping a handle. */
void start (const char *name, CothreadTaskFunc func, gpointer user_data);
const char *own_name (void);
guint64 own_switches (void);

/* Says NAME-how ("ok" without an error), and clears the error. */
void say_outcome (gboolean success, GError **error);

CothreadTestScheduler *test_scheduler (void);
/* Virtual time. */
gint64 now (void);

/* Runs what is ready, until the context would sleep; no time passes. */
void settle (void);
void run_until_no_task_is_left (void);
guint live_tasks (void);

void expect_critical (const char *pattern);
