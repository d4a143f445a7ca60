/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-stack.h"

/* Around a callback, on the stack it runs on. */
void py_call_begin (PyCall *call);
void py_call_end (PyCall *call);
/* In the child of a fork. */
void py_calls_forget (void);

gboolean py_frames_setup (void);
