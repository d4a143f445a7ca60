/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-version.h"

#include <glib.h>

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
void cothread_report_stack_overflows (void);

G_END_DECLS
