/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A handler runs in whichever thread cancels or emits. GLib's locks put what it
 * finds behind what was there when it was connected, and its reference counts
 * what the last one frees behind what all others did; ThreadSanitizer sees
 * neither and has to be told. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define COTHREAD_BEFORE_CONNECTING(data) __tsan_release (data)
#define COTHREAD_IN_HANDLER(data) __tsan_acquire (data)
#define COTHREAD_BEFORE_UNREF(data) __tsan_release (data)
#define COTHREAD_IN_FINALIZE(data) __tsan_acquire (data)
#else
#define COTHREAD_BEFORE_CONNECTING(data) ((void) (data))
#define COTHREAD_IN_HANDLER(data) ((void) (data))
#define COTHREAD_BEFORE_UNREF(data) ((void) (data))
#define COTHREAD_IN_FINALIZE(data) ((void) (data))
#endif
