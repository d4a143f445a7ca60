/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

typedef struct _CothreadScope CothreadScope;

COTHREAD_AVAILABLE_IN_0_1
CothreadScope *cothread_scope_new (void);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scope_free (CothreadScope *scope);
COTHREAD_AVAILABLE_IN_0_1
CothreadTask *cothread_scope_spawn_full (CothreadScope *scope,
                                         CothreadTaskFunc func,
                                         gpointer user_data,
                                         const CothreadSpawnOptions *options,
                                         GError **error);

/**
 * cothread_scope_spawn: (skip)
 * @scope: a scope
 * @func: what the task does
 * @user_data: passed to @func
 *
 * Spawns a task in a scope, named after its function, with default options. A
 * failure is logged as a critical and gives %NULL; use
 * cothread_scope_spawn_full() where that has to be handled.
 *
 * Since: 0.1
 */
#ifndef __cplusplus
#define cothread_scope_spawn(scope, func, user_data) \
  cothread_scope_spawn_full ((scope), (func), (user_data), \
                             &(CothreadSpawnOptions) { .function = #func, .site = G_STRLOC, .site_function = G_STRFUNC }, NULL)
#else
static inline CothreadTask *
cothread_scope_spawn_with (CothreadScope *scope, CothreadTaskFunc func, gpointer user_data, const CothreadSpawnOptions &options)
{
  return cothread_scope_spawn_full (scope, func, user_data, &options, NULL);
}

#define cothread_scope_spawn(scope, func, user_data) \
  cothread_scope_spawn_with ((scope), (func), (user_data), cothread_spawn_options_of (#func, G_STRLOC, G_STRFUNC))
#endif

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scope_leave (CothreadScope *scope, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scope_leave_async (CothreadScope *scope,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scope_leave_finish (CothreadScope *scope, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scope_cancel (CothreadScope *scope);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scope_is_cancelled (CothreadScope *scope);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_scope_get_n_tasks (CothreadScope *scope);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scope_set_timeout (CothreadScope *scope, gint64 timeout_us);
COTHREAD_AVAILABLE_IN_0_1
void cothread_scope_set_deadline (CothreadScope *scope, gint64 deadline_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadScope, cothread_scope_free)

G_END_DECLS
