/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

/**
 * CothreadTaskLocal: (skip)
 * @destroy: (nullable): frees a value
 *
 * A variable of which every task has its own, as #GPrivate is for threads. It
 * has to be static, and is initialised with COTHREAD_TASK_LOCAL_INIT().
 *
 * Since: 0.1
 */
typedef struct
{
  GDestroyNotify destroy;
  /*< private >*/
  gpointer padding[3];
} CothreadTaskLocal;

/**
 * COTHREAD_TASK_LOCAL_INIT: (skip)
 * @destroy: (nullable): frees a value
 *
 * The initialiser of a #CothreadTaskLocal.
 *
 * Since: 0.1
 */
#define COTHREAD_TASK_LOCAL_INIT(destroy) { (destroy), { NULL, NULL, NULL } }

COTHREAD_AVAILABLE_IN_0_1
gpointer cothread_task_local_get (const CothreadTaskLocal *key);
COTHREAD_AVAILABLE_IN_0_1
void cothread_task_local_set (const CothreadTaskLocal *key, gpointer value);

G_END_DECLS
