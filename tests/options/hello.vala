// SPDX-License-Identifier: LGPL-2.1-or-later
// A wait from main() drives the context, and a callback posted from a thread
// arrives meanwhile.
int main () {
    var scheduler = Cothread.Scheduler.get_default ();
    var queue = scheduler.get_callback_queue ();
    var event = new Cothread.Event (true);
    var thread = new Thread<bool> ("poster", () => {
        try {
            queue.post (() => event.signal ());
        } catch (Error e) {
            error ("post: %s", e.message);
        }
        return true;
    });
    try {
        event.wait (10 * 1000 * 1000);
    } catch (Error e) {
        error ("wait: %s", e.message);
    }
    thread.join ();
    assert (scheduler.get_statistics ().turns > 0);
    var loop = new MainLoop ();
    var success = false;
    wait_in_vala.begin ((object, result) => {
        success = wait_in_vala.end (result);
        loop.quit ();
    });
    loop.run ();
    assert (success);
    return 0;
}

// What tasks wait for, waited for with `yield`.
async bool wait_in_vala () {
    try {
        yield Cothread.sleep_async (1000, null);
        var event = new Cothread.Event (true);
        event.signal ();
        yield event.wait_async (-1, null);
        var semaphore = new Cothread.Semaphore (1, 1);
        yield semaphore.acquire_async (-1, null);
        semaphore.release ();
        var held = new Cothread.Lock ();
        yield held.acquire_async (-1, null);
        held.release ();
        var timer = new Cothread.Timer.plain (1000, Cothread.TimerFlags.DEFAULT);
        yield timer.wait_async (-1, null);
        var selection = new Cothread.Selection ();
        selection.add_event (event);
        selection.add_pulse (new Cothread.Pulse ());
        event.signal ();
        if ((yield selection.wait_async (-1, null)) != 0)
            return false;
        yield Cothread.Scheduler.get_default ().get_callback_queue ().flush_async (-1, null);
    } catch (Error e) {
        error ("wait: %s", e.message);
    }
    try {
        yield Cothread.sleep_async (-1, cancelled ());
    } catch (IOError.CANCELLED e) {
        return true;
    } catch (Error e) {
        error ("sleep: %s", e.message);
    }
    return false;
}

Cancellable cancelled () {
    var cancellable = new Cancellable ();
    cancellable.cancel ();
    return cancellable;
}
