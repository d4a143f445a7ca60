/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-task.h"
#include "sync/cothread-lock.h"

/* Who holds the lock, for the monitor; NULL: nobody. May be the thread's own
 * stack, which is no CothreadTask. */
const CtTask *cothread_lock_peek_owner (CothreadLock *self);
