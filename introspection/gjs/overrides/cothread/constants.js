// SPDX-License-Identifier: LGPL-2.1-or-later
/* eslint no-var: off, no-unused-vars: off */
// Visible from other files are only `var`s and functions of a legacy module.

// How a wait begins, ends early, and what its deadline and its source mean.
var BEGIN = Symbol('begin'), END = Symbol('end'), EXPIRED = Symbol('expired'), TAKEN = Symbol('taken');

// What a task does.
var READY = 0, RUNNING = 1, WAITING = 2, FINISHED = 3;
var STATE_NAMES = ['ready', 'running', 'waiting', 'finished'];
// What it is: not begun; a generator; an async function; somebody who awaits;
// one of several things that a task waits for.
var FUNCTION = 0, GENERATOR = 1, ASYNC = 2, AWAITER = 3, BRANCH = 4;
var CANCELLED = 1, CANCEL_PENDING = 2, SEEN = 4, HAS_SOURCE = 8, HAS_STALE_SOURCE = 16, HAS_OWN_NAME = 32, HAS_HANDLE = 64;
// Its value is to be thrown; the scheduler is to be told of it; believes it parked.
var FAILED = 128, DIRTY = 256, PARKED = 512;

// Those of CothreadStacklessOp, -Flags, -State and -Wake.
var OP_SPAWN = 1, OP_PARK = 2, OP_RESUME = 3, OP_FINISH = 4, OP_CANCEL = 5, OP_COUNT = 6;
var MORE = 1, END_TURN = 2, TELL_ONLY = 4;
var SLICE_USED_UP = 1, OTHERS_READY = 2, CLOSED = 4;
var WAKE_TIMEOUT = 1, WAKE_CANCELLED = 3, WAKE_ERROR = 4, WAKE_NOTICE = 5;
// The scheduler's words for what a task waits for.
var ON_SLEEP = 1, ON_EVENT = 2, ON_QUEUE = 3, ON_TASK = 4, ON_PROMISE = 5, ON_ANY = 6, ON_DESCRIPTOR = 7, ON_ALL = 8;
