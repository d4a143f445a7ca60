/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callback/cothread-threaded-event-queue.h"

GDestroyNotify cothread_threaded_event_queue_get_item_destroy (CothreadThreadedEventQueue *self);
