/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
void cothread_forked (void);

G_END_DECLS
