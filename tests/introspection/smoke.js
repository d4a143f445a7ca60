// SPDX-License-Identifier: LGPL-2.1-or-later
// The typelib from GJS: statistics, a callback, an error, a wait in main.
imports.gi.versions.Cothread = '1.0';
const {Cothread, GLib} = imports.gi;

function assert(condition, text) {
    if (!condition)
        throw new Error(text);
}

const scheduler = Cothread.Scheduler.get_default();
const queue = scheduler.get_callback_queue();
const loop = new GLib.MainLoop(null, false);
const seen = [];

queue.post(() => {
    seen.push('callback');
    try {
        Cothread.sleep(1000);
    } catch (error) {
        // Called by the main loop, outside any task: refused, not crashed.
        assert(error.matches(Cothread.error_quark(), Cothread.Error.WRONG_CONTEXT), `${error}`);
        seen.push('refused');
    }
    loop.quit();
});
assert(seen.length === 0, 'a callback is always asynchronous');
loop.run();
assert(seen.join() === 'callback,refused', seen.join());

const statistics = scheduler.get_statistics();
assert(statistics.turns > 0, 'turns are counted');
assert(statistics.tasks === statistics.ready + statistics.waiting + statistics.running, 'the sum holds');
assert(queue.get_statistics().run === 1, 'the callback is counted');
assert(scheduler.list_tasks().map(task => task.get_name()).join() === 'callback queue default', 'tasks have names');

scheduler.time_slice = 1000;
assert(scheduler.get_time_slice() === 1000, 'properties are set');

const event = Cothread.Event.new(true);
queue.post(() => event.signal());
assert(event.wait(10000000), 'a wait in main runs the loop');

queue.close();
let closed = false;
try {
    queue.post(() => {});
} catch (error) {
    closed = error.matches(Cothread.error_quark(), Cothread.Error.CLOSED);
}
assert(closed, 'a post on a closed queue fails');
