/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-callback-enums.h"
#include "callback/cothread-callback-statistics.h"
#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

#define COTHREAD_TYPE_CALLBACK_QUEUE (cothread_callback_queue_get_type ())

COTHREAD_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (CothreadCallbackQueue, cothread_callback_queue, COTHREAD, CALLBACK_QUEUE, GObject)

/**
 * CothreadOverflowPolicy:
 * @COTHREAD_OVERFLOW_FAIL: the post fails with %COTHREAD_ERROR_FULL
 * @COTHREAD_OVERFLOW_DROP_OLDEST: makes room by dropping the entry that has
 *   waited longest
 * @COTHREAD_OVERFLOW_BLOCK: the poster waits for room, for
 *   #CothreadCallbackQueue:block-timeout at most: a thread blocks, a task
 *   suspends
 * @COTHREAD_OVERFLOW_DROP_NEWEST: what was just posted is dropped; the post
 *   succeeds all the same
 * @COTHREAD_OVERFLOW_COALESCE: replaces the newest waiting entry with the same
 *   function and user data, or, for
 *   cothread_callback_queue_post_coalesced(), with the same key; the post fails
 *   with %COTHREAD_ERROR_FULL if there is none. Posting to such a queue takes a
 *   lock
 *
 * What happens to a post when the queue is full.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_OVERFLOW_FAIL,
  COTHREAD_OVERFLOW_DROP_OLDEST,
  COTHREAD_OVERFLOW_BLOCK,
  COTHREAD_OVERFLOW_DROP_NEWEST,
  COTHREAD_OVERFLOW_COALESCE,
} CothreadOverflowPolicy;

/**
 * CothreadCallbackFlags:
 * @COTHREAD_CALLBACK_DEFAULT: runs on the thread's own stack and must not wait
 * @COTHREAD_CALLBACK_MAY_WAIT: runs in a task and may wait
 * @COTHREAD_CALLBACK_DESTROY_ANYWHERE: the destroy notify may run in any
 *   thread, so that a dropped entry is freed at once by whoever drops it
 *
 * How an entry runs.
 *
 * Since: 0.1
 */
typedef enum
{
  COTHREAD_CALLBACK_DEFAULT = 0,
  COTHREAD_CALLBACK_MAY_WAIT = 1 << 0,
  COTHREAD_CALLBACK_DESTROY_ANYWHERE = 1 << 1,
} CothreadCallbackFlags;

/**
 * CothreadCallbackFunc:
 * @user_data: what was posted with it
 *
 * Work brought to the scheduler's thread.
 *
 * Since: 0.1
 */
typedef void (*CothreadCallbackFunc) (gpointer user_data);

COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackQueue *cothread_scheduler_get_callback_queue (CothreadScheduler *scheduler);
COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackQueue *cothread_scheduler_peek_callback_queue (CothreadScheduler *scheduler);

COTHREAD_AVAILABLE_IN_0_1
GPtrArray *cothread_scheduler_list_callback_queues (CothreadScheduler *scheduler);

COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackQueue *cothread_callback_queue_new (CothreadScheduler *scheduler, const char *name);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_post (CothreadCallbackQueue *self,
                                       CothreadCallbackFunc func,
                                       gpointer user_data,
                                       GDestroyNotify user_data_destroy,
                                       GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_post_full (CothreadCallbackQueue *self,
                                            CothreadCallbackFlags flags,
                                            CothreadCallbackFunc func,
                                            gpointer user_data,
                                            GDestroyNotify user_data_destroy,
                                            GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_post_coalesced (CothreadCallbackQueue *self,
                                                 const char *key,
                                                 CothreadCallbackFunc func,
                                                 gpointer user_data,
                                                 GDestroyNotify user_data_destroy,
                                                 GError **error);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_post_coalesced_full (CothreadCallbackQueue *self,
                                                      const char *key,
                                                      CothreadCallbackFlags flags,
                                                      CothreadCallbackFunc func,
                                                      gpointer user_data,
                                                      GDestroyNotify user_data_destroy,
                                                      GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_close (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_flush (CothreadCallbackQueue *self, gint64 timeout_us, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_flush_async (CothreadCallbackQueue *self,
                                          gint64 timeout_us,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_callback_queue_flush_finish (CothreadCallbackQueue *self, GAsyncResult *result, GError **error);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_pause (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_resume (CothreadCallbackQueue *self);

COTHREAD_AVAILABLE_IN_0_1
const char *cothread_callback_queue_get_name (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_callback_queue_get_length (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_callback_queue_get_max_length (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_max_length (CothreadCallbackQueue *self, guint max_length);
COTHREAD_AVAILABLE_IN_0_1
CothreadOverflowPolicy cothread_callback_queue_get_overflow (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_overflow (CothreadCallbackQueue *self, CothreadOverflowPolicy overflow);
COTHREAD_AVAILABLE_IN_0_1
gint64 cothread_callback_queue_get_block_timeout (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_block_timeout (CothreadCallbackQueue *self, gint64 timeout_us);
COTHREAD_AVAILABLE_IN_0_1
int cothread_callback_queue_get_priority (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_priority (CothreadCallbackQueue *self, int priority);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_callback_queue_get_low_watermark (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_low_watermark (CothreadCallbackQueue *self, guint length);
COTHREAD_AVAILABLE_IN_0_1
guint cothread_callback_queue_get_high_watermark (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_high_watermark (CothreadCallbackQueue *self, guint length);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_set_stack_size (CothreadCallbackQueue *self, gsize stack_bytes);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_reset_high_water (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
void cothread_callback_queue_reset_timing (CothreadCallbackQueue *self);
COTHREAD_AVAILABLE_IN_0_1
CothreadCallbackStatistics *cothread_callback_queue_get_statistics (CothreadCallbackQueue *self);

G_END_DECLS
