# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signal handlers, nested loops, virtual functions: waits inside what C calls."""
import sys

import pytest

from gi.repository import Cothread, Gio, GLib, GObject


class Emitter(GObject.Object):
    __gsignals__ = {
        "ask": (GObject.SignalFlags.RUN_LAST, int, (int,)),
        "tell": (GObject.SignalFlags.RUN_LAST, None, (int,)),
    }
    number = GObject.Property(type=int)


def test_a_handler_inside_a_task_sleeps():
    emitter = Emitter()

    def answer(_, number):
        Cothread.sleep(0.001 * (5 - number))
        return number * 2

    emitter.connect("ask", answer)
    tasks = [Cothread.spawn(emitter.emit, "ask", i) for i in range(5)]
    assert [task.wait() for task in tasks] == [0, 2, 4, 6, 8]


def test_emissions_of_one_object_end_in_any_order():
    emitter = Emitter()
    order = []

    def handle(_, number):
        events[number].wait()
        order.append(number)

    events = [Cothread.Event() for _ in range(6)]
    emitter.connect("tell", handle)
    tasks = [Cothread.spawn(emitter.emit, "tell", i) for i in range(6)]
    Cothread.sleep(0)
    for i in (3, 0, 5, 1, 4, 2):
        events[i].signal()
        Cothread.sleep(0)
        Cothread.sleep(0)
    for task in tasks:
        task.wait()
    assert order == [3, 0, 5, 1, 4, 2]


def test_handlers_nested_in_handlers_wait_and_handle_exceptions():
    emitter = Emitter()

    def answer(_, number):
        try:
            raise ValueError(number)
        except ValueError as error:
            Cothread.sleep(0)
            below = emitter.emit("ask", number - 1) if number else 0
            Cothread.sleep(0)
            assert sys.exc_info()[1] is error
        return below + 1

    emitter.connect("ask", answer)
    tasks = [Cothread.spawn(emitter.emit, "ask", 20) for _ in range(5)]
    assert [task.wait() for task in tasks] == [21] * 5


def test_a_property_notification_waits():
    emitter = Emitter()
    seen = []

    def changed(emitter, _):
        Cothread.sleep(0)
        seen.append(emitter.number)

    emitter.connect("notify::number", changed)

    def change():
        emitter.number = 7

    Cothread.spawn(change).wait()
    assert seen == [7]


def test_a_handler_of_the_main_loop_is_refused_and_can_spawn():
    """A wait there would stop the loop."""
    seen = []
    loop = GLib.MainLoop()

    def handler():
        try:
            Cothread.sleep(0)
        except Cothread.WrongContext as error:
            seen.append(str(error))
        Cothread.spawn(lambda: Cothread.sleep(0.001) or loop.quit())
        return GLib.SOURCE_REMOVE

    GLib.idle_add(handler)
    loop.run()
    assert "Spawn a task" in seen[0]


def test_a_nested_loop_in_a_task_lets_the_others_go_on():
    steps = []

    def dialog():
        loop = GLib.MainLoop()
        GLib.timeout_add(1, lambda: len(steps) < 3 or loop.quit())
        loop.run()
        return len(steps)

    def work():
        for i in range(10):
            try:
                raise KeyError(i)
            except KeyError as error:
                Cothread.sleep(0.001)
                assert sys.exc_info()[1] is error
            steps.append(i)

    task = Cothread.spawn(dialog)
    worker = Cothread.spawn(work)
    assert task.wait() >= 3
    worker.wait()


def test_a_handler_in_a_nested_loop_spawns_while_others_emit():
    emitter = Emitter()
    answers = []

    def answer(_, number):
        Cothread.sleep(0.002)
        return number

    emitter.connect("ask", answer)

    def dialog():
        loop = GLib.MainLoop()

        def respond():
            task = Cothread.spawn(lambda: answers.append(emitter.emit("ask", 1)) or loop.quit())
            with pytest.raises(Cothread.WrongContext):
                task.wait()
            return False

        GLib.timeout_add(5, respond)
        loop.run()

    def others():
        for i in range(10):
            answers.append(emitter.emit("ask", i))

    tasks = [Cothread.spawn(dialog), Cothread.spawn(others), Cothread.spawn(others)]
    for task in tasks:
        task.wait()
    assert len(answers) == 21


def test_loops_nested_in_loops_end_last_in_first_out():
    order = []

    def open_loop(depth):
        loop = GLib.MainLoop()

        def inner():
            if depth:
                open_loop(depth - 1)
            order.append(depth)
            loop.quit()
            return False

        GLib.idle_add(inner)
        loop.run()

    task = Cothread.spawn(open_loop, 4)
    other = Cothread.spawn(lambda: [Cothread.sleep(0.001) for _ in range(20)])
    task.wait()
    other.wait()
    assert order == [0, 1, 2, 3, 4]


def test_an_exception_in_a_handler_inside_a_task_does_not_reach_the_emitter(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, value, trace: seen.append(value))
    emitter = Emitter()

    def fail(_, number):
        Cothread.sleep(0)
        raise LookupError(number)

    emitter.connect("tell", fail)
    Cothread.spawn(emitter.emit, "tell", 1).wait()
    assert [type(error) for error in seen] == [LookupError]


def test_virtual_functions_wait():
    class Source(Gio.InputStream):
        def do_read_fn(self, buffer, count, cancellable):
            raise NotImplementedError

        def do_skip(self, count, cancellable):
            Cothread.sleep(0.001)
            return count

    tasks = [Cothread.spawn(Source().skip, i, None) for i in range(1, 6)]
    assert [task.wait() for task in tasks] == [1, 2, 3, 4, 5]


def test_objects_die_in_tasks():
    freed = []

    def work():
        emitter = Emitter()
        emitter.weak_ref(lambda: freed.append(1))
        Cothread.sleep(0)
        del emitter

    for task in [Cothread.spawn(work) for _ in range(10)]:
        task.wait()
    assert len(freed) == 10


def test_waits_through_introspection_work_beside_those_of_the_extension():
    """What is called through the typelib lets go of the interpreter while it waits."""
    plain = Cothread.Scheduler.get_default().get_callback_queue()
    introspected = sys.modules["gi.repository.Cothread"]._introspection_module

    def wait(number):
        try:
            raise ValueError(number)
        except ValueError as error:
            for _ in range(10):
                introspected.sleep(100)
                Cothread.sleep(0)
                introspected.yield_() if hasattr(introspected, "yield_") else None
            assert sys.exc_info()[1] is error
        return number

    tasks = [Cothread.spawn(wait, i) for i in range(8)]
    assert [task.wait() for task in tasks] == list(range(8))
    assert plain is not None
