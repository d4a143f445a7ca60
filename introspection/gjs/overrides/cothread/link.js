// SPDX-License-Identifier: LGPL-2.1-or-later
/* exported connect */

// The link to the scheduler: what is told, and what is handed over, as records
// in memory that both sides see.

const {Gio, GLib, GObject} = imports.gi;

function connect(engine, Cothread) {
    const {RUNNING, WAITING, FINISHED, AWAITER, BRANCH, FAILED, DIRTY, PARKED, HAS_SOURCE, HAS_STALE_SOURCE, HAS_OWN_NAME,
        OP_SPAWN, OP_PARK, OP_RESUME, OP_FINISH, OP_COUNT, MORE, TELL_ONLY} = imports.overrides.cothread.constants;

    const NOTHING = void 0;
    let runner = null, i32, f64, firstRequest, firstReady, maxRequests, bytes, isShared;
    let acknowledged = 0;
    const dirty = []; // of whom the scheduler has to be told
    const tasks = [null]; // by number
    const freeIds = [];

    const Runner = GObject.registerClass({
        GTypeName: 'CothreadGjsRunner',
        Properties: {
            // Set by the library: a property setter is not dropped during a
            // garbage collection, as callbacks are before GJS 1.81.90.
            'wakeup': GObject.ParamSpec.uint('wakeup', '', '',
                GObject.ParamFlags.WRITABLE | GObject.ParamFlags.EXPLICIT_NOTIFY, 0, 2, 0),
        },
    }, class Runner extends Cothread.StacklessRunner {
        set wakeup(what) {
            if (what === 1)
                engine.run();
            else
                exchange(leftToDo() | TELL_ONLY);
        }
    });

    function leftToDo() {
        return engine.hasReady() ? MORE : 0;
    }

    function start() {
        runner = new Runner({language: 'JavaScript'});
        bytes = runner.get_memory().toArray();
        i32 = new Int32Array(bytes.buffer);
        f64 = new Float64Array(bytes.buffer);
        const was = f64[4];
        runner.check();
        // Some GJS may copy; then records are carried to and fro.
        isShared = f64[4] !== was && GLib.getenv('COTHREAD_GJS_COPIES') === null;
        if (!isShared) {
            bytes = Uint8Array.from(bytes);
            i32 = new Int32Array(bytes.buffer);
            f64 = new Float64Array(bytes.buffer);
        }
        maxRequests = i32[1];
        firstRequest = i32[6] >> 2;
        firstReady = i32[7] >> 2;
    }

    function hasIncoming() {
        return i32[5] !== 0;
    }

    function getRunner() {
        if (runner === null)
            start();
        return runner;
    }

    // As of the last crossing.
    function getState() {
        return runner === null ? 0 : i32[3];
    }

    function mark(task) {
        if ((task._flags & DIRTY) !== 0)
            return false;
        task._flags |= DIRTY;
        dirty.push(task);
        return true;
    }

    function record(n, op, id, argument) {
        const i = firstRequest + (n << 2);
        i32[i] = op;
        i32[i + 1] = id;
        f64[(i >> 1) + 1] = argument;
        return n + 1;
    }

    function send(n, left) {
        const seen = acknowledged;
        acknowledged = 0;
        if (isShared)
            return runner.exchange(n, seen, left);
        if (n > 0)
            runner.write(bytes.subarray(firstRequest << 2, (firstRequest + (n << 2)) << 2));
        const nReady = runner.exchange(n, seen, left);
        bytes.set(runner.read((firstReady + (nReady << 2)) << 2).toArray());
        return nReady;
    }

    // Tells what has changed; how many tasks the scheduler hands over.
    function exchange(left) {
        let n = 0;
        for (let i = 0; i < dirty.length; i++) {
            const task = dirty[i];
            task._flags &= ~DIRTY;
            if (n > maxRequests - 4) {
                send(n, TELL_ONLY);
                n = 0;
            }
            n = write(task, n);
        }
        dirty.length = 0;
        const nShort = engine.takeShort();
        if (nShort > 0)
            n = record(n, OP_COUNT, 0, nShort);
        return send(n, left);
    }

    function write(task, n) {
        const state = task._state;
        if (task._id === 0) {
            if (state === FINISHED)
                return n;
            n = introduce(task, n);
        }
        const id = task._id;
        if ((task._flags & (PARKED | HAS_STALE_SOURCE)) !== 0) {
            task._flags &= ~(PARKED | HAS_STALE_SOURCE);
            if (state !== FINISHED)
                n = record(n, OP_RESUME, id, 0);
        }
        if (state === WAITING) {
            task._flags |= PARKED;
            return record(n, OP_PARK | task._wait.reason << 8, id, task._deadline);
        }
        if (state !== FINISHED)
            return n;
        tasks[id] = null;
        freeIds.push(id);
        task._id = 0;
        if ((task._flags & FAILED) === 0 || task._kind === AWAITER)
            return record(n, OP_FINISH, id, 0);
        send(n, TELL_ONLY);
        runner.finish(id, toGError(task._value));
        return 0;
    }

    function introduce(task, n) {
        const info = task._info;
        const id = freeIds.length > 0 ? freeIds.pop() : tasks.length;
        if (info.index < 0)
            info.index = runner.define_function(info.name, info.location);
        tasks[id] = task;
        task._id = id;
        n = record(n, OP_SPAWN, id, info.index);
        if ((task._flags & HAS_OWN_NAME) === 0)
            return n;
        send(n, TELL_ONLY);
        runner.set_name(id, info.name);
        return 0;
    }

    function toGError(error) {
        if (error instanceof GLib.Error)
            return error;
        return new GLib.Error(Gio.io_error_quark(), Gio.IOErrorEnum.FAILED, String(error));
    }

    // The scheduler knows the task, and that it is in our hands.
    function own(task) {
        if (runner === null)
            start();
        if (task._id !== 0 && (task._flags & (PARKED | HAS_STALE_SOURCE)) === 0)
            return;
        const state = task._state;
        task._state = RUNNING;
        mark(task);
        exchange(TELL_ONLY);
        task._state = state;
    }

    function makeKnown(task) {
        if (runner === null)
            start();
        if (task._id === 0)
            mark(task);
        exchange(leftToDo() | TELL_ONLY);
    }

    function tellNow(task, op) {
        makeKnown(task);
        task._flags &= ~PARKED;
        send(record(0, op, task._id, 0), leftToDo() | TELL_ONLY);
    }

    // Something of the library that ends the waiter's wait.
    function addSource(waiter, wait) {
        const root = waiter._kind === BRANCH ? waiter._root : waiter;
        own(root);
        const which = wait.addTo(runner, root._id);
        if ((root._flags & HAS_SOURCE) === 0) {
            root._flags |= HAS_SOURCE;
            root._value = which === 0 ? waiter : [];
        } else if (!Array.isArray(root._value)) {
            root._value = [root._value];
        }
        if (Array.isArray(root._value))
            root._value[which] = waiter;
    }

    // Who waited for the source that woke the task.
    function takeSource(task, which) {
        const waiter = Array.isArray(task._value) ? task._value[which] : task._value;
        task._flags &= ~HAS_SOURCE;
        task._value = NOTHING;
        return waiter;
    }

    // Takes over those that the scheduler has woken.
    function take(n) {
        for (let i = 0; i < n; i++) {
            const k = firstReady + (i << 2);
            engine.handOver(tasks[i32[k]], i32[k + 1], f64[(k >> 1) + 1]);
            acknowledged++;
        }
    }

    return {
        getRunner, getState, hasIncoming, mark, exchange, take, addSource, takeSource, tellNow, makeKnown, toGError,
        nDirty: () => dirty.length,
    };
}
