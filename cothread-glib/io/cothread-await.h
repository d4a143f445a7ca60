/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-wait.h"

G_BEGIN_DECLS

/**
 * CothreadAwait: (skip)
 *
 * One operation that a task waits for, in the manner of GIO: somebody's
 * `_async` function was called, its callback has yet to come. Lives on the
 * stack; only odd operations need it by name, cothread_await() does the rest.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  gpointer data[20];
} CothreadAwait;

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_await_begin (CothreadAwait *await, const char *what, gint64 timeout_us, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
COTHREAD_AVAILABLE_IN_0_1
GCancellable *cothread_await_get_cancellable (CothreadAwait *await);
COTHREAD_AVAILABLE_IN_0_1
void cothread_await_callback (GObject *source, GAsyncResult *result, gpointer await);
COTHREAD_AVAILABLE_IN_0_1
GAsyncResult *cothread_await_end (CothreadAwait *await, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * COTHREAD_AWAIT_ARGUMENTS: (skip)
 * @await: a #CothreadAwait that cothread_await_begin() has begun
 *
 * The last three arguments of an `_async` function: the cancellable, the
 * callback and its data.
 *
 * Since: 0.1
 */
#define COTHREAD_AWAIT_ARGUMENTS(await) \
  cothread_await_get_cancellable (await), cothread_await_callback, (await)

/* So that the compiler warns who drops the result, and with it the _finish(). */
G_GNUC_WARN_UNUSED_RESULT
static inline GAsyncResult *
_cothread_await_result (GAsyncResult *result)
{
  return result;
}

/**
 * cothread_await: (skip)
 * @error: return location for a #GError
 * @start: an `_async` function, of GLib or of anybody's library
 * @...: its arguments, without the last three: cancellable, callback, user data
 *
 * Starts an operation and suspends the calling task until it has ended. The
 * value is the operation's #GAsyncResult, to be given to its `_finish` function
 * and then unreferenced.
 *
 * ```c
 * g_autoptr (GAsyncResult) result = cothread_await (error, g_file_load_contents_async, file);
 *
 * return result != NULL && g_file_load_contents_finish (file, result, &contents, &length, NULL, error);
 * ```
 *
 * It is a call of @start like any other, so the compiler checks the arguments,
 * and it warns who drops the result. A function that takes nothing but the last
 * three, or has more arguments after them, needs cothread_await_begin().
 *
 * The result stays with the task until it has called `_finish`, and holds what
 * that needs, also the source object.
 *
 * Cancelling the task cancels the operation, and waits for its answer all the
 * same: what the operation works on may be on the task's stack. The answer, be
 * it %G_IO_ERROR_CANCELLED or something that was done before, comes from
 * `_finish` as it is. In a shielded section (cothread_shield_begin()) the
 * operation is not cancelled.
 *
 * In plain `main()`, outside any task and any dispatch, it runs the main context
 * meanwhile.
 *
 * %NULL, with an error, if the operation was not begun: %G_IO_ERROR_CANCELLED if
 * the task was cancelled before, %COTHREAD_ERROR_WRONG_CONTEXT where nothing can
 * wait. An interrupt of the main task cancels the operation too; if it did
 * nothing more, that is %COTHREAD_ERROR_INTERRUPTED.
 *
 * Since: 0.1
 */
#define cothread_await(error, start, ...) \
  cothread_await_for (COTHREAD_FOREVER, error, start, __VA_ARGS__)

/**
 * cothread_await_for: (skip)
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 * @start: an `_async` function
 * @...: its arguments, without the last three
 *
 * Like cothread_await(), with a timeout: when it has passed, the operation is
 * cancelled and its answer waited for. If it did nothing more (a #GTask that
 * failed) that is %NULL with %G_IO_ERROR_TIMED_OUT; otherwise the result is what
 * was done. The task itself is not cancelled, and may go on waiting.
 *
 * ```c
 * result = cothread_await_for (5 * G_USEC_PER_SEC, error, g_socket_client_connect_async, client, connectable);
 * ```
 *
 * Since: 0.1
 */
#define cothread_await_for(timeout_us, error, start, ...) \
  _cothread_await_result (G_GNUC_EXTENSION ({ \
    CothreadAwait _cothread_await; \
    GAsyncResult *_cothread_result = NULL; \
    if (cothread_await_begin (&_cothread_await, #start, (timeout_us), (error))) \
      { \
        start (__VA_ARGS__, COTHREAD_AWAIT_ARGUMENTS (&_cothread_await)); \
        _cothread_result = cothread_await_end (&_cothread_await, (error)); \
      } \
    _cothread_result; \
  }))

G_END_DECLS
