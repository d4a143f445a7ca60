/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* What a program in JavaScript needs of C in order to meet tasks of C and of
 * Python in its own thread. Events have names, for all to find them. */

CothreadEvent *languages_test_get_event (const char *name);
gboolean languages_test_run_python (const char *text, GError **error);

void languages_test_spawn_relay (const char *from, const char *to, guint n);
CothreadTask *languages_test_spawn_sleeper (guint milliseconds, const char *failure);
void languages_test_spawn_joiner (CothreadTask *task, const char *done);
void languages_test_spawn_canceller (CothreadTask *task, const char *done);
void languages_test_spawn_caller (CothreadThreadStackFallibleFunc func, gpointer user_data, GDestroyNotify user_data_destroy,
                                  const char *done);
void languages_test_spawn_emitter (GObject *object, const char *signal_name, gboolean on_thread_stack, const char *done);

G_END_DECLS
