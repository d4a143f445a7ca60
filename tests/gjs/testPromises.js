// SPDX-License-Identifier: LGPL-2.1-or-later
// Every _async function that the GIR has is a promise in GJS.

const {inTask, Cothread, expectError} = imports.tasks;
const {Gio, GIRepository, GLib} = imports.gi;

// All introspected functions and methods of the namespace.
function* allFunctions() {
    const {InfoType} = GIRepository;
    const repository = GIRepository.Repository.get_default();
    for (let i = 0; i < repository.get_n_infos('Cothread'); i++) {
        const info = repository.get_info('Cothread', i);
        const owner = info.get_name();
        if (info.get_type() === InfoType.FUNCTION) {
            yield owner;
        } else if (info.get_type() === InfoType.OBJECT) {
            for (let j = 0; j < GIRepository.object_info_get_n_methods(info); j++)
                yield `${owner}.${GIRepository.object_info_get_method(info, j).get_name()}`;
        } else if (info.get_type() === InfoType.STRUCT) {
            for (let j = 0; j < GIRepository.struct_info_get_n_methods(info); j++)
                yield `${owner}.${GIRepository.struct_info_get_method(info, j).get_name()}`;
        }
    }
}

// What each is called on and with, so that it has to wait.
const FOREVER = -1;
const held = [];
const calls = {
    'CallbackQueue.flush': () => {
        const queue = Cothread.CallbackQueue.new(Cothread.Scheduler.get_default(), 'paused');
        queue.pause();
        queue.post(() => {});
        return [queue, FOREVER];
    },
    'Event.wait': () => [Cothread.Event.new(true), FOREVER],
    'Lock.acquire': () => {
        const lock = Cothread.Lock.new();
        lock.acquire_async(FOREVER, null).then(() => held.push(lock));
        return [lock, FOREVER];
    },
    'Pulse.wait': () => [Cothread.Pulse.new(), FOREVER],
    'Selection.wait': () => {
        const selection = Cothread.Selection.new();
        selection.add_event(Cothread.Event.new(true));
        return [selection, FOREVER];
    },
    'Semaphore.acquire': () => [Cothread.Semaphore.new(0, 0), FOREVER],
    'join': () => [Cothread, Cothread.spawn(function* () {
        yield Cothread.sleep(50);
    }).handle, FOREVER],
    'sleep': () => [Cothread, 1e12],
    'wait_fd': () => [Cothread, Gio.Subprocess.new(['cat'], Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE)
        .get_stdout_pipe().get_fd(), GLib.IOCondition.IN, FOREVER],
    'wait_for_quit': () => [Cothread, false],
    'wait_notify': () => [Cothread, new Gio.SimpleAction({name: 'action'}), 'enabled', FOREVER],
    'wait_signal': () => [Cothread, new Gio.SimpleAction({name: 'action'}), 'notify::enabled', FOREVER],
};

describe('an _async function of the library', function () {
    const names = [...allFunctions()];
    // Cothread.Timer is the override's own class.
    const waits = names.filter(name => name.endsWith('_async') && name !== 'Timer.wait_async').map(name => name.replace(/_async$/, ''));

    it('is there for each of its waits', function () {
        expect(waits.sort()).toEqual(Object.keys(calls).sort());
    });

    for (const wait of waits) {
        it(`has _finish, and is a promise, awaited by generators and async functions: ${wait}`, inTask(function* () {
            expect(names).toContain(`${wait}_finish`);
            const method = `${wait.replace(/^.*\./, '')}_async`;
            for (const awaiting of [function* (promise) {
                yield promise;
            }, async promise => {
                await promise;
            }]) {
                const [object, ...args] = calls[wait]();
                const cancellable = new Gio.Cancellable();
                const promise = object[method](...args, cancellable);
                expect(promise instanceof Promise).toBe(true);
                const task = Cothread.spawn(() => awaiting(promise));
                yield Cothread.sleep(1);
                cancellable.cancel();
                const error = yield* expectError(task);
                expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED)).toBe(true);
                held.splice(0).forEach(lock => lock.release());
            }
        }));
    }

    it('tells what it waited for', inTask(function* () {
        const action = new Gio.SimpleAction({name: 'action'});
        Cothread.callback(() => action.set_enabled(false));
        expect(yield Cothread.wait_notify_async(action, 'enabled', FOREVER, null)).toBe(true);
        const queue = Cothread.CallbackQueue.new(Cothread.Scheduler.get_default(), 'flushed');
        let n = 0;
        for (let i = 0; i < 10; i++)
            queue.post(() => n++);
        expect(yield queue.flush_async(FOREVER, null)).toBe(true);
        expect(n).toBe(10);
        const semaphore = Cothread.Semaphore.new(1, 1);
        expect(yield semaphore.acquire_async(FOREVER, null)).toBe(true);
        Cothread.callback(() => semaphore.release());
        expect(yield semaphore.acquire_async(FOREVER, null)).toBe(true);
        semaphore.release();
    }));
});
