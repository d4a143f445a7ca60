// SPDX-License-Identifier: LGPL-2.1-or-later
/* exported _init */

// Cothreads in GJS: generator functions, async functions and plain functions as
// stackless tasks of the thread's scheduler. GJS finds this file by its name and
// calls _init() with the introspected namespace as `this`.
//
// A task that is ready stands in a ring here, and the scheduler calls `run` for
// as long as its time slice lasts. What the scheduler has to know (who waits, and
// until when; who has ended) is written down as it happens and told when the ring
// has been gone through; in return it names, many at a time, the tasks that it has
// woken. A yield, a message from task to task, or a task that ends within one call
// never leaves this file. See cothread_stackless_runner_exchange().
//
// Everything hot is a local of _init(). A legacy module's scope is an object, so
// that each name from outside of a function, `undefined` and `Date` included, is
// looked up by the interpreter for 100 ns: that is what NOTHING is for.

const {Gio, GLib} = imports.gi;

function _init() {
    const Cothread = this;
    const NOTHING = void 0;
    const {Array, Date, Promise} = globalThis;

    const {BEGIN, END, EXPIRED, TAKEN, READY, RUNNING, WAITING, FINISHED, STATE_NAMES, FUNCTION, GENERATOR, ASYNC, AWAITER, BRANCH,
        CANCELLED, CANCEL_PENDING, SEEN, HAS_SOURCE, HAS_STALE_SOURCE, HAS_OWN_NAME, HAS_HANDLE, FAILED, PARKED,
        OP_CANCEL, MORE, END_TURN, TELL_ONLY, SLICE_USED_UP, OTHERS_READY, CLOSED,
        WAKE_TIMEOUT, WAKE_CANCELLED, WAKE_ERROR, WAKE_NOTICE, ON_TASK, ON_PROMISE} = imports.overrides.cothread.constants;

    // Promise jobs run outside the time slice, all at once.
    const MAX_PROMISES = 256;
    // Waits on what is ready already do not suspend, but for every so many.
    const MAX_AT_ONCE = 32;
    // As often a ring in which tasks wake each other is gone through before the
    // scheduler hears who waits.
    const MAX_ROUNDS = 16;

    function closedError() {
        return new Cothread.Error({code: Cothread.Error.CLOSED, message: 'The scheduler is shut down'});
    }

    function cancelledError() {
        return new Gio.IOErrorEnum({code: Gio.IOErrorEnum.CANCELLED, message: 'The task was cancelled'});
    }

    function timedOutError() {
        return new Gio.IOErrorEnum({code: Gio.IOErrorEnum.TIMED_OUT, message: 'The wait timed out'});
    }

    const link = imports.overrides.cothread.link.connect({
        run: () => run(),
        handOver: (task, code, value) => handOver(task, code, value),
        hasReady: () => head !== null,
        takeShort() {
            const n = nShort;
            nShort = 0;
            return n;
        },
    }, Cothread);
    const {mark, exchange, take, hasIncoming, addSource, takeSource, tellNow, makeKnown, toGError} = link;

    // ---- tasks ----

    let head = null, tail = null, length = 0; // the ring
    let current = null;
    let isCalled = false; // the scheduler is going to call us
    let nPromises = 0;
    let nShort = 0; // tasks that ended before the scheduler knew them
    let unhandled = [];

    // Eleven fields, and none added later: one more doubles what the engine
    // allocates beside the object, and what a task costs.
    class Task {
        constructor(kind, body, info) {
            this._kind = kind;
            this._state = READY;
            this._flags = 0;
            this._id = 0; // the scheduler's number; 0 while it knows nothing
            this._deadline = -1;
            // Function; generator; of an async function the waits it awaits, or
            // null; of somebody who awaits [resolve, reject, for whom].
            this._body = body;
            // To go on with; in the end the result; meanwhile, with HAS_SOURCE, who
            // waits for the source (or those who do, by number).
            this._value = NOTHING;
            this._wait = null;
            this._next = null;
            this._joiners = null;
            this._info = info; // what spawned alike have in common, or {name, location}
        }

        get name() {
            return this._info.name;
        }

        set name(name) {
            this._info = Object.assign({}, this._info, {name: `${name}`});
            this._flags |= HAS_OWN_NAME;
            if (this._id !== 0)
                link.getRunner().set_name(this._id, this._info.name);
        }

        get location() {
            return this._info.location;
        }

        get state() {
            return STATE_NAMES[this._state];
        }

        get finished() {
            return this._state === FINISHED;
        }

        get cancelled() {
            return (this._flags & CANCELLED) !== 0;
        }

        cancel() {
            cancel(this, true);
        }

        // The task as C and Python see it.
        get handle() {
            if (this._state === FINISHED && this._id === 0)
                return null;
            makeKnown(this);
            this._flags |= HAS_HANDLE;
            return link.getRunner().get_task(this._id);
        }

        get cancellable() {
            const handle = this.handle;
            if (handle === null)
                throw new Error(`Task ${this.name} has finished`);
            return handle.get_cancellable();
        }

        // For an async function that has awaited a promise of others, after which
        // nobody can know who goes on: await task.wait(...).
        wait(wait) {
            return new OwnedWait(this, wait);
        }

        get then() {
            return thenOf(this);
        }

        catch(onRejected) {
            return Promise.resolve(this).catch(onRejected);
        }

        finally(onFinally) {
            return Promise.resolve(this).finally(onFinally);
        }

        toString() {
            return `[Cothread task ${this.name} (${this.location}), ${this.state}]`;
        }

        [BEGIN](waiter) {
            join(this, waiter);
        }

        [END](waiter) {
            leave(this, waiter);
        }
    }

    function push(task) {
        task._state = READY;
        if (head === null)
            head = task;
        else
            tail._next = task;
        tail = task;
        length++;
        if (!isCalled)
            callUs();
    }

    function callUs() {
        isCalled = true;
        link.getRunner().wake();
    }

    function tell(task) {
        if (mark(task) && !isCalled)
            callUs();
    }

    // Ends a wait; false if there is none (any more).
    function wake(waiter, value, failed) {
        if (waiter._state !== WAITING)
            return false;
        waiter._wait = null;
        waiter._deadline = -1;
        if (waiter._kind === BRANCH) {
            waiter._state = FINISHED;
            waiter._owner.branchEnded(waiter, value, failed);
            return true;
        }
        waiter._value = value;
        const flags = failed ? waiter._flags | FAILED : waiter._flags;
        waiter._flags = flags;
        if ((flags & (HAS_SOURCE | PARKED)) !== 0) {
            if ((flags & HAS_SOURCE) !== 0)
                waiter._flags = flags & ~HAS_SOURCE | HAS_STALE_SOURCE;
            tell(waiter);
        }
        if (waiter === beginning)
            waiter._state = READY;
        else
            push(waiter);
        return true;
    }

    function setDeadline(waiter, deadline) {
        waiter._deadline = deadline;
        if (waiter._kind === BRANCH) {
            const root = waiter._root;
            if (root._deadline < 0 || deadline < root._deadline)
                root._deadline = deadline;
        }
    }

    function cancel(task, tellScheduler) {
        if (task._state === FINISHED || (task._flags & CANCELLED) !== 0)
            return;
        task._flags |= CANCELLED;
        if (tellScheduler && task._id !== 0)
            tellNow(task, OP_CANCEL);
        deliverCancellation(task);
    }

    function deliverCancellation(task) {
        if (task._kind === ASYNC) {
            const awaits = task._body;
            task._body = null;
            if (awaits === null)
                task._flags |= CANCEL_PENDING;
            else
                awaits.forEach(awaiter => deliverCancellation(awaiter));
            // Its promise jobs will not run any more; for the scheduler it ends here.
            if (isClosing())
                finish(task, cancelledError(), true);
        } else if (task._state === WAITING) {
            task._wait[END](task);
            wake(task, cancelledError(), true);
        } else {
            task._flags |= CANCEL_PENDING;
        }
    }

    function isClosing() {
        return (link.getState() & CLOSED) !== 0;
    }

    function finish(task, value, failed) {
        if (task._state === FINISHED)
            return;
        task._state = FINISHED;
        task._body = null;
        task._value = value;
        task._flags = failed ? task._flags | FAILED : task._flags & ~FAILED;
        if (task._id === 0)
            nShort++;
        else
            tell(task);
        const joiners = task._joiners;
        task._joiners = null;
        if (joiners === null) {
            if (failed && task._kind !== AWAITER) {
                unhandled.push(task);
                if (!isCalled)
                    callUs();
            }
        } else if (Array.isArray(joiners)) {
            joiners.forEach(joiner => wake(joiner, value, failed));
        } else {
            wake(joiners, value, failed);
        }
        if (joiners !== null)
            task._flags |= SEEN;
        if ((task._flags & HAS_HANDLE) !== 0)
            exchange(head !== null ? MORE | TELL_ONLY : TELL_ONLY);
    }

    function join(task, waiter) {
        if (task === waiter || waiter._kind === BRANCH && task === waiter._root) {
            wake(waiter, new Error(`Task ${task.name} cannot join itself`), true);
        } else if (task._state === FINISHED) {
            task._flags |= SEEN;
            wake(waiter, task._value, (task._flags & FAILED) !== 0);
        } else if (task._joiners === null) {
            task._joiners = waiter;
        } else if (Array.isArray(task._joiners)) {
            task._joiners.push(waiter);
        } else {
            task._joiners = [task._joiners, waiter];
        }
    }

    function leave(task, waiter) {
        if (task._joiners === waiter)
            task._joiners = null;
        else if (Array.isArray(task._joiners))
            remove(task._joiners, waiter);
    }

    function remove(array, item) {
        const index = array.indexOf(item);
        if (index >= 0)
            array.splice(index, 1);
    }

    // ---- one step ----

    function step(task) {
        const outer = current;
        let value = task._value;
        let failed = (task._flags & FAILED) !== 0;
        task._value = NOTHING;
        if (failed)
            task._flags &= ~FAILED;
        if (task._kind !== GENERATOR) {
            if (!begin(task, value, failed))
                return;
            value = NOTHING;
            failed = false;
        }
        const generator = task._body;
        current = task;
        for (let n = 0; ; n++) {
            let result;
            task._state = RUNNING;
            try {
                result = failed ? generator.throw(value) : generator.next(value);
            } catch (error) {
                current = outer;
                finish(task, error, true);
                return;
            }
            if (result.done) {
                current = outer;
                finish(task, result.value, false);
                return;
            }
            const wait = result.value;
            if ((task._flags & CANCEL_PENDING) !== 0) {
                task._flags &= ~CANCEL_PENDING;
                value = cancelledError();
                failed = true;
                continue;
            }
            if (wait === NOTHING || wait === YIELD) {
                current = outer;
                push(task);
                return;
            }
            if (park(task, wait, n < MAX_AT_ONCE)) {
                current = outer;
                return;
            }
            value = task._value;
            failed = (task._flags & FAILED) !== 0;
            task._value = NOTHING;
            task._flags &= ~FAILED;
        }
    }

    // The first step, or that of somebody who awaits. True: the body is a
    // generator now.
    function begin(task, value, failed) {
        const body = task._body;
        if (task._kind === AWAITER) {
            settle(task, body, value, failed);
            return false;
        }
        if ((task._flags & CANCEL_PENDING) !== 0) {
            finish(task, cancelledError(), true);
            return false;
        }
        const outer = current;
        current = task;
        task._state = RUNNING;
        task._body = null;
        let result;
        try {
            result = body(task);
        } catch (error) {
            current = outer;
            finish(task, error, true);
            return false;
        }
        current = outer;
        if (typeof result === 'object' && result !== null) {
            if (typeof result.next === 'function' && typeof result.throw === 'function' && result.then === NOTHING) {
                task._kind = GENERATOR;
                task._body = result;
                return true;
            }
            if (typeof result.then === 'function') {
                task._kind = ASYNC;
                task._state = WAITING;
                task._wait = ASYNC_WAIT;
                tell(task);
                result.then(v => finish(task, v, false), e => finish(task, e, true));
                return false;
            }
        }
        finish(task, result, false);
        return false;
    }

    // Async functions lose sight of who they are at each await: the jobs before
    // and after the one that goes on say so.
    function settle(awaiter, [resolve, reject, owner], value, failed) {
        nPromises++;
        if (owner !== null) {
            if (owner._kind === ASYNC && owner._body !== null) {
                remove(owner._body, awaiter);
                if (owner._body.length === 0)
                    owner._body = null;
            }
            PROMISE.then(() => {
                current = owner;
            });
        }
        finish(awaiter, NOTHING, false);
        if (failed)
            reject(value);
        else
            resolve(value);
        if (owner !== null) {
            PROMISE.then(() => {
                current = null;
            });
        }
    }

    const PROMISE = Promise.resolve();
    const AWAIT_INFO = {name: 'await', location: '', index: -1};

    // A getter runs at the `await` itself, while it is known who awaits.
    function thenOf(wait) {
        return thenFor(wait, current !== null && (current._kind === ASYNC || current._kind === FUNCTION) ? current : null);
    }

    function thenFor(wait, owner) {
        return (resolve, reject) => {
            if (owner !== null && owner._kind !== ASYNC && owner._state !== RUNNING)
                owner = null;
            const awaiter = new Task(AWAITER, [resolve, reject, owner], AWAIT_INFO);
            if (owner !== null) {
                if ((owner._flags & CANCEL_PENDING) !== 0) {
                    owner._flags &= ~CANCEL_PENDING;
                    awaiter._state = WAITING;
                    wake(awaiter, cancelledError(), true);
                    return;
                }
                if (owner._body === null)
                    owner._body = [];
                owner._body.push(awaiter);
            }
            try {
                park(awaiter, wait, false);
            } catch (error) {
                awaiter._state = WAITING;
                wake(awaiter, error, true);
            }
        };
    }

    let beginning = null; // whose wait is just being begun

    // Begins a wait. False: it is over already, and the task may go on.
    function park(task, wait, mayGoOn) {
        const outer = beginning;
        task._state = WAITING;
        beginning = task;
        try {
            beginWait(task, wait);
        } catch (error) {
            task._state = WAITING;
            wake(task, error, true);
        }
        beginning = outer;
        if (task._state === WAITING) {
            tell(task);
            return true;
        }
        if (mayGoOn && (task._flags & CANCEL_PENDING) === 0)
            return false;
        push(task);
        return true;
    }

    function beginWait(waiter, wait) {
        if (typeof wait === 'object' && wait !== null) {
            if (wait[BEGIN] !== NOTHING) {
                waiter._wait = wait;
                wait[BEGIN](waiter);
                return;
            }
            if (typeof wait.then === 'function') {
                new PromiseWait(wait)[BEGIN](waiter);
                return;
            }
        }
        const hint = wait && typeof wait.next === 'function' ? '; to run a generator inside this one, yield* it' : '';
        throw new TypeError(`${describe(wait)} is not something to wait for: ${EXPECTED}${hint}`);
    }

    const EXPECTED = 'yield nothing, a wait such as Cothread.sleep(100), a task, or a promise';

    function describe(value) {
        let text;
        try {
            text = typeof value === 'string' ? JSON.stringify(value) : String(value);
        } catch (error) {
            text = Object.prototype.toString.call(value);
        }
        return text.length > 80 ? `${text.slice(0, 80)}…` : text;
    }

    // ---- what the scheduler says ----

    function handOver(task, code, value) {
        task._flags &= ~PARKED;
        const why = code & 0xff;
        if (why === WAKE_TIMEOUT) {
            if (task._state === WAITING)
                task._wait[EXPIRED](task);
        } else if (why === WAKE_CANCELLED || why === WAKE_NOTICE) {
            task._flags |= CANCELLED;
            deliverCancellation(task);
        } else if ((task._flags & HAS_SOURCE) !== 0) {
            const waiter = takeSource(task, code >> 8);
            let error = null;
            if (why === WAKE_ERROR)
                error = takeError(task);
            if (error !== null)
                wake(waiter, error, true);
            else
                waiter._wait[TAKEN](waiter, value);
        }
        if (task._state === WAITING)
            tell(task);
    }

    function takeError(task) {
        try {
            link.getRunner().take_error(task._id);
        } catch (error) {
            return error;
        }
        return new Error('The wait failed');
    }

    let stride = 3;

    function run() {
        isCalled = true;
        take(exchange(0));
        let left = length, rounds = 0, n = 0, ms = Date.now();
        // The clock is dear: with quick steps the scheduler's is read at every
        // 64th, with slow ones (as of the last millisecond) at each.
        let nAtTick = 0, mask = stride === 0 ? 0 : 63, isUsedUp = false;
        let othersWait = (link.getState() & OTHERS_READY) !== 0;
        nPromises = 0;
        while (head !== null) {
            // Cancelled by means of the library, before its next step.
            if (hasIncoming())
                take(exchange(0));
            const task = head;
            head = task._next;
            task._next = null;
            length--;
            step(task);
            if (nPromises >= MAX_PROMISES)
                break;
            if ((++n & stride) === 0) {
                const now = Date.now();
                if (now !== ms || (n & mask) === 0) {
                    const state = link.getRunner().check();
                    if ((state & SLICE_USED_UP) !== 0) {
                        isUsedUp = true;
                        break;
                    }
                    if (now !== ms) {
                        const nSteps = n - nAtTick;
                        stride = nSteps < 32 ? 0 : 3;
                        if (nSteps < 512)
                            mask = stride;
                        nAtTick = n;
                    }
                    if ((state & OTHERS_READY) !== 0)
                        othersWait = true;
                    if (now !== ms)
                        rounds = MAX_ROUNDS;
                    ms = now;
                }
            }
            if (--left <= 0) {
                if (othersWait || link.nDirty() > 0 && ++rounds >= MAX_ROUNDS)
                    break;
                left = length;
            }
        }
        if (unhandled.length > 0) {
            // An async function joins one job later than it says so.
            const failures = unhandled;
            unhandled = [];
            PROMISE.then(() => reportUnhandled(failures));
        }
        const more = head !== null;
        isCalled = more;
        if (n < 64 && !isUsedUp && nPromises < MAX_PROMISES)
            stride = 3; // a short run tells nothing of the next
        exchange(TELL_ONLY | (more ? MORE : 0) | (isUsedUp || nPromises >= MAX_PROMISES ? END_TURN : 0));
    }

    function reportUnhandled(failures) {
        for (const task of failures) {
            if ((task._flags & SEEN) !== 0 || isCancellation(task._value))
                continue;
            task._flags |= SEEN;
            logError(task._value, `Cothread ${task.name} (${task.location}) failed and nobody joined it`);
        }
    }

    function isCancellation(error) {
        return error instanceof GLib.Error && error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED);
    }

    // ---- what the rest is made of ----

    class Wait {
        get then() {
            return thenOf(this);
        }

        catch(onRejected) {
            return Promise.resolve(this).catch(onRejected);
        }

        finally(onFinally) {
            return Promise.resolve(this).finally(onFinally);
        }

        [END]() {
        }

        [EXPIRED](waiter) {
            this[END](waiter);
            wake(waiter, timedOutError(), true);
        }

        [TAKEN](waiter, value) {
            wake(waiter, value, false);
        }
    }
    Wait.prototype.reason = 0;
    Task.prototype.reason = ON_TASK;

    class AsyncWait extends Wait {
    }
    AsyncWait.prototype.reason = ON_PROMISE;

    class PromiseWait extends Wait {
        constructor(promise) {
            super();
            this._promise = promise;
        }

        [BEGIN](waiter) {
            waiter._wait = this;
            this._promise.then(
                value => waiter._wait === this && wake(waiter, value, false),
                error => waiter._wait === this && wake(waiter, error, true));
        }
    }
    PromiseWait.prototype.reason = ON_PROMISE;

    class OwnedWait extends Wait {
        constructor(task, wait) {
            super();
            this._task = task;
            this._inner = wait;
        }

        get then() {
            return thenFor(this._inner, this._task._kind === GENERATOR ? null : this._task);
        }

        [BEGIN](waiter) {
            beginWait(waiter, this._inner);
        }
    }

    class Yield extends Wait {
        [BEGIN](waiter) {
            wake(waiter, NOTHING, false);
        }
    }

    const ASYNC_WAIT = new AsyncWait();
    const YIELD = new Yield();

    function spawn(body, info) {
        if (isClosing())
            throw closedError();
        const task = new Task(FUNCTION, body, info);
        push(task);
        mark(task);
        return task;
    }

    const engine = {
        BEGIN, END, EXPIRED, TAKEN, WAITING, FINISHED, BRANCH, YIELD, SEEN,
        Task, Wait, PromiseWait, spawn, wake, beginWait, setDeadline, join, leave, cancel, addSource, describe,
        timedOutError, closedError, toGError,
        current: () => current,
        runner: link.getRunner,
        report: task => {
            unhandled.push(task);
            if (!isCalled)
                callUs();
        },
    };
    const {waits, objects} = imports.overrides.cothread;
    waits.install(engine);
    objects.install(engine, Cothread);
}
