// SPDX-License-Identifier: LGPL-2.1-or-later
// The _async() forms as promises, by nothing but Gio._promisify().
imports.gi.versions.Cothread = '1.0';
const {Cothread, Gio, GLib} = imports.gi;

Gio._promisify(Cothread, 'sleep_async', 'sleep_finish');
Gio._promisify(Cothread, 'join_async', 'join_finish');
Gio._promisify(Cothread, 'wait_fd_async', 'wait_fd_finish');
Gio._promisify(Cothread.Event.prototype, 'wait_async', 'wait_finish');
Gio._promisify(Cothread.Pulse.prototype, 'wait_async', 'wait_finish');
Gio._promisify(Cothread.Semaphore.prototype, 'acquire_async', 'acquire_finish');
Gio._promisify(Cothread.Lock.prototype, 'acquire_async', 'acquire_finish');
Gio._promisify(Cothread.Timer.prototype, 'wait_async', 'wait_finish');
Gio._promisify(Cothread.Selection.prototype, 'wait_async', 'wait_finish');
Gio._promisify(Cothread.CallbackQueue.prototype, 'flush_async', 'flush_finish');
Gio._promisify(Cothread, 'wait_signal_async', 'wait_signal_finish');
Gio._promisify(Cothread, 'wait_notify_async', 'wait_notify_finish');

const FOREVER = -1;
const loop = new GLib.MainLoop(null, false);
const seen = [];

function assert(condition, text) {
    if (!condition)
        throw new Error(text);
}

async function waitForEvent(event, name) {
    await event.wait_async(FOREVER, null);
    seen.push(name);
}

async function main() {
    const event = Cothread.Event.new(true);
    const waits = [waitForEvent(event, 'first'), waitForEvent(event, 'second')];
    event.signal();
    assert(await Cothread.sleep_async(0, null), 'a sleep gives true');
    assert(seen.join() === 'first', `one signal, one wait: ${seen}`);
    event.signal();
    await Promise.all(waits);
    assert(seen.join() === 'first,second', `in order: ${seen}`);

    try {
        await event.wait_async(1000, null);
        seen.push('came');
    } catch (error) {
        assert(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT), `${error}`);
        seen.push('timeout');
    }

    const cancellable = new Gio.Cancellable();
    const pulse = Cothread.Pulse.new().wait_async(FOREVER, cancellable);
    cancellable.cancel();
    try {
        await pulse;
        seen.push('came');
    } catch (error) {
        assert(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED), `${error}`);
        seen.push('cancelled');
    }

    const semaphore = Cothread.Semaphore.new(1, 1);
    await semaphore.acquire_async(FOREVER, null);
    const next = semaphore.acquire_async(FOREVER, null);
    semaphore.release();
    assert(await next, 'a permit is handed over');
    assert(semaphore.get_available() === 0, 'and is taken');

    const lock = Cothread.Lock.new();
    await lock.acquire_async(FOREVER, null);
    const after = lock.acquire_async(FOREVER, null);
    lock.release();
    assert(await after && lock.is_held(), 'a lock is handed over');
    lock.release();
    assert(!lock.is_held(), 'and given back');

    const timer = Cothread.Timer.new(1000, Cothread.TimerFlags.RETRIGGER);
    for (let i = 0; i < 3; i++)
        assert(await timer.wait_async(FOREVER, null), 'a timer expires again and again');
    timer.cancel();

    const selection = Cothread.Selection.new();
    const other = Cothread.Pulse.new();
    const which = [selection.add_event(event), selection.add_pulse(other)];
    const selected = selection.wait_async(FOREVER, null);
    other.signal(true);
    assert(await selected === which[1], 'the pulse came');
    event.signal();
    assert(await selection.wait_async(FOREVER, null) === which[0], 'the event came');

    const client = new Gio.SocketClient();
    const notified = Cothread.wait_notify_async(client, 'timeout', FOREVER, null);
    client.timeout = 7;
    assert(await notified, 'a property changed');
    const stopper = new Gio.Cancellable();
    const emitted = Cothread.wait_signal_async(stopper, 'cancelled', FOREVER, null);
    stopper.cancel();
    assert(await emitted, 'a signal came');

    const [ok, , , out] = GLib.spawn_async_with_pipes(null, ['/bin/echo', 'hello'], null, GLib.SpawnFlags.DEFAULT, null);
    assert(ok, 'spawned');
    const condition = await Cothread.wait_fd_async(out, GLib.IOCondition.IN, FOREVER, null);
    assert((condition & GLib.IOCondition.IN) !== 0, `readable: ${condition}`);

    // A callback queue has a task; it ends when the queue is closed.
    const queue = Cothread.Scheduler.get_default().get_callback_queue();
    assert(await queue.flush_async(FOREVER, null), 'nothing is in it');
    queue.post(() => {
        seen.push('posted');
        queue.close();
    });
    const [task] = Cothread.Scheduler.get_default().list_tasks().filter(t => t.get_name().startsWith('callback'));
    await Cothread.join_async(task, FOREVER, null);
    assert(seen.join() === 'first,second,timeout,cancelled,posted', seen.join());
}

let failure = new Error('main() did not end');
main().then(() => {
    failure = null;
}, error => {
    failure = error;
}).finally(() => loop.quit());
loop.run();
if (failure !== null)
    throw failure;
