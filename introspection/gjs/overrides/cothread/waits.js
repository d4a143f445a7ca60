// SPDX-License-Identifier: LGPL-2.1-or-later
/* exported install */

// What a cothread can wait for.

function install(engine) {
    const {BEGIN, END, EXPIRED, TAKEN, WAITING, FINISHED, BRANCH, SEEN,
        Task, Wait, spawn, wake, beginWait, setDeadline, join, leave, cancel, addSource, describe, timedOutError} = engine;
    const NOTHING = void 0;
    const {GLib: {get_monotonic_time: getMonotonicTime}} = imports.gi;
    const {Math, Number} = globalThis;
    // The scheduler's words for what a task waits for.
    const ON_SLEEP = 1, ON_EVENT = 2, ON_TASK = 4, ON_ANY = 6, ON_ALL = 8;
    const VALUE = Symbol('value');
    const ALL_INFO = {name: 'all', location: '', index: -1};

    function checkedTimeout(ms) {
        if (typeof ms !== 'number' || Number.isNaN(ms))
            throw new TypeError(`${describe(ms)} is not a number of milliseconds`);
        return ms;
    }

    function deadlineIn(ms) {
        if (ms <= 0)
            return 0;
        return ms === Number.POSITIVE_INFINITY ? -1 : getMonotonicTime() + Math.ceil(ms * 1000);
    }

    class Sleep extends Wait {
        constructor(ms) {
            super();
            this._ms = ms;
        }

        // Of one who sleeps only the deadline is kept.
        [BEGIN](waiter) {
            waiter._wait = ASLEEP;
            setDeadline(waiter, deadlineIn(this._ms));
        }

        [EXPIRED](waiter) {
            wake(waiter, NOTHING, false);
        }
    }
    const ASLEEP = new Sleep(0);

    class Join extends Wait {
        constructor(task) {
            super();
            this._task = task;
        }

        [BEGIN](waiter) {
            join(this._task, waiter);
        }

        [END](waiter) {
            leave(this._task, waiter);
        }
    }

    // Waits for something of the library's: addTo() has the scheduler watch it.
    class SourceWait extends Wait {
        [BEGIN](waiter) {
            addSource(waiter, this);
        }
    }

    class EventWait extends SourceWait {
        constructor(event) {
            super();
            this._event = event;
        }

        addTo(runner, id) {
            return runner.add_event(id, this._event);
        }

        // The number tells whether it was our signal, or one of C or Python.
        [TAKEN](waiter, number) {
            const given = this._event[VALUE];
            if (number === 0 || given === NOTHING || given.number !== number) {
                wake(waiter, NOTHING, false);
                return;
            }
            if (this._event.auto_reset)
                this._event[VALUE] = NOTHING;
            wake(waiter, given.value, false);
        }
    }

    // One of the things that a task waits for at once; wakes its owner.
    class Branch {
        constructor(owner, waiter) {
            this._kind = BRANCH;
            this._state = WAITING;
            this._deadline = -1;
            this._wait = null;
            this._owner = owner;
            this._root = waiter._kind === BRANCH ? waiter._root : waiter;
        }

        begin(wait) {
            try {
                beginWait(this, wait);
            } catch (error) {
                wake(this, error, true);
            }
        }

        end() {
            if (this._state === WAITING) {
                this._state = FINISHED;
                this._wait[END](this);
            }
        }
    }

    // What a task waits in that waits for several things.
    class Junction extends Wait {
        constructor(waiter, deadline) {
            super();
            this._waiter = waiter;
            this._branches = [];
            this._own = deadline;
            waiter._wait = this;
            if (deadline >= 0)
                setDeadline(waiter, deadline);
        }

        begin(waits) {
            for (const wait of waits) {
                const branch = new Branch(this, this._waiter);
                this._branches.push(branch);
                branch.begin(wait);
                if (this._waiter._wait !== this)
                    break;
            }
        }

        [END]() {
            this._branches.forEach(branch => branch.end());
        }

        // Whose deadline it was.
        [EXPIRED](waiter) {
            let first = null;
            for (const branch of this._branches) {
                if (branch._state === WAITING && branch._deadline >= 0 && (first === null || branch._deadline < first._deadline))
                    first = branch;
            }
            if (first !== null && (this._own < 0 || first._deadline < this._own)) {
                first._wait[EXPIRED](first);
            } else {
                this[END]();
                wake(waiter, timedOutError(), true);
            }
        }
    }

    class TimeoutJunction extends Junction {
        branchEnded(branch, value, failed) {
            wake(this._waiter, value, failed);
        }
    }

    class Timeout extends Wait {
        constructor(ms, wait) {
            super();
            this._ms = ms;
            this._inner = wait;
        }

        [BEGIN](waiter) {
            new TimeoutJunction(waiter, deadlineIn(this._ms)).begin([this._inner]);
        }
    }

    function withTimeout(wait, ms) {
        return checkedTimeout(ms) < 0 ? wait : new Timeout(ms, wait);
    }

    class AnyJunction extends Junction {
        branchEnded(branch, value, failed) {
            const index = this._branches.indexOf(branch);
            this[END]();
            wake(this._waiter, failed ? value : {index, value}, failed);
        }
    }

    class Any extends Wait {
        constructor(waits) {
            super();
            this._waits = waits;
        }

        [BEGIN](waiter) {
            new AnyJunction(waiter, -1).begin(this._waits);
        }
    }

    class AllJunction extends Junction {
        constructor(waiter, waits) {
            super(waiter, -1);
            this._results = [];
            this._left = waits.length;
            this._helpers = [];
            this._tasks = waits.map(wait => wait instanceof Task ? wait : this.help(wait));
            if (this._left === 0)
                wake(waiter, [], false);
            else
                this.begin(this._tasks);
        }

        help(wait) {
            const helper = spawn(function* () {
                return yield wait;
            }, ALL_INFO);
            this._helpers.push(helper);
            return helper;
        }

        branchEnded(branch, value, failed) {
            if (failed) {
                this[END]();
                wake(this._waiter, value, true);
                return;
            }
            this._results[this._branches.indexOf(branch)] = value;
            if (--this._left === 0)
                wake(this._waiter, this._results, false);
        }

        [END]() {
            super[END]();
            this._helpers.forEach(helper => {
                helper._flags |= SEEN;
                cancel(helper, true);
            });
        }
    }

    class All extends Wait {
        constructor(waits) {
            super();
            this._waits = waits;
        }

        [BEGIN](waiter) {
            new AllJunction(waiter, this._waits);
        }
    }
    [[Sleep, ON_SLEEP], [Join, ON_TASK], [EventWait, ON_EVENT], [Junction, ON_ANY], [AllJunction, ON_ALL]].forEach(([type, reason]) => {
        type.prototype.reason = reason;
    });
    Task.prototype.join = function (timeout = -1) {
        return withTimeout(new Join(this), timeout);
    };
    Object.assign(engine, {VALUE, Sleep, SourceWait, EventWait, Branch, Timeout, Any, All, withTimeout, checkedTimeout});
}
