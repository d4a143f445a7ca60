/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-stackless-runner.h"
#include "sync/cothread-event.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_add_event (CothreadStacklessRunner *self, guint id, CothreadEvent *event);
COTHREAD_AVAILABLE_IN_0_1
void cothread_stackless_signal_event (CothreadEvent *event, double number);

G_END_DECLS
