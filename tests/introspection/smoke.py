# SPDX-License-Identifier: LGPL-2.1-or-later
"""The typelib from Python: statistics, a callback, an error, a wait in main."""
import gi

gi.require_version("Cothread", "1.0")
from gi.repository import Cothread, GLib

scheduler = Cothread.Scheduler.get_default()
queue = scheduler.get_callback_queue()
loop = GLib.MainLoop()
seen = []


def callback(*data):
    seen.append("callback")
    try:
        Cothread.sleep(1000)
    except GLib.Error as error:
        # Called by the main loop, outside any task: refused, not crashed.
        assert error.matches(Cothread.error_quark(), Cothread.Error.WRONG_CONTEXT), error
        seen.append("refused")
    loop.quit()


assert queue.post(callback, None)
assert seen == [], "a callback is always asynchronous"
loop.run()
assert seen == ["callback", "refused"], seen

statistics = scheduler.get_statistics()
assert statistics.turns > 0
assert statistics.tasks == statistics.ready + statistics.waiting + statistics.running
assert queue.get_statistics().run == 1
names = [task.get_name() for task in scheduler.list_tasks()]
assert names == ["callback queue default"], names
others = [Cothread.CallbackQueue.new(scheduler, name) for name in ("a", "b", "c")]
names += [f"callback queue {name}" for name in ("a", "b", "c")]
for _ in range(3):  # whose are the elements? Not freed twice
    assert [task.get_name() for task in scheduler.list_tasks()] == names
    assert [info.name for info in scheduler.list_task_infos(10)] == names
    assert len(scheduler.list_callback_queues()) == 4
    assert scheduler.find_lost_waiters() == []
for other in others:
    other.close()

scheduler.set_property("time-slice", 1000)
assert scheduler.get_time_slice() == 1000

event = Cothread.Event.new(True)
queue.post(lambda *data: event.signal(), None)
assert event.wait(10_000_000), "a wait in main runs the loop"

queue.close()
try:
    queue.post(callback, None)
    raise SystemExit("a post on a closed queue has to fail")
except GLib.Error as error:
    assert error.matches(Cothread.error_quark(), Cothread.Error.CLOSED), error
