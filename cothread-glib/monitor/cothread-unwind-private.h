/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "switch/ct-context.h"

#include <glib.h>

/* Walking stacks. Without libunwind a suspended task shows the one place where
 * it will go on. Nothing here allocates but the naming. */

#define COTHREAD_MAX_FRAMES 64

/* Why a backtrace is one frame, for people; NULL: it is not. */
const char *cothread_unwind_get_excuse (void);
/* Return addresses, innermost first. */
guint cothread_unwind_registers (const CtContextRegisters *registers, gpointer *frames, guint max);
/* The caller's own stack, leaving out `skip` of the innermost frames. */
guint cothread_unwind_here (gpointer *frames, guint max, guint skip);
/* What a signal has interrupted; async-signal-safe. */
guint cothread_unwind_signal (void *signal_context, gpointer *frames, guint max);

/* "function+0x1c (libc.so.6)", or an address where nothing is known.
 * `is_exact`: the instruction itself, not the one after a call. */
char *cothread_unwind_name (gpointer frame, gboolean is_exact);
