/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
void cothread_shield_begin (void);
COTHREAD_AVAILABLE_IN_0_1
void cothread_shield_end (void);

/**
 * CothreadShield: (skip)
 *
 * A shielded section that ends with the block it is declared in:
 * `g_autoptr (CothreadShield) shield = cothread_shield_new ();`
 *
 * Since: 0.1
 */
typedef struct _CothreadShield CothreadShield;

COTHREAD_AVAILABLE_IN_0_1
CothreadShield *cothread_shield_new (void);
COTHREAD_AVAILABLE_IN_0_1
void cothread_shield_free (CothreadShield *shield);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadShield, cothread_shield_free)

G_END_DECLS
