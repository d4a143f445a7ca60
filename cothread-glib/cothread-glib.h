/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define COTHREAD_INSIDE

#include "loop/cothread-error.h"
#include "loop/cothread-quit.h"
#include "loop/cothread-fork.h"
#include "loop/cothread-histogram.h"
#include "loop/cothread-scheduler.h"
#include "loop/cothread-shield.h"
#include "loop/cothread-switch-hooks.h"
#include "loop/cothread-stackless-runner.h"
#include "loop/cothread-task-local.h"
#include "loop/cothread-task.h"
#include "loop/cothread-test-scheduler.h"
#include "loop/cothread-version.h"
#include "loop/cothread-wait-async.h"
#include "loop/cothread-wait.h"

#include "sync/cothread-event-queue.h"
#include "sync/cothread-event.h"
#include "sync/cothread-lock.h"
#include "sync/cothread-pulse.h"
#include "sync/cothread-runner-event.h"
#include "sync/cothread-scope.h"
#include "sync/cothread-semaphore.h"
#include "sync/cothread-timer.h"
#include "sync/cothread-wait-any.h"

#include "callback/cothread-callback-call.h"
#include "callback/cothread-callback-queue.h"
#include "callback/cothread-callback-statistics.h"
#include "callback/cothread-signal-slot.h"
#include "callback/cothread-threaded-event-queue.h"

#include "io/cothread-await.h"
#include "io/cothread-descriptor.h"
#include "io/cothread-fd-io.h"
#include "io/cothread-fd.h"
#include "io/cothread-gio.h"
#include "io/cothread-server.h"
#include "io/cothread-signal.h"
#include "io/cothread-stream.h"
#include "io/cothread-thread-stream.h"
#include "io/cothread-runner-fd.h"

#include "monitor/cothread-backtrace.h"
#include "monitor/cothread-bus.h"
#include "monitor/cothread-dump.h"
#include "monitor/cothread-monitor.h"
#include "monitor/cothread-stall.h"
#include "monitor/cothread-statistics.h"
#include "monitor/cothread-task-info.h"
#include "monitor/cothread-task-list.h"
#include "monitor/cothread-trace.h"
#include "monitor/cothread-warning.h"

#undef COTHREAD_INSIDE
