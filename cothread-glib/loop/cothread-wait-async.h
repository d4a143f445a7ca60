/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"
#include "loop/cothread-wait.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
void cothread_sleep_async (gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_sleep_finish (GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_join_async (CothreadTask *task,
                          gint64 timeout_us,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_join_finish (GAsyncResult *result, GError **error);

/**
 * CothreadReturnKind: (skip)
 * @COTHREAD_RETURN_POINTER: for g_task_propagate_pointer()
 * @COTHREAD_RETURN_BOOLEAN: for g_task_propagate_boolean(); the function returns
 *   GINT_TO_POINTER() of it
 * @COTHREAD_RETURN_INT: for g_task_propagate_int(); the function returns
 *   GSIZE_TO_POINTER() of it
 *
 * How the _finish() function of cothread_spawn_task_for() gets the result.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_RETURN_POINTER,
  COTHREAD_RETURN_BOOLEAN,
  COTHREAD_RETURN_INT,
} CothreadReturnKind;

COTHREAD_AVAILABLE_IN_0_1
void cothread_spawn_task_for (GTask *result,
                              CothreadReturnKind kind,
                              CothreadTaskFunc func,
                              gpointer user_data,
                              const CothreadSpawnOptions *options);

G_END_DECLS
