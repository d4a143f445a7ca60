/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-stackless-runner.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
guint cothread_stackless_runner_add_descriptor (CothreadStacklessRunner *self, guint id, gint fd, GIOCondition condition);

G_END_DECLS
