# SPDX-License-Identifier: LGPL-2.1-or-later
"""The _async() forms with plain callbacks from Python."""
import os

import gi

gi.require_version("Cothread", "1.0")
from gi.repository import Cothread, Gio, GLib

FOREVER = -1
loop = GLib.MainLoop()
seen = []


def run_until(n):
    while len(seen) < n:
        GLib.MainContext.default().iteration(True)


def note(name, finish):
    def callback(source, result, *data):
        try:
            seen.append((name, finish(source, result)))
        except GLib.Error as error:
            seen.append((name, error))
    return callback


def is_error(answer, code):
    return isinstance(answer, GLib.Error) and answer.matches(Gio.io_error_quark(), code)


event = Cothread.Event.new(True)
event.wait_async(FOREVER, None, note("first", Cothread.Event.wait_finish))
event.wait_async(1000, None, note("second", Cothread.Event.wait_finish))
assert seen == []
event.signal()
run_until(2)
assert seen[0] == ("first", True), seen
assert seen[1][0] == "second" and is_error(seen[1][1], Gio.IOErrorEnum.TIMED_OUT), seen

seen.clear()
cancellable = Gio.Cancellable()
Cothread.sleep_async(FOREVER, cancellable, note("sleep", lambda source, result: Cothread.sleep_finish(result)))
cancellable.cancel()
run_until(1)
assert is_error(seen[0][1], Gio.IOErrorEnum.CANCELLED), seen

seen.clear()
reader, writer = os.pipe()
Cothread.wait_fd_async(reader, GLib.IOCondition.IN, FOREVER, None,
                       note("fd", lambda source, result: Cothread.wait_fd_finish(result)))
os.write(writer, b"x")
run_until(1)
assert seen == [("fd", GLib.IOCondition.IN)], seen

seen.clear()
semaphore = Cothread.Semaphore.new(0, 1)
semaphore.acquire_async(FOREVER, None, note("permit", Cothread.Semaphore.acquire_finish))
pulse = Cothread.Pulse.new()
pulse.wait_async(FOREVER, None, note("pulse", Cothread.Pulse.wait_finish))
assert pulse.signal(True) == 1
semaphore.release()
run_until(2)
assert seen == [("pulse", True), ("permit", True)], seen

seen.clear()
lock = Cothread.Lock.new()
lock.acquire_async(FOREVER, None, note("lock", Cothread.Lock.acquire_finish))
selection = Cothread.Selection.new()
assert selection.add_event(event) == 0
assert selection.add_descriptor(reader, GLib.IOCondition.IN) == 1
selection.wait_async(FOREVER, None, note("selection", Cothread.Selection.wait_finish))
timer = Cothread.Timer.new(1000, Cothread.TimerFlags.DEFAULT)
timer.wait_async(FOREVER, None, note("timer", Cothread.Timer.wait_finish))
run_until(3)
lock.release()
assert sorted(seen) == [("lock", True), ("selection", 1), ("timer", True)], seen
