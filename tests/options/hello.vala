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
    return 0;
}
