/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-queue.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_SIGNAL_SLOT (cothread_signal_slot_get_type ())

typedef struct _CothreadSignalSlot CothreadSignalSlot;

/**
 * CothreadSignalSlotFunc:
 * @n_raised: how often the slot was raised since the last call; at least 1
 * @user_data: what was given to cothread_signal_slot_new()
 *
 * Called on the scheduler's thread when a slot was raised.
 *
 * Since: 0.1
 */
typedef void (*CothreadSignalSlotFunc) (guint n_raised, gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
GType cothread_signal_slot_get_type (void) G_GNUC_CONST;
COTHREAD_AVAILABLE_IN_0_1
CothreadSignalSlot *cothread_signal_slot_new (CothreadCallbackQueue *queue,
                                              CothreadSignalSlotFunc func,
                                              gpointer user_data,
                                              GDestroyNotify user_data_destroy);
COTHREAD_AVAILABLE_IN_0_1
CothreadSignalSlot *cothread_signal_slot_ref (CothreadSignalSlot *slot);
COTHREAD_AVAILABLE_IN_0_1
void cothread_signal_slot_unref (CothreadSignalSlot *slot);
COTHREAD_AVAILABLE_IN_0_1
void cothread_signal_slot_raise (CothreadSignalSlot *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CothreadSignalSlot, cothread_signal_slot_unref)

G_END_DECLS
