// SPDX-License-Identifier: LGPL-2.1-or-later
/* exported install */

// The names that programs use: what is added to the introspected namespace.

const {Gio, GLib, GObject} = imports.gi;

function install(engine, Cothread) {
    const {BEGIN, END, WAITING, BRANCH, YIELD, SEEN, VALUE,
        Task, Wait, PromiseWait, wake, cancel, describe,
        Sleep, SourceWait, EventWait, Any, All, Timeout, withTimeout, checkedTimeout} = engine;
    const NOTHING = void 0;
    const {Number} = globalThis;
    const textOf = globalThis.Function.prototype.toString;
    const ON_QUEUE = 3, ON_TASK = 4, ON_DESCRIPTOR = 7;

    // ---- who is spawned, and where ----

    const infoOfFunction = new WeakMap();
    // Closures that are made anew each time have their text in common: a stack
    // trace for each would cost microseconds.
    const infoByText = new Map();
    const MAX_TEXTS = 4096;
    let nByText = 0;

    function placeOfCaller() {
        for (const line of new Error().stack.split('\n')) {
            const match = /@(.*?):(\d+)(?::\d+)?$/.exec(line);
            if (match !== null && !match[1].includes('/overrides/'))
                return `${match[1].replace(/^.*\//, '')}:${match[2]}`;
        }
        return '';
    }

    function infoOf(fn) {
        let info = infoOfFunction.get(fn);
        if (info !== NOTHING)
            return info;
        const text = textOf.call(fn);
        info = infoByText.get(text);
        if (info !== NOTHING && info.name === (fn.name || 'anonymous')) {
            // One that is spawned again and again gets there soon.
            if ((++nByText & 7) === 0)
                infoOfFunction.set(fn, info);
            return info;
        }
        const name = fn.name || 'anonymous';
        if (/^class\b/.test(text))
            throw new TypeError(`${name} is a class: ${EXPECTED_TO_SPAWN}`);
        info = {name, location: placeOfCaller(), index: -1};
        if (infoByText.size >= MAX_TEXTS)
            infoByText.clear();
        infoByText.set(text, info);
        infoOfFunction.set(fn, info);
        return info;
    }

    const EXPECTED_TO_SPAWN = 'Cothread.spawn() takes a generator function, an async function or a plain function';

    function spawn(fn, options) {
        if (typeof fn !== 'function') {
            const hint = fn && typeof fn.next === 'function' ? ' (the function itself, not what it returns)' : '';
            throw new TypeError(`${describe(fn)} is not a function: ${EXPECTED_TO_SPAWN}${hint}`);
        }
        const task = engine.spawn(fn, infoOf(fn));
        if (options !== NOTHING && options !== null && options.name !== NOTHING)
            task.name = options.name;
        return task;
    }

    // ---- queues ----

    class QueueWait extends Wait {
        constructor(queue, wraps) {
            super();
            this._queue = queue;
            this._wraps = wraps;
        }

        [BEGIN](waiter) {
            const queue = this._queue;
            if (queue._first < queue._items.length)
                wake(waiter, wrap(this, queue._pop()), false);
            else if (queue._isClosed)
                this.tellEnd(waiter);
            else
                queue._waiters.push(waiter);
        }

        [END](waiter) {
            const index = this._queue._waiters.indexOf(waiter);
            if (index >= 0)
                this._queue._waiters.splice(index, 1);
        }

        tellEnd(waiter) {
            if (this._wraps)
                wake(waiter, {value: NOTHING, done: true}, false);
            else
                wake(waiter, new Cothread.Error({code: Cothread.Error.CLOSED, message: 'The queue is closed'}), true);
        }
    }
    QueueWait.prototype.reason = ON_QUEUE;

    function wrap(wait, value) {
        return wait._wraps ? {value, done: false} : value;
    }

    class EventQueue {
        constructor(maxLength = 0) {
            if (!Number.isInteger(maxLength) || maxLength < 0)
                throw new TypeError(`${describe(maxLength)} is not a number of items`);
            this._items = [];
            this._first = 0;
            this._maxLength = maxLength;
            this._waiters = [];
            this._isClosed = false;
            this._wait = new QueueWait(this, false);
            this._next = new QueueWait(this, true);
        }

        get length() {
            return this._items.length - this._first;
        }

        get maxLength() {
            return this._maxLength;
        }

        get closed() {
            return this._isClosed;
        }

        signal(item) {
            if (this._isClosed)
                throw new Cothread.Error({code: Cothread.Error.CLOSED, message: 'The queue is closed'});
            const waiters = this._waiters;
            while (waiters.length > 0) {
                const waiter = waiters.shift();
                if (waiter._state === WAITING)
                    return wake(waiter, wrap(waiter._wait, item), false);
            }
            if (this._maxLength > 0 && this.length >= this._maxLength)
                return false;
            this._items.push(item);
            return true;
        }

        _pop() {
            const items = this._items;
            const item = items[this._first];
            items[this._first++] = NOTHING;
            if (this._first === items.length) {
                items.length = 0;
                this._first = 0;
            } else if (this._first >= 1024 && this._first * 2 >= items.length) {
                items.splice(0, this._first);
                this._first = 0;
            }
            return item;
        }

        wait(timeout = -1) {
            return timeout === -1 ? this._wait : withTimeout(this._wait, timeout);
        }

        // What an iterator gives: {value, done}.
        next(timeout = -1) {
            return timeout === -1 ? this._next : withTimeout(this._next, timeout);
        }

        close() {
            this._isClosed = true;
            for (const waiter of this._waiters.splice(0))
                waiter._wait.tellEnd(waiter);
        }

        reset() {
            this._items = [];
            this._first = 0;
        }

        [Symbol.asyncIterator]() {
            return {
                next: () => Promise.resolve(this.next()),
                return: value => Promise.resolve({value, done: true}),
            };
        }
    }

    // ---- scopes ----

    class ScopeWait extends Wait {
        constructor(owner) {
            super();
            this._scope = owner;
        }

        [BEGIN](waiter) {
            if (this._scope._n === 0)
                this._scope._tell(waiter);
            else
                this._scope._waiters.push(waiter);
        }

        [END](waiter) {
            const index = this._scope._waiters.indexOf(waiter);
            if (index >= 0)
                this._scope._waiters.splice(index, 1);
        }
    }
    ScopeWait.prototype.reason = ON_TASK;

    class Scope {
        constructor() {
            this._members = new Map();
            this._n = 0;
            this._waiters = [];
            this._failed = null;
            this._isCancelled = false;
            this._wait = new ScopeWait(this);
        }

        get size() {
            return this._n;
        }

        spawn(fn, options) {
            if (this._isCancelled)
                throw new Cothread.Error({code: Cothread.Error.CLOSED, message: 'The scope is cancelled'});
            const task = spawn(fn, options);
            const member = {_kind: BRANCH, _state: WAITING, _deadline: -1, _wait: null, _owner: this, _root: null, task};
            this._members.set(member, task);
            this._n++;
            task[BEGIN](member);
            return task;
        }

        branchEnded(member, value, failed) {
            this._members.delete(member);
            this._n--;
            if (failed && this._failed === null && !this._isCancelled) {
                this._failed = member.task;
                this.cancel();
                if (this._waiters.length === 0) {
                    this._failed._flags &= ~SEEN;
                    engine.report(this._failed);
                }
            }
            if (this._n === 0)
                this._waiters.splice(0).forEach(waiter => this._tell(waiter));
        }

        _tell(waiter) {
            const failed = this._failed;
            if (failed !== null)
                failed._flags |= SEEN;
            wake(waiter, failed !== null ? failed._value : NOTHING, failed !== null);
        }

        cancel() {
            this._isCancelled = true;
            for (const task of [...this._members.values()])
                cancel(task, true);
        }

        // Until all have ended; the first failure.
        join(timeout = -1) {
            return withTimeout(this._wait, timeout);
        }

        close(timeout = -1) {
            this.cancel();
            return this.join(timeout);
        }
    }

    function* scope(body) {
        const self = new Scope();
        let result;
        try {
            result = yield* body(self);
            yield self.join();
        } catch (error) {
            self.cancel();
            try {
                yield self.join();
            } catch (other) {
                // The first failure cancelled the rest: it is `error`, or about to be.
                if (self._failed !== null)
                    throw self._failed._value;
            }
            throw error;
        }
        return result;
    }

    // ---- timers ----

    class Timer {
        constructor(timeout, callback, options = {}) {
            if (typeof callback !== 'function')
                throw new TypeError(`${describe(callback)} is not a function to call when the timer expires`);
            this._timeout = checkedTimeout(timeout);
            this._callback = callback;
            this._retriggers = !!options.retrigger;
            this._isReusable = this._retriggers || !!options.reuse;
            this._clock = null;
            this._isRunning = false;
            this._start();
        }

        get pending() {
            return this._clock !== null;
        }

        _start() {
            this._clock = null;
            if (this._timeout < 0)
                return;
            const self = this;
            const timeout = this._timeout;
            const clock = spawn(function* timer() {
                yield new Sleep(timeout);
                if (self._clock === clock)
                    yield* self._expire();
            });
            this._clock = clock;
        }

        *_expire() {
            this._clock = null;
            this._isRunning = true;
            try {
                const result = this._callback(this);
                if (result && typeof result.next === 'function')
                    yield* result;
                else if (result && typeof result.then === 'function')
                    yield result;
            } finally {
                this._isRunning = false;
                if (this._retriggers && this._clock === null && this._timeout >= 0)
                    this._start();
            }
        }

        cancel() {
            const clock = this._clock;
            this._clock = null;
            this._timeout = -1;
            if (clock !== null)
                cancel(clock, true);
        }

        reset(timeout = this._timeout) {
            if (!this._isReusable)
                throw new Error('This timer runs once; make it with {reuse: true} or {retrigger: true}');
            const clock = this._clock;
            this._clock = null;
            if (clock !== null)
                cancel(clock, true);
            this._timeout = timeout === null ? -1 : checkedTimeout(timeout);
            if (!this._isRunning)
                this._start();
            else if (this._timeout >= 0 && !this._retriggers)
                this._start();
        }
    }

    // ---- the library's own objects ----

    const signalEvent = Cothread.Event.prototype.signal;
    const resetEvent = Cothread.Event.prototype.reset;
    const waitForEvent = Cothread.Event.prototype.wait;
    let nSignals = 0;

    Object.assign(Cothread.Event.prototype, {
        signal(value) {
            if (value === NOTHING) {
                signalEvent.call(this);
                return;
            }
            this[VALUE] = {value, number: ++nSignals};
            Cothread.stackless_signal_event(this, nSignals);
        },
        reset() {
            this[VALUE] = NOTHING;
            resetEvent.call(this);
        },
        wait(timeout = -1) {
            return withTimeout(new EventWait(this), timeout);
        },
        wait_sync: waitForEvent,
    });

    class TaskWait extends SourceWait {
        constructor(task) {
            super();
            this._task = task;
        }

        addTo(runner, id) {
            const task = this._task;
            if (runner.get_task(id).get_id() === task.get_id())
                throw new Error(`Task ${task.get_name()} cannot join itself`);
            return runner.add_task(id, task);
        }
    }
    TaskWait.prototype.reason = ON_TASK;

    Object.assign(Cothread.Task.prototype, {
        join(timeout = -1) {
            return withTimeout(new TaskWait(this), timeout);
        },
        [BEGIN](waiter) {
            const wait = new TaskWait(this);
            waiter._wait = wait;
            wait[BEGIN](waiter);
        },
    });

    class DescriptorWait extends SourceWait {
        constructor(fd, condition) {
            super();
            this._fd = fd;
            this._condition = condition;
        }

        addTo(runner, id) {
            return runner.add_descriptor(id, this._fd, this._condition);
        }
    }
    DescriptorWait.prototype.reason = ON_DESCRIPTOR;

    function listOf(waits) {
        if (waits === null || waits === NOTHING || typeof waits[Symbol.iterator] !== 'function')
            throw new TypeError(`${describe(waits)} is not a list of things to wait for`);
        return [...waits];
    }

    const additions = {
        spawn, Scope, scope, Timer, EventQueue,
        ScriptTask: Task,
        sleep(ms) {
            return new Sleep(checkedTimeout(ms));
        },
        yield() {
            return YIELD;
        },
        timeout(ms, wait) {
            return new Timeout(checkedTimeout(ms), wait);
        },
        waitAny(waits) {
            const list = listOf(waits);
            if (list.length === 0)
                throw new TypeError('There is nothing in this list to wait for');
            return new Any(list);
        },
        all(waits) {
            return new All(listOf(waits));
        },
        promise(promise) {
            if (promise === null || typeof promise !== 'object' || typeof promise.then !== 'function')
                throw new TypeError(`${describe(promise)} is not a promise`);
            return new PromiseWait(promise);
        },
        waitDescriptor(fd, condition, timeout = -1) {
            return withTimeout(new DescriptorWait(fd, condition), timeout);
        },
        callback(fn, ...args) {
            if (typeof fn !== 'function')
                throw new TypeError(`${describe(fn)} is not a function to call`);
            engine.spawn(() => fn(...args), infoOf(fn));
        },
    };
    Object.assign(Cothread, additions);
    // Every wait of the library that has an _async form, in microseconds as in C.
    for (const [object, ...names] of [
        [Cothread, 'sleep', 'join', 'wait_fd', 'wait_for_quit', 'wait_notify', 'wait_signal'],
        [Cothread.Event.prototype, 'wait'],
        [Cothread.Lock.prototype, 'acquire'],
        [Cothread.Pulse.prototype, 'wait'],
        [Cothread.Selection.prototype, 'wait'],
        [Cothread.Semaphore.prototype, 'acquire'],
        [Cothread.CallbackQueue.prototype, 'flush'],
    ]) {
        for (const name of names)
            Gio._promisify(object, `${name}_async`, `${name}_finish`);
    }
    if (GLib.getenv('COTHREAD_DEBUG') !== null && GLib.getenv('COTHREAD_DEBUG').split(',').includes('signals'))
        watchSignals();

    // Handlers of JavaScript silently do not run on a task's own stack: have the
    // library name the tasks that emit their signals there.
    function watchSignals() {
        for (const method of ['connect', 'connect_after']) {
            const connect = GObject.Object.prototype[method];
            GObject.Object.prototype[method] = function (signal, handler) {
                Cothread.debug_watch_signal(this, signal, 'JavaScript');
                return connect.call(this, signal, handler);
            };
        }
    }

    Object.defineProperty(Cothread, 'current', {get: engine.current, configurable: true, enumerable: true});
}
