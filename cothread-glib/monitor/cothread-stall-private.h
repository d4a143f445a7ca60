/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-stall-look-private.h"
#include "monitor/cothread-stall.h"

CothreadStall *cothread_stall_new (const CothreadLook *look, gint64 held_us);
void cothread_stall_log (const CothreadStall *stall);
