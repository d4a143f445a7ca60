# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the interpreter keeps for a thread and means for a stack survives suspensions."""
import contextvars
import json
import sys
import threading

import pytest

from gi.repository import Cothread


def test_the_exception_in_handling_belongs_to_the_task():
    def handle(number):
        try:
            raise ValueError(number)
        except ValueError as error:
            for _ in range(3):
                Cothread.sleep(0)
                assert sys.exc_info()[1] is error
            try:
                raise KeyError(number)
            except KeyError:
                Cothread.yield_()
                assert sys.exc_info()[1].__context__ is error
            assert sys.exc_info()[1] is error
        Cothread.sleep(0)
        assert sys.exc_info() == (None, None, None)
        return number

    tasks = [Cothread.spawn(handle, i) for i in range(20)]
    assert [task.wait() for task in tasks] == list(range(20))
    assert sys.exc_info() == (None, None, None)


def test_main_handles_its_own_exception_while_tasks_handle_theirs():
    def handle():
        try:
            raise KeyError
        except KeyError:
            Cothread.sleep(0.001)

    try:
        raise ValueError("main")
    except ValueError as error:
        Cothread.spawn(handle)
        Cothread.spawn(handle).wait()
        assert sys.exc_info()[1] is error


def test_bare_raise_after_a_wait_raises_the_same():
    def work(number):
        try:
            raise LookupError(number)
        except LookupError:
            Cothread.yield_()
            raise

    tasks = [Cothread.spawn(work, i) for i in range(5)]
    for i, task in enumerate(tasks):
        with pytest.raises(LookupError) as caught:
            task.wait()
        assert caught.value.args == (i,)


def test_generators_go_on_in_other_tasks():
    def count():
        try:
            for i in range(100):
                Cothread.yield_()
                try:
                    raise ValueError(i)
                except ValueError:
                    yield i
        finally:
            Cothread.yield_()

    generator = count()
    taken = []

    def take():
        while True:
            try:
                taken.append(next(generator))
            except StopIteration:
                return
            except ValueError as error:  # another task is inside it
                assert "already executing" in str(error)
                Cothread.yield_()
            Cothread.yield_()

    for task in [Cothread.spawn(take) for _ in range(4)]:
        task.wait()
    assert taken == list(range(100))


def test_a_generator_suspended_in_a_task_can_be_finished_by_main():
    def numbers():
        yield 1
        Cothread.sleep(0)
        yield 2

    generator = numbers()
    assert Cothread.spawn(next, generator).wait() == 1
    assert next(generator) == 2


def test_context_variables_are_the_tasks_own():
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("main")

    def work(number):
        assert variable.get() == "main"
        variable.set(number)
        for _ in range(5):
            Cothread.yield_()
            assert variable.get() == number
        inner = Cothread.spawn(variable.get)
        variable.set("later")
        return inner.wait()

    tasks = [Cothread.spawn(work, i) for i in range(10)]
    assert [task.wait() for task in tasks] == list(range(10))
    assert variable.get() == "main"


def test_deep_recursion_across_suspensions():
    def recurse(n):
        if n == 0:
            Cothread.sleep(0)
            return 0
        return 1 + recurse(n - 1)

    tasks = [Cothread.spawn(recurse, 50 * i) for i in range(15)]
    assert [task.wait() for task in tasks] == [50 * i for i in range(15)]


def test_each_task_has_a_whole_recursion_limit():
    def recurse():
        return recurse()

    def too_deep():
        try:
            recurse()
        except RecursionError:
            Cothread.sleep(0)
            return "caught"

    def at_depth(n):
        return at_depth(n - 1) if n else [task.wait() for task in [Cothread.spawn(too_deep) for _ in range(3)]]

    assert at_depth(sys.getrecursionlimit() // 2) == ["caught"] * 3


def test_recursion_through_c_reaches_the_limit_before_the_guard_page():
    class Deep:
        def __init__(self, n):
            self.n = n

        def __repr__(self):
            return repr(Deep(self.n + 1))

        def __eq__(self, other):
            return [Deep(0)] == [Deep(0)]

        def __getattr__(self, name):
            return getattr(self, name + "x")

        def __hash__(self):
            return hash((self, 1))

        def __iter__(self):
            return iter(sorted([1, 2], key=lambda _: list(Deep(0))))

    for deepest in (lambda: repr(Deep(0)), lambda: Deep(0) == Deep(1), lambda: Deep(0).a, lambda: hash(Deep(0)),
                    lambda: list(Deep(0)), lambda: json.dumps([], default=None) and json.loads("[" * 100000)):
        with pytest.raises(RecursionError):
            Cothread.spawn(deepest).wait()


def test_an_import_in_a_task():
    def load():
        import xml.dom.minidom
        return xml.dom.minidom.parseString("<a/>").documentElement.tagName

    assert Cothread.spawn(load).wait() == "a"


def test_tracing_sees_tasks():
    seen = []

    def trace(frame, event, argument):
        seen.append(frame.f_code.co_name)
        return None

    def traced_function():
        Cothread.yield_()

    old = sys.gettrace()
    sys.settrace(trace)
    try:
        Cothread.spawn(traced_function).wait()
    finally:
        sys.settrace(old)
    assert "traced_function" in seen


def test_thread_local_data_are_the_threads():
    local = threading.local()
    local.value = 1

    def read():
        Cothread.yield_()
        local.value += 1
        return threading.current_thread() is threading.main_thread()

    assert Cothread.spawn(read).wait()
    assert local.value == 2


def test_a_frame_that_outlives_its_task():
    frames = []

    def work(value):
        frames.append(sys._getframe())
        Cothread.yield_()

    Cothread.spawn(work, "kept").wait()
    assert frames[0].f_locals["value"] == "kept"


def test_finalizers_may_wait():
    order = []

    class Closing:
        def __del__(self):
            Cothread.sleep(0)
            order.append("closed")

    def work():
        closing = Closing()
        del closing
        order.append("after")

    Cothread.spawn(work).wait()
    assert order == ["closed", "after"]


def test_a_thousand_deep_stacks_at_once():
    def recurse(n):
        if n == 0:
            Cothread.sleep(0.001)
            return 0
        return 1 + recurse(n - 1)

    tasks = [Cothread.spawn(recurse, 60) for _ in range(1000)]
    assert {task.wait() for task in tasks} == {60}


def test_a_coroutine_driven_by_hand_waits_in_a_task():
    async def inner(number):
        Cothread.yield_()
        return number

    async def outer(number):
        return await inner(number) + await inner(number)

    def drive(number):
        try:
            outer(number).send(None)
        except StopIteration as end:
            return end.value

    tasks = [Cothread.spawn(drive, i) for i in range(10)]
    assert [task.wait() for task in tasks] == [2 * i for i in range(10)]
